//! The clock of this machine, made into a time that never falls.
//!
//! Wall clocks jump: a battery is empty, an administrator corrects an hour, a time server does. Ahead we follow at once.
//! Back we do not: a token that has expired would live again. Time goes on from where it was, by the clock that counts
//! from the machine's start, a sixteenth slower than real time until the wall clock has caught up: an hour is made good in
//! sixteen. It does not stand still meanwhile, because then no grace would end.
//!
//! Nodes that share a database follow its clock instead of their own, so that a grace ends on all of them at once, whatever
//! their own clocks show.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rustix::time::{ClockId, clock_gettime};
use token_domain::Timestamp;

use super::Clock;

/// Two threads that read the clock at once may store what they read in the other order: that is no step back.
const JITTER_MICROS: i64 = 1_000_000;
/// The offset of a clock that follows none.
const NONE: i64 = i64::MIN;
/// While time is ahead of the wall clock, it loses one part in this many.
const SLOWED_BY: i64 = 16;

/// Where readings come from, in microseconds.
trait Source: Send + Sync {
    /// Since 1970, by the wall clock.
    fn wall(&self) -> i64;
    /// Since the machine started, running on while it sleeps.
    fn boot(&self) -> i64;
}

/// The clock of this machine.
pub struct SystemClock {
    source: Box<dyn Source>,
    /// The followed clock's time minus the time since the machine's start; [`NONE`] while the wall clock is followed.
    offset: AtomicI64,
    /// The latest moment that was told.
    latest: AtomicI64,
    /// While time is ahead of the wall clock: the moment, and the time since the machine's start, it runs on from.
    anchor: Mutex<Option<(i64, i64)>>,
}

struct Machine;

impl Source for Machine {
    #[expect(clippy::disallowed_methods, reason = "this is where the clock is read")]
    fn wall(&self) -> i64 {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX)
    }

    fn boot(&self) -> i64 {
        let now = clock_gettime(ClockId::Boottime);
        now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1_000)
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::reading(Machine)
    }
}

impl fmt::Debug for SystemClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemClock").field("latest", &self.latest).finish_non_exhaustive()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let wall = self.followed();
        let latest = self.latest.fetch_max(wall, Ordering::AcqRel);
        if wall >= latest {
            return Timestamp::from_micros(wall);
        }
        Timestamp::from_micros(if latest - wall < JITTER_MICROS { latest } else { self.ahead(wall) })
    }

    fn wall(&self) -> Timestamp {
        Timestamp::from_micros(self.followed())
    }

    fn steady(&self) -> Timestamp {
        Timestamp::from_micros(self.source.boot())
    }

    fn not_before(&self, moment: Timestamp) {
        self.latest.fetch_max(moment.as_micros(), Ordering::AcqRel);
    }

    fn follow(&self, moment: Timestamp, asked_micros: i64, answered_micros: i64) {
        let least = moment.as_micros().saturating_sub(answered_micros);
        let most = moment.as_micros().saturating_sub(asked_micros).max(least);
        // Stay where both ends allow it. At first the latest moment that it can be: nothing counts longer than it may.
        let before = self.offset.load(Ordering::Acquire);
        let offset = if before == NONE { most } else { before.clamp(least, most) };
        self.offset.store(offset, Ordering::Release);
        if before == NONE {
            // What the wall clock showed counts for nothing: it may be an hour ahead, and nothing was answered by it.
            self.latest.store(moment.as_micros(), Ordering::Release);
        }
    }
}

impl SystemClock {
    fn reading(source: impl Source + 'static) -> Self {
        Self {
            source: Box::new(source),
            offset: AtomicI64::new(NONE),
            latest: AtomicI64::new(0),
            anchor: Mutex::new(None),
        }
    }

    /// The moment by the clock that is followed.
    fn followed(&self) -> i64 {
        match self.offset.load(Ordering::Relaxed) {
            NONE => self.source.wall(),
            offset => self.source.boot().saturating_add(offset),
        }
    }

