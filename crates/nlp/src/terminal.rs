//! Asking the person at the terminal.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use client::Secret;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::credential::secret;
use crate::failure::{Failure, Result};

/// Whether there is a person to ask.
pub(crate) fn present() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks for a line.
pub(crate) fn ask(question: &str) -> Result<String> {
    // Where the question cannot be shown, the answer cannot be either.
    let _ = write!(std::io::stderr(), "{question}: ");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// Asks for a secret, which is not shown while it is typed.
pub(crate) fn ask_secret(question: &str) -> Result<Secret> {
    let stdin = std::io::stdin();
    let before = tcgetattr(&stdin).map_err(|error| Failure::new(error.to_string()))?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &silent).map_err(|error| Failure::new(error.to_string()))?;
    let answer = ask(question);
    // The terminal as it was, whatever came of the question.
    let _ = tcsetattr(&stdin, OptionalActions::Flush, &before);
    let _ = writeln!(std::io::stderr());
    Ok(secret(&answer?))
}

/// Asks for a yes, unless it was given on the command line.
pub(crate) fn confirm(question: &str, yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !present() {
        return Err(Failure::usage(format!("{question} Nobody is there to ask.")).next("--yes"));
    }
    match ask(&format!("{question} [y/N]"))?.to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::new("nothing was changed")),
    }
}
