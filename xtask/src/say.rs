//! The only place that prints: progress on standard error, results on standard output.
//!
//! Write errors are ignored on purpose: a closed pipe must not stop servers from being shut down.

use std::fmt::Display;
use std::io::{Write as _, stderr, stdout};

/// Announces a step that is about to begin.
pub(crate) fn step(text: impl Display) {
    line_to_stderr(format_args!("==> {text}"));
}

/// A remark that belongs to the current step.
pub(crate) fn note(text: impl Display) {
    line_to_stderr(format_args!("    {text}"));
}

/// A line passed on as it is.
pub(crate) fn raw(text: impl Display) {
    line_to_stderr(format_args!("{text}"));
}

/// A result, for people and for pipes.
pub(crate) fn out(text: impl Display) {
    let mut stdout = stdout().lock();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

fn line_to_stderr(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(stderr().lock(), "{line}");
}
