//! How uses of a token are counted: by the hour, UTC, in three kinds.

use std::ops::AddAssign;

use crate::time::{Span, Timestamp};

/// Microseconds of an hour.
const HOUR: i64 = 3_600_000_000;

/// A whole hour, numbered from 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(i32);

/// What became of presented tokens, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UseCounts {
    /// Found good.
    pub allowed: u64,
    /// Found good, and lacking a scope that was asked for.
    pub insufficient: u64,
    /// Known and refused: revoked, expired, its owner switched off.
    pub denied: u64,
}

/// The counts of one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageHour {
    /// Which.
    pub hour: Hour,
    /// What was counted in it.
    pub counts: UseCounts,
}

/// How long the parts of a report are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Step {
    /// An hour each.
    #[default]
    Hour,
    /// A day each, from midnight UTC.
    Day,
}

/// A stretch of whole steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    step: Step,
    first: i32,
    parts: u16,
}

/// Why there is no such stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidStretch {
    /// It ends before it begins, or is empty.
    #[error("must be earlier than `to`")]
    Backwards,
    /// It has more parts than a report shows.
    #[error("must be at most {} before `to` in steps of {}", .0.most_text(), .0.as_str())]
    TooLong(Step),
}

impl Hour {
    /// The hour a moment is in.
    pub fn of(moment: Timestamp) -> Self {
        // Every moment the domain has (1970–9999) is within 32 bits of hours.
        Self(i32::try_from(moment.as_micros().div_euclid(HOUR)).unwrap_or(i32::MAX))
    }

    /// Reads its number back; nothing for one before 1970.
    pub const fn from_number(number: i32) -> Option<Self> {
        if number < 0 { None } else { Some(Self(number)) }
    }

    /// Its number.
    pub const fn number(self) -> i32 {
        self.0
    }

    /// When it begins.
    pub fn begins(self) -> Timestamp {
        Timestamp::from_micros(i64::from(self.0) * HOUR)
    }

    /// When the next one does.
    pub fn ends(self) -> Timestamp {
        Timestamp::from_micros((i64::from(self.0) + 1) * HOUR)
    }
}

impl UseCounts {
    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl AddAssign for UseCounts {
    fn add_assign(&mut self, other: Self) {
        self.allowed += other.allowed;
        self.insufficient += other.insufficient;
        self.denied += other.denied;
    }
}

impl Step {
    /// Reads its name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Hour, Self::Day].into_iter().find(|step| step.as_str() == text)
    }

    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// How far back a report reaches when nobody says: a day of hours, thirty days.
    pub const fn usual(self) -> Span {
        match self {
            Self::Hour => Span::days(1),
            Self::Day => Span::days(30),
        }
    }

    const fn hours(self) -> i32 {
        match self {
            Self::Hour => 1,
            Self::Day => 24,
        }
    }

    /// The most parts of a report: 31 days of hours, 400 days.
    const fn most(self) -> i32 {
        match self {
            Self::Hour => 744,
            Self::Day => 400,
        }
    }

    const fn most_text(self) -> &'static str {
        match self {
            Self::Hour => "31 days",
            Self::Day => "400 days",
        }
    }
}

impl Stretch {
    /// The steps that `from..to` touches: rounded outwards on both sides.
    ///
    /// # Errors
    /// An empty stretch, or one with too many parts.
    pub fn new(from: Timestamp, to: Timestamp, step: Step) -> Result<Self, InvalidStretch> {
        if from >= to {
            return Err(InvalidStretch::Backwards);
        }
        let hours = step.hours();
        let first = Hour::of(from).0.div_euclid(hours);
        let last = Hour::of(to - Span::micros(1)).0.div_euclid(hours);
        let parts = last - first + 1;
        match u16::try_from(parts) {
            Ok(count) if parts <= step.most() => Ok(Self { step, first, parts: count }),
            Ok(_) | Err(_) => Err(InvalidStretch::TooLong(step)),
        }
    }

    /// The length of its parts.
    pub const fn step(&self) -> Step {
        self.step
    }

    /// Its first hour.
    pub const fn first_hour(&self) -> Hour {
        Hour(self.first * self.step.hours())
    }

    /// The first hour after it.
    pub const fn end_hour(&self) -> Hour {
        Hour((self.first + self.parts as i32) * self.step.hours())
    }

