//! People's passwords: argon2id, PHC strings. Unlike tokens, passwords can be guessed, and the slow hash is the
//! defence.

use core::fmt;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use zeroize::Zeroizing;

pub use crate::Argon2Params;
use crate::HashError;
use crate::slow::argon2id;

/// Fewest characters (Unicode scalar values) of a password.
pub const MIN_CHARS: usize = 12;
/// Most characters of a password: bounds the work.
pub const MAX_CHARS: usize = 1024;

/// Salt of the hash that stands in for people who do not exist.
const NOBODY_SALT: [u8; 16] = *b"nobody's salt 01";

/// A password in the clear, 12 to 1024 characters of any kind, in NFC: keyboards and systems differ in whether `é` is one
/// code point or two, and its owner sees no difference (NIST SP 800-63B, section 3.1.1.2). No composition rules, no trimming.
/// Overwritten when dropped; never shown.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// Why a text cannot be a password. Contains no part of the text.
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
    /// A sign-in with a text refused here is wrong for every e-mail address, so an early answer reveals nothing.
    pub fn new(text: String) -> Result<Self, PasswordError> {
        let text = Zeroizing::new(text);
        // A character takes at most four bytes, and normalising joins at most three code points, so a longer text is
        // refused without being read.
        if text.len() > 12 * MAX_CHARS {
            return Err(PasswordError::TooLong);
        }
        let text = normalised(text);
        let chars = text.chars().count();
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

    /// The password, in NFC. Reading it is meant to be visible in review.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// The text in NFC. A text that is in NFC already, as nearly all are, is returned unchanged.
fn normalised(text: Zeroizing<String>) -> Zeroizing<String> {
    if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return text;
    }
    // With its full capacity at once (one code point becomes at most three in NFC): a string that grows leaves copies
    // of the secret in freed memory.
    let mut composed = Zeroizing::new(String::with_capacity(3 * text.len()));
    composed.extend(text.nfc());
    composed
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
    /// Parses a stored text. Refuses a malformed one and one beyond the cost bounds.
    pub fn parse(text: &str) -> Result<Self, HashError> {
        Ok(Self { text: text.to_owned(), parts: argon2id::parse(text)? })
    }

    /// The text to store.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is not exactly what [`hash`] makes with `params`: then replace it at the next sign-in.
    pub fn needs_rehash(&self, params: &Argon2Params) -> bool {
        !self.parts.meets(params)
    }

    /// Whether both hashes come from the same setting of a password. They do if they share the salt, which is drawn
    /// when a password is set and kept when [`rehash`] changes the parameters.
    pub fn is_of_same_setting(&self, other: &Self) -> bool {
        self.text == other.text || self.parts.own_salt().is_some_and(|salt| other.parts.own_salt() == Some(salt))
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

/// Hashes the password of `stored` again, with other parameters. Keeps the salt, so that
/// [`PasswordHash::is_of_same_setting`] still holds; if the stored salt does not have the length used here, the fresh
/// `salt` replaces it. Slow.
pub fn rehash(
    password: &Password,
    stored: &PasswordHash,
    params: &Argon2Params,
    salt: [u8; 16],
) -> Result<PasswordHash, HashError> {
    hash(password, params, stored.parts.own_salt().unwrap_or(salt))
}

/// Whether `stored` was made from `password`; the comparison is constant-time. Slow. An error is not "no": it means the
/// check could not be made.
pub fn verify(password: &Password, stored: &PasswordHash) -> Result<bool, HashError> {
    stored.parts.verify(password.bytes())
}

/// The work to add after checking an older, cheaper hash, so that every check takes as long as one with `params`:
/// otherwise the time would tell which accounts exist. `None` when the check cost as much or more.
///
/// The time of argon2 is proportional to memory times passes.
pub fn top_up(checked: &PasswordHash, params: &Argon2Params) -> Option<Argon2Params> {
    let work = |params: &Argon2Params| u64::from(params.memory_kib) * u64::from(params.iterations);
    let left = work(params).checked_sub(work(&checked.parts.params()))?;
    let memory_kib = u32::try_from(left / u64::from(params.iterations.max(1))).ok()?;
    let rest = Argon2Params { memory_kib, ..*params };
    rest.check_computable().is_ok().then_some(rest)
}

/// A hash that costs as much to check as one made with `params` and that no password matches. Checked when no account
/// has the e-mail address, so that the time does not tell which accounts exist.
///
/// Its digest is all zeros; a matching password would be a preimage. Making the hash costs nothing.
pub fn nobody(params: &Argon2Params) -> Result<PasswordHash, HashError> {
    PasswordHash::parse(&argon2id::format(params, &NOBODY_SALT, &[0; 32])?)
}
