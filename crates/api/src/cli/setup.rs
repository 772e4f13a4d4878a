//! `setup`: creates the first organisation and its owner without a browser.

use authority::Origin;
use authority::setup::SetupRequest;
use storage::migrate;
use token_domain::text::{Email, Name, Slug};

use super::sources::SourceArgs;
use super::{Failure, output, password, serve};
use crate::assembly::database_url;
use crate::config::Config;
use crate::membership::Entrance;

/// Options of `setup`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    sources: SourceArgs,
    /// The slug of the organisation: lower-case letters, digits and hyphens.
    #[arg(long, value_name = "SLUG", value_parser = Slug::parse)]
    org: Slug,
    /// The owner's e-mail address.
    #[arg(long, value_name = "ADDRESS", value_parser = Email::parse)]
    email: Email,
    /// The name of the owner. Defaults to the e-mail address.
    #[arg(long, value_name = "NAME", value_parser = Name::parse)]
    name: Option<Name>,
    /// Read the password of the owner from standard input, up to the first line break.
    #[arg(long, required = true)]
    password_stdin: bool,
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let loaded = args.sources.load(Vec::new())?;
    let request = SetupRequest {
        slug: args.org,
        organization_name: None,
        email: args.email,
        person_name: args.name,
        password: password::read("Password of the owner: ")?,
    };
    let background = serve::background()?;
    let id = background.block_on(set_up(&loaded.config, &background, request))?;
    Ok(output::emit(&format!("{id}\n"))?)
}

async fn set_up(
    config: &Config,
    background: &tokio::runtime::Runtime,
    request: SetupRequest,
) -> Result<String, Failure> {
    let url = database_url(config)?;
    let entrance = Entrance::enter(&url).await?;
    let migrated = url.clone();
    tokio::task::spawn_blocking(move || migrate::up(&migrated)).await??;
    let joined = entrance.join(config, &url, background.handle()).await?;
    joined.membership.follow(&joined.services.context).await?;
    let origin = Origin { request_id: "setup".to_owned(), client_ip: None, presented_from: None, user_agent: None };
    let done = joined.services.setup.run(request, &origin).await;
    joined.leave().await;
    Ok(done?.organization_id.to_string())
}
