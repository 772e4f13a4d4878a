//! Properties of every token and every text, tested on generated ones. Seeds are fixed, so that a failure can be
//! reproduced.

use std::ops::Range;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use regex::bytes::{Regex, RegexBuilder};
use token_format::{PREFIX, PlainToken, TOKEN_LEN, pattern, redact};

const BODY: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 512,
        rng_seed: RngSeed::Fixed(0x6e6c_705f),
        failure_persistence: None,
        ..Default::default()
    }
}

/// The published expression, with the ASCII `\b` of the scanners it is for.
fn expression(text: &str) -> Regex {
    RegexBuilder::new(text).unicode(false).build().expect("a valid expression")
}

/// A piece of text: a token, a near miss, or noise of few letters so that near misses are common.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => any::<[u8; 16]>().prop_map(|random| PlainToken::from_random(random).expose().as_bytes().to_vec()),
        2 => "nlp_[A-Za-z0-9]{40}".prop_map(String::into_bytes),
        2 => "nlp_[0-9a-f]{38,42}".prop_map(String::into_bytes),
        1 => "(nlp_|nl|n|p_|_nlp)".prop_map(String::into_bytes),
        2 => "[nlp_0a Z\n\"\\\\]{0,6}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ]
}

/// The reference search: tries the parser and the published expression at each offset.
fn found_slowly(text: &[u8]) -> Vec<(Range<usize>, bool)> {
    let well_formed = expression(pattern::WELL_FORMED);
    let mut found = Vec::new();
    let mut at = 0;
    while at + TOKEN_LEN <= text.len() {
        let range = at..at + TOKEN_LEN;
        let token = std::str::from_utf8(&text[range.clone()]).ok().and_then(|text| PlainToken::parse(text).ok());
        // A candidate whose end is the start of the next prefix does not count.
        let runs_into_the_next = || text[at + TOKEN_LEN - 3..].starts_with(PREFIX.as_bytes());
        let ends_a_word =
            || well_formed.find_at(text, at).is_some_and(|found| found.start() == at) && !runs_into_the_next();
        match token {
            Some(token) if token.is_checksummed() || ends_a_word() => {
                found.push((range, token.is_checksummed()));
                at += TOKEN_LEN;
            }
            Some(_) | None => at += 1,
        }
    }
    found
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn issued_tokens_come_back(random: [u8; 16]) {
        let token = PlainToken::from_random(random);
        let again = PlainToken::parse(token.expose()).unwrap();
        prop_assert!(again.ct_eq(&token));
        prop_assert!(again.is_checksummed());
        let hint = again.hint();
        prop_assert_eq!(hint.as_str(), &token.expose()[4..8]);
        prop_assert!(expression(pattern::ISSUED).is_match(token.expose_bytes()));
    }

    #[test]
    fn any_slip_of_one_character_breaks_the_checksum(random: [u8; 16], position in PREFIX.len()..TOKEN_LEN, to in prop::sample::select(BODY)) {
        let mut text = PlainToken::from_random(random).expose_bytes().to_vec();
        prop_assume!(text[position] != to);
        text[position] = to;
        let slipped = PlainToken::parse(std::str::from_utf8(&text).unwrap()).unwrap();
        prop_assert!(!slipped.is_checksummed());
    }

    #[test]
    fn any_swap_of_neighbours_breaks_the_checksum(random: [u8; 16], position in PREFIX.len()..TOKEN_LEN - 1) {
        let mut text = PlainToken::from_random(random).expose_bytes().to_vec();
        prop_assume!(text[position] != text[position + 1]);
        text.swap(position, position + 1);
        prop_assert!(!PlainToken::parse(std::str::from_utf8(&text).unwrap()).unwrap().is_checksummed());
    }

    #[test]
    fn parse_takes_what_the_expression_takes(text in "\\PC{0,50}|(nlp_|nls_)?[A-Za-z0-9_ é]{38,42}|nlp_[A-Za-z0-9]{40}") {
        let whole = Regex::new("^nlp_[A-Za-z0-9]{40}$").unwrap();
        prop_assert_eq!(PlainToken::parse(&text).is_ok(), whole.is_match(text.as_bytes()));
    }

    #[test]
    fn scan_finds_every_token_and_nothing_else(pieces in prop::collection::vec(piece(), 0..12)) {
        let text = pieces.concat();
        let found: Vec<_> = pattern::scan(&text).map(|found| (found.range, found.checksum_ok)).collect();
        prop_assert_eq!(&found, &found_slowly(&text));
        // The scan also finds tokens that letters or digits follow, but only with a checksum.
        let published: Vec<_> = expression(pattern::WELL_FORMED).find_iter(&text).map(|found| found.range()).collect();
        let runs_into_the_next =
            |range: &Range<usize>| text[range.start + TOKEN_LEN - 3..].starts_with(PREFIX.as_bytes());
        for range in published.into_iter().filter(|range| !runs_into_the_next(range)) {
            prop_assert!(found.iter().any(|(ours, _)| ours.contains(&range.start)), "{:?} was not found", range);
        }
    }

    #[test]
    fn redacted_text_holds_no_token(pieces in prop::collection::vec(piece(), 0..12)) {
        let text = String::from_utf8_lossy(&pieces.concat()).into_owned();
        let shown = redact(&text).to_string();
        prop_assert_eq!(pattern::scan(shown.as_bytes()).count(), 0, "{}", shown);
        // Not even one that letters or digits follow, which `scan` ignores.
        let anywhere = expression("nlp_[A-Za-z0-9]{40}");
        prop_assert!(!anywhere.is_match(shown.as_bytes()), "{}", shown);
        // A token becomes its prefix, four characters and a three-byte ellipsis; all else stays.
        let tokens = anywhere.find_iter(text.as_bytes()).count();
        prop_assert_eq!(shown.len(), text.len() - tokens * (TOKEN_LEN - 11));
    }
}
