//! Asking the person at the terminal.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use client::Secret;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::credential::secret;
use crate::failure::{Failure, Result};
use crate::signals::STOP;

/// Whether standard input and standard error are terminals, so that questions can be asked.
pub(crate) fn present() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks for a line.
pub(crate) fn ask(question: &str) -> Result<String> {
    // A write error is ignored: if the terminal is gone, reading the answer fails.
    let _ = write!(std::io::stderr(), "{question}: ");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// Asks for a secret with echo switched off.
pub(crate) fn ask_secret(question: &str) -> Result<Secret> {
    let stdin = std::io::stdin();
    let before = tcgetattr(&stdin).map_err(|error| Failure::new(error.to_string()))?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    restore_on_signals(before.clone())?;
    tcsetattr(&stdin, OptionalActions::Flush, &silent).map_err(|error| Failure::new(error.to_string()))?;
    let answer = ask(question);
    // Switch echo on again even if reading failed.
    let _ = tcsetattr(&stdin, OptionalActions::Flush, &before);
    let _ = writeln!(std::io::stderr());
    Ok(secret(&answer?))
}

/// Until the program ends, signals that end it set the terminal as it was: not every shell does.
fn restore_on_signals(before: Termios) -> Result<()> {
    let mut signals = Signals::new(STOP)?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            // The program ends, so that there is nobody to report errors to.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &before);
            let _ = writeln!(std::io::stderr());
            let _ = emulate_default_handler(signal);
        }
    });
    Ok(())
}

/// Asks for confirmation unless `--yes` was given; a no is a failure. Without a terminal and without `--yes` it is a usage error.
pub(crate) fn confirm(question: &str, yes: bool) -> Result<()> {
    if agrees(question, yes)? { Ok(()) } else { Err(Failure::new("cancelled: nothing was changed")) }
}

/// Asks for a yes or a no unless `--yes` was given. Without a terminal and without `--yes` it is a usage error.
pub(crate) fn agrees(question: &str, yes: bool) -> Result<bool> {
    if yes {
        return Ok(true);
    }
    if !present() {
        return Err(Failure::usage(format!("{question} There is no terminal to confirm this.")).next("--yes"));
    }
    Ok(matches!(ask(&format!("{question} [y/N]"))?.to_lowercase().as_str(), "y" | "yes"))
}
