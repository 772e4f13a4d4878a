//! Validating a token.

use std::path::Path;

use client::types;

use crate::commands::json;
use crate::credential;
use crate::failure::{Failure, Result};
use crate::output::Printer;
use crate::settings::Settings;

/// Options of `validate`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Exit codes: 0 valid, 3 not valid, 4 valid but without a required scope.")]
pub(crate) struct Args {
    /// A required scope. May be repeated.
    #[arg(long, value_name = "SCOPE")]
    require: Vec<String>,
    /// Also show the owner and the expiry.
    #[arg(long)]
    detail: bool,
}

pub(super) fn run(settings: &Settings, printer: &Printer, args: &Args) -> Result<()> {
    let token = match settings.given()? {
        Some(given) => given.secret,
        None => credential::from_file(Path::new("-"))?.secret,
    };
    let body = types::ValidateRequest {
        token,
        required_scopes: (!args.require.is_empty()).then(|| args.require.clone()),
        detail: args.detail.then_some(true),
        ..Default::default()
    };
    match settings.client()?.validate(&body) {
        Ok(good) => printer.one(&json(&good)?, &["valid", "org_id", "scopes", "name", "kind", "status", "expires_at"]),
        Err(error) if error.refusal().is_some_and(|refusal| refusal.status == 401) => {
            Err(Failure::invalid_token("the token is not valid: unknown, expired or revoked"))
        }
        Err(error) => Err(error.into()),
    }
}
