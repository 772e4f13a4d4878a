//! Decimal text between −100 and 100, read into whole ten-thousandths.
//!
//! Four decimals, because tools print one or two and a share of lines wants two more. A share that does not end, such as
//! 83.33333333333333, is rounded to the nearest ten-thousandth instead of refused: tools that divide send exactly that,
//! and rounding to nearest also heals 56.99999999999999, which is what 0.57 × 100 is in binary. Whether a number is in
//! range is asked before it is rounded. The alternatives were the binary number itself, in which 83.1 − 83.6 is not
//! −0.5, and a decimal crate for what is one loop here.

use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::ser::{Error as _, Serializer};

/// Ten-thousandths in one percentage point.
pub(super) const POINT: i32 = 10_000;
/// Ten-thousandths in a hundred percent.
pub(super) const HUNDRED: i32 = 100 * POINT;
/// No number that means something here is written longer; a binary one takes at most 24 characters.
const LONGEST: usize = 64;
/// Decimals that are kept.
const DECIMALS: i32 = 4;

/// A number from −100 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Percent {
    /// Whether it is below zero, however little: −0 is not, −0.00001 is.
    pub(super) negative: bool,
    /// The size in ten-thousandths, at most [`HUNDRED`].
    pub(super) magnitude: i32,
}

impl Percent {
    /// Reads a number as JSON writes it (RFC 8259, section 6).
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (minus, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, read_digits(fraction)?),
            None => (mantissa, ""),
        };
        let whole = read_digits(whole).filter(|whole| *whole == "0" || !whole.starts_with('0'))?;
        let first_power = i32::try_from(whole.len()).ok()? - 1 + exponent;
        let (magnitude, is_zero) = sum(whole.bytes().chain(fraction.bytes()), first_power)?;
        Some(Self { negative: minus && !is_zero, magnitude })
    }

    /// A whole number of points.
    fn whole(negative: bool, points: u64) -> Option<Self> {
        let points = i32::try_from(points).ok().filter(|points| *points <= 100)?;
        Some(Self { negative: negative && points > 0, magnitude: points * POINT })
    }

    /// Takes a number from any format that has numbers; a text is none, even if digits are in it.
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
        expected: &'static str,
    ) -> Result<Self, D::Error> {
        deserializer.deserialize_f64(NumberVisitor { expected })
    }
}

/// Adds up digits whose first stands for that power of ten, and says whether all of them are zero.
/// Nothing when the number is above a hundred.
fn sum(digits: impl Iterator<Item = u8>, first_power: i32) -> Option<(i32, bool)> {
    let (mut kept, mut rounds_up, mut is_cut) = (0, false, false);
    for (digit, power) in digits.map(|byte| i32::from(byte - b'0')).zip((i32::MIN..=first_power).rev()) {
        if digit == 0 {
            continue;
        }
        match u32::try_from(power + DECIMALS) {
            // 10⁶ ten-thousandths are a hundred points.
            Ok(place @ 0..=6) => kept += digit * 10_i32.pow(place),
            Ok(_) => return None,
            Err(_) => {
                rounds_up |= power == -DECIMALS - 1 && digit >= 5;
                is_cut = true;
            }
        }
    }
    if kept > HUNDRED || (kept == HUNDRED && is_cut) {
        return None;
    }
    Some((kept + i32::from(rounds_up), kept == 0 && !is_cut))
}

fn read_digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// An exponent; one beyond a thousand says no more than a thousand does, given [`LONGEST`].
fn read_exponent(text: &str) -> Option<i32> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    Some(sign * read_digits(digits)?.parse().unwrap_or(i32::MAX).min(1_000))
}

struct NumberVisitor {
    expected: &'static str,
}

impl NumberVisitor {
    fn checked<E: de::Error>(&self, percent: Option<Percent>) -> Result<Percent, E> {
        percent.ok_or_else(|| E::custom(format_args!("must be {}", self.expected)))
    }
}

impl Visitor<'_> for NumberVisitor {
    type Value = Percent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Percent, E> {
        self.checked(Percent::whole(false, number))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Percent, E> {
        self.checked(Percent::whole(number < 0, number.unsigned_abs()))
    }

    /// By way of the shortest text that reads back as the same number: for whatever a client wrote with up to fifteen
    /// digits, that is what it wrote. `NaN` and `inf` are no such text.
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Percent, E> {
        self.checked(Percent::parse(&format!("{number:e}")))
    }
}

/// Serialises ten-thousandths (not negative) as the shortest JSON number that reads back the same.
pub(super) fn serialize_plain<S: Serializer>(units: i32, serializer: S) -> Result<S::Ok, S::Error> {
    if units % POINT == 0 {
        return serializer.serialize_i32(units / POINT);
    }
    // Reading the text gives the nearest binary number, whose shortest text is this one again.
    serializer.serialize_f64(Plain(units).to_string().parse().map_err(S::Error::custom)?)
}

/// Ten-thousandths on their way into a text.
struct Plain(i32);

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_plain(f, self.0)
    }
}

/// Writes ten-thousandths (not negative) as a decimal without needless zeros: `83`, `83.5`, `83.3333`.
pub(super) fn write_plain(f: &mut fmt::Formatter<'_>, units: i32) -> fmt::Result {
    let (points, rest) = (units / POINT, units % POINT);
    if rest == 0 {
        return write!(f, "{points}");
    }
    let decimals = format!("{rest:04}");
    write!(f, "{points}.{}", decimals.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_numbers_of_json() {
        for (text, negative, magnitude) in [
            ("0", false, 0),
            ("-0", false, 0),
            ("-0.0e5", false, 0),
            ("100", false, HUNDRED),
            ("-100.000000", true, HUNDRED),
            ("83.1", false, 831_000),
            ("0.0001", false, 1),
            ("1e2", false, HUNDRED),
            ("1.0E+02", false, HUNDRED),
            ("10000000000e-8", false, HUNDRED),
            ("8.331e1", false, 833_100),
            ("0.00000000001e12", false, 100_000),
            ("83.33333333333333", false, 833_333),
            ("56.99999999999999", false, 570_000),
            ("0.00005", false, 1),
            ("0.00004999", false, 0),
            ("-0.00004999", true, 0),
            ("1e-99999999999", false, 0),
            ("99.99999", false, HUNDRED),
        ] {
            assert_eq!(Percent::parse(text), Some(Percent { negative, magnitude }), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        let long = format!("0.{}", "0".repeat(LONGEST));
        for text in [
            "",
            "-",
            "+1",
            ".5",
            "5.",
            "01",
            "00",
            "1e",
            "1e+",
            "1e1.0",
            "1,5",
            "0x10",
            "1_0",
            " 1",
            "1 ",
            "--1",
            "٣",
            "NaN",
            "inf",
            "1e3",
            "1e99999999999",
            "100.0001",
            "100.00000000001",
            "-100.01",
            "1000",
            "4294967296",
            &long,
        ] {
            assert_eq!(Percent::parse(text), None, "{text}");
        }
    }
}
