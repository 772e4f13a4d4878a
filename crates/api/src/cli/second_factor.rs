//! `second-factor reset`: for a person who lost both the device and the recovery codes.

use std::sync::Arc;

use authority::Origin;
use authority::second_factors::SecondFactorError;
use storage::Store;
use storage::instance::InstanceLock;
use token_domain::text::Email;

use super::sources::SourceArgs;
use super::{Failure, output, serve};
use crate::assembly::{Services, database_url, holder, store_options};
use crate::config::Config;

/// Options of `second-factor`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Action {
    /// Remove a person's second factor and recovery codes, and end their sessions. Stop the server first: it owns the
    /// database.
    Reset {
        #[command(flatten)]
        sources: SourceArgs,
        /// The person's e-mail address. Make sure of who is asking.
        #[arg(long, value_name = "ADDRESS", value_parser = Email::parse_stored)]
        email: Email,
    },
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Action::Reset { sources, email } = args.action;
    let loaded = sources.load(Vec::new())?;
    let background = serve::background()?;
    let user = background.block_on(reset(&loaded.config, &background, email))?;
    Ok(output::emit(&format!("user {user} has no second factor any more\n"))?)
}

async fn reset(config: &Config, background: &tokio::runtime::Runtime, email: Email) -> Result<String, Failure> {
    let url = database_url(config)?;
    let lock = Arc::new(InstanceLock::acquire(&url, &holder()?).await?);
    lock.proved().await?;
    let options = store_options(&config.database);
    let store = Store::open_registered(&url, options, background.handle().clone(), lock.registration()).await?;
    let services = Services::new(config, store.clone(), Arc::clone(&lock) as _, background.handle().clone())?;
    let origin = Origin {
        request_id: "second-factor reset".to_owned(),
        client_ip: None,
        presented_from: None,
        user_agent: None,
    };
    let done = services.second_factors.reset(&email, &origin).await;
    services.context.drain().await;
    store.shutdown().await;
    lock.release().await;
    match done {
        Ok(user) => Ok(user.to_string()),
        Err(SecondFactorError::NotSignedIn) => Err("nobody has that address: check its spelling".into()),
        Err(SecondFactorError::NotSet) => Err("that person has no second factor: there is nothing to reset".into()),
        Err(other) => Err(other.into()),
    }
}
