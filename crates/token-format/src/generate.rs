//! A fresh token from the operating system's generator: for services that mint their own and have no entropy source to
//! pass around.

use core::fmt;

use crate::PlainToken;

/// The operating system gave no randomness. Practically: a seccomp filter or a container without `getrandom(2)`.
#[derive(Debug)]
pub struct GenerateError(getrandom::Error);

impl fmt::Display for GenerateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the operating system gave no random bytes ({}): allow getrandom(2) or provide /dev/urandom", self.0)
    }
}

impl core::error::Error for GenerateError {}

impl PlainToken {
    /// Makes a fresh token from 128 bits of the operating system's generator.
    pub fn generate() -> Result<Self, GenerateError> {
        let mut random = [0; 16];
        #[expect(clippy::disallowed_methods, reason = "the opt-in way for services without an entropy argument")]
        getrandom::fill(&mut random).map_err(GenerateError)?;
        let token = Self::from_random(random);
        crate::plain::wipe(&mut random);
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_tokens_are_issued_ones_and_differ() {
        let (one, other) = (PlainToken::generate().unwrap(), PlainToken::generate().unwrap());
        assert!(one.is_checksummed() && other.is_checksummed());
        assert!(!one.ct_eq(&other));
    }
}
