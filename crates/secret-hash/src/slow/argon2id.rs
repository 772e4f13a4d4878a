//! argon2id in PHC form, `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>` (RFC 9106; unpadded Base64).

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, Version};
use subtle::ConstantTimeEq;

use crate::{Argon2Params, HashError, SchemeKind};

/// Bytes of the salts and hashes made here.
const SALT_LEN: usize = 16;
const OUTPUT_LEN: usize = 32;
/// A shorter hash could match by chance.
const MIN_OUTPUT_LEN: usize = 16;

/// A stored hash, taken apart.
#[derive(Clone)]
pub(crate) struct Parts {
    version: Version,
    params: Argon2Params,
    salt: Salt,
    output: Output,
}

impl Parts {
    pub(crate) const fn params(&self) -> Argon2Params {
        self.params
    }

    /// Whether it has the strength and form of what [`hash`] makes with `params`.
    pub(crate) fn meets(&self, params: &Argon2Params) -> bool {
        self.version == Version::V0x13
            && self.params == *params
            && self.salt.len() == SALT_LEN
            && self.output.len() == OUTPUT_LEN
    }

    /// The salt, if it has the length used here.
    pub(crate) fn own_salt(&self) -> Option<[u8; SALT_LEN]> {
        <[u8; SALT_LEN]>::try_from(&self.salt[..]).ok()
    }

    /// Whether `secret` is the one this was made from; constant-time in the comparison. Slow.
    pub(crate) fn verify(&self, secret: &[u8]) -> Result<bool, HashError> {
        let mut found = [0; Output::MAX_LENGTH];
        let found = &mut found[..self.output.len()];
        compute(secret, self.version, &self.params, &self.salt, found)?;
        Ok(found.ct_eq(self.output.as_bytes()).into())
    }
}

/// Hashes `secret`. Slow.
pub(crate) fn hash(secret: &[u8], params: &Argon2Params, salt: [u8; SALT_LEN]) -> Result<String, HashError> {
    let mut output = [0; OUTPUT_LEN];
    compute(secret, Version::V0x13, params, &salt, &mut output)?;
    format(params, &salt, &output)
}

/// The text of a hash.
pub(crate) fn format(
    params: &Argon2Params,
    salt: &[u8; SALT_LEN],
    output: &[u8; OUTPUT_LEN],
) -> Result<String, HashError> {
    params.check_computable()?;
    let refused = |_| malformed("parameters do not fit into a PHC string");
    let mut text_params = ParamsString::new();
    for (name, value) in [("m", params.memory_kib), ("t", params.iterations), ("p", params.parallelism)] {
        text_params.add_decimal(name, value).map_err(refused)?;
    }
    let parts = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: text_params,
        salt: Some(Salt::new(salt).map_err(refused)?),
        hash: Some(Output::new(output).map_err(refused)?),
    };
    Ok(parts.to_string())
}

/// Reads a stored hash. Parameters beyond `m`, `t` and `p` (a key id, associated data) are refused: they need a second
/// secret, which this service does not have.
pub(crate) fn parse(text: &str) -> Result<Parts, HashError> {
    let phc = PasswordHash::new(text).map_err(|_| malformed("not a PHC string"))?;
    if phc.algorithm != ARGON2ID_IDENT {
        return Err(malformed("another algorithm than argon2id"));
    }
    // Hashes from before the version field existed are 1.0, by the reference implementation's rule.
    let version = match phc.version {
        Some(number) => Version::try_from(number).map_err(|_| malformed("the version is neither 16 nor 19"))?,
        None => Version::V0x10,
    };
    let params = read_params(&phc.params)?;
    params.check_computable()?;
    let salt = phc.salt.ok_or(malformed("the salt is missing"))?;
    let output = phc.hash.ok_or(malformed("the hash is missing"))?;
    if output.len() < MIN_OUTPUT_LEN {
        return Err(malformed("the hash is shorter than 16 bytes"));
    }
    Ok(Parts { version, params, salt, output })
}

/// `m`, `t` and `p`, each exactly once, in any order.
fn read_params(text: &ParamsString) -> Result<Argon2Params, HashError> {
    let (mut memory_kib, mut iterations, mut parallelism) = (None, None, None);
    for (name, value) in text.iter() {
        let slot = match name.as_str() {
            "m" => &mut memory_kib,
            "t" => &mut iterations,
            "p" => &mut parallelism,
            _ => return Err(malformed("a parameter other than m, t and p")),
        };
        let number = value.decimal().map_err(|_| malformed("a parameter is not a number"))?;
        if slot.replace(number).is_some() {
            return Err(malformed("a parameter is given twice"));
        }
    }
    match (memory_kib, iterations, parallelism) {
        (Some(memory_kib), Some(iterations), Some(parallelism)) => {
            Ok(Argon2Params { memory_kib, iterations, parallelism })
        }
        (None, _, _) | (_, None, _) | (_, _, None) => Err(malformed("m, t or p is missing")),
    }
}

fn compute(
    secret: &[u8],
    version: Version,
    params: &Argon2Params,
    salt: &[u8],
    output: &mut [u8],
) -> Result<(), HashError> {
    params.check_computable()?;
    let cost = Params::new(params.memory_kib, params.iterations, params.parallelism, Some(output.len()))
        .map_err(|_| malformed("parameters the algorithm does not know"))?;
    Argon2::new(Algorithm::Argon2id, version, cost).hash_password_into(secret, salt, output).map_err(
        |error| match error {
            argon2::Error::OutOfMemory => HashError::OutOfMemory { memory_kib: params.memory_kib },
            _ => malformed("parameters the algorithm does not know"),
        },
    )
}

const fn malformed(what: &'static str) -> HashError {
    HashError::Malformed { scheme: SchemeKind::Argon2id, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors from the reference implementation's tests, for secrets that are not tokens.
    const FOREIGN: [(&str, &str); 4] = [
        ("password", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"),
        ("password", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"),
        ("differentpassword", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94"),
        ("password", "$argon2id$v=19$m=65536,t=2,p=1$ZGlmZnNhbHQ$vfMrBczELrFdWP0ZsfhWsRPaHppYdP3MVEMIVlqoFBw"),
    ];

    #[test]
    fn hashes_of_the_reference_implementation_verify() {
        for (secret, text) in FOREIGN {
            let parts = parse(text).unwrap();
            assert_eq!(parts.verify(secret.as_bytes()), Ok(true), "{text}");
            assert_eq!(parts.verify(b"another"), Ok(false), "{text}");
            // Hashes made here have a salt of sixteen bytes, not eight.
            assert!(!parts.meets(&parts.params()), "{text}");
        }
    }
}
