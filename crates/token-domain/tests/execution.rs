//! What holds of every submission, on generated ones. Seeds are fixed: a failure is the same everywhere.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use token_domain::execution::{
    BranchName, CommitHash, Coverage, Delta, Outcome, RepositoryName, Strictness, Threshold, Thresholds, evaluate,
};

const HUNDRED: i32 = 1_000_000;

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 2_048,
        rng_seed: RngSeed::Fixed(0x6578_655f),
        failure_persistence: None,
        ..Default::default()
    }
}

/// Ten-thousandths, with whole points, halves and both ends more often than chance would have them.
fn units() -> impl Strategy<Value = i32> {
    prop_oneof![
        4 => 0..=HUNDRED,
        2 => (0..=200).prop_map(|halves| halves * 5_000),
        1 => prop::sample::select(vec![0, 1, 9_999, 10_000, 999_999, HUNDRED]),
    ]
}

/// A baseline and a coverage that are often near to one another.
fn pair() -> impl Strategy<Value = (i32, i32)> {
    prop_oneof![
        (units(), units()),
        (units(), -12_000..=12_000_i32).prop_map(|(baseline, moved)| (baseline, (baseline + moved).clamp(0, HUNDRED))),
        (units(), prop::sample::select(vec![-10_001, -10_000, -9_999, -5_001, -5_000, -4_999, 0]))
            .prop_map(|(baseline, moved)| (baseline, (baseline + moved).clamp(0, HUNDRED))),
    ]
}

/// The decimal text of ten-thousandths, with as many places as asked for at least.
fn text(units: i32, places: usize) -> String {
    let decimals = format!("{:04}", units % 10_000);
    let kept = decimals.trim_end_matches('0').len().max(places.min(4));
    if kept == 0 { format!("{}", units / 10_000) } else { format!("{}.{}", units / 10_000, &decimals[..kept]) }
}

fn coverage(units: i32) -> Coverage {
    Coverage::from_ten_thousandths(units).expect("in range")
}

fn thresholds(warn: i32, fail: i32) -> Thresholds {
    let read = |units| Some(Threshold::from_ten_thousandths(units).expect("in range"));
    Thresholds::new(read(warn.min(fail)), read(warn.max(fail))).expect("in order")
}

