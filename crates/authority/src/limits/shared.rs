//! What nodes count together, so that a guesser who goes from node to node has one allowance and not one of each.
//!
//! The limits of a node decide first, and what they refuse goes no further. What they let in is counted with the other nodes in
//! one step, which may still refuse it. If that step fails or takes too long, the node's own count has decided. So nobody is
//! refused because the others cannot be asked, and nobody gets more than the allowance of one node from each.
//!
//! The names of counts are digests under the tag key: who reads them learns no address, account or network. Who can write them
//! can make the next attempt wait, as long as the longest wait and no longer each time, or take the shared count away. What a
//! node counts itself is out of their reach.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::BoxFuture;
use secret_hash::Keyring;
use token_domain::Span;

use super::TooManyAttempts;
use super::bucket::{Allowance, LONGEST_WAIT_SECONDS};
use super::key::Key;

/// [`Bucket`](super::bucket::Bucket), once more.
const BACK_OFF: &str = include_str!("scripts/back_off.lua");
const GIVE_BACK: &str = include_str!("scripts/give_back.lua");
/// The hourly allowance of a network, once more.
const ALLOWANCE: &str = include_str!("scripts/allowance.lua");
/// The moment is that of the server that keeps the counts: clocks of nodes differ.
const ITS_OWN_CLOCK: i64 = 0;

/// A place where nodes count together: a Redis. Nothing is expected of it: it may lose, change and make up what it returns.
pub trait SharedCounts: Send + Sync {
    /// Runs a script over the counts of these names, with these numbers, as one step. Nothing if it cannot be done within some
    /// milliseconds.
    fn run<'a>(
        &'a self,
        script: &'static str,
        names: &'a [[u8; 32]],
        numbers: &'a [i64],
    ) -> BoxFuture<'a, Option<Vec<i64>>>;

    /// Has it run some time soon. Returns at once; it may be left out.
    fn run_later(&self, script: &'static str, names: &[[u8; 32]], numbers: &[i64]);
}

/// A limit that nodes have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SharedLimit {
    /// Wrong passwords for an account from a network.
    SignInPair,
    /// Wrong passwords from a network.
    SignInNetwork,
    /// Wrong passwords for an account.
    SignInAccount,
    /// Wrong passwords for an account from a device that it knows.
    SignInDevice,
    /// Wrong one-time codes of a person.
    Code,
    /// Requests for a new password from a network.
    ResetNetwork,
    /// Requests for a new password to an address.
    ResetAddress,
    /// Reports of leaked tokens from a network.
    LeakReports,
    /// Exchanges of identity tokens from a network.
    TokenExchanges,
}

impl SharedLimit {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::SignInPair,
        Self::SignInNetwork,
        Self::SignInAccount,
        Self::SignInDevice,
        Self::Code,
        Self::ResetNetwork,
        Self::ResetAddress,
        Self::LeakReports,
        Self::TokenExchanges,
    ];

    /// Tells the counts of one limit from those of another.
    const fn as_str(self) -> &'static str {
        match self {
            Self::SignInPair => "sign-in pair",
            Self::SignInNetwork => "sign-in network",
            Self::SignInAccount => "sign-in account",
            Self::SignInDevice => "sign-in device",
            Self::Code => "code",
            Self::ResetNetwork => "reset network",
            Self::ResetAddress => "reset address",
            Self::LeakReports => "leak reports",
            Self::TokenExchanges => "token exchanges",
        }
    }
}

/// How often attempts were counted with other nodes, by what came of it.
#[derive(Debug, Default)]
pub struct SharedLimitCounters {
    counted: AtomicU64,
    refused: AtomicU64,
    unknown: AtomicU64,
}

impl SharedLimitCounters {
    /// Each outcome with its count since the process began.
    pub fn snapshot(&self) -> [(&'static str, u64); 3] {
        [("counted", &self.counted), ("refused", &self.refused), ("unavailable", &self.unknown)]
            .map(|(outcome, count)| (outcome, count.load(Ordering::Relaxed)))
    }
}

/// What an attempt is counted under.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    pub(super) limit: SharedLimit,
    pub(super) key: Key,
    pub(super) allowance: Allowance,
}

