//! A count of attempts that makes the next one wait, and that time wears off. `scripts/back_off.lua` has the same rules for what
//! nodes count together.

use token_domain::{Span, Timestamp};

/// The wait after the first attempt too many; it doubles with each further one.
pub(super) const FIRST_WAIT_SECONDS: i64 = 1;
/// The longest wait. No answer ever asks for more, whatever the clock does.
pub(super) const LONGEST_WAIT_SECONDS: i64 = 900;
/// Doublings that matter: the tenth reaches the longest wait, so further attempts raise nothing.
const MOST_DOUBLINGS: u32 = 10;
/// How long it takes until attempts that made somebody wait are forgotten. Until then the waits go on where they were: with
/// a shorter memory a guesser who comes back when the longest wait ends would start at one second again, nine hundred times a
/// day instead of a hundred.
const MEMORY: Span = Span::days(1);
/// Levels are counted in thousandths of an attempt.
const ONE: u32 = 1_000;

/// How many attempts cost no wait, and how long they are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Allowance {
    pub(super) free: u32,
    /// Fewer than `free` attempts are forgotten after so long without another.
    pub(super) window: Span,
}

/// Attempts under one key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    /// Attempts, in thousandths, as of `at`.
    level: u32,
    /// The last attempt.
    at: Timestamp,
    /// How long the next one has to wait from then.
    wait: Span,
    allowance: Allowance,
}

impl Bucket {
    pub(super) const fn new(allowance: Allowance, now: Timestamp) -> Self {
        Self { level: 0, at: now, wait: Span::micros(0), allowance }
    }

    /// How long an attempt now would have to wait; nothing when it need not.
    pub(super) fn wait(&self, now: Timestamp) -> Option<Span> {
        // A clock that was set back makes no wait longer than it was: the last attempt is then taken to have been just now.
        let left = self.wait.as_micros() - now.since(self.at).as_micros().max(0);
        (left > 0).then(|| Span::long_seconds((left - 1).div_euclid(1_000_000) + 1))
    }

    /// Counts an attempt. True when it is the one after which waiting begins.
    pub(super) fn count(&mut self, now: Timestamp) -> bool {
        let free = self.allowance.free.saturating_mul(ONE);
        let before = self.level_at(now);
        let was_raised = self.is_raised() && before > 0;
        self.level = before.saturating_add(ONE).min(free.saturating_add(MOST_DOUBLINGS * ONE));
        self.at = now;
        self.wait = if self.level >= free {
            // Rounded: the little that wears off during a wait must not keep the next one as short.
            let doublings = ((self.level - free + ONE / 2) / ONE).min(MOST_DOUBLINGS);
            Span::long_seconds((FIRST_WAIT_SECONDS << doublings).min(LONGEST_WAIT_SECONDS))
        } else {
            Span::micros(0)
        };
        self.is_raised() && !was_raised
    }

    /// Takes one attempt back: it was none. Nor does anybody wait for it.
    pub(super) fn uncount(&mut self) {
        self.level = self.level.saturating_sub(ONE);
        self.at = self.at - self.wait;
    }

    /// Whether it has worn off, so that nothing is lost by forgetting it.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.level_at(now) == 0
    }

    /// Whether it makes somebody wait, or lately did.
    pub(super) const fn is_raised(&self) -> bool {
        self.wait.as_micros() > 0
    }

    pub(super) const fn last(&self) -> Timestamp {
        self.at
    }

    /// The level after the time that has passed: a few attempts are forgotten at the end of their window, what made somebody
    /// wait wears off evenly over a day.
    fn level_at(&self, now: Timestamp) -> u32 {
        let quiet = now.since(self.at).as_micros().max(0);
        if self.is_raised() {
            // In milliseconds, whose product with a level is exact in a double: the script of the shared counts has no integers.
            let memory = MEMORY.as_micros() / 1_000;
            let left = i64::from(self.level).saturating_mul((memory - quiet / 1_000).max(0)) / memory;
            u32::try_from(left).unwrap_or(0)
        } else if quiet >= self.allowance.window.as_micros() {
            0
        } else {
            self.level
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000_000);
    const TEN: Allowance = Allowance { free: 10, window: Span::seconds(900) };

    fn seconds(wait: Option<Span>) -> i64 {
        wait.map_or(0, Span::as_seconds)
    }

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour() {
        let mut bucket = Bucket::new(TEN, NOW);
        let mut waits = Vec::new();
        let mut now = NOW;
        for _ in 0..22 {
            let crossed = bucket.count(now);
            assert_eq!(crossed, waits.len() == 9, "only the tenth is the first too many");
            waits.push(seconds(bucket.wait(now)));
            now = now + bucket.wait(now).unwrap_or(Span::micros(0));
        }
        assert_eq!(waits[..9], [0; 9]);
        assert_eq!(waits[9..20], [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900]);
        assert_eq!(waits[20..], [900, 900], "and stay there, although some of it wears off while waiting");
    }

    #[test]
    fn a_day_of_asking_as_soon_as_may_be_gives_a_hundred_guesses() {
        let mut bucket = Bucket::new(TEN, NOW);
        let (mut now, mut guesses) = (NOW, 0);
        while now < NOW + Span::days(1) {
            now = now + bucket.wait(now).unwrap_or(Span::micros(0));
            bucket.count(now);
            guesses += 1;
        }
        assert!((100..=130).contains(&guesses), "{guesses}");
    }

    #[test]
    fn what_made_somebody_wait_wears_off_over_a_day_and_a_few_attempts_in_their_window() {
        let mut waiting = Bucket::new(TEN, NOW);
        (0..20).for_each(|_| _ = waiting.count(NOW));
        for (hours, over) in [(0, false), (1, false), (12, false), (23, false), (24, true)] {
            assert_eq!(waiting.is_over(NOW + Span::seconds(3_600 * hours)), over, "{hours}");
        }
        let mut half = waiting;
        half.count(NOW + Span::seconds(12 * 3_600));
        assert_eq!(seconds(half.wait(NOW + Span::seconds(12 * 3_600))), 2, "half of it is gone after half a day");
        let mut few = Bucket::new(TEN, NOW);
        (0..9).for_each(|_| _ = few.count(NOW));
        assert!(!few.is_over(NOW + Span::seconds(899)) && few.is_over(NOW + Span::seconds(900)));
    }

    #[test]
    fn a_clock_that_is_set_back_asks_for_no_longer_wait() {
        let mut bucket = Bucket::new(TEN, NOW);
        (0..30).for_each(|_| _ = bucket.count(NOW));
        let back = Timestamp::from_micros(NOW.as_micros() - 92_800_000_000);
        assert_eq!(seconds(bucket.wait(back)), 900);
        bucket.count(back);
        assert_eq!(seconds(bucket.wait(back + Span::seconds(899))), 1);
        assert_eq!(bucket.wait(back + Span::seconds(900)), None);
    }
}
