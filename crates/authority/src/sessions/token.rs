//! The session token: `nls_` and 64 hexadecimal digits, opaque, stored as its SHA-256.

use crate::opaque::opaque_secret;

opaque_secret! {
    /// A session token in the clear. No `Display`, no `Serialize`; `Debug` shows nothing of it.
    SessionToken = "nls_"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_makes_and_shows_nothing() {
        let token = SessionToken::from_random([0xa5; 32]);
        assert_eq!(token.expose(), format!("nls_{}", "a5".repeat(32)));
        assert_eq!(SessionToken::parse(token.expose()).unwrap().digest(), token.digest());
        assert_eq!(format!("{token:?}"), "SessionToken(nls_…)");
        for text in [
            "",
            "nls_",
            "nlp_",
            &"a5".repeat(34),
            &format!("nls_{}", "A5".repeat(32)),
            &format!("nls_{}", "a5".repeat(33)),
        ] {
            assert!(SessionToken::parse(text).is_none(), "{text}");
        }
    }
}
