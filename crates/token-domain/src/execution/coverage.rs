//! How much of a repository its tests reach.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::percent::{HUNDRED, POINT, Percent, serialize_plain, write_plain};

/// A coverage from 0 to 100 percent, exact to a ten-thousandth of a point.
///
/// In JSON it is a number; the shortest one that reads back the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coverage(i32);

/// A value that is no coverage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be {}", Coverage::EXPECTED)]
pub struct InvalidCoverage;

impl Coverage {
    const EXPECTED: &'static str = "a number from 0 to 100";

    /// From ten-thousandths of a point, as the database stores it.
    ///
    /// # Errors
    /// Less than none, or more than a hundred percent.
    pub fn from_ten_thousandths(units: i32) -> Result<Self, InvalidCoverage> {
        if (0..=HUNDRED).contains(&units) { Ok(Self(units)) } else { Err(InvalidCoverage) }
    }

    /// Ten-thousandths of a point: 831 000 for 83.1 %.
    pub const fn ten_thousandths(self) -> i32 {
        self.0
    }

    /// Whole points, rounded down: 100 is said only of a coverage that is 100.
    pub const fn whole_points(self) -> i32 {
        self.0 / POINT
    }

    fn from_percent(percent: Percent) -> Option<Self> {
        (!percent.negative).then_some(Self(percent.magnitude))
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_plain(f, self.0)
    }
}

impl Serialize for Coverage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_plain(self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Coverage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let percent = Percent::deserialize(deserializer, Self::EXPECTED)?;
        Self::from_percent(percent).ok_or_else(|| serde::de::Error::custom(InvalidCoverage))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_numbers_from_zero_to_a_hundred() {
        for (json, shown) in [
            ("0", "0"),
            ("-0.0", "0"),
            ("100", "100"),
            ("100.0", "100"),
            ("83.50", "83.5"),
            ("0.0001", "0.0001"),
            ("99.9999", "99.9999"),
            ("8.25e1", "82.5"),
            ("66.66666666666667", "66.6667"),
        ] {
            let coverage: Coverage = serde_json::from_str(json).unwrap();
            assert_eq!(coverage.to_string(), shown, "{json}");
            assert_eq!(serde_json::to_string(&coverage).unwrap(), shown, "{json}");
        }
    }

    #[test]
    fn refuses_what_is_no_coverage() {
        for json in [
            "\"83.5\"",
            "\"\"",
            "null",
            "true",
            "[83]",
            "{}",
            "-1",
            "-0.00001",
            "101",
            "100.01",
            "100.00001",
            "1e3",
            "18446744073709551615",
            "-9223372036854775808",
            "1e300",
        ] {
            let message = serde_json::from_str::<Coverage>(json).unwrap_err().to_string();
            assert!(message.contains("a number from 0 to 100"), "{json}: {message}");
        }
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let reader = serde::de::value::F64Deserializer::<serde::de::value::Error>::new(number);
            assert!(Coverage::deserialize(reader).is_err(), "{number}");
        }
        for units in [-1, HUNDRED + 1, i32::MIN, i32::MAX] {
            assert_eq!(Coverage::from_ten_thousandths(units), Err(InvalidCoverage), "{units}");
        }
    }

    #[test]
    fn every_value_survives_json_both_ways() {
        for units in 0..=HUNDRED {
            let coverage = Coverage::from_ten_thousandths(units).unwrap();
            let json = serde_json::to_string(&coverage).unwrap();
            assert_eq!(serde_json::from_str::<Coverage>(&json).unwrap(), coverage, "{json}");
        }
    }
}
