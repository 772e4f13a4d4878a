//! The stored hash of a token: parsed, made and checked.

use core::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use token_format::PlainToken;

use crate::slow::{argon2id, bcrypt};
use crate::{HashError, Scheme, SchemeKind, hex};

/// The prefix of a stored plain SHA-256.
const SHA256_PREFIX: &str = "$sha256$";
/// No scheme's text is longer. A longer one is refused before it is parsed.
const MAX_TEXT: usize = 512;

/// A token's hash as stored: `$2b$10$…`, `$argon2id$v=19$m=…` or `$sha256$<64 hex>`.
///
/// Its form and its cost have been validated, so checking it takes bounded time. `Debug` shows the scheme only.
#[derive(Clone)]
pub struct StoredHash {
    text: String,
    parts: Parts,
}

/// The parsed form, which checking uses.
#[derive(Clone)]
enum Parts {
    Bcrypt { cost: u32 },
    Argon2id(argon2id::Parts),
    Sha256([u8; 32]),
}

impl StoredHash {
    /// Reads a stored text, which may come from another tool. Refuses a malformed text and one that costs too much to
    /// check: bcrypt above cost 16, argon2id above 1 GiB or above 4 GiB of memory times passes.
    pub fn parse(text: &str) -> Result<Self, HashError> {
        if text.len() > MAX_TEXT {
            return Err(HashError::UnknownScheme);
        }
        let parts = if let Some(digits) = text.strip_prefix(SHA256_PREFIX) {
            Parts::Sha256(parse_sha256(digits)?)
        } else if text.starts_with("$argon2id$") {
            Parts::Argon2id(argon2id::parse(text)?)
        } else if text.starts_with("$2") {
            Parts::Bcrypt { cost: bcrypt::parse(text)? }
        } else {
            return Err(HashError::UnknownScheme);
        };
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The text to store.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Which scheme it is of.
    pub const fn kind(&self) -> SchemeKind {
        match self.parts {
            Parts::Bcrypt { .. } => SchemeKind::Bcrypt,
            Parts::Argon2id(_) => SchemeKind::Argon2id,
            Parts::Sha256(_) => SchemeKind::Sha256,
        }
    }

    /// Whether checking it takes milliseconds and must not run on a request worker.
    pub const fn is_slow(&self) -> bool {
        self.kind().is_slow()
    }

    /// Whether it has exactly this scheme and cost. If not, it is replaced the next time its token validates. The
    /// bcrypt prefixes `$2a$` and `$2y$` count as `$2b$`: for tokens they are the same function.
    pub fn meets(&self, scheme: &Scheme) -> bool {
        match (&self.parts, scheme) {
            (Parts::Bcrypt { cost: has }, Scheme::Bcrypt { cost: wanted }) => has == wanted,
            (Parts::Argon2id(parts), Scheme::Argon2id(params)) => parts.meets(params),
            (Parts::Sha256(_), Scheme::Sha256) => true,
            (Parts::Bcrypt { .. } | Parts::Argon2id(_) | Parts::Sha256(_), _) => false,
        }
    }
}

impl fmt::Debug for StoredHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.parts {
            Parts::Bcrypt { cost } => write!(f, "StoredHash(bcrypt, cost {cost})"),
            Parts::Argon2id(parts) => write!(f, "StoredHash(argon2id, {:?})", parts.params()),
            Parts::Sha256(_) => f.write_str("StoredHash(sha256)"),
        }
    }
}

/// Hashes a token for storage. `salt` is fresh from a cryptographic generator; SHA-256 takes none. Slow if the scheme is.
pub fn hash(token: &PlainToken, scheme: &Scheme, salt: [u8; 16]) -> Result<StoredHash, HashError> {
    let secret = token.expose_bytes();
    let text = match scheme {
        Scheme::Bcrypt { cost } => bcrypt::hash(secret, *cost, salt)?,
        Scheme::Argon2id(params) => argon2id::hash(secret, params, salt)?,
        Scheme::Sha256 => format!("{SHA256_PREFIX}{}", hex::encode(&Sha256::digest(secret).into())),
    };
    StoredHash::parse(&text)
}

/// Whether `stored` was made from `token`; the comparison is constant-time. Slow if the stored hash is. An error is not
/// "no": it means the check could not be made.
pub fn verify(token: &PlainToken, stored: &StoredHash) -> Result<bool, HashError> {
    let secret = token.expose_bytes();
    match &stored.parts {
        Parts::Bcrypt { .. } => bcrypt::verify(secret, &stored.text),
        Parts::Argon2id(parts) => parts.verify(secret),
        Parts::Sha256(expected) => Ok(Sha256::digest(secret).as_slice().ct_eq(expected).into()),
    }
}

/// Exactly 64 lowercase digits, so that a hash has only one text and rows can be compared as text.
fn parse_sha256(digits: &str) -> Result<[u8; 32], HashError> {
    let lowercase = !digits.bytes().any(|digit| digit.is_ascii_uppercase());
    lowercase
        .then(|| hex::decode(digits))
        .flatten()
        .ok_or(HashError::Malformed { scheme: SchemeKind::Sha256, what: "expected 64 lowercase hexadecimal digits" })
}
