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
    /// Set the password of a person, read from standard input. Ends all sessions of the person.
    SetPassword {
        #[command(flatten)]
        whom: Whom,
        /// Read the password from standard input, up to the first line break.
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Set the e-mail address of a person and mark it as verified. With the current address, only mark it as verified. Make sure
    /// that the address belongs to the person.
    SetEmail {
        #[command(flatten)]
        whom: Whom,
        /// The new e-mail address.
        #[arg(long, value_name = "ADDRESS", value_parser = Email::parse)]
        to: Email,
    },
    /// Disable a person in all organisations: their sessions end and their keys are refused.
    Disable {
        #[command(flatten)]
        whom: Whom,
    },
    /// Enable a person.
    Enable {
        #[command(flatten)]
        whom: Whom,
    },
    /// Remove the second factor and the recovery codes of a person who has lost both, and end all sessions of the person.
    /// Verify the identity of the person first.
    ResetSecondFactor {
        #[command(flatten)]
        whom: Whom,
    },
    /// Part a person from the identity providers they sign in by, and end all sessions of the person. A provider that vouches
    /// for the address links it again at the next sign-in.
    Unlink {
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
        Action::SetEmail { whom, .. } => (whom, "has the new address"),
        Action::Disable { whom } => (whom, "is disabled"),
        Action::Enable { whom } => (whom, "is enabled"),
        Action::ResetSecondFactor { whom } => (whom, "no longer has a second factor"),
        Action::Unlink { whom } => (whom, "is no longer linked to an identity provider"),
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
        Action::Unlink { .. } => PersonAct::Unlink,
    };
    let order = Order::for_person(&whom.email, act, SystemClock::default().wall(), &SystemEntropy)?;
    let user = order::give(&loaded.config, &order)?;
    Ok(output::emit(&format!("user {user} {done}\n"))?)
}
