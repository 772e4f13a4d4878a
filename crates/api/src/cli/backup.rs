//! `backup FILE`: copies an SQLite database while the service runs.

use std::path::PathBuf;

use super::sources::SourceArgs;
use super::{Failure, with_store};
use crate::assembly::database_url;

/// Options of `backup`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    sources: SourceArgs,
    /// Where to write the copy. There must be no such file yet.
    file: PathBuf,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let config = args.sources.load(Vec::new())?.config;
    if database_url(&config)?.sqlite_path().is_none() {
        return Err("this copies SQLite databases: back up PostgreSQL with its own tools, such as pg_dump".into());
    }
    if args.file.exists() {
        return Err(format!("{} exists already: name a new file", args.file.display()).into());
    }
    with_store(&config, async |store| Ok(store.backup_sqlite(&args.file).await?))
}
