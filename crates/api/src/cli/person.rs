//! `person …`: what an operator does for a person, whether a server runs or not.

use std::sync::Arc;
use std::time::Duration;

use authority::env::{Clock as _, SystemClock, SystemEntropy};
use authority::operator::{Act, Operator, Order, Outcome, PATIENCE};
use storage::Store;
use storage::instance::AcquireError;
use token_domain::text::Email;

use super::sources::SourceArgs;
use super::{Failure, output, password, serve};
use crate::assembly::{Services, database_url, policy, store_options};
use crate::config::Config;
use crate::membership::Entrance;

/// Between two looks for the server's answer.
const LOOK: Duration = Duration::from_millis(100);

/// Options of `person`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Action {
    /// Give a person a password, read from standard input. All their sessions end.
    SetPassword {
        #[command(flatten)]
        whom: Whom,
        /// Read the password from standard input, up to its end or the first line end.
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Give a person an address, and vouch for it: make sure that it is theirs. With the one they have, vouch for that.
    SetEmail {
        #[command(flatten)]
        whom: Whom,
        /// The address they have from now on.
        #[arg(long, value_name = "ADDRESS", value_parser = Email::parse)]
        to: Email,
    },
    /// Switch a person off everywhere: their sessions end, their keys count no more.
    Disable {
        #[command(flatten)]
        whom: Whom,
    },
    /// Switch a person on again.
    Enable {
        #[command(flatten)]
        whom: Whom,
    },
    /// Remove a person's second factor and recovery codes, and end their sessions: for somebody who lost both. Make sure of
    /// who is asking.
    ResetSecondFactor {
        #[command(flatten)]
        whom: Whom,
    },
}

#[derive(Clone, Debug, clap::Args)]
struct Whom {
    #[command(flatten)]
    sources: SourceArgs,
    /// The person's e-mail address.
    #[arg(long, value_name = "ADDRESS", value_parser = Email::parse)]
    email: Email,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let (whom, done) = match &args.action {
        Action::SetPassword { whom, .. } => (whom, "has the new password"),
        Action::SetEmail { whom, .. } => (whom, "has the address"),
        Action::Disable { whom } => (whom, "is switched off"),
        Action::Enable { whom } => (whom, "is switched on"),
        Action::ResetSecondFactor { whom } => (whom, "has no second factor any more"),
    };
    let loaded = whom.sources.clone().load(Vec::new())?;
    let act = match &args.action {
        Action::SetPassword { whom, .. } => {
            let chosen = password::read("Password of the person: ")?;
            Act::set_password(chosen, &whom.email, &policy(&loaded.config), &SystemEntropy)?
        }
        Action::SetEmail { to, .. } => Act::SetEmail { email: to.as_str().to_owned() },
        Action::Disable { .. } => Act::Disable,
        Action::Enable { .. } => Act::Enable,
        Action::ResetSecondFactor { .. } => Act::ResetSecondFactor,
    };
    let order = Order::new(&whom.email, act, SystemClock::default().wall(), &SystemEntropy)?;
    let background = serve::background()?;
    let user = background.block_on(carry_out(&loaded.config, &background, &order))?;
    Ok(output::emit(&format!("user {user} {done}\n"))?)
}

/// By the server that holds the file, or in its place where none does; on PostgreSQL as a node beside the servers.
async fn carry_out(config: &Config, background: &tokio::runtime::Runtime, order: &Order) -> Result<String, Failure> {
    let url = database_url(config)?;
    let entrance = match Entrance::enter(&url).await {
        Ok(entrance) => entrance,
        Err(error) if matches!(error.downcast_ref(), Some(AcquireError::AlreadyRunning(_))) => {
            let store = Store::open(&url, store_options(&config.database), background.handle().clone()).await?;
            let answer = ask(&store, order).await;
            store.shutdown().await;
            return answer;
        }
        Err(error) => return Err(error),
    };
    let membership = entrance.join(config, &url).await?;
    let options = store_options(&config.database);
    let store = Store::open_registered(&url, options, background.handle().clone(), membership.registration()).await?;
    let services = Services::new(config, store.clone(), Arc::clone(&membership) as _, background.handle().clone())?;
    membership.follow(&services.context).await?;
    services.context.resume_time().await?;
    let done = Operator::new(&services.context).carry_out(order).await;
    services.context.drain().await;
    store.shutdown().await;
    membership.release().await;
    Ok(done?.to_string())
}

/// Leaves the order for the server and waits for its answer.
async fn ask(store: &Store, order: &Order) -> Result<String, Failure> {
    order.leave(store).await?;
    let looks = PATIENCE.as_seconds() * 1_000 / i64::try_from(LOOK.as_millis()).unwrap_or(100);
    for _ in 0..looks {
        tokio::time::sleep(LOOK).await;
        match order.answer(store).await? {
            Some(Outcome::Done(user)) => return Ok(user),
            Some(Outcome::Refused(why)) => return Err(why.into()),
            None => {}
        }
    }
    if order.take_back(store).await? {
        return Err("the server that holds this database did not carry it out: see whether it is well, or stop it and try again".into());
    }
    Err("the server did not say what became of it: look at the audit trail of the deployment before you try again"
        .into())
}
