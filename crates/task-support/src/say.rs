//! The only place that prints: progress on standard error, results on standard output.
//!
//! Write errors are ignored on purpose: a closed pipe must not stop servers from being shut down.

use std::fmt::Display;
use std::io::{Write as _, stderr, stdout};

/// Announces a step that is about to begin.
pub fn step(text: impl Display) {
    line_to_stderr(format_args!("==> {text}"));
}

/// A remark that belongs to the current step.
pub fn note(text: impl Display) {
    line_to_stderr(format_args!("    {text}"));
}

/// A line passed on as it is.
pub fn raw(text: impl Display) {
    line_to_stderr(format_args!("{text}"));
}

/// A result, for people and for pipes.
pub fn out(text: impl Display) {
    let mut stdout = stdout().lock();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

fn line_to_stderr(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(stderr().lock(), "{line}");
}
