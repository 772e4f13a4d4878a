//! Writing to standard output and standard error, where a closed pipe is an end and not a panic.

use std::io::{self, Write as _};

use crate::telemetry::Queue;

/// Writes a document or a line to standard output. A reader that has gone away (`… | head`) has had enough.
pub(super) fn emit(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Says on standard error why the command failed. If that is closed there is nobody to tell, and if it takes nothing (a pipe
/// that is full and not read) the end is not held up by it for long.
pub(super) fn complain(text: &str) {
    let line = format!("nolapse-api: {}\n", text.trim_end());
    if let Ok(queue) = Queue::before(io::stderr()) {
        // Into memory: it cannot fail.
        let _ = queue.clone().write_all(line.as_bytes());
        queue.finish();
    }
}
