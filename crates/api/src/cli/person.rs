//! `person …`: lets an operator change a person's account, whether a server runs or not.

use authority::env::{Clock as _, SystemClock, SystemEntropy};
use authority::operator::{Order, PersonAct};
use token_domain::text::Email;

use super::sources::SourceArgs;
use super::{Failure, order, output, password};
use crate::assembly::policy;

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
            PersonAct::set_password(chosen, &whom.email, &policy(&loaded.config), &SystemEntropy)?
        }
        Action::SetEmail { to, .. } => PersonAct::SetEmail { email: to.as_str().to_owned() },
        Action::Disable { .. } => PersonAct::Disable,
        Action::Enable { .. } => PersonAct::Enable,
        Action::ResetSecondFactor { .. } => PersonAct::ResetSecondFactor,
    };
    let order = Order::for_person(&whom.email, act, SystemClock::default().wall(), &SystemEntropy)?;
    let user = order::give(&loaded.config, &order)?;
    Ok(output::emit(&format!("user {user} {done}\n"))?)
}
