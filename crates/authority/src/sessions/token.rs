//! The session token: `nls_` and 64 hexadecimal digits, opaque, stored as its SHA-256.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Every session token begins with this.
const PREFIX: &str = "nls_";
/// Hexadecimal digits behind the prefix.
const DIGITS: usize = 64;

/// A session token in the clear. No `Display`, no `Serialize`; `Debug` shows nothing of it.
#[derive(Clone)]
pub struct SessionToken(Zeroizing<String>);

impl SessionToken {
    /// Makes one of 256 random bits.
    pub fn from_random(random: [u8; 32]) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + DIGITS));
        text.push_str(PREFIX);
        for byte in Zeroizing::new(random).iter() {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
            }
        }
        Self(text)
    }

    /// Reads one as presented; nothing when it is not of the form.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        let fits =
            digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        fits.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// What is stored. 256 random bits need no slow hash: there is nothing to guess.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// The text. Reading it is meant to be visible in review.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(nls_…)")
    }
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
