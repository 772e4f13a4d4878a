//! Rate limit for log lines about failures: one line a second.
//!
//! While the database is away every request fails for the same reason. A line for each, at full rate, would cost more
//! than the answers and bury all other lines. The first failure is logged, and then one a second with the number of
//! failures in between.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// The time between two lines.
const PAUSE: Duration = Duration::from_secs(1);

/// The state of one worker's limit, for failures of one kind.
#[derive(Debug, Default)]
pub(super) struct Failures {
    told: Cell<Option<Instant>>,
    since: Cell<u64>,
}

impl Failures {
    /// Counts a failure. If it is to be logged, returns the number of failures since the last line.
    pub(super) fn note(&self, now: Instant) -> Option<u64> {
        let is_due = self.told.get().is_none_or(|told| now.saturating_duration_since(told) >= PAUSE);
        if is_due {
            self.told.set(Some(now));
            return Some(self.since.take());
        }
        self.since.set(self.since.get() + 1);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_at_full_rate_is_a_line_a_second() {
        let failures = Failures::default();
        let begun = Instant::now();
        // Ten thousand failures in three seconds.
        let told: Vec<u64> =
            (0..10_000).filter_map(|n| failures.note(begun + Duration::from_micros(300) * n)).collect();
        assert_eq!(told, [0, 3_333, 3_333], "none is left out of the count");
        assert_eq!(failures.note(begun + Duration::from_hours(1)), Some(3_331));
    }
}
