//! `nolapse-bench-seed`: an empty database with an organisation and so many tokens, access scopes, actors and audit events in
//! it, for a benchmark to validate and to list. Its one person signs in with the address and password below.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use authority::Origin;
use authority::people::NewPassword;
use authority::projects::{Ground, NewProject};
use authority::seed::Seed;
use authority::sessions::Presented;
use authority::setup::SetupRequest;
use storage::{Store, migrate};
use token_domain::id::OrganizationId;
use token_domain::text::{Email, Slug};
use zeroize::Zeroizing;

use super::sources::SourceArgs;
use super::{Failure, serve};
use crate::assembly::{Services, database_url, store_options};
use crate::config::Config;
use crate::membership::Entrance;

/// Tokens written in one unit of work.
const AT_ONCE: usize = 5_000;
/// The organisation and its one project.
const SLUG: &str = "bench";
/// Who signs in. A benchmark's database holds nothing that is worth a secret.
const EMAIL: &str = "bench@localhost.example";
const PASSWORD: &str = "a bench needs no secret";

/// Fill an empty database with tokens for a benchmark.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "nolapse-bench-seed")]
pub(super) struct Args {
    #[command(flatten)]
    sources: SourceArgs,
    #[command(flatten)]
    amounts: Amounts,
    /// Where to write the tokens, one a line.
    #[arg(long, value_name = "FILE")]
    tokens_file: PathBuf,
}

#[derive(Clone, Copy, Debug, clap::Args)]
struct Amounts {
    /// How many tokens.
    #[arg(long, value_name = "N")]
    tokens: usize,
    /// How many access scopes, in a project of their own.
    #[arg(long, value_name = "N", default_value_t = 0)]
    access_scopes: usize,
    /// How many actors, in the same project.
    #[arg(long, value_name = "N", default_value_t = 0)]
    actors: usize,
    /// How many audit events.
    #[arg(long, value_name = "N", default_value_t = 0)]
    events: usize,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let loaded = args.sources.load(Vec::new())?;
    let background = serve::background()?;
    let mut out = BufWriter::new(File::create(&args.tokens_file)?);
    background.block_on(seed(&loaded.config, &background, args.amounts, &mut out))?;
    Ok(out.flush()?)
}

async fn seed(
    config: &Config,
    background: &tokio::runtime::Runtime,
    amounts: Amounts,
    out: &mut impl std::io::Write,
) -> Result<(), Failure> {
    let url = database_url(config)?;
    let entrance = Entrance::enter(&url).await?;
    let migrated = url.clone();
    tokio::task::spawn_blocking(move || migrate::up(&migrated)).await??;
    let membership = entrance.join(config, &url).await?;
    let options = store_options(&config.database);
    let store = Store::open_registered(&url, options, background.handle().clone(), membership.registration()).await?;
    let services = Services::new(config, store.clone(), Arc::clone(&membership) as _, background.handle().clone())?;
    membership.follow(&services.context).await?;
    let origin =
        Origin { request_id: "bench-seed".to_owned(), client_ip: None, presented_from: None, user_agent: None };
    let request = SetupRequest {
        slug: Slug::parse(SLUG)?,
        organization_name: None,
        email: Email::parse(EMAIL)?,
        person_name: None,
        password: NewPassword::new(Zeroizing::new(PASSWORD.to_owned()))?,
    };
    let organization = services.setup.run(request, &origin).await?.organization_id;
    fill_project(&services, organization, amounts, &origin).await?;
    let mut left = amounts.tokens;
    while left > 0 {
        let part = left.min(AT_ONCE);
        for secret in services.tokens.seed(organization, part, &origin).await? {
            writeln!(out, "{}", secret.expose())?;
        }
        left -= part;
    }
    services.context.drain().await;
    store.shutdown().await;
    membership.release().await;
    Ok(())
}

/// Makes a project and what is in it, as the person who was set up: only a caller stands on a project's ground.
async fn fill_project(
    services: &Services,
    organization: OrganizationId,
    amounts: Amounts,
    origin: &Origin,
) -> Result<(), Failure> {
    let password = Zeroizing::new(PASSWORD.to_owned());
    let session = services.sessions.sign_in(EMAIL, password, None, origin).await?.token;
    let caller = services.sessions.authenticate(&Presented::Session(session), origin).await?;
    let request = NewProject { slug: Slug::parse(SLUG)?, name: None };
    let project = services.projects.create(&caller, organization, request, origin).await?;
    let seed = Seed::new(&services.context, Ground::of(&caller, organization, project.id)?, origin);
    seed.access_scopes(amounts.access_scopes).await?;
    seed.actors(amounts.actors).await?;
    Ok(seed.events(amounts.events).await?)
}