    /// The moment while the wall clock is behind what was told already.
    fn ahead(&self, wall: i64) -> i64 {
        let mut anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        let boot = self.source.boot();
        let latest = self.latest.load(Ordering::Acquire);
        let runs_to = anchor.map(|(moment, since)| {
            let passed = boot.saturating_sub(since);
            moment.saturating_add(passed - passed / SLOWED_BY)
        });
        // An anchor of an earlier time lies behind: the wall clock had caught up and gone by since.
        let now = if let Some(moment) = runs_to.filter(|moment| *moment >= latest) {
            moment
        } else {
            *anchor = Some((latest, boot));
            let ahead_seconds = (latest - wall) / 1_000_000;
            tracing::warn!(
                ahead_seconds,
                "the clock of this machine is behind the last recorded time: time continues from there, a sixteenth \
                     slower until the clock has caught up"
            );
            latest
        };
        self.latest.fetch_max(now, Ordering::AcqRel).max(now)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const HOUR: i64 = 3_600_000_000;

    /// A machine whose clocks are set by hand.
    #[derive(Clone, Default)]
    struct Hands(Arc<(AtomicI64, AtomicI64)>);

    impl Hands {
        fn set(&self, wall: i64) {
            self.0.0.store(wall, Ordering::SeqCst);
        }

        /// Real time goes by.
        fn pass(&self, micros: i64) {
            self.0.0.fetch_add(micros, Ordering::SeqCst);
            self.0.1.fetch_add(micros, Ordering::SeqCst);
        }
    }

    impl Source for Hands {
        fn wall(&self) -> i64 {
            self.0.0.load(Ordering::SeqCst)
        }

        fn boot(&self) -> i64 {
            self.0.1.load(Ordering::SeqCst)
        }
    }

    fn clock() -> (Hands, SystemClock) {
        let hands = Hands::default();
        hands.set(1_000 * HOUR);
        (hands.clone(), SystemClock::reading(hands))
    }

    fn now(clock: &SystemClock) -> i64 {
        clock.now().as_micros()
    }

    #[test]
    fn time_follows_the_wall_clock_forward_and_never_back() {
        let (hands, clock) = clock();
        assert_eq!(now(&clock), 1_000 * HOUR);
        hands.set(1_001 * HOUR);
        assert_eq!(now(&clock), 1_001 * HOUR, "ahead at once");
        hands.set(1_000 * HOUR);
        let mut before = now(&clock);
        assert_eq!(before, 1_001 * HOUR);
        // An hour ahead is made good in sixteen; asked once a minute, time is caught up with a little before.
        for minutes in 1..=15 * 60 {
            hands.pass(HOUR / 60);
            let read = now(&clock);
            assert!(read > before, "it runs on");
            assert_eq!(read - clock.wall().as_micros(), HOUR - minutes * (HOUR / 60) / SLOWED_BY);
            before = read;
        }
        hands.pass(HOUR);
        assert_eq!(now(&clock), clock.wall().as_micros(), "caught up");
    }

    #[test]
    fn every_step_back_is_met_from_where_time_was() {
        let (hands, clock) = clock();
        let mut before = now(&clock);
        for step in [-HOUR, -24 * HOUR, HOUR, -1, -HOUR, 48 * HOUR, -HOUR] {
            hands.set(clock.wall().as_micros() + step);
            for _ in 0..3 {
                let read = now(&clock);
                assert!(read >= before, "step {step}: {read} after {before}");
                before = read;
                hands.pass(HOUR / 60);
            }
        }
    }

    #[test]
    fn a_start_with_a_clock_that_is_behind_goes_on_from_the_newest_record() {
        let (hands, clock) = clock();
        clock.not_before(Timestamp::from_micros(1_005 * HOUR));
        assert_eq!(now(&clock), 1_005 * HOUR);
        hands.pass(HOUR);
        let read = now(&clock);
        assert_eq!(read, 1_006 * HOUR - HOUR / SLOWED_BY);
        clock.not_before(Timestamp::from_micros(7));
        assert_eq!(now(&clock), read, "an older record changes nothing");
    }

    #[test]
    fn a_clock_that_follows_another_shows_its_time_and_never_falls_either() {
        let (hands, clock) = clock();
        assert_eq!(now(&clock), 1_000 * HOUR);
        // The other is an hour behind this machine, which has told nobody its own time yet.
        clock.follow(Timestamp::from_micros(999 * HOUR), 0, 0);
        assert_eq!(now(&clock), 999 * HOUR);
        assert_eq!(clock.wall().as_micros(), 999 * HOUR);
        hands.set(5_000 * HOUR);
        assert_eq!(now(&clock), 999 * HOUR, "the wall clock of this machine is set, and means nothing");
        hands.pass(HOUR);
        assert_eq!(now(&clock), 1_000 * HOUR);
        clock.follow(Timestamp::from_micros(990 * HOUR), HOUR, HOUR);
        let mut before = now(&clock);
        assert_eq!(before, 1_000 * HOUR, "the other fell back");
        for _ in 0..3 {
            hands.pass(HOUR);
            let read = now(&clock);
            assert!(read > before);
            before = read;
        }
        clock.follow(Timestamp::from_micros(2_000 * HOUR), 4 * HOUR, 4 * HOUR);
        assert_eq!(now(&clock), 2_000 * HOUR);
    }

    #[test]
    fn a_clock_that_follows_another_is_never_behind_it_and_moves_only_when_it_must() {
        let (_, clock) = clock();
        // Asked and answered, in microseconds since the machine's start, and the offset that the clock has afterwards.
        for (asked, answered, shown, offset) in [
            (0, 400, 1_000_100, 1_000_100),
            // Between 999 800 and 1 000 300: it stays.
            (1_000, 1_500, 1_001_300, 1_000_100),
            // At most 999 950.
            (2_000, 2_100, 1_001_950, 999_950),
            // At least 1 000 020.
            (3_000, 3_100, 1_003_120, 1_000_020),
        ] {
            clock.follow(Timestamp::from_micros(shown), asked, answered);
            assert_eq!(clock.offset.load(Ordering::Relaxed), offset, "{asked}");
        }
    }

    #[test]
    fn waits_are_measured_by_time_that_only_runs() {
        let (hands, clock) = clock();
        let begun = clock.steady();
        for wall in [0, 2_000 * HOUR, 5] {
            hands.set(wall);
            assert_eq!(clock.steady(), begun);
        }
        hands.pass(HOUR);
        assert_eq!(clock.steady().since(begun).as_micros(), HOUR);
    }

    #[test]
    fn the_machine_has_both_clocks() {
        let clock = SystemClock::default();
        let (first, steady) = (clock.now(), clock.steady());
        assert!(first.as_micros() > 1_700_000_000_000_000 && steady.as_micros() > 0);
        assert!(clock.now() >= first && clock.steady() >= steady);
    }
}
