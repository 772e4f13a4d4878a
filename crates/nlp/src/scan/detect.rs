//! Finds tokens in a text: plain, or under one layer of base64 or percent encoding.
//!
//! One pass searches for eight short strings at once: the prefix, its underscore percent-encoded (in two cases), and the
//! base64 of the prefix at each of its three possible offsets. Lines of base64 break between groups of four characters,
//! so at two offsets the string ends or begins there, and at the third it is searched for with the line break as well.
//! Only around a match is anything decoded.

use aho_corasick::packed::{Config, MatchKind, Searcher};
use data_encoding::{Encoding, Specification};
use std::sync::LazyLock;

/// The prefix of a token.
const PREFIX: &[u8] = token_format::PREFIX.as_bytes();
/// Bytes of a token.
const LEN: usize = token_format::TOKEN_LEN;
/// The most bytes that one token takes in a text: in base64 with line breaks, or with every byte percent-encoded.
pub(super) const REACH: usize = 3 * LEN + 64;

/// The strings to search for, in the order of [`Clue::of`].
const CLUES: [&[u8]; 8] = [PREFIX, b"%5F", b"%5f", b"bmxw", b"5scF", b"5s\ncF", b"5s\r\ncF", b"bHBf"];

/// How a token was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Writing {
    /// Unencoded.
    Plain,
    /// In base64, with either alphabet.
    Base64,
    /// With percent signs, as in a URL.
    Percent,
}

impl Writing {
    /// A word for reports.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Base64 => "base64",
            Self::Percent => "percent",
        }
    }
}

/// A token in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    /// Offset of its first byte, encoded or not.
    pub(super) start: usize,
    /// Offset after its last byte.
    pub(super) end: usize,
    /// The token.
    pub(super) token: [u8; LEN],
    /// How it was written.
    pub(super) writing: Writing,
}

/// What a match of one of the strings means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clue {
    Prefix,
    Underscore,
    /// The token begins `skip` bytes into a group of three bytes, and the string `before` characters into that group's
    /// encoding.
    Base64 {
        skip: usize,
        before: usize,
    },
}

impl Clue {
    const fn of(pattern: usize) -> Self {
        match pattern {
            0 => Self::Prefix,
            1 | 2 => Self::Underscore,
            3 => Self::Base64 { skip: 0, before: 0 },
            4..=6 => Self::Base64 { skip: 1, before: 2 },
            _ => Self::Base64 { skip: 2, before: 4 },
        }
    }
}

static SEARCHER: LazyLock<Option<Searcher>> =
    LazyLock::new(|| Config::new().match_kind(MatchKind::LeftmostFirst).builder().extend(CLUES).build());
/// The searcher for processors without the vector instructions.
static SLOW: LazyLock<Option<aho_corasick::AhoCorasick>> = LazyLock::new(|| aho_corasick::AhoCorasick::new(CLUES).ok());

/// The base64 of RFC 4648 without padding. Trailing bits are not checked: they belong to the text after the token.
static BASE64: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut rules = Specification::new();
    rules.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    rules.translate.from.push_str("-_");
    rules.translate.to.push_str("+/");
    rules.check_trailing_bits = false;
    rules.encoding().ok()
});

/// Offset and meaning of the next matching string at or after `from`.
fn next_clue(text: &[u8], from: usize) -> Option<(usize, Clue)> {
    let (pattern, start) = if let Some(searcher) = SEARCHER.as_ref() {
        let found = searcher.find_in(text, aho_corasick::Span { start: from, end: text.len() })?;
        (found.pattern().as_usize(), found.start())
    } else {
        let input = aho_corasick::Input::new(text).span(from..text.len());
        let found = SLOW.as_ref()?.find(input)?;
        (found.pattern().as_usize(), found.start())
    };
    Some((start, Clue::of(pattern)))
}

/// Passes to `take` every token of the text with a good checksum, in order.
pub(super) fn hits(text: &[u8], mut take: impl FnMut(Hit)) {
    let mut from = 0;
    let mut last_end = 0;
    while let Some((at, clue)) = next_clue(text, from) {
        from = at + 1;
        let hit = match clue {
            Clue::Prefix => plain(text, at).or_else(|| percent(text, at)),
            Clue::Underscore => percent_before(text, at).and_then(|start| percent(text, start)),
            Clue::Base64 { skip, before } => back(text, at, before).and_then(|start| base64(text, start, skip)),
        };
        if let Some(hit) = hit.filter(|hit| hit.start >= last_end) {
            last_end = hit.end;
            from = hit.end;
            take(hit);
        }
    }
}

