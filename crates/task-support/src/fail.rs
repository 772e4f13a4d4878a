//! Why a task stopped: one sentence, the command that fixes it, and the exit code.

use std::fmt;

/// Everything a task returns.
pub type Result<T = (), E = Fail> = std::result::Result<T, E>;

/// Exit code of a task that failed.
const FAILED: u8 = 1;
/// Exit code of a command line that could not be understood.
const USAGE: u8 = 2;
/// Exit code after Ctrl-C or SIGTERM, as shells report it.
const INTERRUPTED: u8 = 130;

/// A failed task: what went wrong and what to do about it.
#[derive(Debug)]
pub struct Fail {
    what: String,
    fix: Option<String>,
    code: u8,
}

impl Fail {
    /// A failure described by one sentence.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), fix: None, code: FAILED }
    }

    /// A command line that could not be understood (exit code 2).
    pub fn usage(what: impl Into<String>) -> Self {
        Self { code: USAGE, ..Self::new(what).fix("cargo xtask help") }
    }

    /// The task was asked to stop (exit code 130).
    pub fn interrupted() -> Self {
        Self { code: INTERRUPTED, ..Self::new("interrupted") }
    }

    /// Adds the command, or action, that fixes it.
    #[must_use]
    pub fn fix(self, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..self }
    }

    /// Replaces the exit code, for a task that passes on a command's exit code.
    #[must_use]
    pub fn with_code(self, code: u8) -> Self {
        Self { code, ..self }
    }

    /// The process exit code.
    pub fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.fix {
            Some(fix) => write!(f, "\n  to fix it: {fix}"),
            None => Ok(()),
        }
    }
}

/// Says what was being attempted when a library call failed.
pub trait Context<T> {
    /// Turns the error into a [`Fail`] reading "cannot {attempt}: {error}".
    fn attempt(self, attempt: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: fmt::Display> Context<T> for std::result::Result<T, E> {
    fn attempt(self, attempt: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Fail::new(format!("cannot {}: {error}", attempt())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_attempt_and_the_fix() {
        let error: std::result::Result<(), _> = Err("no such file");
        let fail = error.attempt(|| "read the table".into()).unwrap_err().fix("cargo xtask check --write");
        assert_eq!(fail.to_string(), "cannot read the table: no such file\n  to fix it: cargo xtask check --write");
        assert_eq!(fail.code(), 1);
    }

    #[test]
    fn usage_and_interruption_have_their_own_exit_codes() {
        assert_eq!(Fail::usage("unknown task").code(), 2);
        assert_eq!(Fail::interrupted().code(), 130);
        assert_eq!(Fail::new("command failed").with_code(101).code(), 101);
    }
}
