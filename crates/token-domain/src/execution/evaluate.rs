//! The verdict on a submission.

use std::fmt;

use serde::Serialize;

use super::coverage::Coverage;
use super::delta::Delta;
use super::threshold::Thresholds;

/// What a submission means for its build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It fell by less than the warn threshold, stayed or rose.
    Pass,
    /// It fell by the warn threshold or more.
    Warn,
    /// It fell by the fail threshold or more.
    Fail,
}

/// Whether a warning stops the build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Strictness {
    /// Only a failure does.
    #[default]
    Lenient,
    /// A warning does too.
    Strict,
}

/// A submission, judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// What it was compared with: itself, where there was nothing.
    pub baseline: Coverage,
    /// How far it moved.
    pub delta: Delta,
    /// What that means.
    pub outcome: Outcome,
    /// What the build should exit with: 0 or 1.
    pub exit_code: u8,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Pass, Self::Warn, Self::Fail];

    /// The name on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }

    /// Reads the name back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }

    /// The outcome of a movement: pass above −warn, else warn above −fail, else fail. A drop of exactly a threshold has
    /// reached it, so with thresholds of zero even standing still fails.
    pub fn of(delta: Delta, thresholds: Thresholds) -> Self {
        let moved = delta.ten_thousandths();
        if moved > -thresholds.warn().ten_thousandths() {
            Self::Pass
        } else if moved > -thresholds.fail().ten_thousandths() {
            Self::Warn
        } else {
            Self::Fail
        }
    }

    /// What the build should exit with: 1 stops it.
    pub const fn exit_code(self, strictness: Strictness) -> u8 {
        match (self, strictness) {
            (Self::Pass, Strictness::Lenient | Strictness::Strict) | (Self::Warn, Strictness::Lenient) => 0,
            (Self::Warn, Strictness::Strict) | (Self::Fail, Strictness::Lenient | Strictness::Strict) => 1,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<bool> for Strictness {
    /// From the wire's `strict_mode`.
    fn from(strict: bool) -> Self {
        if strict { Self::Strict } else { Self::Lenient }
    }
}

/// Judges a coverage. Without a baseline there is nothing it could have fallen from: it passes whatever the thresholds,
/// and becomes the baseline itself.
pub fn evaluate(
    coverage: Coverage,
    baseline: Option<Coverage>,
    thresholds: Thresholds,
    strictness: Strictness,
) -> Evaluation {
    let (baseline, delta, outcome) = match baseline {
        Some(baseline) => {
            let delta = Delta::between(baseline, coverage);
            (baseline, delta, Outcome::of(delta, thresholds))
        }
        None => (coverage, Delta::NONE, Outcome::Pass),
    };
    Evaluation { baseline, delta, outcome, exit_code: outcome.exit_code(strictness) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::Threshold;

    fn coverage(text: &str) -> Coverage {
        serde_json::from_str::<Coverage>(text).unwrap()
    }

    fn thresholds(warn: &str, fail: &str) -> Thresholds {
        let read = |text| Some(serde_json::from_str::<Threshold>(text).unwrap());
        Thresholds::new(read(warn), read(fail)).unwrap()
    }

    #[test]
    fn the_thresholds_decide_to_the_ten_thousandth() {
        let default = Thresholds::default();
        let rows = [
            ("80", "82.3", default, "+2.30", Outcome::Pass),
            ("80", "80", default, "0.00", Outcome::Pass),
            ("83.5", "83.1", default, "-0.40", Outcome::Pass),
            ("83.6", "83.1001", default, "-0.49", Outcome::Pass),
            ("83.6", "83.1", default, "-0.50", Outcome::Warn),
            ("83.6", "83.0999", default, "-0.50", Outcome::Warn),
            ("84.1", "83.1001", default, "-0.99", Outcome::Warn),
            ("84.1", "83.1", default, "-1.00", Outcome::Fail),
            ("100", "0", default, "-100.00", Outcome::Fail),
            ("83.6", "83.1", thresholds("-0.5", "-1.0"), "-0.50", Outcome::Warn),
            ("84.1", "83.1", thresholds("-0.5", "-1.0"), "-1.00", Outcome::Fail),
            ("50.1234", "50", thresholds("0.1235", "0.2"), "-0.12", Outcome::Pass),
            ("50.1235", "50", thresholds("0.1235", "0.2"), "-0.12", Outcome::Warn),
            ("50.2", "50", thresholds("0.2", "0.2"), "-0.20", Outcome::Fail),
            ("50", "50", thresholds("0", "1"), "0.00", Outcome::Warn),
            ("50", "50", thresholds("0", "0"), "0.00", Outcome::Fail),
            ("50", "50.0001", thresholds("0", "0"), "0.00", Outcome::Pass),
            ("100", "0", thresholds("100", "100"), "-100.00", Outcome::Fail),
            ("100", "0.0001", thresholds("100", "100"), "-99.99", Outcome::Pass),
        ];
        for (baseline, now, thresholds, delta, outcome) in rows {
            for strictness in [Strictness::Lenient, Strictness::Strict] {
                let found = evaluate(coverage(now), Some(coverage(baseline)), thresholds, strictness);
                let row = format!("{now} after {baseline}, {strictness:?}");
                assert_eq!(found.baseline, coverage(baseline), "{row}");
                assert_eq!(found.delta.to_string(), delta, "{row}");
                assert_eq!(found.outcome, outcome, "{row}");
                assert_eq!(found.exit_code, outcome.exit_code(strictness), "{row}");
            }
        }
    }

    #[test]
    fn the_first_submission_is_its_own_baseline_and_passes() {
        for thresholds in [Thresholds::default(), thresholds("0", "0")] {
            let found = evaluate(coverage("12.5"), None, thresholds, Strictness::Strict);
            let expected =
                Evaluation { baseline: coverage("12.5"), delta: Delta::NONE, outcome: Outcome::Pass, exit_code: 0 };
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn only_strictness_makes_a_warning_stop_the_build() {
        for (outcome, lenient, strict) in [(Outcome::Pass, 0, 0), (Outcome::Warn, 0, 1), (Outcome::Fail, 1, 1)] {
            assert_eq!(outcome.exit_code(Strictness::from(false)), lenient);
            assert_eq!(outcome.exit_code(Strictness::from(true)), strict);
            assert_eq!(Outcome::parse(outcome.as_str()), Some(outcome));
            assert_eq!(serde_json::to_string(&outcome).unwrap(), format!("\"{outcome}\""));
        }
        assert_eq!(Outcome::parse("Pass"), None);
    }
}
