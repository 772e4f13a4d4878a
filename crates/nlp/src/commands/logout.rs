//! `nlp logout`: revokes the stored key and removes it from this machine.

use serde_json::json;

use crate::credential;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Printer;
use crate::settings::Settings;

/// Options of `logout`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Delete the stored key without revoking it.
    #[arg(long)]
    keep_key: bool,
}

pub(crate) fn run(settings: &Settings, printer: &Printer, args: &Args) -> Result<()> {
    let kept = credential::find(settings.folders(), settings.profile())?.ok_or_else(Failure::signed_out)?;
    let revoked = if args.keep_key {
        false
    } else {
        match settings.client()?.with(kept.secret).revoke_self() {
            Ok(()) => true,
            Err(error) => {
                let failure = Failure::from(error);
                // A key that is already invalid need not be revoked.
                if failure.exit() != Exit::InvalidToken {
                    return Err(failure
                        .after("the key was not revoked and is still stored")
                        .next("nlp logout --keep-key"));
                }
                true
            }
        }
    };
    credential::forget(settings.folders(), settings.profile())?;
    let sentence = if revoked {
        "the key is revoked and deleted from this machine"
    } else {
        "the key is deleted from this machine; it is still valid"
    };
    printer.done(sentence, &json!({ "revoked": revoked }))
}
