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
    /// The file to write the copy to. It must not exist.
    file: PathBuf,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let config = args.sources.load(Vec::new())?.config;
    if database_url(&config)?.sqlite_path().is_none() {
        return Err(
            "this command copies SQLite databases only: back up PostgreSQL with its own tools, such as pg_dump".into(),
        );
    }
    if args.file.exists() {
        return Err(format!("{} already exists: use the name of a new file", args.file.display()).into());
    }
    with_store(&config, async |store| Ok(store.backup_sqlite(&args.file).await?))
}