/// What came of counting an attempt with the other nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shared {
    /// It is counted; of each count whether waiting begins with it.
    Counted(Vec<bool>),
    /// It has to wait, and is not counted.
    Wait(TooManyAttempts),
    /// Nobody knows.
    Unknown,
}

/// The counts that this node shares with others, if it does.
#[derive(Clone, Default)]
pub(crate) struct SharedTally(Option<Arc<Sharing>>);

struct Sharing {
    counts: Arc<dyn SharedCounts>,
    keyring: Arc<Keyring>,
    counters: SharedLimitCounters,
}

impl SharedTally {
    pub(crate) fn new(counts: Option<Arc<dyn SharedCounts>>, keyring: &Arc<Keyring>) -> Self {
        let counters = SharedLimitCounters::default();
        Self(counts.map(|counts| Arc::new(Sharing { counts, keyring: Arc::clone(keyring), counters })))
    }

    pub(crate) fn counters(&self) -> Option<&SharedLimitCounters> {
        self.0.as_ref().map(|sharing| &sharing.counters)
    }

    /// Counts an attempt under all of these, unless one of them makes it wait.
    pub(super) async fn take(&self, counts: &[Count]) -> Shared {
        let Some(sharing) = &self.0 else { return Shared::Unknown };
        let names: Vec<_> = counts.iter().map(|count| sharing.name(count.limit, &count.key)).collect();
        let mut numbers = vec![ITS_OWN_CLOCK];
        numbers.extend(counts.iter().flat_map(|count| count.allowance.numbers()));
        let answer = sharing.counts.run(BACK_OFF, &names, &numbers).await;
        sharing.noted(read(answer.as_deref(), counts.len()))
    }

    /// Takes one of the hourly allowance of a network. `interval`: in which time one comes back.
    pub(crate) async fn take_of_hour(
        &self,
        limit: SharedLimit,
        network: &str,
        interval: Span,
    ) -> Result<(), TooManyAttempts> {
        let Some(sharing) = &self.0 else { return Ok(()) };
        let names = [sharing.name(limit, &Key::of("network", &[network]))];
        let answer = sharing.counts.run(ALLOWANCE, &names, &[ITS_OWN_CLOCK, interval.as_micros()]).await;
        match sharing.noted(read(answer.as_deref(), 0)) {
            Shared::Counted(_) | Shared::Unknown => Ok(()),
            Shared::Wait(wait) => Err(wait),
        }
    }

    /// Takes an attempt back under some keys, and forgets what was counted under others: it was none.
    pub(super) fn give_back(&self, counted: &[(SharedLimit, Key)], cleared: &[(SharedLimit, Key)]) {
        let Some(sharing) = &self.0 else { return };
        let names: Vec<_> = counted.iter().chain(cleared).map(|(limit, key)| sharing.name(*limit, key)).collect();
        sharing.counts.run_later(GIVE_BACK, &names, &[i64::try_from(counted.len()).unwrap_or(0)]);
    }
}

impl Sharing {
    fn name(&self, limit: SharedLimit, key: &Key) -> [u8; 32] {
        self.keyring.pseudonym("shared count", &[limit.as_str(), &key.text()])
    }

    fn noted(&self, shared: Shared) -> Shared {
        let counter = match &shared {
            Shared::Counted(_) => &self.counters.counted,
            Shared::Wait(_) => &self.counters.refused,
            Shared::Unknown => &self.counters.unknown,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        shared
    }
}

/// An answer about so many counts. One that says something else is none.
fn read(answer: Option<&[i64]>, counts: usize) -> Shared {
    match answer {
        Some([0, raised @ ..]) if raised.len() == counts => {
            Shared::Counted(raised.iter().map(|raised| *raised == 1).collect())
        }
        Some([seconds]) if (1..=LONGEST_WAIT_SECONDS).contains(seconds) => {
            Shared::Wait(TooManyAttempts { retry_after: Span::long_seconds(*seconds) })
        }
        Some(_) | None => Shared::Unknown,
    }
}

impl Allowance {
    /// As scripts take it.
    fn numbers(self) -> [i64; 2] {
        [i64::from(self.free), self.window.as_micros()]
    }
}

impl fmt::Debug for SharedTally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedTally").field(&self.counters()).finish()
    }
}

