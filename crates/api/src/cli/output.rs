//! Writing to standard output and standard error, where a closed pipe is an end and not a panic.

use std::io::{self, Write as _};

/// Writes a document or a line to standard output. A reader that has gone away (`… | head`) has had enough.
pub(super) fn emit(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Says on standard error why the command failed. If that is closed there is nobody to tell.
pub(super) fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "nolapse-api: {}", text.trim_end());
}