/// Whether these bytes have the shape and the checksum of an issued token.
fn issued(token: &[u8; LEN]) -> bool {
    token_format::pattern::scan(token).next().is_some_and(|found| found.checksum_ok)
}

fn plain(text: &[u8], start: usize) -> Option<Hit> {
    let token: [u8; LEN] = *text.get(start..)?.first_chunk()?;
    issued(&token).then_some(Hit { start, end: start + LEN, token, writing: Writing::Plain })
}

/// A token with at least one byte percent-encoded.
fn percent(text: &[u8], start: usize) -> Option<Hit> {
    let mut token = [0; LEN];
    let mut at = start;
    for byte in &mut token {
        (*byte, at) = decoded(text, at)?;
    }
    let encoded = at - start > LEN;
    (encoded && issued(&token)).then_some(Hit { start, end: at, token, writing: Writing::Percent })
}

/// The byte at this offset, decoded, and the offset after it.
fn decoded(text: &[u8], at: usize) -> Option<(u8, usize)> {
    match *text.get(at)? {
        b'%' => {
            let digits = std::str::from_utf8(text.get(at + 1..at + 3)?).ok()?;
            Some((u8::from_str_radix(digits, 16).ok()?, at + 3))
        }
        byte => Some((byte, at + 1)),
    }
}

/// The offset of the `nlp` before an encoded underscore; its letters may be encoded.
fn percent_before(text: &[u8], underscore: usize) -> Option<usize> {
    let mut at = underscore;
    for letter in b"nlp".iter().rev() {
        let encoded = at.checked_sub(3).filter(|start| decoded(text, *start) == Some((*letter, at)));
        let plain = at.checked_sub(1).filter(|start| text[*start] == *letter);
        at = encoded.or(plain)?;
    }
    Some(at)
}

/// The offset this many characters of base64 before `at`; line breaks are skipped.
fn back(text: &[u8], mut at: usize, characters: usize) -> Option<usize> {
    for _ in 0..characters {
        at = text[..at].iter().rposition(|byte| !matches!(byte, b'\r' | b'\n'))?;
    }
    Some(at)
}

