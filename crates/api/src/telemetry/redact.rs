//! The last filter of a log line: cuts every text in a token's format down to its hint.
//!
//! Types that cannot be printed keep most secrets out of lines. This filter catches those that arrive as plain text: in
//! an error of a library, a header, or a path with a token in it. The filter works on finished lines, so no formatter
//! or layer can bypass it.
//!
//! It matches more than [`token_format::pattern::scan`], which ignores a longer run of letters because scanners must
//! avoid false positives. In a log a false positive costs a word, a false negative a token.

use std::borrow::Cow;
use std::io::{self, Write};

use token_domain::text::SECRETS;
use token_format::{HINT_LEN, PREFIX};
use tracing_subscriber::fmt::MakeWriter;

/// Replaces every token by its hint and `…`; borrows the line if it has none.
pub fn redact(line: &[u8]) -> Cow<'_, [u8]> {
    let mut clean: Option<Vec<u8>> = None;
    let mut copied = 0;
    let mut at = 0;
    while let Some(offset) = line.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'n')) {
        at += offset;
        let Some(length) = secret_length(&line[at..]) else {
            at += 1;
            continue;
        };
        let clean = clean.get_or_insert_with(|| Vec::with_capacity(line.len()));
        clean.extend_from_slice(&line[copied..at + PREFIX.len() + HINT_LEN]);
        clean.extend_from_slice("…".as_bytes());
        at += length;
        copied = at;
    }
    match clean {
        None => Cow::Borrowed(line),
        Some(mut clean) => {
            clean.extend_from_slice(&line[copied..]);
            Cow::Owned(clean)
        }
    }
}

/// The length in bytes of the secret that `text` begins with: its prefix and the whole run of letters and digits after
/// it, so that nothing remains of a token that is directly followed by a word.
fn secret_length(text: &[u8]) -> Option<usize> {
    let (prefix, body) = SECRETS.iter().find(|(prefix, _)| text.starts_with(prefix.as_bytes()))?;
    let rest = &text[prefix.len()..];
    let run = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    // If a second token follows directly, the run ends at the `_` of its prefix, whose letters belong to the second
    // token. Searching for a prefix anywhere in `rest` instead would read the line once for each of its prefixes.
    let joined = SECRETS.iter().find_map(|(next, _)| {
        let start = (run + 1).checked_sub(next.len())?;
        rest[start..].starts_with(next.as_bytes()).then_some(start)
    });
    let run = joined.unwrap_or(run);
    (run >= *body).then_some(prefix.len() + run)
}

/// A writer that redacts each line. It needs whole lines, and `tracing_subscriber`'s formatter makes one `write` per
/// event.
#[derive(Clone, Debug)]
pub struct Redacting<W>(W);

impl<W> Redacting<W> {
    /// Redacts lines before they reach `writer`.
    pub const fn new(writer: W) -> Self {
        Self(writer)
    }
}

impl<'writer, W: MakeWriter<'writer>> MakeWriter<'writer> for Redacting<W> {
    type Writer = Redacting<W::Writer>;

    fn make_writer(&'writer self) -> Self::Writer {
        Redacting(self.0.make_writer())
    }

    fn make_writer_for(&'writer self, meta: &tracing::Metadata<'_>) -> Self::Writer {
        Redacting(self.0.make_writer_for(meta))
    }
}

impl<W: Write> Write for Redacting<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_all(&redact(line))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_become_hints_and_the_rest_stays() {
        let token = "nlp_00112233445566778899aabbccddeeff550c911c";
        let session = format!("nls_{}", "0123456789abcdef".repeat(4));
        let rows = [
            (String::new(), ""),
            ("nothing here, not even nlp_ or nls_0011".to_owned(), "nothing here, not even nlp_ or nls_0011"),
            (token.to_owned(), "nlp_0011…"),
            (format!("a{token}b c"), "anlp_0011… c"),
            (format!("{token}{token}"), "nlp_0011…nlp_0011…"),
            (format!("{token}{session}."), "nlp_0011…nls_0123…."),
            (format!("nli_{}", &session[4..]), "nli_0123…"),
            (format!("nle_{}", &session[4..]), "nle_0123…"),
            (format!("nlr_{}", &session[4..]), "nlr_0123…"),
            (format!("nlp_{}", "Zz9".repeat(20)), "nlp_Zz9Z…"),
            (token[..43].to_owned(), "nlp_00112233445566778899aabbccddeeff550c911"),
            (format!("\"\\n{token}\\n\""), "\"\\nnlp_0011…\\n\""),
            (format!("nlp_nlp_{}", &token[4..]), "nlp_nlp_0011…"),
        ];
        for (line, expected) in rows {
            assert_eq!(String::from_utf8_lossy(&redact(line.as_bytes())), expected, "{line}");
        }
    }
}
