//! `nlp audit`: what has happened, and whether the trail is as it was written.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use client::options;

use super::{Limit, json, jsons};
use crate::failure::{Failure, Result};
use crate::output::Printer;
use crate::settings::Settings;

#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum Command {
    /// List events, the newest first.
    List {
        #[command(flatten)]
        limit: Limit,
        /// Only this action, such as `token.create`.
        #[arg(long)]
        action: Option<String>,
        /// Only by this actor, such as `user:<id>`.
        #[arg(long)]
        actor: Option<String>,
        /// Only on what has this id.
        #[arg(long, value_name = "ID")]
        target: Option<String>,
        /// Only at this time or later; RFC 3339.
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Only before this time; RFC 3339.
        #[arg(long, value_name = "TIME")]
        to: Option<String>,
    },
    /// Ask the authority whether the trail is as it was written; exit code 1 if not.
    Verify {
        /// An event the trail must come through, remembered from an earlier time.
        #[arg(long, value_name = "NUMBER.HASH")]
        expect_head: Option<String>,
    },
    /// Write the trail to a file, which `nolapse-api audit verify FILE` verifies anywhere.
    Export {
        /// The file; it must not exist.
        file: PathBuf,
    },
}

pub(crate) fn run(settings: &Settings, printer: &Printer, command: &Command) -> Result<()> {
    let client = settings.signed_in()?;
    match command {
        Command::List { limit, action, actor, target, from, to } => {
            let found = limit.gather(|after, size| {
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
        Command::Verify { expect_head } => {
            let progress = printer.progress();
            let mut after = None;
            let mut checked = 0;
            loop {
                let wanted = options::VerifyAuditOptions { after, expect_head: expect_head.clone() };
                let answer = client.verify_audit(&wanted)?;
                checked += answer.checked;
                progress.tell(|| format!("{checked} events are good so far"));
                match (&answer.first_bad, &answer.next_cursor) {
                    (None, Some(next)) => after = Some(next.clone()),
                    (None, None) => {
                        let mut value = json(&answer)?;
                        value["checked"] = checked.into();
                        return printer.one(&value, &["ok", "checked", "head"]);
                    }
                    (Some(bad), _) => {
                        return Err(Failure::new(format!("the trail is not as it was written: {}", bad.message))
                            .next("keep the database as it is, and compare with a backup from before"));
                    }
                }
            }
        }
        Command::Export { file } => {
            let mut trail = client.export_audit(&options::ExportAuditOptions::default())?;
            let named = |error: std::io::Error| Failure::new(format!("{} cannot be written: {error}", file.display()));
            let mut out = std::fs::File::create_new(file).map_err(named)?;
            let mut buffer = vec![0; 64 * 1024];
            let mut total = 0_u64;
            loop {
                let read = trail.read(&mut buffer)?;
                if read == 0 {
                    break;
                }
                out.write_all(&buffer[..read]).map_err(named)?;
                total += read as u64;
            }
            let value = serde_json::json!({ "file": file.display().to_string(), "bytes": total });
            printer.done(&format!("wrote {total} bytes to {}", file.display()), &value)
        }
    }
}
