//! How far a coverage may fall before it warns, and before it fails.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::percent::{HUNDRED, POINT, Percent, serialize_plain, write_plain};

/// The size of a drop, from 0 to 100 points, exact to a ten-thousandth.
///
/// Half a point may be written `0.5` or, as the drop it is, `-0.5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Threshold(i32);

/// The two drops that matter; the first is never the larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Thresholds {
    warn: Threshold,
    fail: Threshold,
}

/// A value that is no threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be {}", Threshold::EXPECTED)]
pub struct InvalidThreshold;

/// A drop would have to fail before it warns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must not be larger than the fail threshold (warn {warn}, fail {fail})")]
pub struct WarnAboveFail {
    /// Where it would warn.
    pub warn: Threshold,
    /// Where it would fail.
    pub fail: Threshold,
}

impl Threshold {
    const EXPECTED: &'static str = "a number from 0 to 100, with or without a minus sign";

    /// From ten-thousandths of a point, as the database stores it.
    ///
    /// # Errors
    /// Less than none, or more than a hundred points.
    pub fn from_ten_thousandths(units: i32) -> Result<Self, InvalidThreshold> {
        if (0..=HUNDRED).contains(&units) { Ok(Self(units)) } else { Err(InvalidThreshold) }
    }

    /// Ten-thousandths of a point, never negative.
    pub const fn ten_thousandths(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_plain(f, self.0)
    }
}

impl Serialize for Threshold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_plain(self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Percent::deserialize(deserializer, Self::EXPECTED).map(|percent| Self(percent.magnitude))
    }
}

impl Thresholds {
    /// Both thresholds; what is left out takes its default.
    ///
    /// # Errors
    /// A warn threshold above the fail threshold, also where one of them is the default.
    pub fn new(warn: Option<Threshold>, fail: Option<Threshold>) -> Result<Self, WarnAboveFail> {
        let default = Self::default();
        let (warn, fail) = (warn.unwrap_or(default.warn), fail.unwrap_or(default.fail));
        if warn <= fail { Ok(Self { warn, fail }) } else { Err(WarnAboveFail { warn, fail }) }
    }

    /// From which drop on it warns.
    pub const fn warn(self) -> Threshold {
        self.warn
    }

    /// From which drop on it fails.
    pub const fn fail(self) -> Threshold {
        self.fail
    }
}

impl Default for Thresholds {
    /// Half a point warns, a whole one fails.
    fn default() -> Self {
        Self { warn: Threshold(POINT / 2), fail: Threshold(POINT) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_does_not_count() {
        for (json, shown) in [
            ("0.5", "0.5"),
            ("-0.5", "0.5"),
            ("-1", "1"),
            ("1", "1"),
            ("-0.0", "0"),
            ("-100", "100"),
            ("-0.0001", "0.0001"),
        ] {
            let threshold: Threshold = serde_json::from_str(json).unwrap();
            assert_eq!(threshold.to_string(), shown, "{json}");
            assert_eq!(serde_json::to_string(&threshold).unwrap(), shown, "{json}");
            assert_eq!(Threshold::from_ten_thousandths(threshold.ten_thousandths()), Ok(threshold));
        }
        for json in ["\"0.5\"", "null", "100.01", "-100.01", "-101", "1e9"] {
            let message = serde_json::from_str::<Threshold>(json).unwrap_err().to_string();
            assert!(message.contains(Threshold::EXPECTED), "{json}: {message}");
        }
        assert_eq!(Threshold::from_ten_thousandths(-1), Err(InvalidThreshold));
        assert_eq!(Threshold::from_ten_thousandths(HUNDRED + 1), Err(InvalidThreshold));
    }

    #[test]
    fn warn_is_never_above_fail() {
        let read = |text: &str| (!text.is_empty()).then(|| serde_json::from_str::<Threshold>(text).unwrap());
        for (warn, fail, expected) in [
            ("", "", Some(("0.5", "1"))),
            ("0.2", "", Some(("0.2", "1"))),
            ("", "3", Some(("0.5", "3"))),
            ("2", "2", Some(("2", "2"))),
            ("-1", "-2", Some(("1", "2"))),
            ("0", "0", Some(("0", "0"))),
            ("2.0001", "2", None),
            ("1.5", "", None),
            ("", "0.4", None),
        ] {
            let found = Thresholds::new(read(warn), read(fail));
            let shown = found.map(|both| (both.warn().to_string(), both.fail().to_string())).ok();
            let expected = expected.map(|(warn, fail)| (warn.to_owned(), fail.to_owned()));
            assert_eq!(shown, expected, "{warn} {fail}");
        }
        let refusal = Thresholds::new(read("1.5"), None).unwrap_err();
        assert_eq!(refusal.to_string(), "must not be larger than the fail threshold (warn 1.5, fail 1)");
    }
}
