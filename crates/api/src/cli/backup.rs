//! `backup FILE`: copies an SQLite database while the service runs.

use std::path::PathBuf;

use storage::Store;

use super::sources::SourceArgs;
use super::{Failure, serve};
use crate::assembly::{database_url, store_options};

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
    let url = database_url(&config)?;
    if url.sqlite_path().is_none() {
        return Err("this copies SQLite databases: back up PostgreSQL with its own tools, such as pg_dump".into());
    }
    if args.file.exists() {
        return Err(format!("{} exists already: name a new file", args.file.display()).into());
    }
    let background = serve::background()?;
    background.block_on(async {
        let store = Store::open(&url, store_options(&config.database), background.handle().clone()).await?;
        let copied = store.backup_sqlite(&args.file).await;
        store.shutdown().await;
        Ok(copied?)
    })
}