#[cfg(test)]
mod tests {
    use task_support::chance::Chance;
    use task_support::services::{Redis, Reply};
    use token_domain::Timestamp;

    use super::super::bucket::Bucket;
    use super::*;

    const BEGIN: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);
    const DAY: i64 = 86_400_000_000;

    fn run(redis: &Redis, script: &str, keys: &[&str], numbers: &[i64]) -> Vec<i64> {
        let mut words = vec!["EVAL".to_owned(), script.to_owned(), keys.len().to_string()];
        words.extend(keys.iter().map(|key| (*key).to_owned()));
        words.extend(numbers.iter().map(i64::to_string));
        let Reply::List(answer) = redis.ask(&words).unwrap() else { panic!() };
        let number = |reply: &Reply| match reply {
            Reply::Bytes(text) => str::from_utf8(text).unwrap().parse().unwrap(),
            other @ (Reply::Nil | Reply::List(_)) => panic!("{other:?}"),
        };
        answer.iter().map(number).collect()
    }

    /// An attempt under one key.
    fn take(redis: &Redis, key: &str, allowance: Allowance, now: Timestamp) -> Vec<i64> {
        let [free, window] = allowance.numbers();
        run(redis, BACK_OFF, &[key], &[now.as_micros(), free, window])
    }

    #[test]
    fn the_script_waits_and_counts_as_a_bucket_does() {
        let redis = Redis::start().unwrap();
        let mut chance = Chance::seeded(0x5ca1e);
        for round in 0..60 {
            let window = *chance.pick(&[60, 900, 3_600, 86_400]);
            let free = *chance.pick(&[1, 2, 3, 10, 100, 10_000]);
            let allowance = Allowance { free, window: Span::seconds(window) };
            let (key, mut now) = (format!("round {round}"), BEGIN);
            let mut bucket = Bucket::new(allowance, now);
            for step in 0..80 {
                let pause = match chance.below(8) {
                    0..=2 => 0,
                    3 => i64::try_from(chance.below(5_000_000)).unwrap(),
                    4 => bucket.wait(now).map_or(1, Span::as_micros) - i64::from(chance.below(2) == 0),
                    5 => bucket.wait(now).map_or(0, Span::as_micros),
                    6 => i64::from(window) * 1_000_000 - i64::from(chance.below(2) == 0),
                    _ => i64::try_from(chance.below(usize::try_from(DAY + 2_000_000).unwrap())).unwrap(),
                };
                now = now + Span::micros(pause);
                let said = take(&redis, &key, allowance, now);
                let expected = match bucket.wait(now) {
                    Some(wait) => vec![wait.as_seconds()],
                    None => vec![0, i64::from(bucket.count(now))],
                };
                assert_eq!(said, expected, "round {round}, step {step}: {allowance:?}");
                if said[0] == 0 && chance.below(6) == 0 {
                    bucket.uncount();
                    run(&redis, GIVE_BACK, &[&key], &[1]);
                }
                // However long the pauses: what Redis itself forgets by its own clock is the test's to keep.
                redis.ask(&["PERSIST", &key]).unwrap();
            }
        }
    }

    #[test]
    fn an_attempt_is_counted_under_all_keys_or_under_none() {
        let redis = Redis::start().unwrap();
        let one = Allowance { free: 1, window: Span::seconds(60) };
        let many = Allowance { free: 100, window: Span::seconds(60) };
        assert_eq!(take(&redis, "narrow", one, BEGIN), [0, 1]);
        let numbers = [&[BEGIN.as_micros()][..], &many.numbers(), &one.numbers()].concat();
        assert_eq!(run(&redis, BACK_OFF, &["wide", "narrow"], &numbers), [1]);
        assert_eq!(redis.ask(&["EXISTS", "wide"]).unwrap(), Reply::Bytes(b"0".to_vec()));
        run(&redis, GIVE_BACK, &["wide", "narrow"], &[0]);
        assert_eq!(run(&redis, BACK_OFF, &["wide", "narrow"], &numbers), [0, 0, 1], "what is forgotten waits no more");
    }

    #[test]
    fn what_is_planted_keeps_nobody_waiting_for_longer_than_the_longest_wait() {
        let redis = Redis::start().unwrap();
        let ten = Allowance { free: 10, window: Span::seconds(900) };
        let future = BEGIN.as_micros() + 1_000 * DAY;
        let texts = [
            format!("99999999 {future} 99999999"),
            format!("20000 {} 900", BEGIN.as_micros()),
            format!("{0} {0} {0}", "9".repeat(20)),
            "-1 -1 -1".to_owned(),
            "1e9 1 1".to_owned(),
            "nonsense".to_owned(),
            String::new(),
            "7".repeat(100_000),
        ];
        for text in &texts {
            redis.plant(b"key", text.as_bytes()).unwrap();
            let mut now = BEGIN;
            let first = take(&redis, "key", ten, now);
            assert!(first[0] <= LONGEST_WAIT_SECONDS, "{text}: {first:?}");
            now = now + Span::long_seconds(first[0]);
            assert_eq!(take(&redis, "key", ten, now)[0], 0, "{text}, after the wait");
            // The hourly allowance, where one comes back in a minute.
            redis.plant(b"key", text.as_bytes()).unwrap();
            let of_hour = |now: Timestamp| run(&redis, ALLOWANCE, &["key"], &[now.as_micros(), 60_000_000])[0];
            let wait = of_hour(BEGIN);
            assert!(wait <= 60, "{text}: {wait}");
            assert_eq!(of_hour(BEGIN + Span::long_seconds(wait)), 0, "{text}, after the wait");
        }
        redis.ask(&["DEL", "key"]).unwrap();
        redis.ask(&["RPUSH", "key", "a list"]).unwrap();
        assert_eq!(take(&redis, "key", ten, BEGIN), [0, 0], "something that is no text");
    }

    #[test]
    fn counts_are_forgotten_by_the_server_when_they_have_worn_off() {
        let redis = Redis::start().unwrap();
        let two = Allowance { free: 2, window: Span::seconds(60) };
        let left = || match redis.ask(&["PTTL", "key"]).unwrap() {
            Reply::Bytes(text) => str::from_utf8(&text).unwrap().parse::<i64>().unwrap(),
            other @ (Reply::Nil | Reply::List(_)) => panic!("{other:?}"),
        };
        run(&redis, BACK_OFF, &["key"], &[0, 2, two.window.as_micros()]);
        assert!((1..=60_000).contains(&left()));
        run(&redis, GIVE_BACK, &["key"], &[1]);
        assert!((1..=60_000).contains(&left()), "giving back keeps it no longer");
        (0..2).for_each(|_| _ = run(&redis, BACK_OFF, &["key"], &[0, 2, two.window.as_micros()]));
        assert!((60_001..=86_400_000).contains(&left()), "what makes somebody wait is remembered for a day");
        run(&redis, ALLOWANCE, &["key"], &[0, 60_000_000]);
        assert!((1..=60_000).contains(&left()));
    }

    #[test]
    fn answers_that_make_no_sense_are_none() {
        let wait = |seconds| Shared::Wait(TooManyAttempts { retry_after: Span::long_seconds(seconds) });
        for (answer, expected) in [
            (Some(&[0, 0, 1][..]), Shared::Counted(vec![false, true])),
            (Some(&[7]), wait(7)),
            (Some(&[900]), wait(900)),
            (Some(&[901]), Shared::Unknown),
            (Some(&[-1]), Shared::Unknown),
            (Some(&[0]), Shared::Unknown),
            (Some(&[0, 1, 1, 1]), Shared::Unknown),
            (Some(&[7, 7, 7]), Shared::Unknown),
            (Some(&[]), Shared::Unknown),
            (None, Shared::Unknown),
        ] {
            assert_eq!(read(answer, 2), expected, "{answer:?}");
        }
    }
}
