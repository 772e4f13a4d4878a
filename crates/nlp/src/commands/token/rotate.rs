//! Rotating tokens, and cancelling a rotation.

use client::{Client, types};

use super::{COLUMNS, Family};
use crate::commands::json;
use crate::failure::{Failure, Result};
use crate::output::Printer;
use crate::settings::Settings;
use crate::signals::Interrupts;

/// Options of `rotate`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The id, or `self` for the token of this request (organisation tokens only).
    id: String,
    #[command(flatten)]
    rotation: Rotation,
    /// A retry with the same key does not rotate the token again.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

/// How the old token ends.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::commands) struct Rotation {
    /// The grace period in seconds. Defaults to the default of the deployment.
    #[arg(long, value_name = "SECONDS")]
    pub(in crate::commands) grace: Option<u32>,
    /// End the grace period shortly after the first use of the new token, if that is earlier.
    #[arg(long)]
    pub(in crate::commands) until_first_use: bool,
}

impl Rotation {
    /// The API's name of the mode.
    pub(in crate::commands) fn mode(&self) -> Option<&'static str> {
        self.until_first_use.then_some("first_use")
    }
}

/// Options of `cancel-rotation`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct CancelArgs {
    /// The id of the old token.
    id: String,
}

pub(super) fn run(settings: &Settings, printer: &Printer, family: Family, args: &Args) -> Result<()> {
    let client = settings.signed_in()?;
    let command = family.command();
    let interrupts = Interrupts::watch(
        printer,
        format!("nlp {command} show {id}, and if it is rotating: nlp {command} cancel-rotation {id}", id = args.id),
    )?;
    let made =
        family.rotate(&client, &args.id, args.rotation.grace, args.rotation.mode(), args.idempotency_key.clone())?;
    interrupts
        .check()
        .and_then(|()| show(printer, &made))
        .map_err(|failure| taken_back(&client, family, &made, failure))
}

fn show(printer: &Printer, made: &types::RotatedToken) -> Result<()> {
    printer
        .must_arrive()
        .one(&json(made)?, &["id", "name", "secret", "old_token_id", "old_token_status", "grace_period_ends_at"])?;
    if printer.is_terminal() {
        printer.note("the secret cannot be shown again");
    }
    Ok(())
}

/// Cancels the rotation, since nobody has the new secret. Returns the failure with the resulting state added.
pub(in crate::commands) fn taken_back(
    client: &Client,
    family: Family,
    made: &types::RotatedToken,
    failure: Failure,
) -> Failure {
    match family.cancel(client, &made.old_token_id) {
        Ok(_) => failure.after("the rotation was cancelled and the old token is active again"),
        Err(other) => failure
            .after(format!(
                "the new secret is lost, the old one is valid until {}, and cancelling the rotation failed ({other})",
                made.grace_period_ends_at
            ))
            .next(format!("nlp {} cancel-rotation {}", family.command(), made.old_token_id)),
    }
}

pub(super) fn cancel(settings: &Settings, printer: &Printer, family: Family, args: &CancelArgs) -> Result<()> {
    printer.one(&json(&family.cancel(&settings.signed_in()?, &args.id)?)?, &COLUMNS)
}
