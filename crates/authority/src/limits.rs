//! Back-off for sign-in: a slot is taken, atomically, *before* the password is hashed.
//!
//! Failures are counted for a pair of account and network address, and for the address alone. They are never counted
//! for an account alone: whoever guesses at someone's password from elsewhere slows down only themselves.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use token_domain::{Span, Timestamp};

/// Attempts that cost no wait.
const FREE_ATTEMPTS: u32 = 10;
/// Attempts from one address, over all accounts, that cost no wait.
const FREE_ATTEMPTS_PER_ADDRESS: u32 = 100;
/// The wait after the first attempt too many; it doubles with each further one.
const FIRST_WAIT_SECONDS: i64 = 1;
/// The longest wait.
const LONGEST_WAIT_SECONDS: i64 = 900;
/// After this long without an attempt everything is forgotten.
const MEMORY: Span = Span::seconds(3_600);
/// How many keys are remembered at most; beyond it the oldest are forgotten.
const MOST_KEYS: usize = 100_000;

/// Sign-in back-off.
#[derive(Debug, Default)]
pub struct SignInLimiter {
    pairs: Mutex<HashMap<(String, Option<IpAddr>), Attempts>>,
    addresses: Mutex<HashMap<IpAddr, Attempts>>,
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
    /// Takes a slot for one attempt. The attempt counts as failed until [`SignInLimiter::succeeded`] says otherwise,
    /// so two hundred guesses at once are two hundred, not one.
    ///
    /// # Errors
    /// When the next attempt has to wait.
    pub fn take(&self, account: &str, address: Option<IpAddr>, now: Timestamp) -> Result<(), TooManyAttempts> {
        let network = address.map(network_of);
        if let Some(network) = network {
            take(&mut lock(&self.addresses), network, FREE_ATTEMPTS_PER_ADDRESS, now)?;
        }
        take(&mut lock(&self.pairs), (account.to_owned(), network), FREE_ATTEMPTS, now)
    }

    /// The attempt was right: its pair starts anew.
    pub fn succeeded(&self, account: &str, address: Option<IpAddr>) {
        let network = address.map(network_of);
        lock(&self.pairs).remove(&(account.to_owned(), network));
        if let Some(network) = network
            && let Some(attempts) = lock(&self.addresses).get_mut(&network)
        {
            attempts.count = attempts.count.saturating_sub(1);
        }
    }
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
    now: Timestamp,
) -> Result<(), TooManyAttempts> {
    if remembered.len() >= MOST_KEYS {
        forget(remembered, now);
    }
    let attempts = remembered.entry(key).or_insert(Attempts { count: 0, last: now, not_before: Timestamp::EPOCH });
    if attempts.last + MEMORY <= now {
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
fn forget<K: Clone + Eq + Hash>(remembered: &mut HashMap<K, Attempts>, now: Timestamp) {
    remembered.retain(|_, attempts| attempts.last + MEMORY > now);
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
        let limiter = SignInLimiter::default();
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
        let limiter = SignInLimiter::default();
        while limiter.take("ada", Some(v4(1)), NOW).is_ok() {}
        assert!(limiter.take("ada", Some(v4(2)), NOW).is_ok());
    }

    #[test]
    fn one_address_cannot_go_through_all_accounts() {
        let limiter = SignInLimiter::default();
        let passed = (0..1_000).filter(|n| limiter.take(&format!("user{n}"), Some(v4(1)), NOW).is_ok()).count();
        assert_eq!(passed, 100);
    }

    #[test]
    fn success_and_time_forget() {
        let limiter = SignInLimiter::default();
        while limiter.take("ada", Some(v4(1)), NOW).is_ok() {}
        limiter.succeeded("ada", Some(v4(1)));
        assert!(limiter.take("ada", Some(v4(1)), NOW).is_ok());
        while limiter.take("bob", Some(v4(2)), NOW).is_ok() {}
        assert!(limiter.take("bob", Some(v4(2)), NOW + MEMORY).is_ok());
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
            take(&mut remembered, n, 10, later).unwrap();
        }
        assert!(remembered.len() <= MOST_KEYS);
    }
}
