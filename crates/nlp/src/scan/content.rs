//! Scans bytes for tokens and reports them with line and column, except allowed ones.

use std::io::Read;
use std::sync::Arc;

use super::allow;
use super::detect::{self, REACH};
use super::finding::{Place, Token};

/// Bytes of a stream that are held at once.
const CHUNK: usize = 4 * 1024 * 1024;

/// Collects the places of tokens. Each thread has its own, because it keeps a buffer.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    places: Vec<Place>,
    buffer: Vec<u8>,
}

impl Scanner {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// The places found.
    pub(super) fn finish(self) -> Vec<Place> {
        self.places
    }

    /// Takes the buffer, which is reused from file to file.
    pub(super) fn take_buffer(&mut self) -> Vec<u8> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        buffer
    }

    /// Gives the buffer back.
    pub(super) fn give_buffer(&mut self, buffer: Vec<u8>) {
        self.buffer = buffer;
    }

    /// Scans a text that is in memory.
    pub(super) fn whole(&mut self, text: &[u8], file: &str) {
        self.part(text, file, Origin::START, text.len());
    }

    /// Scans a reader of any length, and returns the number of bytes.
    pub(super) fn stream(&mut self, reader: &mut impl Read, file: &str) -> std::io::Result<u64> {
        let mut buffer = self.take_buffer();
        let mut origin = Origin::START;
        let mut total = 0;
        loop {
            let kept = buffer.len();
            let wanted = u64::try_from(CHUNK - kept).unwrap_or(u64::MAX);
            let read = reader.by_ref().take(wanted).read_to_end(&mut buffer)?;
            total += u64::try_from(read).unwrap_or_default();
            let last = buffer.len() < CHUNK;
            // Leave the end, which may be the start of a token, for the next round.
            let upto = if last { buffer.len() } else { buffer.len() - REACH };
            self.part(&buffer, file, origin, upto);
            if last {
                break;
            }
            origin = origin.after(&buffer[..upto]);
            buffer.drain(..upto);
        }
        self.give_buffer(buffer);
        Ok(total)
    }

    /// Scans a part of a text for tokens that begin before `upto`.
    fn part(&mut self, text: &[u8], file: &str, origin: Origin, upto: usize) {
        let mut name: Option<Arc<str>> = None;
        let mut counted = 0;
        let mut here = origin;
        detect::hits(text, |hit| {
            if hit.start >= upto {
                return;
            }
            here = here.after(&text[counted..hit.start]);
            counted = hit.start;
            let token = Token::new(hit.token);
            if token.is_published() || allow::allows(text, hit.start, hit.end) {
                return;
            }
            // A name can have a token in it as well, and every report shows names.
            let file = name.get_or_insert_with(|| token_format::redact(file).to_string().into());
            self.places.push(Place {
                token,
                file: Arc::clone(file),
                line: here.line,
                column: here.column,
                writing: hit.writing,
                commit: None,
            });
        });
    }
}

/// Line and column, both from 1; columns count characters, as editors and SARIF do.
#[derive(Debug, Clone, Copy)]
struct Origin {
    line: u64,
    column: u64,
}

impl Origin {
    const START: Self = Self { line: 1, column: 1 };

    /// The position after this text.
    fn after(self, text: &[u8]) -> Self {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        // In UTF-8 every byte of a character but the first is a continuation.
        let characters = |text: &[u8]| count(text.iter().filter(|byte| **byte & 0xc0 != 0x80).count());
        match memchr::memrchr(b'\n', text) {
            None => Self { column: self.column + characters(text), ..self },
            Some(last) => Self {
                line: self.line + count(memchr::memchr_iter(b'\n', text).count()),
                column: characters(&text[last..]),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use token_format::PlainToken;

    fn token(seed: u8) -> String {
        PlainToken::from_random([seed; 16]).expose().to_owned()
    }

    fn places(text: &[u8]) -> Vec<(u64, u64)> {
        let mut scanner = Scanner::new();
        scanner.whole(text, "f");
        scanner.finish().iter().map(|place| (place.line, place.column)).collect()
    }

    #[test]
    fn lines_and_columns_count_from_one() {
        let (one, two) = (token(1), token(2));
        let text = format!("{one}\nab {two}\r\n\n  {one} {two}\n");
        assert_eq!(places(text.as_bytes()), [(1, 1), (2, 4), (4, 3), (4, 48)]);
        assert_eq!(places(format!("é€𝄞 {one} ü {two}").as_bytes()), [(1, 5), (1, 52)]);
    }

    #[test]
    fn published_samples_are_no_findings() {
        for random in [[0; 16], [0xff; 16], std::array::from_fn(|at| u8::try_from(at).unwrap() * 0x11)] {
            assert_eq!(places(PlainToken::from_random(random).expose().as_bytes()), []);
        }
    }

    #[test]
    fn a_stream_is_scanned_across_its_chunks() {
        let one = token(7);
        for offset in [0, CHUNK - 100, CHUNK - 44, CHUNK - 20, CHUNK - REACH - 1, CHUNK, 2 * CHUNK - REACH + 3] {
            let mut text = vec![b'x'; offset];
            for at in (0..offset).step_by(1000) {
                text[at] = b'\n';
            }
            text.extend_from_slice(one.as_bytes());
            text.extend_from_slice(&[b'-'; 500]);
            let mut scanner = Scanner::new();
            let read = scanner.stream(&mut text.as_slice(), "f").unwrap();
            assert_eq!(read, u64::try_from(text.len()).unwrap());
            let streamed: Vec<_> = scanner.finish().iter().map(|place| (place.line, place.column)).collect();
            assert_eq!(streamed, places(&text), "{offset}");
            assert_eq!(streamed.len(), 1, "{offset}");
        }
    }

    #[test]
    fn a_line_that_allows_a_token_with_a_reason_is_skipped() {
        let one = token(3);
        for (text, found) in [
            (format!("a = \"{one}\" # nlp:allow used by the tests\n"), 0),
            (format!("# nlp:allow\na = \"{one}\"\n"), 1),
            (format!("a = \"{one}\" # nlp:allow\n"), 1),
            (format!("a = \"{one}\" # nlp:allow  \nwhy\n"), 1),
            (format!("# nlp:allow because\n{one}"), 1),
        ] {
            assert_eq!(places(text.as_bytes()).len(), found, "{text}");
        }
    }
}
