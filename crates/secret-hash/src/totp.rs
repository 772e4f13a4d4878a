//! Time-based one-time passwords (RFC 6238): HMAC-SHA-1, steps of 30 seconds, six digits. Every authenticator app
//! supports these parameters, and several ignore any others, so others are not offered.

use core::fmt;

use data_encoding::BASE32_NOPAD;
use ring::hmac;
use subtle::{ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

/// Seconds of a step.
pub const PERIOD_SECONDS: u32 = 30;
/// Digits of a code.
pub const DIGITS: u32 = 6;
/// Bytes of a secret: the length of SHA-1's output, as RFC 4226 recommends (section 4, R6).
pub const SECRET_LEN: usize = 20;

/// The secret that a person's codes are computed from. Overwritten when dropped, never shown.
#[derive(Clone)]
pub struct TotpSecret(Zeroizing<[u8; SECRET_LEN]>);

/// Six digits that somebody typed.
#[derive(Clone, Copy)]
pub struct TotpCode(u32);

impl TotpSecret {
    /// Makes one of 160 random bits.
    pub fn from_random(random: [u8; SECRET_LEN]) -> Self {
        Self(Zeroizing::new(random))
    }

    /// Takes a stored secret; `None` if it does not have the right length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_random)
    }

    /// The bytes, for sealing. Reading them is meant to be visible in review.
    pub fn expose(&self) -> &[u8; SECRET_LEN] {
        &self.0
    }

    /// The secret as people type it into an app: 32 letters and digits of base 32.
    pub fn to_base32(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(&*self.0))
    }

    /// The step whose code this is, at a time in seconds since 1970: the previous, the current or the next step,
    /// because clocks differ and people are slow (RFC 6238, section 5.2). Steps up to `last_step` were used before and
    /// are not accepted again.
    ///
    /// All three are computed and compared in constant time, whichever is right.
    pub fn proves(&self, code: TotpCode, unix_seconds: i64, last_step: i64) -> Option<i64> {
        const NONE: i64 = i64::MIN;
        let now = unix_seconds.div_euclid(i64::from(PERIOD_SECONDS));
        let mut proven = NONE;
        for step in [now - 1, now, now + 1] {
            let is_right = self.code(step).ct_eq(&code.0);
            // A branch is safe: which steps are used is not secret.
            if step > last_step {
                proven.conditional_assign(&step, is_right);
            }
        }
        (proven != NONE).then_some(proven)
    }

    /// The six digits that an app shows during a step.
    pub fn shown(&self, step: i64) -> String {
        format!("{:06}", self.code(step))
    }

    /// The code of a step (RFC 4226, section 5.3).
    fn code(&self, step: i64) -> u32 {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &*self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        truncate(tag.as_ref()) % 10_u32.pow(DIGITS)
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

impl TotpCode {
    /// Parses six digits; spaces between them, as apps show them, are ignored. `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').take(7).collect();
        if digits.len() != 6 || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        Some(Self(digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))))
    }
}

impl fmt::Debug for TotpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpCode(…)")
    }
}

/// Dynamic truncation: 31 bits from where the last half byte points.
fn truncate(mac: &[u8]) -> u32 {
    let offset = mac.last().map_or(0, |last| usize::from(last & 15));
    let picked = mac.get(offset..offset + 4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
    // The mac has 20 bytes and the offset is 15 at most.
    u32::from_be_bytes(picked.unwrap_or_default()) & 0x7fff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890").unwrap()
    }

    /// RFC 6238, appendix B, SHA-1: eight digits there, of which these six are the last.
    const TIMES: [(i64, u32); 6] = [
        (59, 94_287_082),
        (1_111_111_109, 7_081_804),
        (1_111_111_111, 14_050_471),
        (1_234_567_890, 89_005_924),
        (2_000_000_000, 69_279_037),
        (20_000_000_000, 65_353_130),
    ];

    /// RFC 4226, appendix D.
    const COUNTS: [u32; 10] =
        [755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583, 399_871, 520_489];

    #[test]
    fn the_vectors_of_the_rfcs_come_out() {
        for (time, code) in TIMES {
            assert_eq!(secret().code(time / 30), code % 1_000_000, "{time}");
        }
        for (count, code) in (0..).zip(COUNTS) {
            assert_eq!(secret().shown(count), format!("{code:06}"), "{count}");
        }
        assert_eq!(*secret().to_base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn a_code_is_accepted_once_for_its_step_and_the_steps_beside_it() {
        let secret = secret();
        let code = |step: i64| TotpCode(secret.code(step));
        let at = 1_000 * 30;
        // The step of the code, the time in seconds, the last used step, the result.
        let rows = [
            (999, at, 0, Some(999)),
            (1_000, at, 0, Some(1_000)),
            (1_000, at + 29, 0, Some(1_000)),
            (1_001, at, 0, Some(1_001)),
            (998, at, 0, None),
            (1_002, at, 0, None),
            (1_000, at - 30, 0, Some(1_000)),
            (1_000, at + 59, 0, Some(1_000)),
            (1_000, at + 60, 0, None),
            (1_000, at, 999, Some(1_000)),
            (1_000, at, 1_000, None),
            (999, at, 1_000, None),
            (1_001, at, 1_000, Some(1_001)),
        ];
        for (step, moment, last, expected) in rows {
            assert_eq!(secret.proves(code(step), moment, last), expected, "{step} at {moment} after {last}");
        }
        let other = TotpSecret::from_random([7; SECRET_LEN]);
        assert_eq!(other.proves(code(1_000), at, 0), None);
    }

    #[test]
    fn codes_are_six_digits() {
        for (text, expected) in [("123456", Some(123_456)), ("000000", Some(0)), ("123 456", Some(123_456))] {
            assert_eq!(TotpCode::parse(text).map(|code| code.0), expected, "{text}");
        }
        for text in ["", "12345", "1234567", "12345a", "+12345", "１２３４５６", "12 34 56 7", "-12345"] {
            assert!(TotpCode::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        assert_eq!(format!("{:?} {:?}", secret(), TotpCode(755_224)), "TotpSecret(…) TotpCode(…)");
        assert!(TotpSecret::from_bytes(b"too short").is_none());
    }
}
