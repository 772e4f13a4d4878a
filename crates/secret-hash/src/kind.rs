//! The families of stored hashes.

use core::fmt;

/// A family of stored hashes, without its cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SchemeKind {
    /// bcrypt, in modular-crypt form.
    Bcrypt,
    /// argon2id, in PHC form.
    Argon2id,
    /// Plain SHA-256.
    Sha256,
}

impl SchemeKind {
    /// Whether a check takes milliseconds and must not run on a request worker.
    pub const fn is_slow(self) -> bool {
        match self {
            Self::Bcrypt | Self::Argon2id => true,
            Self::Sha256 => false,
        }
    }

    /// The scheme's name, as in configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bcrypt => "bcrypt",
            Self::Argon2id => "argon2id",
            Self::Sha256 => "sha256",
        }
    }
}

impl fmt::Display for SchemeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
