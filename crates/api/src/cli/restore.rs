//! `restore FILE`: puts a copy in the place of an SQLite database, and repeats the revocations that it does not have.

use std::path::PathBuf;

use authority::audit::read::Audit;
use authority::env::{Clock as _, SystemClock};
use authority::replay::Thoroughness;
use storage::{instance, migrate};

use super::ledger::said;
use super::order::serving;
use super::sources::SourceArgs;
use super::{Failure, audit, output, serve};
use crate::assembly::{database_url, holder};
use crate::membership::Entrance;

/// Options of `restore`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    sources: SourceArgs,
    /// The copy, as `backup` wrote it. It stays where it is.
    file: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.sources.clone().load(Vec::new())?.config;
    let url = database_url(&config)?;
    if url.sqlite_path().is_none() {
        return Err(
            "this command restores SQLite databases only: restore PostgreSQL with pg_restore while no node runs; the next start repeats what the ledger says".into(),
        );
    }
    let aside = SystemClock::default().now().rfc3339_seconds().replace(':', "");
    let kept = instance::restore(&url, &args.file, &holder()?, &aside)?;
    let kept = match kept {
        Some(kept) => format!("; the database before is {}", kept.display()),
        None => String::new(),
    };
    output::emit(&format!("restored {}{kept}\n", args.file.display()))?;
    let background = serve::background()?;
    background.block_on(async {
        let entrance = Entrance::enter(&url).await?;
        let restored = url.clone();
        tokio::task::spawn_blocking(move || migrate::up(&restored)).await??;
        serving(entrance, &config, &url, &background, async |services| {
            if let Some(ledger) = services.context.ledger() {
                let repeated = ledger.settle(&services.context, Thoroughness::Everything).await?;
                output::emit(&said(repeated.as_ref()))?;
            }
            audit::verify_trails(&Audit::new(services.context.store().clone())).await
        })
        .await
    })
}
