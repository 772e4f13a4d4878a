//! How much of the time writing down may take.

use std::time::Duration;

/// The share of the time that writing down uses may take, in percent: 1 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FlushShare(u8);

/// What comes after a rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The next unit of work.
    Unit,
    /// The process stops: the rest is written by the final flush, without pauses.
    Stop,
}

impl FlushShare {
    /// All of the time: it never rests.
    pub const ALL: Self = Self(100);

    /// Half of the time: while nobody else wants the processor.
    pub const SPARE: Self = Self(50);

    /// A share in percent; nothing for one outside 1 to 100.
    pub const fn percent(percent: u8) -> Option<Self> {
        if percent >= 1 && percent <= 100 { Some(Self(percent)) } else { None }
    }

    /// How long to rest after a unit of work that took so long.
    pub fn rest_after(self, took: Duration) -> Duration {
        took.saturating_mul(u32::from(100 - self.0)) / u32::from(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_and_rest_are_in_proportion() {
        for (percent, took, rest) in [(100, 7, 0), (50, 7, 7), (20, 5, 20), (2, 10, 490), (1, 10, 990), (2, 0, 0)] {
            let share = FlushShare::percent(percent).unwrap();
            assert_eq!(share.rest_after(Duration::from_millis(took)), Duration::from_millis(rest), "{percent} {took}");
        }
        assert_eq!(FlushShare::percent(100), Some(FlushShare::ALL));
        assert_eq!([0, 101, 255].map(FlushShare::percent), [None; 3]);
        // 9 000 tokens, a millisecond for each unit of 64: behind by less than ten seconds with time to spare.
        let units = 9_000_u32.div_ceil(64);
        let lasts = |share: FlushShare| (Duration::from_millis(1) + share.rest_after(Duration::from_millis(1))) * units;
        assert!(lasts(FlushShare::SPARE) < Duration::from_secs(1) && lasts(FlushShare(1)) > Duration::from_secs(10));
        assert!(FlushShare(1).rest_after(Duration::MAX) > Duration::from_hours(1), "no overflow");
    }
}
