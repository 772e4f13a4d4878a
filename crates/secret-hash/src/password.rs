//! People's passwords: argon2id, PHC strings. Unlike tokens these can be guessed, so here the slowness is the defence.

use core::fmt;

use zeroize::Zeroizing;

pub use crate::Argon2Params;
use crate::HashError;
use crate::slow::argon2id;

/// Fewest characters (Unicode scalar values) of a password.
pub const MIN_CHARS: usize = 12;
/// Most characters of a password: bounds the work, and nobody types more.
pub const MAX_CHARS: usize = 1024;

/// Salt of the hash that stands in for people who do not exist.
const NOBODY_SALT: [u8; 16] = *b"nobody's salt 01";

/// A password in the clear, 12 to 1024 characters of any kind; no composition rules, no trimming, no normalisation.
/// Overwritten when dropped; never shown.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// Why a text cannot be a password. Says nothing about what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Fewer than 12 characters.
    #[error("a password has at least {MIN_CHARS} characters: add a few words")]
    TooShort,
    /// More than 1024 characters.
    #[error("a password has at most {MAX_CHARS} characters")]
    TooLong,
}

impl Password {
    /// Takes a password. The text is overwritten also when it is refused.
    ///
    /// A sign-in attempt with a text refused here is simply wrong, for whatever e-mail: answering it early gives nothing
    /// away.
    pub fn new(text: String) -> Result<Self, PasswordError> {
        let text = Zeroizing::new(text);
        // No character takes more than four bytes: a huge text is refused without being counted.
        let chars = if text.len() > 4 * MAX_CHARS { usize::MAX } else { text.chars().count() };
        match chars {
            0..MIN_CHARS => Err(PasswordError::TooShort),
            MIN_CHARS..=MAX_CHARS => Ok(Self(text)),
            _ => Err(PasswordError::TooLong),
        }
    }

    /// How many characters (Unicode scalar values) it has.
    pub fn chars(&self) -> usize {
        self.0.chars().count()
    }

    fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// A password's hash as stored: a PHC string, `$argon2id$v=19$m=19456,t=2,p=1$…$…`. `Debug` shows its cost only.
#[derive(Clone)]
pub struct PasswordHash {
    text: String,
    parts: argon2id::Parts,
}

impl PasswordHash {
    /// Reads a stored text. Refuses what is malformed or would cost absurdly much to check.
    pub fn parse(text: &str) -> Result<Self, HashError> {
        Ok(Self { text: text.to_owned(), parts: argon2id::parse(text)? })
    }

    /// The text to store.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is not exactly what [`hash`] makes with `params`: replace it when the password is next at hand.
    pub fn needs_rehash(&self, params: &Argon2Params) -> bool {
        !self.parts.meets(params)
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordHash({:?})", self.parts.params())
    }
}

/// Hashes a password. `salt` is fresh from a cryptographic generator. Slow.
pub fn hash(password: &Password, params: &Argon2Params, salt: [u8; 16]) -> Result<PasswordHash, HashError> {
    PasswordHash::parse(&argon2id::hash(password.bytes(), params, salt)?)
}

/// Whether `stored` was made from `password`; the comparison is constant-time. Slow. An error is not "no": it means the
/// check could not be made.
pub fn verify(password: &Password, stored: &PasswordHash) -> Result<bool, HashError> {
    stored.parts.verify(password.bytes())
}

/// A hash that costs as much to check as one made with `params`, and that no password meets: checked when nobody has the
/// e-mail given, so that the time taken does not tell who exists.
///
/// Its digest is all zeros, and finding a password for that is finding a preimage. Making it costs nothing.
pub fn nobody(params: &Argon2Params) -> Result<PasswordHash, HashError> {
    PasswordHash::parse(&argon2id::format(params, &NOBODY_SALT, &[0; 32])?)
}
