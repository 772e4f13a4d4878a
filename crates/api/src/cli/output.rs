//! Writing to standard output and standard error without panicking on a closed pipe.

use std::io::{self, IsTerminal as _, Write as _};

use crate::telemetry::Queue;

/// Writes a document or a line to standard output. A closed pipe (`… | head`) is not an error.
pub(super) fn emit(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes a progress line to standard error if that is a terminal. A closed standard error does not stop the work.
pub(super) fn progress(text: &str) {
    if io::stderr().is_terminal() {
        let _ = writeln!(io::stderr(), "{text}");
    }
}

/// Writes the reason of a failure, or a warning, to standard error. Write errors are ignored, and a full pipe without a reader delays the exit
/// by a bounded time only.
pub(super) fn complain(text: &str) {
    let line = format!("nolapse-api: {}\n", text.trim_end());
    if let Ok(queue) = Queue::before(io::stderr()) {
        // Writing to memory cannot fail.
        let _ = queue.clone().write_all(line.as_bytes());
        queue.finish();
    }
}
