//! The display hint: the only part of a token that is shown again after it was created.

use core::fmt;
use core::str::FromStr;

use crate::{HINT_LEN, HintError, PREFIX};

/// The first four characters of a token's body. Shows as `nlp_3f7a…`.
///
/// Of an issued token it reveals 16 of 128 random bits. A person can tell their keys apart by it; the other 112 bits
/// cannot be guessed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hint([u8; HINT_LEN]);

impl Hint {
    pub(crate) const fn from_body_start(start: [u8; HINT_LEN]) -> Self {
        Self(start)
    }

    /// Reads a hint as stored: exactly four ASCII letters or digits, without the prefix.
    pub fn parse(text: &str) -> Result<Self, HintError> {
        match <[u8; HINT_LEN]>::try_from(text.as_bytes()) {
            Ok(start) if start.iter().all(u8::is_ascii_alphanumeric) => Ok(Self(start)),
            Ok(_) | Err(_) => Err(HintError),
        }
    }

    /// The four characters alone: what is stored.
    pub fn as_str(&self) -> &str {
        // The bytes are ASCII letters and digits, so the empty fallback is never taken.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}…", self.as_str())
    }
}

impl fmt::Debug for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hint({self})")
    }
}

impl FromStr for Hint {
    type Err = HintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}
