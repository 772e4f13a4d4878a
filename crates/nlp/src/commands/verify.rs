//! `nlp verify --offline`: whether a string is a token that an authority issued, by its checksum alone.

use std::path::Path;

use serde_json::json;
use token_format::PlainToken;

use crate::credential;
use crate::failure::{Failure, Result};
use crate::output::Printer;
use crate::settings::Settings;

/// Options of `verify`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "The token is read from NLP_TOKEN, --token-file or standard input. To check whether the \
                        token is still valid, use nlp token validate.\nExit codes: 0 issued, 3 not issued.")]
pub(crate) struct Args {
    /// Required. Only the checksum is checked; nothing is sent, and the token may be expired or revoked.
    #[arg(long, required = true)]
    offline: bool,
}

pub(crate) fn run(settings: &Settings, printer: &Printer, _args: &Args) -> Result<()> {
    let given = match settings.given()? {
        Some(given) => given,
        None => credential::from_file(Path::new("-"))?,
    };
    let token = PlainToken::parse(given.secret.expose())
        .map_err(|error| Failure::invalid_token(format!("this is not a token: {error}")))?;
    if !token.is_checksummed() {
        return Err(Failure::invalid_token(
            "the checksum is wrong: the token was mistyped or truncated, or issued by an earlier system without checksums",
        ));
    }
    let hint = token.hint().to_string();
    printer.done(&format!("{hint} was issued by a nolapse authority"), &json!({ "issued": true, "hint": hint }))
}
