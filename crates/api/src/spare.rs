//! Whether the processor has time to spare, as the kernel counts it.
//!
//! Work in the background takes a small share of the processor so that requests do not wait for it; on an idle machine that
//! share would only delay the work. Idle time tells the two apart. Two other measures lost: a load average lags by minutes,
//! and timers fire in time even on a busy machine, because the kernel prefers threads that wake up.

use std::fs;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The kernel counts in hundredths of a second: over this time it has twenty or more on every processor.
const STRETCH: Duration = Duration::from_millis(200);
/// With this part of the time idle, in percent, there is time to spare.
const ENOUGH_IDLE: u64 = 25;

/// Processor time since the machine started, of all processors together.
const MACHINE: &str = "/proc/stat";
/// How often this process's group was stopped at its limit, where it has one.
const GROUP: &str = "/sys/fs/cgroup/cpu.stat";

/// Watches the processors.
#[derive(Debug, Default)]
pub(crate) struct Processors(Mutex<Option<Look>>);

#[derive(Debug)]
struct Look {
    at: Instant,
    counts: Counts,
    has_time: bool,
}

/// What the kernel has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    idle: u64,
    all: u64,
    /// How often the group was stopped.
    stopped: u64,
}

impl Processors {
    /// Whether there was time to spare of late. Where nothing can be read, there is none.
    pub(crate) fn have_time(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(look) = last.as_ref().filter(|look| look.at.elapsed() < STRETCH) {
            return look.has_time;
        }
        let Some(counts) = fs::read_to_string(MACHINE).ok().and_then(|machine| {
            let group = fs::read_to_string(GROUP).unwrap_or_default();
            Counts::parse(&machine, &group)
        }) else {
            return false;
        };
        let has_time = last.as_ref().is_some_and(|before| counts.have_time_since(&before.counts));
        *last = Some(Look { at: Instant::now(), counts, has_time });
        has_time
    }
}

impl Counts {
    /// From the kernel's two texts: `cpu  user nice system idle iowait …`, and lines `nr_throttled n`.
    fn parse(machine: &str, group: &str) -> Option<Self> {
        let line = machine.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let times: Vec<u64> = line.split_whitespace().map_while(|time| time.parse().ok()).collect();
        let stopped = group.lines().find_map(|line| line.strip_prefix("nr_throttled "));
        // What guests took is in the first two already.
        Some(Self {
            idle: *times.get(3)?,
            all: times.iter().take(8).sum(),
            stopped: stopped.and_then(|count| count.trim().parse().ok()).unwrap_or(0),
        })
    }

    fn have_time_since(&self, before: &Self) -> bool {
        let (idle, all) = (self.idle.saturating_sub(before.idle), self.all.saturating_sub(before.all));
        all > 0 && self.stopped == before.stopped && idle * 100 >= all * ENOUGH_IDLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_is_what_counts_unless_the_group_is_stopped_at_its_limit() {
        let counts = |idle: u64, busy: u64, stopped: u64| {
            let machine = format!("cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\ncpu0 1 2 3 4 5\nintr 9\n");
            let group = format!("usage_usec 5\nnr_periods 7\nnr_throttled {stopped}\n");
            Counts::parse(&machine, &group).unwrap()
        };
        let before = counts(1_000, 1_000, 3);
        for (after, has_time) in [
            (counts(1_040, 1_000, 3), true),
            (counts(1_010, 1_030, 3), true),
            (counts(1_009, 1_031, 3), false),
            (counts(1_000, 1_040, 3), false),
            (counts(1_040, 1_000, 4), false),
            (before, false),
        ] {
            assert_eq!(after.have_time_since(&before), has_time, "{after:?}");
        }
        assert_eq!(Counts::parse("cpu  1 2 3\n", ""), None);
        assert_eq!(Counts::parse("", ""), None);
        assert_eq!(
            Counts::parse("cpu  1 2 3 4 5 6 7 8 9 10\n", "").map(|counts| counts.all),
            Some(36),
            "without guests"
        );
    }

    #[test]
    fn the_first_look_knows_nothing() {
        assert!(!Processors::default().have_time());
    }
}
