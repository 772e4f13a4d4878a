//! Where in a text a token is found, and where not.

use token_format::pattern::scan;

const TOKEN: &str = "nlp_00112233445566778899aabbccddeeff550c911c";
const LOOK_ALIKE: &str = "nlp_00112233445566778899aabbccddeeff550c911d";
const LEGACY: &str = "nlp_LegacyTokenMadeElsewhere0123456789ABCDEF";

/// Text before, the token, text after, and whether it is found.
const CASES: &[(&str, &str, &str, Option<bool>)] = &[
    ("", TOKEN, "", Some(true)),
    ("export T=", TOKEN, "\n", Some(true)),
    ("{\"t\":\"", TOKEN, "\"}", Some(true)),
    ("\\n", TOKEN, "\\n", Some(true)),
    ("%22", TOKEN, "%22", Some(true)),
    ("word", TOKEN, "", Some(true)),
    ("nlp_", TOKEN, "", Some(true)),
    ("nnlnlp", TOKEN, "", Some(true)),
    // With a checksum it does not matter what follows; without one it does.
    ("", TOKEN, "0", Some(true)),
    ("", TOKEN, "_", Some(true)),
    ("", LOOK_ALIKE, "", Some(false)),
    ("", LOOK_ALIKE, ".", Some(false)),
    ("", LOOK_ALIKE, "é", Some(false)),
    ("", LOOK_ALIKE, "0", None),
    // Suffixes that people write.
    ("", LOOK_ALIKE, "_prod", Some(false)),
    ("", LEGACY, "_", Some(false)),
    ("\\n", LEGACY, "\\n", Some(false)),
    ("", LEGACY, "x", None),
    ("", "nlp_0011223344556677", "", None),
    ("", "nls_00112233445566778899aabbccddeeff550c911c", "", None),
    ("", "NLP_00112233445566778899aabbccddeeff550c911c", "", None),
    ("", "nlp_00112233445566778899aabb-ccddeeff550c911c", "", None),
];

#[test]
fn tokens_are_found_only_at_word_boundaries_or_with_a_checksum() {
    for (before, token, after, expected) in CASES {
        let text = format!("{before}{token}{after}");
        let found: Vec<_> = scan(text.as_bytes()).map(|found| (found.range, found.checksum_ok)).collect();
        let start = before.len();
        let wanted: Vec<_> = expected.map(|ok| (start..start + token.len(), ok)).into_iter().collect();
        assert_eq!(found, wanted, "{text:?}");
    }
}

#[test]
fn tokens_side_by_side_are_all_found() {
    let text = format!("{TOKEN}{LEGACY}{TOKEN}nlp_{TOKEN},{LOOK_ALIKE}");
    let found: Vec<_> = scan(text.as_bytes()).map(|found| (found.range.start, found.checksum_ok)).collect();
    // The legacy token is followed by letters, and without a checksum it may be part of a longer word.
    assert_eq!(found, [(0, true), (88, true), (136, true), (181, false)]);
}

#[test]
fn the_end_of_one_body_may_begin_the_next_prefix() {
    // The first has `_` behind it and is no token; its last three letters and that `_` are the second's prefix.
    let text = format!("nlp_{}nlp_{}", "0".repeat(37), "1".repeat(40));
    let found: Vec<_> = scan(text.as_bytes()).map(|found| (found.range, found.checksum_ok)).collect();
    assert_eq!(found, [(41..85, false)]);
}

#[test]
fn a_finished_scan_stays_finished() {
    let mut matches = scan(TOKEN.as_bytes());
    assert!(matches.next().is_some());
    assert_eq!((matches.next(), matches.next()), (None, None));
}
