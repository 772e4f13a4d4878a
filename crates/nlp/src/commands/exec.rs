//! `nlp exec`: runs a command with a token in its environment. A token created for the command is revoked when the
//! command ends, with any result.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus};

use client::Client;
use rustix::process::{Pid, Signal, getpgrp, kill_process};
use rustix::termios::tcgetpgrp;
use signal_hook::consts::{SIGCHLD, SIGINT};
use signal_hook::iterator::Signals;

use super::token::{Family, New, create};
use crate::credential::VARIABLES;
use crate::exit::Exit;
use crate::failure::{Failure, Result};
use crate::output::Printer;
use crate::settings::Settings;
use crate::signals::{STOP, ended_by};

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
    let credential = settings.required_credential()?;
    let client = settings.client()?;
    let (program, arguments) = args.command.split_first().ok_or_else(|| Failure::usage("no command was given"))?;
    // From here on signals are for the command: this program still has to revoke the token.
    let mut signals = Signals::new(STOP.into_iter().chain([SIGCHLD]))?;
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
    // The command must not find a credential with more rights beside the one that is meant for it.
    for name in VARIABLES {
        command.env_remove(name);
    }
    for name in &args.env {
        command.env(name, secret.expose());
    }
    if let Some(signal) = signals.pending().find(|signal| STOP.contains(signal)) {
        return Err(Failure::new("interrupted: the command was not started")
            .coded("interrupted")
            .ending(ended_by(signal)));
    }
    let mut child = command
        .spawn()
        .map_err(|error| Failure::new(format!("{} cannot be started: {error}", program.to_string_lossy())))?;
    let status = wait(&mut child, &mut signals)?;
    drop(borrowed);
    Ok(status.code().map_or_else(
        || ended_by(status.signal().unwrap_or_default()),
        |code| Exit::Command(u8::try_from(code).unwrap_or(u8::MAX)),
    ))
}

/// Waits for the command and passes on signals that only this program gets. One thread does both, so that no signal goes
/// to a process that was waited for, whose number may be another's by then.
fn wait(child: &mut Child, signals: &mut Signals) -> Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        for signal in signals.wait().filter(|signal| STOP.contains(signal)) {
            // Ctrl-C reaches the command as well, and many programs take a second one for "at once".
            if signal == SIGINT && is_in_foreground() {
                continue;
            }
            if let Some(signal) = Signal::from_named_raw(signal) {
                // It fails if the command has just ended.
                let _ = kill_process(Pid::from_child(child), signal);
            }
        }
    }
}

/// Whether Ctrl-C in the terminal is meant for this program and its command.
fn is_in_foreground() -> bool {
    File::open("/dev/tty").is_ok_and(|terminal| tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp()))
}
