//! Why a text is not a token or not a hint. **Invariant:** no error repeats any part of the text it speaks of, since
//! that text may be most of a secret.

use core::fmt;

use crate::{HINT_LEN, PREFIX, TOKEN_LEN};

/// Why a text is not a well-formed token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParseError {
    /// The text is not 44 bytes long.
    Length {
        /// How many bytes it has.
        found: usize,
    },
    /// The text does not begin with `nlp_`.
    Prefix,
    /// A byte of the body is not an ASCII letter or digit.
    Character {
        /// Its offset in bytes from the start of the text.
        position: usize,
    },
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found } => write!(
                f,
                "a token has {TOKEN_LEN} characters and this has {found} bytes: copy it whole, without spaces or quotes"
            ),
            Self::Prefix => write!(f, "a token begins with {PREFIX}: check that this is not another kind of secret"),
            Self::Character { position } => write!(
                f,
                "byte {position} is not a letter or a digit: a token is {PREFIX} and letters and digits, copy it again"
            ),
        }
    }
}

impl core::error::Error for ParseError {}

/// The text is not a display hint: four ASCII letters or digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HintError;

impl fmt::Display for HintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a hint is the {HINT_LEN} letters or digits that follow {PREFIX}, without the prefix")
    }
}

impl core::error::Error for HintError {}
