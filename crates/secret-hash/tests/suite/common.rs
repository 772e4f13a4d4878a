//! Tokens and costs that the tests of this crate share.

use secret_hash::{Argon2Params, Scheme};
use token_format::PlainToken;

/// The published example tokens.
pub(crate) const TOKENS: [&str; 3] = [
    "nlp_00112233445566778899aabbccddeeff550c911c",
    "nlp_0000000000000000000000000000000065b627bc",
    "nlp_ffffffffffffffffffffffffffffffffb527d37d",
];

/// A token without a checksum, made by another system.
pub(crate) const LEGACY: &str = "nlp_LegacyTokenMadeElsewhere0123456789ABCDEF";

/// The salt of the known answers: 0x10 to 0x1f.
pub(crate) const SALT: [u8; 16] = [16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31];

/// Every scheme, at the least cost it knows.
pub(crate) const CHEAP: [Scheme; 3] =
    [Scheme::Bcrypt { cost: 4 }, Scheme::Argon2id(Argon2Params::insecure_for_tests()), Scheme::Sha256];

pub(crate) fn token(text: &str) -> PlainToken {
    PlainToken::parse(text).expect("a well-formed token")
}
