//! bcrypt in modular-crypt form, `$2b$10$<22 of salt><31 of hash>`.
//!
//! `$2a$` and `$2y$` are read too: for secrets of ASCII without NUL below 72 bytes the three are the same function (2b
//! and 2y mark fixes of how two implementations read long or non-ASCII secrets). `$2x$` marks the function with the bug
//! and is refused.

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

/// Whether `cost` is between `min` and [`MAX_COST`].
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
    // The library parses the cost as a Rust number and would accept `+4`.
    let digits = text.get(4..6).filter(|cost| cost.bytes().all(|digit| digit.is_ascii_digit()));
    let cost = digits.and_then(|cost| cost.parse().ok()).ok_or(malformed("the cost is not two digits"))?;
    // Before the rest: a cost that is too high is what its owner has to know.
    check_cost(cost, MIN_COST)?;
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

/// Refuses secrets that bcrypt would silently truncate.
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

/// The library's error, without the text it quotes.
fn complaint(error: &BcryptError) -> &'static str {
    match error {
        BcryptError::InvalidHash(what) => what,
        BcryptError::CostNotAllowed(_) | BcryptError::Rand(_) | BcryptError::Truncation(_) => "not readable as bcrypt",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Secrets that are not tokens, hashed by other implementations: Openwall's `crypt_blowfish` and jBCrypt.
    const FOREIGN: [(&str, &str); 6] = [
        ("", "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."),
        ("a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"),
        ("abc", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"),
        ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        ("U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
        ("U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
    ];

    #[test]
    fn hashes_of_other_implementations_verify() {
        for (secret, text) in FOREIGN {
            assert!(parse(text).is_ok(), "{text}");
            assert_eq!(verify(secret.as_bytes(), text), Ok(true), "{text}");
            assert_eq!(verify(format!("{secret}x").as_bytes(), text), Ok(false), "{text}");
            // For such secrets the three prefixes name the same function.
            for mark in ["$2b$", "$2y$"] {
                assert_eq!(verify(secret.as_bytes(), &text.replace("$2a$", mark)), Ok(true), "{text} as {mark}");
            }
        }
    }

    #[test]
    fn secrets_that_bcrypt_would_truncate_are_refused() {
        let longest = [b'x'; MAX_SECRET];
        let text = hash(&longest, MIN_COST, [9; 16]).unwrap();
        assert_eq!(verify(&longest, &text), Ok(true));
        assert_eq!(verify(&longest[1..], &text), Ok(false));
        let cases: [(&[u8], HashError); 5] = [
            (&[b'x'; 72], HashError::TooLong { len: 72 }),
            (&[b'x'; 1000], HashError::TooLong { len: 1000 }),
            (b"\0", HashError::NulByte),
            (b"before\0behind", HashError::NulByte),
            (b"behind\0", HashError::NulByte),
        ];
        for (secret, expected) in cases {
            assert_eq!(hash(secret, MIN_COST, [9; 16]), Err(expected));
            assert_eq!(verify(secret, &text), Err(expected));
        }
    }
}
