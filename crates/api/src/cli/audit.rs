//! `audit verify`: verifies the hash chain of audit trails, in an exported file or in the database.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::sources::SourceArgs;
use super::{Failure, output, with_store};
use authority::audit::chain::Place;
use authority::audit::file::{Fault, Walk, Whole};
use authority::audit::read::{Audit, Outcome};

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
    /// Verify audit trails. Exits with 0 if they are intact; otherwise prints the first damaged event and exits with 1.
    Verify(VerifyArgs),
}

#[derive(Clone, Debug, clap::Args)]
struct VerifyArgs {
    #[command(flatten)]
    sources: SourceArgs,
    /// A file from `GET /v1/audit/export`, or `-` for standard input. Defaults to all trails of the database.
    file: Option<PathBuf>,
    /// The number and hash of an event that was saved earlier and must still be part of the trail. Without it, a trail
    /// that was truncated or recomputed as a whole cannot be detected.
    #[arg(long, value_name = "NUMBER.HASH", value_parser = Place::parse, requires = "file")]
    expect_head: Option<Place>,
    /// The number and hash of the event before the first one in the file, if the file does not start with event 1.
    #[arg(long, value_name = "NUMBER.HASH", value_parser = Place::parse, requires = "file")]
    after: Option<Place>,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Action::Verify(args) = args.action;
    let Some(file) = args.file else {
        let loaded = args.sources.load(Vec::new())?;
        return with_store(&loaded.config, async |store| verify_trails(&Audit::new(store.clone())).await);
    };
    let walk = Walk { after: args.after, remembered: args.expect_head };
    let said = if file == Path::new("-") {
        along(&walk, io::stdin().lock()).map_err(|fault| fault.to_string())?
    } else {
        let named = |error: io::Error| format!("{} cannot be read: {error}", file.display());
        along(&walk, BufReader::new(File::open(&file).map_err(named)?)).map_err(|fault| fault.to_string())?
    };
    Ok(output::emit(&said)?)
}

/// Verifies a file, and returns the line that reports success.
fn along(walk: &Walk, lines: impl BufRead) -> Result<String, Fault> {
    let whole = walk.along(lines, |number| {
        if number.is_multiple_of(PROGRESS) {
            output::progress(&format!("{number} events verified so far"));
        }
    })?;
    Ok(whole.map_or_else(|| "no events\n".to_owned(), |whole| format!("{whole}\n")))
}

/// Verifies every trail, and goes on after a bad one.
pub(super) async fn verify_trails(audit: &Audit) -> Result<(), Failure> {
    let mut bad = Vec::new();
    for trail in audit.trails().await? {
        let mut began = Place::START;
        loop {
            let verified = audit.verify(trail, began, None).await?;
            match verified.outcome {
                Outcome::Whole => {
                    let whole = Whole { organization_id: trail, first: 1, head: verified.reached };
                    output::emit(&format!("{whole}\n"))?;
                }
                Outcome::More => {
                    began = verified.reached;
                    continue;
                }
                Outcome::Broken(broken) => {
                    let name = trail.map_or_else(|| "the deployment".to_owned(), |id| id.to_string());
                    bad.push(format!("{name}: {broken}"));
                }
            }
            break;
        }
    }
    if bad.is_empty() { Ok(()) } else { Err(bad.join("; ").into()) }
}
