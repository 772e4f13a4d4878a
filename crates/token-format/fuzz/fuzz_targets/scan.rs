//! Scanning and redacting any bytes never panics, and finds the same tokens as a parse at every offset.
#![no_main]

use libfuzzer_sys::fuzz_target;
use token_format::{PlainToken, TOKEN_LEN, pattern, redact};

fn found_slowly(text: &[u8]) -> Vec<(usize, bool)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at + TOKEN_LEN <= text.len() {
        let token = std::str::from_utf8(&text[at..at + TOKEN_LEN]).ok().and_then(|text| PlainToken::parse(text).ok());
        let runs_on = text.get(at + TOKEN_LEN).is_some_and(|&next| next.is_ascii_alphanumeric() || next == b'_');
        match token {
            Some(token) if token.is_checksummed() || !runs_on => {
                found.push((at, token.is_checksummed()));
                at += TOKEN_LEN;
            }
            _ => at += 1,
        }
    }
    found
}

fuzz_target!(|text: &[u8]| {
    let found: Vec<_> = pattern::scan(text).map(|found| (found.range.start, found.checksum_ok)).collect();
    assert_eq!(found, found_slowly(text));
    if let Ok(text) = std::str::from_utf8(text) {
        let shown = redact(text).to_string();
        assert_eq!(pattern::scan(shown.as_bytes()).count(), 0);
    }
});
