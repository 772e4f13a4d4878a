//! Back-off for sign-in: a slot is taken, atomically, *before* the password is hashed.
//!
//! Failures are counted for a pair of account and network address, and for the address alone. They are never counted
//! for an account alone: whoever guesses at someone's password from elsewhere slows down only themselves. What is bounded
//! for an account is how many strangers are worked on at once, and addresses it was signed in to from before are no
//! strangers: a thousand guessers at a thousand addresses do not shut its owner out.
//!
//! Moments here are those of [`Clock::steady`](crate::env::Clock::steady): a wall clock that is set back or ahead makes no
//! wait longer and forgets no failure.
//!
//! Guesses at a person's one-time codes are counted for the person ([`CodeLimiter`]): six digits are too few to let every
//! address have its tries, and only who has the password gets that far.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use token_domain::id::UserId;
use token_domain::{Span, Timestamp};

/// From one address, over all accounts, this many times the attempts of one account cost no wait.
const ACCOUNTS_PER_ADDRESS: u32 = 10;
/// The wait after the first attempt too many; it doubles with each further one.
const FIRST_WAIT_SECONDS: i64 = 1;
/// The longest wait.
const LONGEST_WAIT_SECONDS: i64 = 900;
/// Attempts at one account that are worked on at once, from addresses it was not signed in to from before. With the
/// two that one known address may have, ten hashes at most run for an account.
const MOST_STRANGERS: usize = 8;
/// Wrong codes of a person that cost no wait.
const FREE_CODES: u32 = 5;
/// After this long without a wrong code all are forgotten. With the longest wait, a guesser has a hundred tries a day
/// at a million codes, of which three are right.
const CODES_WINDOW: Span = Span::days(1);
/// How many keys are remembered at most; beyond it the oldest are forgotten.
const MOST_KEYS: usize = 100_000;

/// What a deployment puts up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInLimits {
    /// Failed attempts at an account from an address that cost no wait.
    pub attempts: u32,
    /// After this long without an attempt everything is forgotten.
    pub window: Span,
    /// Attempts at an account from an address that are worked on at once.
    pub concurrent: usize,
}

impl Default for SignInLimits {
    fn default() -> Self {
        Self { attempts: 10, window: Span::seconds(900), concurrent: 2 }
    }
}

/// An account and the network that tries it.
type Pair = (String, Option<IpAddr>);

/// Sign-in back-off.
#[derive(Debug)]
pub struct SignInLimiter {
    limits: SignInLimits,
    pairs: Mutex<HashMap<Pair, Attempts>>,
    addresses: Mutex<HashMap<IpAddr, Attempts>>,
    under_way: Mutex<HashMap<Pair, usize>>,
    strangers: Mutex<HashMap<String, usize>>,
    /// Who signed in to what from where, and when last.
    known: Mutex<HashMap<Pair, Timestamp>>,
}

/// An attempt that is being worked on, until it is dropped.
#[derive(Debug)]
pub struct Attempt<'a> {
    limiter: &'a SignInLimiter,
    pair: Pair,
    now: Timestamp,
    is_stranger: bool,
}

/// Guesses at one-time codes.
#[derive(Debug, Default)]
pub struct CodeLimiter {
    people: Mutex<HashMap<UserId, Attempts>>,
}

/// A guess at a code.
#[derive(Debug)]
#[must_use = "a guess counts as wrong until it is said to be right"]
pub struct CodeAttempt<'a> {
    limiter: &'a CodeLimiter,
    user: UserId,
}

/// Too many attempts: come back after this long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts; try again in {} seconds", .retry_after.as_seconds())]
pub struct TooManyAttempts {
    /// How long to wait.
    pub retry_after: Span,
}

#[derive(Clone, Copy, Debug)]
struct Attempts {
    count: u32,
    last: Timestamp,
    not_before: Timestamp,
}

