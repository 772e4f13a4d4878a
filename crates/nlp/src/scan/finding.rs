//! The findings of a report: one for each secret, with all its places.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use token_format::{PlainToken, TOKEN_LEN};

use super::detect::Writing;

/// Bytes of a fingerprint: enough to tell the secrets of a report apart, and a secret cannot be found from it.
const FINGERPRINT: usize = 8;

/// A token that was found. Kept for `--check` and `--revoke`, never printed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Token([u8; TOKEN_LEN]);

impl Token {
    pub(super) const fn new(bytes: [u8; TOKEN_LEN]) -> Self {
        Self(bytes)
    }

    /// The secret.
    pub(crate) fn expose(&self) -> &str {
        // Cannot fail: a token is ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The hint, which may be shown.
    pub(crate) fn hint(&self) -> String {
        PlainToken::parse(self.expose()).map(|token| token.hint().to_string()).unwrap_or_default()
    }

    /// The first 16 hexadecimal digits of its SHA-256.
    pub(crate) fn fingerprint(&self) -> String {
        let digest = Sha256::digest(self.0);
        HEXLOWER.encode(&digest[..FINGERPRINT])
    }

    /// Whether it is one of the three sample tokens of the format's specification.
    pub(super) fn is_published(&self) -> bool {
        let samples: [[u8; 16]; 3] = [
            [0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff],
            [0x00; 16],
            [0xff; 16],
        ];
        samples.iter().any(|random| PlainToken::from_random(*random).expose_bytes() == &self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hint())
    }
}

/// Where a token was seen.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The token.
    pub(crate) token: Token,
    /// The file's name.
    pub(crate) file: Arc<str>,
    /// Its line, from 1.
    pub(crate) line: u64,
    /// Its column, from 1, in characters.
    pub(crate) column: u64,
    /// How it was written.
    pub(crate) writing: Writing,
    /// The commit that added it, if a history was scanned.
    pub(crate) commit: Option<Arc<Commit>>,
}

/// A commit, as reports show it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Commit {
    /// Its id, in full.
    pub(crate) id: String,
    /// Name and address of its author.
    pub(crate) author: String,
    /// When it was made; RFC 3339.
    pub(crate) date: String,
}

/// A secret and where it was seen.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    /// The token.
    pub(crate) token: Token,
    /// Its hint.
    pub(crate) hint: String,
    /// Its fingerprint.
    pub(crate) fingerprint: String,
    /// Every place, in order.
    pub(crate) places: Vec<Place>,
    /// Whether the authority says that it is live; `None` without `--check`.
    pub(crate) live: Option<bool>,
    /// Whether this scan revoked it.
    pub(crate) revoked: bool,
}

/// Groups places by secret, without the secrets of an earlier report. Ordered by the first place.
pub(crate) fn gather(mut places: Vec<Place>, earlier: &BTreeSet<String>) -> Vec<Finding> {
    places.sort_by(|one, other| {
        (&one.file, one.line, one.column, one.commit.as_ref().map(|commit| &commit.date)).cmp(&(
            &other.file,
            other.line,
            other.column,
            other.commit.as_ref().map(|commit| &commit.date),
        ))
    });
    let mut order: BTreeMap<Token, usize> = BTreeMap::new();
    let mut findings: Vec<Finding> = Vec::new();
    for place in places {
        if let Some(at) = order.get(&place.token) {
            findings[*at].places.push(place);
            continue;
        }
        let token = place.token.clone();
        order.insert(token.clone(), findings.len());
        let (hint, fingerprint) = (token.hint(), token.fingerprint());
        findings.push(Finding { token, hint, fingerprint, places: vec![place], live: None, revoked: false });
    }
    findings.retain(|finding| !earlier.contains(&finding.fingerprint));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(seed: u8) -> Token {
        Token::new(*PlainToken::from_random([seed; 16]).expose_bytes())
    }

    fn place(seed: u8, file: &str, line: u64) -> Place {
        Place { token: token(seed), file: file.into(), line, column: 1, writing: Writing::Plain, commit: None }
    }

    #[test]
    fn a_secret_is_one_finding_with_its_places_in_order() {
        let places = vec![place(1, "b", 2), place(2, "a", 9), place(1, "a", 3)];
        let found = gather(places, &BTreeSet::new());
        let shown: Vec<_> = found
            .iter()
            .map(|finding| {
                finding.places.iter().map(|place| format!("{}:{}", place.file, place.line)).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(shown, [vec!["a:3", "b:2"], vec!["a:9"]]);
    }

    #[test]
    fn what_an_earlier_report_has_is_left_out() {
        let earlier = BTreeSet::from([token(1).fingerprint()]);
        let found = gather(vec![place(1, "a", 1), place(2, "a", 2)], &earlier);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].fingerprint, token(2).fingerprint());
    }

    #[test]
    fn a_fingerprint_is_the_start_of_the_hash_and_no_debug_shows_the_secret() {
        let sample = Token::new(*PlainToken::from_random([0; 16]).expose_bytes());
        assert_eq!(sample.fingerprint().len(), 16);
        assert_eq!(sample.hint(), "nlp_0000…");
        assert_eq!(format!("{sample:?}"), "nlp_0000…");
    }
}
