//! `bench-seed`: an empty database with an organisation and so many tokens in it, for a benchmark to validate.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use authority::Origin;
use authority::people::NewPassword;
use authority::setup::SetupRequest;
use storage::instance::InstanceLock;
use storage::{Store, migrate};
use token_domain::text::{Email, Slug};
use zeroize::Zeroizing;

use super::sources::SourceArgs;
use super::{Failure, serve};
use crate::assembly::{Services, database_url, holder, store_options};
use crate::config::Config;

/// Tokens written in one unit of work.
const AT_ONCE: usize = 5_000;

/// Options of `bench-seed`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    sources: SourceArgs,
    /// How many tokens.
    #[arg(long, value_name = "N")]
    tokens: usize,
    /// Where to write them, one a line.
    #[arg(long, value_name = "FILE")]
    tokens_file: PathBuf,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let loaded = args.sources.load(Vec::new())?;
    let background = serve::background()?;
    let mut out = BufWriter::new(File::create(&args.tokens_file)?);
    background.block_on(seed(&loaded.config, &background, args.tokens, &mut out))?;
    Ok(out.flush()?)
}

async fn seed(
    config: &Config,
    background: &tokio::runtime::Runtime,
    count: usize,
    out: &mut impl std::io::Write,
) -> Result<(), Failure> {
    let url = database_url(config)?;
    let lock = Arc::new(InstanceLock::acquire(&url, &holder()?).await?);
    let migrated = url.clone();
    tokio::task::spawn_blocking(move || migrate::up(&migrated)).await??;
    let store = Store::open(&url, store_options(&config.database), background.handle().clone()).await?;
    let services = Services::new(config, store.clone(), Arc::clone(&lock) as _, background.handle().clone())?;
    let origin = Origin { request_id: "bench-seed".to_owned(), client_ip: None, user_agent: None };
    let request = SetupRequest {
        slug: Slug::parse("bench")?,
        organization_name: None,
        email: Email::parse("bench@localhost.example")?,
        person_name: None,
        password: NewPassword::new(Zeroizing::new("a bench needs no secret".to_owned()))?,
    };
    let organization = services.setup.run(request, &origin).await?.organization_id;
    let mut left = count;
    while left > 0 {
        let part = left.min(AT_ONCE);
        for secret in services.tokens.seed(organization, part, &origin).await? {
            writeln!(out, "{}", secret.expose())?;
        }
        left -= part;
    }
    services.context.drain().await;
    store.shutdown().await;
    lock.release().await;
    Ok(())
}
