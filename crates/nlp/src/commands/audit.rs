//! `nlp audit`: lists, exports and verifies the audit trail.

use std::fs::File;
use std::io::{BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};

use audit_trail::chain::Place;
use audit_trail::file::{Fault, Walk};
use client::{Client, options};
use serde_json::json;

use super::{Limit, json as written, jsons};
use crate::failure::{Failure, Result};
use crate::output::Printer;
use crate::settings::Settings;

#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum Command {
    /// List events, newest first.
    List {
        #[command(flatten)]
        limit: Limit,
        /// Only events with this action, such as `token.create`.
        #[arg(long)]
        action: Option<String>,
        /// Only events caused by this actor, such as `user:<id>`.
        #[arg(long)]
        actor: Option<String>,
        /// Only events on the resource with this id.
        #[arg(long, value_name = "ID")]
        target: Option<String>,
        /// Only events at or after this time (RFC 3339).
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Only events before this time (RFC 3339).
        #[arg(long, value_name = "TIME")]
        to: Option<String>,
    },
    /// Verify an audit trail. Exits with 1 if it is damaged. A file is verified locally, without the authority.
    Verify {
        /// A file from `nlp audit export`, or `-` for standard input. By default, the authority verifies its trail.
        file: Option<PathBuf>,
        /// The number and hash of an event that was saved earlier and must still be part of the trail. Without it, a
        /// trail that was truncated or recomputed as a whole cannot be detected.
        #[arg(long, value_name = "NUMBER.HASH", value_parser = Place::parse)]
        expect_head: Option<Place>,
        /// The number and hash of the event before the first one in the file, if the file does not start with event 1.
        #[arg(long, value_name = "NUMBER.HASH", value_parser = Place::parse, requires = "file")]
        after: Option<Place>,
    },
    /// Export the trail to a file, which `nlp audit verify FILE` can verify offline.
    Export {
        /// The file; it must not exist.
        file: PathBuf,
    },
}

pub(crate) fn run(settings: &Settings, printer: &Printer, command: &Command) -> Result<()> {
    match command {
        Command::List { limit, action, actor, target, from, to } => {
            let client = settings.signed_in()?;
            let found = limit.gather(printer, |after, size| {
                let wanted = options::ListAuditOptions {
                    after,
                    limit: u32::try_from(size).ok(),
                    action: action.clone(),
                    actor: actor.clone(),
                    target: target.clone(),
                    from: from.clone(),
                    to: to.clone(),
                    order: Some("newest".into()),
                };
                let page = client.list_audit(&wanted)?;
                Ok((page.events, page.next_cursor))
            })?;
            printer.list(&jsons(&found)?, &["seq", "at", "action", "actor", "target_kind", "target_id"])
        }
        Command::Verify { file: Some(file), expect_head, after } => {
            verify_file(printer, file, &Walk { after: *after, remembered: *expect_head })
        }
        Command::Verify { file: None, expect_head, .. } => {
            ask(&settings.signed_in()?, printer, expect_head.map(|head| head.to_string()).as_ref())
        }
        Command::Export { file } => export(&settings.signed_in()?, printer, file),
    }
}

/// The advice for a trail that does not verify.
const KEEP: &str = "do not change the database, and compare it with an earlier backup";

/// Verifies a file offline.
fn verify_file(printer: &Printer, file: &Path, walk: &Walk) -> Result<()> {
    /// Events between two progress lines.
    const OFTEN: u64 = 10_000;
    let progress = printer.progress();
    let tell = |number: u64| {
        if number.is_multiple_of(OFTEN) {
            progress.tell(|| format!("{number} events verified so far"));
        }
    };
    let walked = if file == Path::new("-") {
        walk.along(std::io::stdin().lock(), tell)
    } else {
        let named = |error: std::io::Error| Failure::new(format!("{} cannot be read: {error}", file.display()));
        walk.along(BufReader::new(File::open(file).map_err(named)?), tell)
    };
    let whole = walked.map_err(|fault| match fault {
        Fault::Io(_) | Fault::Line(..) | Fault::OtherTrail(_) => Failure::new(format!("{}: {fault}", file.display())),
        Fault::Broken(..) | Fault::CutOff(_) => Failure::new(format!("the audit trail is damaged: {fault}")).next(KEEP),
    })?;
    let Some(whole) = whole else { return printer.done("no events", &json!({ "ok": true, "checked": 0 })) };
    let checked = whole.head.seq - whole.first + 1;
    let trail = whole.organization_id.map(|id| id.to_string());
    let value = json!({ "ok": true, "checked": checked, "head": whole.head.to_string(), "org_id": trail });
    printer.one(&value, &["ok", "checked", "head", "org_id"])
}

/// Lets the authority verify the trail, in parts.
fn ask(client: &Client, printer: &Printer, expect_head: Option<&String>) -> Result<()> {
    let progress = printer.progress();
    let mut after = None;
    let mut checked = 0;
    loop {
        let answer = client.verify_audit(&options::VerifyAuditOptions { after, expect_head: expect_head.cloned() })?;
        checked += answer.checked;
        progress.tell(|| format!("{checked} events verified so far"));
        match (&answer.first_bad, &answer.next_cursor) {
            (None, Some(next)) => after = Some(next.clone()),
            (None, None) => {
                let mut value = written(&answer)?;
                value["checked"] = checked.into();
                return printer.one(&value, &["ok", "checked", "head"]);
            }
            (Some(bad), _) => {
                return Err(Failure::new(format!("the audit trail is damaged: {}", bad.message)).next(KEEP));
            }
        }
    }
}

/// Streams the trail to a file.
fn export(client: &Client, printer: &Printer, file: &Path) -> Result<()> {
    let mut trail = client.export_audit(&options::ExportAuditOptions::default())?;
    let named = |error: std::io::Error| Failure::new(format!("{} cannot be written: {error}", file.display()));
    let mut out = File::create_new(file).map_err(named)?;
    let progress = printer.progress();
    let mut buffer = vec![0; 64 * 1024];
    let mut total = 0_u64;
    loop {
        let read = trail.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        out.write_all(&buffer[..read]).map_err(named)?;
        total += read as u64;
        progress.tell(|| format!("{} KiB written", total / 1024));
    }
    let value = json!({ "file": file.display().to_string(), "bytes": total });
    printer.done(&format!("wrote {total} bytes to {}", file.display()), &value)
}