impl SignInLimiter {
    /// Nobody has tried anything yet.
    pub fn new(limits: SignInLimits) -> Self {
        Self {
            limits,
            pairs: Mutex::default(),
            addresses: Mutex::default(),
            under_way: Mutex::default(),
            strangers: Mutex::default(),
            known: Mutex::default(),
        }
    }

    /// Takes a slot for one attempt, held until the result is dropped. The attempt counts as failed until
    /// [`Attempt::succeeded`] says otherwise, so two hundred guesses at once are two hundred, not one.
    ///
    /// # Errors
    /// When the next attempt has to wait, or as many as may be are under way.
    pub fn take(&self, account: &str, address: Option<IpAddr>, now: Timestamp) -> Result<Attempt<'_>, TooManyAttempts> {
        let network = address.map(network_of);
        let attempt = self.begin((account.to_owned(), network), now)?;
        if let Some(network) = network {
            let free = self.limits.attempts.saturating_mul(ACCOUNTS_PER_ADDRESS);
            take(&mut lock(&self.addresses), network, free, self.limits.window, now)?;
        }
        take(&mut lock(&self.pairs), attempt.pair.clone(), self.limits.attempts, self.limits.window, now)?;
        Ok(attempt)
    }

    fn begin(&self, pair: Pair, now: Timestamp) -> Result<Attempt<'_>, TooManyAttempts> {
        const BUSY: TooManyAttempts = TooManyAttempts { retry_after: Span::long_seconds(FIRST_WAIT_SECONDS) };
        let is_stranger = !lock(&self.known).contains_key(&pair);
        let mut under_way = lock(&self.under_way);
        if under_way.get(&pair).is_some_and(|count| *count >= self.limits.concurrent) {
            return Err(BUSY);
        }
        if is_stranger {
            let mut strangers = lock(&self.strangers);
            let count = strangers.entry(pair.0.clone()).or_default();
            if *count >= MOST_STRANGERS {
                return Err(BUSY);
            }
            *count += 1;
        }
        *under_way.entry(pair.clone()).or_default() += 1;
        Ok(Attempt { limiter: self, pair, now, is_stranger })
    }
}

impl Attempt<'_> {
    /// The attempt was right: its pair starts anew.
    pub fn succeeded(self) {
        lock(&self.limiter.pairs).remove(&self.pair);
        let mut known = lock(&self.limiter.known);
        if known.len() >= MOST_KEYS {
            forget_older_half(&mut known);
        }
        known.insert(self.pair.clone(), self.now);
        drop(known);
        if let Some(network) = self.pair.1
            && let Some(attempts) = lock(&self.limiter.addresses).get_mut(&network)
        {
            attempts.count = attempts.count.saturating_sub(1);
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        leave(&mut lock(&self.limiter.under_way), &self.pair);
        if self.is_stranger {
            leave(&mut lock(&self.limiter.strangers), &self.pair.0);
        }
    }
}

impl CodeLimiter {
    /// Counts a guess, which is wrong until [`CodeAttempt::succeeded`] says otherwise.
    ///
    /// # Errors
    /// When the next guess has to wait.
    pub fn take(&self, user: UserId, now: Timestamp) -> Result<CodeAttempt<'_>, TooManyAttempts> {
        take(&mut lock(&self.people), user, FREE_CODES, CODES_WINDOW, now)?;
        Ok(CodeAttempt { limiter: self, user })
    }
}

impl CodeAttempt<'_> {
    /// The guess was right: the person starts anew.
    pub fn succeeded(self) {
        lock(&self.limiter.people).remove(&self.user);
    }
}

/// One less at this key; no entry for none.
fn leave<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// Forgets the older half of what was noted.
fn forget_older_half<K: Eq + Hash>(noted: &mut HashMap<K, Timestamp>) {
    let mut times: Vec<Timestamp> = noted.values().copied().collect();
    let middle = times.len() / 2;
    let (_, median, _) = times.select_nth_unstable(middle);
    let median = *median;
    noted.retain(|_, at| *at > median);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An IPv6 subscriber has a whole /64: it counts as one address.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(
            || {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::from([a, b, c, d, 0, 0, 0, 0])
            },
            IpAddr::V4,
        ),
    }
}

