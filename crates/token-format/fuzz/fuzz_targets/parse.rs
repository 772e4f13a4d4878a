//! Parsing any text never panics, and accepts exactly the well-formed tokens.
#![no_main]

use libfuzzer_sys::fuzz_target;
use token_format::{Hint, PlainToken};

fuzz_target!(|text: &str| {
    let shape = text.len() == 44
        && text.starts_with("nlp_")
        && text.bytes().skip(4).all(|byte| byte.is_ascii_alphanumeric());
    match PlainToken::parse(text) {
        Ok(token) => {
            assert!(shape);
            assert_eq!(token.expose(), text);
            assert_eq!(Hint::parse(&text[4..8]), Ok(token.hint()));
            if token.is_checksummed() {
                let random = u128::from_str_radix(&text[4..36], 16).expect("hexadecimal");
                assert!(PlainToken::from_random(random.to_be_bytes()).ct_eq(&token));
            }
        }
        Err(error) => {
            assert!(!shape);
            // The message repeats nothing of the text, so its length is bounded.
            assert!(error.to_string().len() < 160);
        }
    }
});