proptest! {
    #![proptest_config(config())]

    /// From the bytes of a request to the outcome, against a rule that only knows whole numbers.
    #[test]
    fn decisions_are_those_of_whole_numbers(
        (baseline, now) in pair(),
        warn in prop_oneof![Just(5_000), 0..=20_000],
        fail in prop_oneof![Just(10_000), 0..=20_000],
        places in 0_usize..=4,
        signs in any::<[bool; 2]>(),
    ) {
        let signed = |units: i32, minus: bool| format!("{}{}", if minus { "-" } else { "" }, text(units, places));
        let (warn, fail) = (warn.min(fail), warn.max(fail));
        let read = |json: &str| serde_json::from_str::<Threshold>(json).ok();
        let thresholds = Thresholds::new(read(&signed(warn, signs[0])), read(&signed(fail, signs[1]))).expect("in order");
        let coverage: Coverage = serde_json::from_str(&text(now, places)).expect("a coverage");
        let baseline_read = serde_json::from_str::<Coverage>(&text(baseline, places)).expect("a coverage");

        let moved = now - baseline;
        let expected = match moved {
            moved if moved > -warn => Outcome::Pass,
            moved if moved > -fail => Outcome::Warn,
            _ => Outcome::Fail,
        };
        for strictness in [Strictness::Lenient, Strictness::Strict] {
            let found = evaluate(coverage, Some(baseline_read), thresholds, strictness);
            prop_assert_eq!(found.outcome, expected);
            prop_assert_eq!(found.delta.ten_thousandths(), moved);
            prop_assert_eq!(found.baseline, baseline_read);
            let stops = expected == Outcome::Fail || (expected == Outcome::Warn && strictness == Strictness::Strict);
            prop_assert_eq!(found.exit_code, u8::from(stops));
        }
    }

    /// Whoever reads the delta and knows the thresholds (of two places) comes to the outcome that was given.
    #[test]
    fn the_shown_delta_never_contradicts_the_outcome((baseline, now) in pair(), warn in 0..=200_i32, fail in 0..=200_i32) {
        let thresholds = thresholds(warn * 100, fail * 100);
        let found = evaluate(coverage(now), Some(coverage(baseline)), thresholds, Strictness::Lenient);
        let shown = found.delta.to_string();
        let (sign, digits) = shown.split_at(usize::from(shown.starts_with(['+', '-'])));
        let size: i32 = digits.replace('.', "").parse().expect("digits");
        prop_assert_eq!(sign.is_empty(), size == 0, "{}", shown);
        prop_assert!(digits.len() >= 4 && digits.as_bytes()[digits.len() - 3] == b'.', "{}", shown);
        let dropped = if sign == "-" { size } else { 0 };
        if warn.min(fail) > 0 {
            let by_eye = if dropped < warn.min(fail) {
                Outcome::Pass
            } else if dropped < warn.max(fail) {
                Outcome::Warn
            } else {
                Outcome::Fail
            };
            prop_assert_eq!(found.outcome, by_eye, "{} with {} and {}", shown, warn, fail);
        }
    }

    #[test]
    fn there_and_back_is_the_same_way((baseline, now) in pair()) {
        let there = Delta::between(coverage(baseline), coverage(now));
        let back = Delta::between(coverage(now), coverage(baseline));
        prop_assert_eq!(there.ten_thousandths(), -back.ten_thousandths());
        let size = |delta: Delta| delta.to_string().trim_start_matches(['+', '-']).to_owned();
        prop_assert_eq!(size(there), size(back));
    }

    #[test]
    fn more_coverage_is_never_worse((low, high) in pair(), baseline in units(), warn in 0..=30_000, fail in 0..=30_000) {
        let rank = |now: i32| {
            let outcome = Outcome::of(Delta::between(coverage(baseline), coverage(now)), thresholds(warn, fail));
            Outcome::ALL.iter().position(|other| *other == outcome)
        };
        prop_assert!(rank(low.max(high)) <= rank(low.min(high)));
    }

    /// In range or refused, and never further than half a ten-thousandth from what was sent.
    #[test]
    fn any_number_is_read_to_the_nearest(number in prop_oneof![any::<f64>(), -1.0..101.0_f64, 99.9..100.1_f64]) {
        let json = serde_json::to_string(&number).expect("a number");
        match serde_json::from_str::<Coverage>(&json) {
            Ok(coverage) => {
                prop_assert!((0.0..=100.0).contains(&number));
                let read = f64::from(coverage.ten_thousandths()) / 10_000.0;
                prop_assert!((read - number).abs() <= 0.000_050_000_001, "{} read as {}", number, read);
            }
            Err(_) => prop_assert!(!(0.0..=100.0).contains(&number)),
        }
    }

    #[test]
    fn no_text_is_a_number(text in "[0-9.eE+-]{0,12}") {
        let json = serde_json::to_string(&text).expect("a text");
        prop_assert!(serde_json::from_str::<Coverage>(&json).is_err());
        prop_assert!(serde_json::from_str::<Threshold>(&json).is_err());
    }

    /// Whatever a name accepts, it accepts again unchanged, and within its bounds.
    #[test]
    fn names_are_settled_once_read(text in prop_oneof!["\\PC{0,40}", "[a-z./@{~ -]{0,12}", "[0-9a-fA-F]{5,66}", any::<String>()]) {
        if let Ok(name) = RepositoryName::parse(&text) {
            prop_assert_eq!(&RepositoryName::parse(name.as_str()), &Ok(name.clone()));
            prop_assert!(name.as_str().split('/').all(|part| !matches!(part, "" | "." | "..")));
        }
        if let Ok(branch) = BranchName::parse(&text) {
            prop_assert_eq!(branch.as_str(), &text);
        }
        if let Ok(commit) = CommitHash::parse(&text) {
            prop_assert_eq!(commit.as_str(), text.to_ascii_lowercase());
        }
    }
}
