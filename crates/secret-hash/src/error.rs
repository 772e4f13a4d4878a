//! Why a secret cannot be hashed or a stored text cannot be read. **Invariant:** no error repeats a secret or a stored
//! hash.

use crate::SchemeKind;

/// Why a secret cannot be hashed, or a stored hash cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The stored text begins with no known scheme.
    #[error("the stored hash is of no known scheme: expected $2a$, $2b$, $2y$, $argon2id$ or $sha256$")]
    UnknownScheme,
    /// The stored text names a scheme but does not follow its format.
    #[error("the stored {scheme} hash is malformed ({what}): restore the row from a backup or revoke the token")]
    Malformed {
        /// The scheme it names.
        scheme: SchemeKind,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A parameter is so high that one check would be an outage, or so low that the algorithm does not exist.
    #[error("{scheme} {parameter} {value} is out of range: use {min} to {max}")]
    OutOfRange {
        /// The scheme.
        scheme: SchemeKind,
        /// The parameter, with its unit.
        parameter: &'static str,
        /// What was asked for.
        value: u64,
        /// The least allowed.
        min: u64,
        /// The most allowed.
        max: u64,
    },
    /// bcrypt stops reading at a NUL byte.
    #[error("bcrypt cannot hash a secret with a NUL byte: everything behind it would be ignored")]
    NulByte,
    /// bcrypt reads 72 bytes, one of which is its terminator.
    #[error("bcrypt cannot hash a secret of {len} bytes: everything behind byte 71 would be ignored")]
    TooLong {
        /// Bytes of the secret.
        len: usize,
    },
    /// The memory argon2 needs could not be had.
    #[error("argon2id got no {memory_kib} KiB of memory: give the process more, or run fewer checks at once")]
    OutOfMemory {
        /// What was asked for.
        memory_kib: u32,
    },
}
