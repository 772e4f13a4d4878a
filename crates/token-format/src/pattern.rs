//! Finding tokens in text: the regular expressions for third-party scanners, and a scanner that needs no regex engine
//! and checks the checksum.
//!
//! # Boundaries
//! * **Before** a token anything may stand. A leaked token is often inside an escape (`\nnlp_…` in JSON, `%22nlp_…` in a
//!   URL), whose last character is a letter or a digit; a rule that asks for a word boundary there misses it.
//! * **After** a token stands anything but an ASCII letter or digit: a longer run of those is an identifier, not a token.
//!   A `_` ends one too, since people write `<token>_prod`; `\b` alone would miss that. The token is the expressions' first
//!   group, because none of RE2's descendants can look ahead. A matching checksum overrides this for [`scan`]: no
//!   identifier has one by chance (1 in 4 294 967 296), and `nlp_…nlp_…` without a gap is two leaked tokens.

use core::iter::FusedIterator;
use core::ops::Range;

use crate::checksum;
use crate::parse::is_body;
use crate::{PREFIX, TOKEN_LEN};

/// Regular expression for every well-formed token, also those without a checksum. The token is group 1.
///
/// RE2, PCRE, Hyperscan, Go, Python and Rust give the same matches if `\b` is the ASCII one.
pub const WELL_FORMED: &str = r"(nlp_[A-Za-z0-9]{40})(?:\b|_)";

/// Regular expression for tokens as issued; the token is group 1. An expression cannot check the checksum, so some
/// matches may be look-alikes; [`scan`] tells them apart.
pub const ISSUED: &str = r"(nlp_[0-9a-f]{40})(?:\b|_)";

/// A token found in text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Its bytes in the text; always 44.
    pub range: Range<usize>,
    /// Whether it is lowercase hexadecimal with a matching checksum: certainly a token, and issued by this service.
    pub checksum_ok: bool,
}

/// Finds the tokens in `text`, from left to right, without overlap. Does not allocate; any bytes may be in the text.
pub fn scan(text: &[u8]) -> Scan<'_> {
    Scan { text, from: 0, ending: Ending::WordOrChecksum }
}

/// Like [`scan`], but also finds a token that letters or digits follow: a redactor had better remove half an identifier
/// than show a secret.
pub(crate) fn scan_eagerly(text: &[u8]) -> Scan<'_> {
    Scan { text, from: 0, ending: Ending::Anything }
}

/// What must follow a token.
#[derive(Debug, Clone, Copy)]
enum Ending {
    /// A word boundary, unless the checksum matches.
    WordOrChecksum,
    /// Nothing in particular.
    Anything,
}

/// The tokens of a text, in order; made by [`scan`].
#[derive(Debug, Clone)]
pub struct Scan<'a> {
    text: &'a [u8],
    /// Everything before this offset has been looked at.
    from: usize,
    ending: Ending,
}

impl Iterator for Scan<'_> {
    type Item = Match;

    fn next(&mut self) -> Option<Match> {
        while let Some(start) = find_prefix(self.text, self.from) {
            if let Some(checksum_ok) = judge(&self.text[start..], self.ending) {
                self.from = start + TOKEN_LEN;
                return Some(Match { range: start..self.from, checksum_ok });
            }
            // Continue directly after this prefix: a body has no `_`, but its end may be the start of the next prefix.
            self.from = start + PREFIX.len();
        }
        self.from = self.text.len();
        None
    }
}

impl FusedIterator for Scan<'_> {}

/// Whether `text`, which begins with the prefix, begins with a token, and if so whether its checksum matches.
fn judge(text: &[u8], ending: Ending) -> Option<bool> {
    let (token, rest) = text.split_first_chunk::<TOKEN_LEN>()?;
    if !is_body(&token[PREFIX.len()..]) {
        return None;
    }
    let checksum_ok = checksum::holds(token);
    let ends_well = match ending {
        Ending::Anything => true,
        Ending::WordOrChecksum => checksum_ok || ends_here(token, rest),
    };
    ends_well.then_some(checksum_ok)
}

/// Whether a candidate without a checksum ends at a word boundary.
fn ends_here(token: &[u8; TOKEN_LEN], rest: &[u8]) -> bool {
    match rest.first() {
        // The candidate's last letters and this `_` are the prefix of the next one, which may have a checksum.
        Some(b'_') => !token.ends_with(&PREFIX.as_bytes()[..PREFIX.len() - 1]),
        Some(next) => !next.is_ascii_alphanumeric(),
        None => true,
    }
}

/// Offset of the next `nlp_` at or after `from`.
///
/// Horspool's search: look at the byte that would be the prefix's last, and skip as far as it allows. Most bytes of
/// ordinary text occur nowhere in the prefix, so three of four are never read.
fn find_prefix(text: &[u8], from: usize) -> Option<usize> {
    const { assert!(PREFIX.len() == 4, "the skips below are for nlp_") };
    let mut at = from;
    while let Some(last) = text.get(at + 3) {
        at += match last {
            b'_' if text[at..].starts_with(PREFIX.as_bytes()) => return Some(at),
            b'p' => 1,
            b'l' => 2,
            b'n' => 3,
            _ => 4,
        };
    }
    None
}
