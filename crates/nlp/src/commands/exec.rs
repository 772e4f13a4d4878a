//! `nlp exec`: runs a command with a token in its environment. A token created for the command is revoked when the
//! command ends, with any result.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use client::Client;

use super::token::{Family, New, create};
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Printer;
use crate::settings::Settings;

/// Shells add this to the number of the signal that ended a command.
const SIGNALLED: i32 = 128;

/// Options of `exec`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Create a token with this scope for the command, and revoke it when the command ends. May be repeated. By default, the
    /// command gets the current credential.
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// The environment variables that receive the token.
    #[arg(long, value_name = "NAME", default_values_t = ["NLP_TOKEN".to_owned(), "NOLAPSE_TOKEN".to_owned()])]
    env: Vec<String>,
    /// The command and its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// A token created for one command; revoked when dropped.
struct Borrowed<'a> {
    client: Client,
    id: String,
    name: String,
    printer: &'a Printer,
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        // If revoking fails, the token expires within a day.
        if let Err(error) = self.client.revoke_token(&self.id) {
            self.printer.note(&format!(
                "nlp: the token {} was not revoked: {error}\n  next: nlp token revoke {}",
                self.name, self.id
            ));
        }
    }
}

pub(crate) fn run(settings: &Settings, printer: &Printer, args: &Args) -> Result<Exit> {
    let credential = settings.credential()?.ok_or_else(Failure::signed_out)?;
    let client = settings.client()?;
    let (program, arguments) = args.command.split_first().ok_or_else(|| Failure::usage("no command was given"))?;
    // From here on only the command reacts to Ctrl-C: this program still has to revoke the token.
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    let mut secret = credential.secret.clone();
    let borrowed = if args.scope.is_empty() {
        None
    } else {
        let client = client.with(credential.secret);
        let name: String = format!("nlp exec {}", program.to_string_lossy()).chars().take(100).collect();
        let new = New { name, scopes: args.scope.clone(), expires_in_days: Some(1), ..New::default() };
        let made = create(&client, Family::Organization, new)?;
        secret = made.secret;
        Some(Borrowed { client, id: made.id, name: made.name, printer })
    };
    let mut command = Command::new(program);
    command.args(arguments).env("NLP_URL", client.base());
    for name in &args.env {
        command.env(name, secret.expose());
    }
    let status = command
        .status()
        .map_err(|error| Failure::new(format!("{} cannot be started: {error}", program.to_string_lossy())))?;
    drop(borrowed);
    let code = status.code().unwrap_or_else(|| SIGNALLED + status.signal().unwrap_or_default());
    Ok(Exit::Command(u8::try_from(code).unwrap_or(u8::MAX)))
}
