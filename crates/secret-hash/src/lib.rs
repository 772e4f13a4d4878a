//! How a secret is stored and checked: the hash that decides, the keyed tag that is cheap to check, the hint that finds
//! the row; people's passwords and their second factors.
//!
//! Four things are kept of a token, and nothing else of the secret: its display hint (`token_format::Hint`), a
//! [`StoredHash`], a [`LookupHint`] and a [`VerifyTag`]. A dump of the database holds all four and validates nothing: the
//! tag needs a key that lives elsewhere, and the hash must be guessed against 128 random bits.
//!
//! **Invariant:** CPU only. This crate never waits, reads no clock and draws no randomness (salts and keys are
//! arguments), and knows neither the database nor HTTP. Slow functions say so; run them off the request workers.

mod argon2_params;
mod error;
mod foreign;
mod hex;
mod keyring;
mod kind;
mod lookup;
pub mod password;
pub mod recovery;
mod scheme;
mod sealed;
mod shared;
mod slow;
mod stored;
mod tag;
pub mod totp;

pub use argon2_params::Argon2Params;
pub use error::HashError;
pub use foreign::{
    Algorithm, Encoding, ForeignError, ForeignHash, ForeignHints, HmacKey, PREFIX_LENGTHS, foreign_hints,
};
pub use keyring::{Keyring, KeyringError, TagCheck};
pub use kind::SchemeKind;
pub use lookup::{LookupHint, lookup_hint};
pub use scheme::Scheme;
pub use sealed::{Opened, SealError, sealing_key};
pub use stored::{StoredHash, hash, verify};
pub use tag::{KeyId, Tag, TagKey, TagKeyError, VerifyTag, VerifyTagError};