/// A token in base64 whose group of four characters begins at `start`; `skip` bytes of it come before the token. Line
/// breaks, as in mail and PEM, are skipped.
fn base64(text: &[u8], start: usize, skip: usize) -> Option<Hit> {
    let characters = ((LEN + skip) * 8).div_ceil(6);
    let mut group = Vec::with_capacity(characters);
    let mut at = start;
    while group.len() < characters {
        let byte = *text.get(at)?;
        at += 1;
        match byte {
            b'\r' | b'\n' => {}
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' | b'-' | b'_' => group.push(byte),
            _ => return None,
        }
    }
    let bytes = BASE64.as_ref()?.decode(&group).ok()?;
    let token: [u8; LEN] = *bytes.get(skip..)?.first_chunk()?;
    issued(&token).then_some(Hit { start, end: at, token, writing: Writing::Base64 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::{BASE64 as STANDARD, BASE64_MIME, BASE64URL_NOPAD};
    use token_format::PlainToken;

    fn token(seed: u8) -> String {
        PlainToken::from_random(std::array::from_fn(|at| {
            seed.wrapping_mul(31).wrapping_add(u8::try_from(at).unwrap() * 7)
        }))
        .expose()
        .to_owned()
    }

    fn found(text: &[u8]) -> Vec<(String, Writing)> {
        let mut all = Vec::new();
        hits(text, |hit| {
            assert!(hit.start < hit.end && hit.end <= text.len());
            all.push((String::from_utf8(hit.token.to_vec()).unwrap(), hit.writing));
        });
        all
    }

    fn percent_all(text: &str) -> String {
        text.bytes().flat_map(|byte| format!("%{byte:02x}").into_bytes()).map(char::from).collect()
    }

    #[test]
    fn a_token_is_found_however_it_is_written() {
        let one = token(1);
        for (text, writing) in [
            (one.clone(), Writing::Plain),
            (format!("{one}_prod"), Writing::Plain),
            (format!("x{one}9"), Writing::Plain),
            (format!("\\n{one}\\n"), Writing::Plain),
            (format!("nlp_{one}"), Writing::Plain),
            (one.replace('_', "%5F"), Writing::Percent),
            (one.replace('_', "%5f"), Writing::Percent),
            (percent_all(&one), Writing::Percent),
            (percent_all(&one).to_uppercase().replace("%6E", "n"), Writing::Percent),
            (format!("nlp_%{:02x}{}", one.as_bytes()[4], &one[5..]), Writing::Percent),
            (STANDARD.encode(one.as_bytes()), Writing::Base64),
            (STANDARD.encode(format!("a{one}").as_bytes()), Writing::Base64),
            (STANDARD.encode(format!("ab{one}").as_bytes()), Writing::Base64),
            (STANDARD.encode(format!("abc{one}tail").as_bytes()), Writing::Base64),
            (BASE64URL_NOPAD.encode(format!("user:{one}").as_bytes()), Writing::Base64),
            (BASE64_MIME.encode(format!("{}{one}{}", "x".repeat(45), "y".repeat(90)).as_bytes()), Writing::Base64),
        ] {
            assert_eq!(found(text.as_bytes()), [(one.clone(), writing)], "{text}");
            assert_eq!(found(format!("\0 {text}\" \n").as_bytes()), [(one.clone(), writing)], "{text}");
        }
    }

    #[test]
    fn base64_is_found_at_every_offset_and_before_anything() {
        for seed in 0..64 {
            let one = token(seed);
            for before in 0..6 {
                for after in 0..4 {
                    let plain = format!("{}{one}{}", "~".repeat(before), "\u{7f}".repeat(after));
                    assert_eq!(
                        found(STANDARD.encode(plain.as_bytes()).as_bytes()),
                        [(one.clone(), Writing::Base64)],
                        "{before} {after}"
                    );
                }
            }
        }
    }

    #[test]
    fn base64_is_found_at_every_offset_from_a_line_break() {
        let one = token(9);
        for width in [64, 76] {
            for end in ["\n", "\r\n"] {
                for before in 0..60 {
                    let encoded =
                        STANDARD.encode(format!("{}{one}{}", "~".repeat(before), "\u{7f}".repeat(60)).as_bytes());
                    let lines: Vec<_> =
                        encoded.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
                    assert_eq!(
                        found(lines.join(end).as_bytes()),
                        [(one.clone(), Writing::Base64)],
                        "{before} bytes before it in lines of {width} that end in {end:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn look_alikes_are_not_found() {
        let one = token(2);
        let slip = format!("{}{}", &one[..43], if one.ends_with('0') { '1' } else { '0' });
        for text in [
            slip.clone(),
            STANDARD.encode(slip.as_bytes()),
            slip.replace('_', "%5F"),
            one[..43].to_owned(),
            one.replace("nlp_", "nls_"),
            one.to_uppercase(),
            format!("nlp_{}", "g".repeat(40)),
            "nlp_LegacyTokenMadeElsewhere0123456789ABCDEF".to_owned(),
            // Encoded twice: only one layer is decoded.
            STANDARD.encode(STANDARD.encode(one.as_bytes()).as_bytes()),
            one.replace('_', "%255F"),
            String::new(),
            "nlp_".to_owned(),
            "%5F".to_owned(),
            "5scF".to_owned(),
        ] {
            assert_eq!(found(text.as_bytes()), [], "{text}");
        }
    }

    #[test]
    fn tokens_side_by_side_are_all_found() {
        let (one, two) = (token(3), token(4));
        let text = format!("{one}{two} {} {}", STANDARD.encode(one.as_bytes()), two.replace('_', "%5F"));
        let plain = |token: &String| (token.clone(), Writing::Plain);
        assert_eq!(
            found(text.as_bytes()),
            [plain(&one), plain(&two), (one.clone(), Writing::Base64), (two.clone(), Writing::Percent)]
        );
    }
}
