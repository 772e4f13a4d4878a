//! `ledger check` and `ledger replay`: the ledger of revocations, of this or of another node.

use std::fmt::Write as _;
use std::path::PathBuf;

use authority::ledger::format::{Folder, read};
use authority::replay::{Repeated, repeat};

use super::order::with_services;
use super::sources::SourceArgs;
use super::{Failure, output, serve};
use crate::assembly::{database_url, ledger_folder};
use crate::config::Config;

/// Options of `ledger`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Action {
    /// Read a ledger and print the number of entries in each of its files. Exits with 1 if lines are damaged.
    Check(FolderArgs),
    /// Compare a whole ledger with the database, and repeat the revocations that the database does not have. On SQLite no server
    /// may run.
    Replay(FolderArgs),
}

#[derive(Clone, Debug, clap::Args)]
struct FolderArgs {
    #[command(flatten)]
    sources: SourceArgs,
    /// The folder of the ledger. Defaults to the configured one.
    directory: Option<PathBuf>,
}

impl FolderArgs {
    fn load(self) -> Result<(Config, Folder), Failure> {
        let config = self.sources.load(Vec::new())?.config;
        let url = database_url(&config)?;
        let folder = match self.directory {
            Some(directory) => Folder::new(directory),
            None => {
                ledger_folder(&config.ledger, &url).ok_or("no ledger is kept: set ledger.directory, or name one")?
            }
        };
        if !folder.path().is_dir() {
            return Err(format!("there is no ledger at {}", folder.path().display()).into());
        }
        Ok((config, folder))
    }
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    match args.action {
        Action::Check(args) => check(&args.load()?.1),
        Action::Replay(args) => {
            let (config, folder) = args.load()?;
            let background = serve::background()?;
            background.block_on(with_services(&config, &background, async |services| {
                let repeated = repeat(&services.context, &folder).await?;
                Ok(output::emit(&said(repeated.as_ref()))?)
            }))
        }
    }
}

fn check(folder: &Folder) -> Result<(), Failure> {
    let mut damaged = 0;
    for part in folder.parts()? {
        let mut last = None;
        let reading = read(&part, |entry| {
            last = Some(entry.at);
            Ok(())
        })?;
        damaged += reading.damaged;
        let until = last.map_or_else(String::new, |last| format!(", the last of {}", last.rfc3339_seconds()));
        output::emit(&format!("{}: {} entries{until}\n", part.display(), reading.entries))?;
    }
    if damaged == 0 {
        Ok(())
    } else {
        Err(format!("{damaged} lines are damaged: they are left out in a replay").into())
    }
}

/// What a replay did, for people.
pub(super) fn said(repeated: Option<&Repeated>) -> String {
    let Some(done) = repeated else {
        return "the database has everything that is in the ledger\n".to_owned();
    };
    let mut text = format!(
        "repeated what the database had lost: {} tokens revoked, {} other changes; {} needed nothing\n",
        done.tokens, done.others, done.needless
    );
    if done.damaged > 0 {
        // As below.
        let _ = writeln!(
            text,
            "WARNING: {} lines of the ledger are damaged and were left out: what they ended may be valid again (`nolapse-api ledger check` names their files)",
            done.damaged
        );
    }
    for change in &done.by_hand {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "to be done again by hand: {change}");
    }
    if done.unnamed > 0 {
        let _ = writeln!(text, "and {} more, which are not named", done.unnamed);
    }
    text
}
