//! `audit verify`: whether audit trails are as they were written, in a file that was exported or in the database.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use authority::audit::chain::{Chain, Place};
use authority::audit::line;
use authority::audit::read::{Audit, Outcome};
use authority::records::AuditRecord;
use storage::Store;

use super::sources::SourceArgs;
use super::{Failure, output, serve};
use crate::assembly::{database_url, store_options};
use crate::config::Config;

/// Bytes of the longest line that is read: far more than an event has.
const LONGEST_LINE: u64 = 1 << 20;
/// Events between two progress lines.
const PROGRESS: u64 = 100_000;

/// Options of `audit`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Action {
    /// Say whether a trail is as it was written: exit code 0 if so, 1 and the first bad event if not.
    Verify(VerifyArgs),
}

#[derive(Clone, Debug, clap::Args)]
struct VerifyArgs {
    #[command(flatten)]
    sources: SourceArgs,
    /// A file that `GET /v1/audit/export` wrote, `-` for standard input; every trail of the database if left out.
    file: Option<PathBuf>,
    /// An event the trail must come through, remembered from an earlier time as NUMBER.HASH. Only this shows that events
    /// were cut off at the end, or the whole trail computed anew.
    #[arg(long, value_name = "NUMBER.HASH", value_parser = Place::parse, requires = "file")]
    expect_head: Option<Place>,
    /// The event before the first of the file, for a file that does not begin with event 1.
    #[arg(long, value_name = "NUMBER.HASH", value_parser = Place::parse, requires = "file")]
    after: Option<Place>,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Action::Verify(args) = args.action;
    let Some(file) = args.file else {
        let loaded = args.sources.load(Vec::new())?;
        let background = serve::background()?;
        return background.block_on(verify_database(&loaded.config, background.handle().clone()));
    };
    let walk = Walk { after: args.after, remembered: args.expect_head };
    let said = if file == Path::new("-") {
        walk.along(io::stdin().lock())?
    } else {
        let named = |error: io::Error| format!("{} cannot be read: {error}", file.display());
        walk.along(BufReader::new(File::open(&file).map_err(named)?))?
    };
    Ok(output::emit(&said)?)
}

/// The hashes that the file must begin after and pass through.
struct Walk {
    after: Option<Place>,
    remembered: Option<Place>,
}

impl Walk {
    /// Verifies event after event, and returns the line that reports success.
    fn along(&self, mut lines: impl BufRead) -> Result<String, Failure> {
        let mut taken: Option<(AuditRecord, Chain)> = None;
        let mut line = Vec::new();
        for number in 1_u64.. {
            line.clear();
            (&mut lines).take(LONGEST_LINE).read_until(b'\n', &mut line)?;
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            if line.is_empty() {
                break;
            }
            let record = line::read(text).map_err(|error| format!("line {number} {error}"))?;
            let (first, chain) = taken.get_or_insert_with(|| (record.clone(), self.beginning(&record)));
            if first.organization_id != record.organization_id {
                return Err(
                    format!("line {number} is of another trail than the first: verify each trail by itself").into()
                );
            }
            chain.take(&record).map_err(|broken| format!("line {number}: {broken}"))?;
            if number.is_multiple_of(PROGRESS) && io::stderr().is_terminal() {
                // If nobody can be told, it goes on all the same.
                let _ = writeln!(io::stderr(), "{number} events are good so far");
            }
        }
        let nothing = || Chain::after(self.after.unwrap_or(Place::START));
        let chain = taken.as_ref().map_or_else(nothing, |(_, chain)| *chain);
        let chain = self.remembered.map_or(chain, |remembered| chain.through(remembered));
        chain.end().map_err(|broken| broken.to_string())?;
        Ok(match &taken {
            None => "no events\n".to_owned(),
            Some((first, chain)) => said(first.organization_id.map(|id| id.to_string()), first.seq, chain.reached()),
        })
    }

    /// Begins after the remembered event, or after the hash that the first line names as its predecessor.
    fn beginning(&self, first: &AuditRecord) -> Chain {
        let claimed = Place { seq: first.seq.saturating_sub(1), hash: first.prev_hash };
        let before = match self.after {
            Some(place) => place,
            // Before the first event there is one hash only, and it is not the file's to say.
            None if first.seq <= 1 => Place::START,
            None => claimed,
        };
        let chain = Chain::after(before);
        self.remembered.map_or(chain, |remembered| chain.through(remembered))
    }
}

fn said(trail: Option<String>, first: i64, head: Place) -> String {
    let trail = trail.unwrap_or_else(|| "the deployment".to_owned());
    format!("whole: events {first} to {} of {trail}; head {head}\n", head.seq)
}

async fn verify_database(config: &Config, background: tokio::runtime::Handle) -> Result<(), Failure> {
    let store = Store::open(&database_url(config)?, store_options(&config.database), background).await?;
    let audit = Audit::new(store.clone());
    let result = verify_trails(&audit).await;
    store.shutdown().await;
    result
}

/// Verifies every trail, also after one that is bad.
async fn verify_trails(audit: &Audit) -> Result<(), Failure> {
    let mut bad = Vec::new();
    for trail in audit.trails().await? {
        let mut began = Place::START;
        let name = trail.map(|id| id.to_string());
        loop {
            let verified = audit.verify(trail, began, None).await?;
            match verified.outcome {
                Outcome::Whole => output::emit(&said(name, 1, verified.reached))?,
                Outcome::More => {
                    began = verified.reached;
                    continue;
                }
                Outcome::Broken(broken) => {
                    bad.push(format!("{}: {broken}", name.as_deref().unwrap_or("the deployment")));
                }
            }
            break;
        }
    }
    if bad.is_empty() { Ok(()) } else { Err(bad.join("; ").into()) }
}
