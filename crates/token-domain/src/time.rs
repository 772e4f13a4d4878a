//! Moments and spans, in whole microseconds.
//!
//! One resolution everywhere (both databases keep it exactly), so equality and cursors never differ by a rounding.

use std::fmt;
use std::ops::{Add, Sub};

use chrono::{DateTime, SecondsFormat, Utc};

/// A moment: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A length of time: microseconds, never negative by construction from the unsigned constructors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

/// A text that is not a moment this service can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a time as in RFC 3339, for example 2026-01-15T09:32:11Z, between the years 1970 and 9999")]
pub struct InvalidTimestamp;

impl Timestamp {
    /// The last moment that RFC 3339 can write: 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(253_402_300_799_999_999);
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// From microseconds since the epoch, as both databases store it.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the epoch, rounded down: the time field of a `UUIDv7`.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Reads RFC 3339 with any offset; anything finer than a microsecond is cut off.
    ///
    /// # Errors
    /// Anything else, a leap second past what UTC holds, and years outside 1970–9999.
    pub fn parse_rfc3339(text: &str) -> Result<Self, InvalidTimestamp> {
        let parsed = DateTime::parse_from_rfc3339(text).map_err(|_| InvalidTimestamp)?;
        let moment = Self(parsed.timestamp_micros());
        if (Self::EPOCH..=Self::MAX).contains(&moment) { Ok(moment) } else { Err(InvalidTimestamp) }
    }

    /// `2026-01-15T09:32:11Z`: the token family.
    pub fn rfc3339_seconds(self) -> String {
        self.to_chrono().to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// `2026-05-20T10:00:00.000Z`: the projects family.
    pub fn rfc3339_millis(self) -> String {
        self.to_chrono().to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// `2026-05-20T10:00:00.000000Z`: exact, for the audit trail.
    pub fn rfc3339_micros(self) -> String {
        self.to_chrono().to_rfc3339_opts(SecondsFormat::Micros, true)
    }

    /// How long since `earlier`; zero when `earlier` lies ahead.
    #[must_use]
    pub fn since(self, earlier: Self) -> Span {
        Span((self.0.saturating_sub(earlier.0)).max(0))
    }

    fn to_chrono(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(moment: DateTime<Utc>) -> Self {
        Self(moment.timestamp_micros())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339_micros())
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// Whole seconds.
    pub const fn seconds(seconds: u32) -> Self {
        Self(seconds as i64 * 1_000_000)
    }

    /// Whole seconds of any size; a length beyond what a moment can hold saturates.
    pub const fn long_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds.
    pub const fn micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Whole days in it.
    pub const fn as_days(self) -> i64 {
        self.0 / 86_400_000_000
    }

    /// Whole milliseconds.
    pub const fn millis(millis: u32) -> Self {
        Self(millis as i64 * 1_000)
    }

    /// Whole days; saturates at what 64 bits can hold.
    pub const fn days(days: u32) -> Self {
        Self((days as i64).saturating_mul(86_400_000_000))
    }

    /// Microseconds.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Seconds, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
}

impl Add<Span> for Timestamp {
    type Output = Self;

    /// Saturates at [`Timestamp::MAX`]: "a hundred thousand years from now" is simply the far future.
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0).min(Self::MAX.0))
    }
}

impl Sub<Span> for Timestamp {
    type Output = Self;

    /// Saturates at the epoch.
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0).max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_both_dialects() {
        let moment = Timestamp::parse_rfc3339("2026-01-15T10:32:11.123456789+01:00").unwrap();
        assert_eq!(moment.rfc3339_seconds(), "2026-01-15T09:32:11Z");
        assert_eq!(moment.rfc3339_millis(), "2026-01-15T09:32:11.123Z");
        assert_eq!(moment.rfc3339_micros(), "2026-01-15T09:32:11.123456Z");
    }

    #[test]
    fn refuses_what_is_not_a_moment() {
        for text in ["", "2026-01-15", "2026-13-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-01-15 09:32", "x", "1e9"] {
            assert_eq!(Timestamp::parse_rfc3339(text), Err(InvalidTimestamp), "{text}");
        }
    }

    #[test]
    fn arithmetic_saturates_instead_of_wrapping() {
        assert_eq!(Timestamp::MAX + Span::days(u32::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::EPOCH - Span::days(1), Timestamp::EPOCH);
        assert_eq!(Timestamp::EPOCH.since(Timestamp::MAX), Span::ZERO);
    }
}
