//! `migrate`: bring the database's schema up, down, or say where it stands.

use storage::migrate::{self, MigrationStatus};

use super::sources::SourceArgs;
use super::{Failure, output};
use crate::assembly::database_url;

/// Options of `migrate`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    sources: SourceArgs,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Action {
    /// Apply what is missing (the default).
    Up,
    /// Take migrations back, newest first.
    Down {
        /// How many.
        #[arg(long, default_value_t = 1)]
        steps: usize,
    },
    /// Say which migrations are applied and which are not.
    Status,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let loaded = args.sources.load(Vec::new())?;
    let url = database_url(&loaded.config)?;
    let standing = match args.action.unwrap_or(Action::Up) {
        Action::Up => migrate::up(&url)?,
        Action::Down { steps } => migrate::down(&url, steps)?,
        Action::Status => migrate::status(&url)?,
    };
    let line = |migration: MigrationStatus| {
        let state = if migration.applied { "applied" } else { "pending" };
        format!("{state} {}\n", migration.name)
    };
    Ok(output::emit(&standing.into_iter().map(line).collect::<String>())?)
}
