//! How far a coverage moved from its baseline.

use std::fmt;

use serde::{Serialize, Serializer};

use super::coverage::Coverage;
use super::percent::POINT;

/// Coverage minus baseline, exact to a ten-thousandth of a point.
///
/// Shown, and written to JSON as a text, with a sign and two places: `+2.30`, `-0.40`, `0.00`. What lies past the
/// second place is cut off towards zero, and zero has no sign. Cutting is what keeps the text and the outcome from
/// contradicting each other: against a threshold of two places, the shown drop reaches it exactly when the true drop
/// does. Rounding would show −0.4999, which passes, as −0.50, which warns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Delta(i32);

impl Delta {
    /// No movement: what a repository's first submission shows.
    pub const NONE: Self = Self(0);

    /// How far `coverage` lies above `baseline`.
    pub const fn between(baseline: Coverage, coverage: Coverage) -> Self {
        Self(coverage.ten_thousandths() - baseline.ten_thousandths())
    }

    /// Ten-thousandths of a point, negative for a drop: −5 000 for half a point down.
    pub const fn ten_thousandths(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Delta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = self.0 / (POINT / 100);
        let sign = match hundredths.signum() {
            1 => "+",
            -1 => "-",
            _ => "",
        };
        let size = hundredths.abs();
        write!(f, "{sign}{}.{:02}", size / 100, size % 100)
    }
}

impl Serialize for Delta {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_a_sign_and_two_places() {
        for (baseline, coverage, shown) in [
            ("80", "82.3", "+2.30"),
            ("83.5", "83.1", "-0.40"),
            ("83.1", "83.1", "0.00"),
            ("0", "100", "+100.00"),
            ("100", "0", "-100.00"),
            ("83.6", "83.1", "-0.50"),
            ("50.4999", "50", "-0.49"),
            ("50.5001", "50", "-0.50"),
            ("50.9999", "50", "-0.99"),
            ("50", "50.0099", "0.00"),
            ("50.0099", "50", "0.00"),
            ("50", "50.0199", "+0.01"),
        ] {
            let read = |text| serde_json::from_str::<Coverage>(text).unwrap();
            let delta = Delta::between(read(baseline), read(coverage));
            assert_eq!(delta.to_string(), shown, "{coverage} after {baseline}");
            assert_eq!(serde_json::to_string(&delta).unwrap(), format!("\"{shown}\""));
        }
    }
}
