//! Redacts tokens in text: for log lines, error reports and anything else that leaves the process.

use core::fmt;

use crate::hint::Hint;
use crate::{HINT_LEN, PREFIX, pattern};

/// Shows `text` with every token in it replaced by its hint (`nlp_3f7a…`). Does not allocate; print it in place of the
/// text.
///
/// Finds more than [`pattern::scan`] does: also a token that letters or digits follow. A truncated token (by a column
/// limit, say) is not recognised: redact first, truncate after.
pub const fn redact(text: &str) -> Redacted<'_> {
    Redacted { text }
}

/// Displays a text with its tokens replaced by their hints; made by [`redact`].
#[derive(Clone, Copy)]
pub struct Redacted<'a> {
    text: &'a str,
}

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.text.as_bytes();
        let mut shown = 0;
        for found in pattern::scan_eagerly(bytes) {
            // Matches begin and end with ASCII, so these offsets are character boundaries.
            f.write_str(&self.text[shown..found.range.start])?;
            let body = &bytes[found.range.start + PREFIX.len()..];
            if let Some(start) = body.first_chunk::<HINT_LEN>() {
                fmt::Display::fmt(&Hint::from_body_start(*start), f)?;
            }
            shown = found.range.end;
        }
        f.write_str(&self.text[shown..])
    }
}

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redacted(\"{self}\")")
    }
}