    /// The counts of each part, those with nothing included: when it begins, and what was counted in it. Hours outside
    /// are left out.
    pub fn sum(&self, hours: &[UsageHour]) -> Vec<(Timestamp, UseCounts)> {
        let mut parts = vec![UseCounts::default(); usize::from(self.parts)];
        for UsageHour { hour, counts } in hours {
            let part = hour.0.div_euclid(self.step.hours()) - self.first;
            if let Some(sum) = usize::try_from(part).ok().and_then(|part| parts.get_mut(part)) {
                *sum += *counts;
            }
        }
        let begins = |part: i32| Hour((self.first + part) * self.step.hours()).begins();
        (0..).map(begins).zip(parts).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn allowed(allowed: u64) -> UseCounts {
        UseCounts { allowed, ..UseCounts::default() }
    }

    #[test]
    fn a_stretch_is_rounded_outwards() {
        for (from, to, step, first, parts) in [
            ("2026-01-15T09:32:11Z", "2026-01-15T09:32:12Z", Step::Hour, "2026-01-15T09:00:00Z", 1),
            ("2026-01-15T09:00:00Z", "2026-01-15T10:00:00Z", Step::Hour, "2026-01-15T09:00:00Z", 1),
            ("2026-01-15T09:00:00Z", "2026-01-15T10:00:00.000001Z", Step::Hour, "2026-01-15T09:00:00Z", 2),
            ("2026-01-15T09:32:11Z", "2026-01-16T00:00:00Z", Step::Day, "2026-01-15T00:00:00Z", 1),
            ("2026-01-15T23:59:59Z", "2026-01-16T00:00:01Z", Step::Day, "2026-01-15T00:00:00Z", 2),
            ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", Step::Hour, "2026-01-01T00:00:00Z", 744),
        ] {
            let stretch = Stretch::new(at(from), at(to), step).unwrap();
            let sum = stretch.sum(&[]);
            assert_eq!((sum[0].0, sum.len()), (at(first), parts), "{from} {to}");
            assert_eq!(stretch.first_hour().begins(), at(first));
            let end = stretch.end_hour().begins();
            assert!(end >= at(to) && sum[parts - 1].0 < at(to), "{from} {to}");
        }
    }

    #[test]
    fn what_is_no_stretch_says_why() {
        for (from, to, step, expected) in [
            ("2026-01-15T09:00:00Z", "2026-01-15T09:00:00Z", Step::Hour, "must be earlier than `to`"),
            ("2026-01-15T09:00:01Z", "2026-01-15T09:00:00Z", Step::Day, "must be earlier than `to`"),
            (
                "2026-01-01T00:00:00Z",
                "2026-02-01T00:00:01Z",
                Step::Hour,
                "must be at most 31 days before `to` in steps of hour",
            ),
            (
                "1970-01-01T00:00:00Z",
                "9999-12-31T00:00:00Z",
                Step::Day,
                "must be at most 400 days before `to` in steps of day",
            ),
        ] {
            let error = Stretch::new(at(from), at(to), step).unwrap_err();
            assert_eq!(error.to_string(), expected, "{from} {to}");
        }
    }

    #[test]
    fn hours_are_added_up_to_their_days_and_strangers_left_out() {
        let stretch = Stretch::new(at("2026-01-15T00:00:00Z"), at("2026-01-17T00:00:00Z"), Step::Day).unwrap();
        let hour = |text, count| UsageHour { hour: Hour::of(at(text)), counts: allowed(count) };
        let hours = [
            hour("2026-01-14T23:00:00Z", 1),
            hour("2026-01-15T00:00:00Z", 2),
            hour("2026-01-15T23:59:59Z", 4),
            hour("2026-01-16T12:00:00Z", 8),
            hour("2026-01-17T00:00:00Z", 16),
        ];
        let expected =
            [("2026-01-15T00:00:00Z", 6), ("2026-01-16T00:00:00Z", 8)].map(|(day, count)| (at(day), allowed(count)));
        assert_eq!(stretch.sum(&hours), expected);
    }

    #[test]
    fn hours_and_steps_read_back() {
        let hour = Hour::of(at("2026-01-15T09:32:11Z"));
        assert_eq!(Hour::from_number(hour.number()), Some(hour));
        assert_eq!(Hour::from_number(-1), None);
        assert_eq!((hour.begins(), hour.ends()), (at("2026-01-15T09:00:00Z"), at("2026-01-15T10:00:00Z")));
        for step in [Step::Hour, Step::Day] {
            assert_eq!(Step::parse(step.as_str()), Some(step));
        }
        assert_eq!(Step::parse("week"), None);
    }
}
