//! The token in the clear: the only type that holds the secret, built so that the secret does not leak by accident.

use core::fmt;
use core::hint::black_box;

use zeroize::ZeroizeOnDrop;

use crate::checksum;
use crate::{CHECKSUM_START, HINT_LEN, Hint, PREFIX, TOKEN_LEN};

/// A well-formed token in the clear: `nlp_` and 40 ASCII letters or digits.
///
/// It is overwritten when dropped, `Debug` shows the [`Hint`] only, and there is no `Display`, no `Serialize`, no `==`
/// and no `Hash`: each of those has printed, logged or timed a secret somewhere. Reading it takes
/// [`expose`](Self::expose) or [`expose_bytes`](Self::expose_bytes), which stand out in review.
#[derive(Clone)]
pub struct PlainToken {
    /// **Invariant:** `PREFIX`, then ASCII letters and digits.
    text: [u8; TOKEN_LEN],
}

impl PlainToken {
    /// Makes a token as this service issues it: 32 hexadecimal digits of `random`, then 8 of their checksum.
    ///
    /// The caller brings 128 bits from a cryptographic generator; anything less gives a token that can be guessed.
    pub fn from_random(mut random: [u8; 16]) -> Self {
        let mut token = Self { text: [0; TOKEN_LEN] };
        let (covered, checksum) = token.text.split_at_mut(CHECKSUM_START);
        let (prefix, hex) = covered.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(PREFIX.as_bytes());
        checksum::write_hex(&random, hex);
        checksum.copy_from_slice(&checksum::digits(covered));
        wipe(&mut random);
        token
    }

    /// Takes bytes the caller has found to be well-formed.
    pub(crate) const fn from_well_formed(text: [u8; TOKEN_LEN]) -> Self {
        Self { text }
    }

    /// Whether this is a token as issued here: lowercase hexadecimal whose checksum matches. About 10 ns.
    ///
    /// `false` does not mean invalid: tokens that another system made earlier have no checksum.
    pub fn is_checksummed(&self) -> bool {
        checksum::holds(&self.text)
    }

    /// The secret, as text. Never log it, store it, or put it in a URL or an error.
    #[expect(
        clippy::missing_panics_doc,
        reason = "the bytes are ASCII: both ways in check it, and nothing changes them"
    )]
    pub fn expose(&self) -> &str {
        core::str::from_utf8(&self.text).expect("a token is ASCII")
    }

    /// The secret, as bytes: for hashing, where checking UTF-8 again would be wasted. Same rules as
    /// [`expose`](Self::expose).
    pub const fn expose_bytes(&self) -> &[u8; TOKEN_LEN] {
        &self.text
    }

    /// The part of the token that may be shown.
    pub fn hint(&self) -> Hint {
        let [_, _, _, _, a, b, c, d, ..] = self.text;
        const { assert!(PREFIX.len() == 4 && HINT_LEN == 4, "the pattern above skips the prefix and takes the hint") };
        Hint::from_body_start([a, b, c, d])
    }

    /// Whether two tokens are the same, in a time that does not depend on where they differ.
    ///
    /// Every byte is always compared: the differences are gathered first, and `black_box` keeps the compiler from asking
    /// about them any earlier.
    /// (The `subtle` crate does no more; a format crate is not the place for another dependency.)
    pub fn ct_eq(&self, other: &Self) -> bool {
        let difference = self.text.iter().zip(&other.text).fold(0, |seen, (a, b)| seen | (a ^ b));
        black_box(difference) == 0
    }
}

/// Overwrites a secret; the barrier keeps the compiler from removing the stores. They are a few vector stores:
/// `Zeroize` writes an array byte by byte, which took longer than parsing the token.
pub(crate) fn wipe<const N: usize>(bytes: &mut [u8; N]) {
    *bytes = [0; N];
    zeroize::optimization_barrier(bytes);
}

impl Drop for PlainToken {
    fn drop(&mut self) {
        wipe(&mut self.text);
    }
}

impl ZeroizeOnDrop for PlainToken {}

impl fmt::Debug for PlainToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlainToken({})", self.hint())
    }
}