fn take<K: Clone + Eq + Hash>(
    remembered: &mut HashMap<K, Attempts>,
    key: K,
    free: u32,
    window: Span,
    now: Timestamp,
) -> Result<(), TooManyAttempts> {
    if remembered.len() >= MOST_KEYS {
        forget(remembered, window, now);
    }
    let attempts = remembered.entry(key).or_insert(Attempts { count: 0, last: now, not_before: Timestamp::EPOCH });
    if attempts.last + window <= now {
        *attempts = Attempts { count: 0, last: now, not_before: Timestamp::EPOCH };
    }
    if now < attempts.not_before {
        let wait = attempts.not_before.since(now).as_micros().div_euclid(1_000_000) + 1;
        return Err(TooManyAttempts { retry_after: Span::long_seconds(wait) });
    }
    attempts.count = attempts.count.saturating_add(1);
    attempts.last = now;
    if attempts.count >= free {
        let doublings = (attempts.count - free).min(20);
        let wait = (FIRST_WAIT_SECONDS << doublings).min(LONGEST_WAIT_SECONDS);
        attempts.not_before = now + Span::long_seconds(wait);
    }
    Ok(())
}

/// Forgets what is over, and if that is not enough the older half.
fn forget<K: Clone + Eq + Hash>(remembered: &mut HashMap<K, Attempts>, window: Span, now: Timestamp) {
    remembered.retain(|_, attempts| attempts.last + window > now);
    if remembered.len() < MOST_KEYS {
        return;
    }
    let mut times: Vec<Timestamp> = remembered.values().map(|attempts| attempts.last).collect();
    let middle = times.len() / 2;
    let (_, median, _) = times.select_nth_unstable(middle);
    let median = *median;
    remembered.retain(|_, attempts| attempts.last > median);
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000_000);

    fn v4(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
    }

    #[test]
    fn ten_guesses_at_once_and_then_a_growing_wait() {
        let limiter = SignInLimiter::new(SignInLimits::default());
        let passed = (0..200).filter(|_| limiter.take("ada", Some(v4(1)), NOW).is_ok()).count();
        assert_eq!(passed, 10);
        let mut now = NOW;
        for wait in [1, 2, 4, 8, 16] {
            let refused = limiter.take("ada", Some(v4(1)), now).unwrap_err();
            assert!(refused.retry_after.as_seconds() <= wait + 1);
            now = now + Span::long_seconds(wait);
            assert!(limiter.take("ada", Some(v4(1)), now).is_ok(), "after {wait} s");
        }
    }

    #[test]
    fn a_guesser_elsewhere_does_not_lock_the_owner_out() {
        let limiter = SignInLimiter::new(SignInLimits::default());
        while limiter.take("ada", Some(v4(1)), NOW).is_ok() {}
        assert!(limiter.take("ada", Some(v4(2)), NOW).is_ok());
    }

    #[test]
    fn one_address_cannot_go_through_all_accounts() {
        let limiter = SignInLimiter::new(SignInLimits::default());
        let passed = (0..1_000).filter(|n| limiter.take(&format!("user{n}"), Some(v4(1)), NOW).is_ok()).count();
        assert_eq!(passed, 100);
    }

    #[test]
    fn success_and_time_forget() {
        let limiter = SignInLimiter::new(SignInLimits::default());
        while limiter.take("ada", Some(v4(1)), NOW).is_ok() {}
        let after_the_wait = NOW + Span::seconds(1);
        limiter.take("ada", Some(v4(1)), after_the_wait).unwrap().succeeded();
        assert!((0..9).all(|_| limiter.take("ada", Some(v4(1)), after_the_wait).is_ok()), "it starts anew");
        while limiter.take("bob", Some(v4(2)), NOW).is_ok() {}
        assert!(limiter.take("bob", Some(v4(2)), NOW + SignInLimits::default().window).is_ok());
    }

    #[test]
    fn so_many_at_once_and_no_more() {
        let limiter = SignInLimiter::new(SignInLimits { concurrent: 2, ..SignInLimits::default() });
        let first = limiter.take("ada", Some(v4(1)), NOW).unwrap();
        let _second = limiter.take("ada", Some(v4(1)), NOW).unwrap();
        assert!(limiter.take("ada", Some(v4(1)), NOW).is_err());
        assert!(limiter.take("ada", Some(v4(2)), NOW).is_ok(), "from elsewhere nobody is in the way");
        assert!(limiter.take("bob", Some(v4(1)), NOW).is_ok());
        drop(first);
        assert!(limiter.take("ada", Some(v4(1)), NOW).is_ok());
        drop(limiter.take("ada", Some(v4(1)), NOW));
        assert_eq!(lock(&limiter.under_way).values().sum::<usize>(), 1, "only the second is left");
        assert_eq!(lock(&limiter.strangers).values().sum::<usize>(), 1);
    }

    #[test]
    fn so_many_strangers_at_once_and_the_owner_beside_them() {
        let limiter = SignInLimiter::new(SignInLimits::default());
        limiter.take("ada", Some(v4(0)), NOW).unwrap().succeeded();
        let strangers: Vec<_> = (1..=200).filter_map(|n| limiter.take("ada", Some(v4(n)), NOW).ok()).collect();
        assert_eq!(strangers.len(), 8);
        let owner = [limiter.take("ada", Some(v4(0)), NOW).unwrap(), limiter.take("ada", Some(v4(0)), NOW).unwrap()];
        assert!(limiter.take("ada", Some(v4(0)), NOW).is_err(), "ten in all");
        assert!(limiter.take("bob", Some(v4(1)), NOW).is_ok(), "another account is nobody's business");
        drop(strangers);
        assert!(limiter.take("ada", Some(v4(201)), NOW).is_ok());
        drop(owner);
        assert!(lock(&limiter.strangers).is_empty() && lock(&limiter.under_way).is_empty());
    }

    #[test]
    fn guesses_at_codes_are_few_wherever_they_come_from() {
        let user = |n| token_domain::Id::from_uuid(token_domain::id::Uuid::from_u128(n));
        let limiter = CodeLimiter::default();
        let passed = (0..1_000).filter(|_| limiter.take(user(1), NOW).is_ok()).count();
        assert_eq!(passed, 5);
        assert!(limiter.take(user(2), NOW).is_ok(), "somebody else is not kept waiting");
        // The most that a guesser gets in a day, asking as soon as it may.
        let mut now = NOW;
        let mut guesses = 0;
        while now < NOW + Span::days(1) {
            match limiter.take(user(1), now) {
                Ok(_) => guesses += 1,
                Err(wait) => now = now + wait.retry_after,
            }
        }
        assert!((90..=115).contains(&guesses), "{guesses}");
        limiter.take(user(1), now + Span::days(1)).unwrap().succeeded();
        assert_eq!((0..9).filter(|_| limiter.take(user(1), now).is_ok()).count(), 5, "a right one forgets");
    }

    #[test]
    fn neighbours_in_a_subnet_of_ipv6_count_as_one() {
        let one: IpAddr = "2001:db8:0:1::1".parse().unwrap();
        let two: IpAddr = "2001:db8:0:1:ffff::2".parse().unwrap();
        let other: IpAddr = "2001:db8:0:2::1".parse().unwrap();
        assert_eq!(network_of(one), network_of(two));
        assert_ne!(network_of(one), network_of(other));
        assert_eq!(network_of("::ffff:192.0.2.1".parse().unwrap()), v4(1));
    }

    #[test]
    fn memory_is_bounded() {
        let mut remembered = HashMap::new();
        for n in 0..MOST_KEYS + 1_000 {
            let later = Timestamp::from_micros(NOW.as_micros() + i64::try_from(n).unwrap());
            take(&mut remembered, n, 10, SignInLimits::default().window, later).unwrap();
        }
        assert!(remembered.len() <= MOST_KEYS);
    }
}
