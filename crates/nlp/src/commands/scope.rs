//! `nlp scope`: the catalogue, and why a token may or may not do something.

use client::types;

use super::{json, jsons};
use crate::failure::{Failure, Result};
use crate::output::Printer;
use crate::settings::Settings;

#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum Command {
    /// List all scopes.
    List {
        /// Only scopes that tokens of this kind can have: organization, personal or actor.
        #[arg(long, value_name = "KIND")]
        kind: Option<String>,
    },
    /// Check whether a set of scopes is sufficient, and show which sets would be.
    Explain {
        /// A required scope. May be repeated.
        #[arg(required = true, value_name = "NEEDED")]
        needed: Vec<String>,
        /// A scope of the token. May be repeated.
        #[arg(long, value_name = "SCOPE")]
        granted: Vec<String>,
    },
}

pub(crate) fn run(settings: &Settings, printer: &Printer, command: &Command) -> Result<()> {
    let client = settings.client()?;
    match command {
        Command::List { kind } => {
            let mut scopes = jsons(&client.get_catalog()?.scopes)?;
            if let Some(kind) = kind {
                let carries = |scope: &serde_json::Value| {
                    scope["kinds"].as_array().is_some_and(|kinds| kinds.iter().any(|one| one == kind.as_str()))
                };
                scopes.retain(carries);
                if scopes.is_empty() {
                    return Err(Failure::usage(format!("no scope can be given to tokens of the kind {kind:?}"))
                        .next("use organization, personal or actor"));
                }
            }
            printer.list(&scopes, &["name", "group", "kinds", "description"])
        }
        Command::Explain { needed, granted } => {
            let body = types::EvaluateScopes { granted: granted.clone(), required: needed.clone() };
            let answer = client.evaluate_scopes(&body)?;
            printer.one(&json(&answer)?, &["allowed", "missing", "matched", "sufficient", "unknown"])
        }
    }
}
