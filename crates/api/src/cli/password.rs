//! Reads a password from standard input: typed at a terminal without echo, else up to the first line end.

use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};

use authority::people::NewPassword;
use zeroize::Zeroizing;

use super::Failure;

/// A password is at most 1024 characters of at most four bytes, and a line end.
const LONGEST_INPUT: u64 = 4 * 1024 + 2;

/// Reads a new password.
pub(super) fn read(prompt: &str) -> Result<NewPassword, Failure> {
    let mut text = Zeroizing::new(String::new());
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        let silent = Silent::begin(prompt);
        stdin.lock().take(LONGEST_INPUT).read_line(&mut text)?;
        drop(silent);
    } else {
        stdin.take(LONGEST_INPUT).read_to_string(&mut text)?;
    }
    let line = text.lines().next().unwrap_or_default();
    Ok(NewPassword::new(Zeroizing::new(line.to_owned())).map_err(|error| format!("the password {error}"))?)
}

/// Turns the terminal's echo off until it is dropped, by running `stty`. If `stty` fails the password is echoed: setting up must
/// still be possible.
struct Silent;

impl Silent {
    fn begin(prompt: &str) -> Self {
        stty("-echo");
        // With standard error closed no question can be shown.
        let _ = std::io::stderr().write_all(prompt.as_bytes());
        Self
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        stty("echo");
        let _ = std::io::stderr().write_all(b"\n");
    }
}

fn stty(mode: &str) {
    // If `stty` fails the echo stays as it is.
    let _ = std::process::Command::new("stty").arg(mode).stdin(std::process::Stdio::inherit()).status();
}
