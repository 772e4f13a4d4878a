//! `mail test`: whether the configured mail server takes mail.

use authority::env::{Clock as _, SystemClock, SystemEntropy, random};
use authority::mail::{Composed, Undelivered};
use token_domain::text::Email;

use super::sources::SourceArgs;
use super::{Failure, output, serve};
use crate::mail::Mailer;

/// Options of `mail`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Action {
    /// Send a message to an address at once, past the queue, and say what the mail server answered.
    Test {
        #[command(flatten)]
        sources: SourceArgs,
        /// Who gets it.
        #[arg(value_name = "ADDRESS", value_parser = Email::parse)]
        to: Email,
    },
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Action::Test { sources, to } = args.action;
    let config = sources.load(Vec::new())?.config;
    let mailer = Mailer::new(&config)?.ok_or("no mail server is configured: set mail.server and mail.from")?;
    let id: [u8; 16] = random(&SystemEntropy)?;
    let mail = Composed {
        message_id: format!("{:032x}", u128::from_be_bytes(id)),
        at: SystemClock::default().now(),
        to: to.as_str().to_owned(),
        subject: "Test of mail from nolapse tokens".to_owned(),
        text: "This service can send mail to you. Nothing needs to be done.\n".to_owned(),
    };
    let place = mailer.place();
    match serve::background()?.block_on(mailer.send(&mail)) {
        Ok(()) => Ok(output::emit(&format!("{place} took a message to {}\n", to.as_str()))?),
        Err(Undelivered::Never(why) | Undelivered::Later(why) | Undelivered::Unreachable(why)) => {
            Err(format!("{place} did not take it: {why}; see the keys of mail in `nolapse-api config print`").into())
        }
    }
}
