//! Failures that come by the thousand, told once a second.
//!
//! While a database is away every request fails for the same reason. A line for each, at full rate, is more work than
//! answering them, and whoever reads the log finds nothing else in it. The first is told, and then one a second with the
//! number of those since.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// Between two lines.
const PAUSE: Duration = Duration::from_secs(1);

/// What one worker has told of failures of one kind.
#[derive(Debug, Default)]
pub(super) struct Failures {
    told: Cell<Option<Instant>>,
    since: Cell<u64>,
}

impl Failures {
    /// Notes a failure: how many came since the last that was told, if this one is to be told.
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
        // Ten thousand in three seconds.
        let told: Vec<u64> =
            (0..10_000).filter_map(|n| failures.note(begun + Duration::from_micros(300) * n)).collect();
        assert_eq!(told, [0, 3_333, 3_333], "none is left out of the count");
        assert_eq!(failures.note(begun + Duration::from_hours(1)), Some(3_331));
    }
}
