//! Reading tokens from JSON: what is accepted, and that an error does not repeat the text.

use token_format::PlainToken;

#[test]
fn a_token_is_read_from_text() {
    let token: PlainToken = serde_json::from_str("\"nlp_00112233445566778899aabbccddeeff550c911c\"").unwrap();
    assert!(token.is_checksummed());
    // With an escape the text cannot be borrowed from the input.
    let token: PlainToken = serde_json::from_str("\"\\u006elp_00112233445566778899aabbccddeeff550c911c\"").unwrap();
    assert!(token.is_checksummed());
}

#[test]
fn an_error_repeats_no_part_of_the_text() {
    for json in ["\"nlp_00112233445566778899aabbccddeeff550c911\"", "\"00112233\"", "\"\""] {
        let error = serde_json::from_str::<PlainToken>(json).unwrap_err().to_string();
        assert!(error.contains("a token") && !error.contains("2233"), "{error}");
    }
    let error = serde_json::from_str::<PlainToken>("[1]").unwrap_err().to_string();
    assert!(error.contains("expected a token"), "{error}");
}
