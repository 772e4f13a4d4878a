//! bcrypt in modular-crypt form, `$2b$10$<22 of salt><31 of hash>`.
//!
//! `$2a$` and `$2y$` are read too: for secrets of ASCII without NUL below 72 bytes the three are the same function (2b and
//! 2y mark the repair of bugs in how two implementations read long or non-ASCII secrets). `$2x$` is the broken one and is
//! refused.

use bcrypt::{BcryptError, HashParts, Version};

use crate::{HashError, SchemeKind};

/// The least a deployment may be configured with.
pub(crate) const FLOOR_COST: u32 = 10;
/// The least the algorithm knows: 1 ms.
const MIN_COST: u32 = 4;
/// 65 536 rounds, 3 to 4 seconds of one core. Above that, one row could stop a small service.
const MAX_COST: u32 = 16;
/// The algorithm reads 72 bytes, and the last is the terminating NUL.
const MAX_SECRET: usize = 71;

/// Whether `cost` is at least `min` and bearable.
pub(crate) fn check_cost(cost: u32, min: u32) -> Result<(), HashError> {
    if (min..=MAX_COST).contains(&cost) {
        Ok(())
    } else {
        Err(HashError::OutOfRange {
            scheme: SchemeKind::Bcrypt,
            parameter: "cost",
            value: cost.into(),
            min: min.into(),
            max: MAX_COST.into(),
        })
    }
}

/// Reads the cost of a stored hash and checks the rest of it.
pub(crate) fn parse(text: &str) -> Result<u32, HashError> {
    if text.starts_with("$2x$") {
        return Err(malformed("$2x$ marks hashes of a broken implementation"));
    }
    let parts: HashParts = text.parse().map_err(|error| malformed(complaint(&error)))?;
    check_cost(parts.get_cost(), MIN_COST)?;
    Ok(parts.get_cost())
}

/// Hashes `secret`. Slow.
pub(crate) fn hash(secret: &[u8], cost: u32, salt: [u8; 16]) -> Result<String, HashError> {
    check_secret(secret)?;
    check_cost(cost, MIN_COST)?;
    bcrypt::non_truncating_hash_with_salt(secret, cost, salt)
        .map(|parts| parts.format_for_version(Version::TwoB))
        .map_err(|error| malformed(complaint(&error)))
}

/// Whether `secret` is the one `text` was made from; constant-time in the comparison. Slow. The caller has checked the
/// text with [`parse`].
pub(crate) fn verify(secret: &[u8], text: &str) -> Result<bool, HashError> {
    check_secret(secret)?;
    bcrypt::non_truncating_verify(secret, text).map_err(|error| malformed(complaint(&error)))
}

/// Refuses what bcrypt would cut short in silence.
fn check_secret(secret: &[u8]) -> Result<(), HashError> {
    if secret.contains(&0) {
        Err(HashError::NulByte)
    } else if secret.len() > MAX_SECRET {
        Err(HashError::TooLong { len: secret.len() })
    } else {
        Ok(())
    }
}

const fn malformed(what: &'static str) -> HashError {
    HashError::Malformed { scheme: SchemeKind::Bcrypt, what }
}

/// What the library found wrong, without the text it found it in.
fn complaint(error: &BcryptError) -> &'static str {
    match error {
        BcryptError::InvalidHash(what) => what,
        BcryptError::CostNotAllowed(_) | BcryptError::Rand(_) | BcryptError::Truncation(_) => "not readable as bcrypt",
    }
}
