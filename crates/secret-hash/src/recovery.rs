//! Recovery codes, which a person keeps on paper in case the device with the second factor is lost. Each has 80 random
//! bits, which cannot be guessed, so a fast hash is enough.

use core::fmt;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// How many a person is given.
pub const COUNT: usize = 10;
/// Random bytes of one.
pub const CODE_LEN: usize = 10;
/// Letters and digits of one, without separators.
const LETTERS: usize = 16;
/// Domain separation from other uses of SHA-256.
const DOMAIN: &[u8] = b"nolapse-tokens/recovery-code/v1\0";

/// A recovery code in the clear. No `Display`; `Debug` shows nothing of it; overwritten when dropped.
#[derive(Clone)]
pub struct RecoveryCode(Zeroizing<[u8; CODE_LEN]>);

impl RecoveryCode {
    /// Makes one of 80 random bits.
    pub fn from_random(random: [u8; CODE_LEN]) -> Self {
        Self(Zeroizing::new(random))
    }

    /// Parses a code as people type it: in either case, with or without hyphens and spaces. `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let kept = text.bytes().filter(|byte| !matches!(byte, b'-' | b' ')).map(|byte| byte.to_ascii_uppercase());
        let letters: Zeroizing<Vec<u8>> = Zeroizing::new(kept.take(LETTERS + 1).collect());
        if letters.len() != LETTERS {
            return None;
        }
        let bytes = Zeroizing::new(BASE32_NOPAD.decode(&letters).ok()?);
        bytes.as_slice().try_into().ok().map(Self::from_random)
    }

    /// Sixteen letters and digits in groups of four, as shown once. Reading it is meant to be visible in review.
    pub fn expose(&self) -> Zeroizing<String> {
        let letters = Zeroizing::new(BASE32_NOPAD.encode(&*self.0).to_ascii_lowercase());
        let mut shown = Zeroizing::new(String::with_capacity(LETTERS + 3));
        for (at, letter) in letters.chars().enumerate() {
            if at > 0 && at % 4 == 0 {
                shown.push('-');
            }
            shown.push(letter);
        }
        shown
    }

    /// The stored digest: SHA-256 of a label, the owner's id, and the code.
    pub fn digest(&self, owner: &[u8; 16]) -> [u8; 32] {
        Sha256::new().chain_update(DOMAIN).chain_update(owner).chain_update(*self.0).finalize().into()
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_back_however_it_is_typed() {
        let code = RecoveryCode::from_random([0, 1, 2, 3, 4, 0xfb, 0xfc, 0xfd, 0xfe, 0xff]);
        let shown = code.expose();
        assert_eq!(shown.as_str(), "aaaq-eaye-7p6p-37x7");
        let owner = [7; 16];
        for typed in [shown.as_str(), &shown.to_uppercase(), &shown.replace('-', ""), " aaaq eaye 7p6p 37x7 "] {
            assert_eq!(RecoveryCode::parse(typed).unwrap().digest(&owner), code.digest(&owner), "{typed}");
        }
        assert_ne!(code.digest(&[8; 16]), code.digest(&owner), "of somebody else it is another");
        for text in ["", "aaaq-eaye-7p6p-37x", "aaaq-eaye-7p6p-37x7a", "aaaq-eaye-7p6p-37x1", "aaaq_eaye_7p6p_37x7"] {
            assert!(RecoveryCode::parse(text).is_none(), "{text}");
        }
        assert_eq!(format!("{code:?}"), "RecoveryCode(…)");
    }
}
