//! `nlp logout`: revokes the stored key and removes it from this machine. Where several places have one, that is so for
//! each of them.
//!
//! **Invariant:** only a key that is revoked is deleted, unless the user asks for less.

use client::Secret;
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
    let keys = credential::stored(settings.folders(), settings.profile())?;
    if keys.is_empty() {
        return Err(Failure::signed_out());
    }
    let revoked = !args.keep_key;
    if revoked {
        let revoked = keys.into_iter().try_for_each(|key| revoke(settings, key.secret));
        revoked.map_err(|failure| {
            failure.after("the key was not revoked and is still stored").next("nlp logout --keep-key")
        })?;
    }
    credential::forget(settings.folders(), settings.profile())?;
    let sentence = if revoked {
        "the key is revoked and deleted from this machine"
    } else {
        "the key is deleted from this machine; it is still valid"
    };
    printer.done(sentence, &json!({ "revoked": revoked }))
}

/// Revokes a stored key where it was made, whatever `NLP_URL` says.
fn revoke(settings: &Settings, key: Secret) -> Result<()> {
    let url = settings.profile_url()?.ok_or_else(|| Failure::new("the authority of the key is not known"))?;
    match settings.client_of(&url)?.with(key).revoke_self().map_err(Failure::from) {
        // A key that is already invalid need not be revoked.
        Err(failure) if failure.exit() != Exit::InvalidToken => Err(failure),
        Ok(()) | Err(_) => Ok(()),
    }
}
