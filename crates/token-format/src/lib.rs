//! What an `nlp_` token is: make one, parse one, check its checksum, show its hint, find and redact it in text.
//!
//! **Invariant:** this crate sees no clock, no network, no database and no identifiers. It needs neither `std` nor an
//! allocator, so that any service which receives tokens can use it.
#![doc = ""]
#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]

mod checksum;
mod error;
#[cfg(feature = "getrandom")]
mod generate;
mod hint;
mod parse;
pub mod pattern;
mod plain;
mod redact;

pub use error::{HintError, ParseError};
#[cfg(feature = "getrandom")]
pub use generate::GenerateError;
pub use hint::Hint;
pub use plain::PlainToken;
pub use redact::{Redacted, redact};

/// What every token begins with.
pub const PREFIX: &str = "nlp_";
/// Bytes (all ASCII) of a whole token: prefix and body.
pub const TOKEN_LEN: usize = PREFIX.len() + BODY_LEN;
/// Bytes of the body: what follows the prefix.
pub const BODY_LEN: usize = RANDOM_HEX_LEN + CHECKSUM_LEN;
/// Bytes of the display hint: the first characters of the body.
pub const HINT_LEN: usize = 4;

/// 128 random bits in hexadecimal.
const RANDOM_HEX_LEN: usize = 32;
/// A CRC-32 in hexadecimal.
const CHECKSUM_LEN: usize = 8;
/// Where the checksum begins, which is also how many bytes it covers.
const CHECKSUM_START: usize = TOKEN_LEN - CHECKSUM_LEN;
