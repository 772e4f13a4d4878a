//! Back-off for sign-in: a slot is taken, atomically, *before* the password is hashed.
//!
//! The rule is to hold strangers and never to lock anybody out. An attempt comes from a *device*: an account, a network and
//! what the client calls itself, together. A device the account was signed in to from before is known, also after a restart
//! (`known_devices`), and has its own count that nobody else can fill. Every other attempt is a stranger's, and is counted
//! three times: for the account from that network, for the network over all accounts, and for the account over all networks.
//! So a thousand guessers at a thousand addresses get a hundred guesses and then about a hundred a day; a person who shares
//! an address with a guesser gets in as long as their device is known. An alarm reports an account that reached its bound: its
//! owner may then have to wait before signing in from a new device.
//!
//! Moments here are those of [`Clock::steady`](crate::env::Clock::steady): a wall clock that is set back or ahead makes no
//! wait longer and forgets no failure.
//!
//! What guards against guesses is counted by all nodes together where they share a Redis (`shared`).
//!
//! Counts are kept by digest and wear off (`bucket`), in bounded memory (`buckets`). Guesses at one-time codes are counted
//! for the person (`codes`), mail that others cause for whom it concerns (`messages`), requests for a new password by network
//! and address (`resets`); rows of the trail for what was refused are bounded (`ledger`).

mod bucket;
mod buckets;
mod codes;
mod key;
mod ledger;
mod messages;
mod resets;
mod shared;

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use token_domain::{Span, Timestamp};

pub use codes::{CodeAttempt, CodeLimiter};
pub use ledger::RefusalLedger;
pub use messages::MessageLimiter;
pub use resets::{ResetLimiter, ResetRequest};
pub(crate) use shared::SharedTally;
pub use shared::{SharedCounts, SharedLimit, SharedLimitCounters};

use bucket::{Allowance, FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS};
use buckets::{Buckets, MOST};
use key::{Key, network_text};
use shared::{Count, Shared};

/// The longest wait that anybody is asked for.
pub(crate) const LONGEST_WAIT: Span = Span::long_seconds(LONGEST_WAIT_SECONDS);

/// A device without a sign-in for this long counts as unknown again.
pub(crate) const DEVICE_MEMORY: Span = Span::days(180);

/// The free attempts of one network over all accounts, and those of one account over all networks, as a multiple of
/// [`SignInLimits::attempts`]. With the default of ten attempts that is the hundred of NIST SP 800-63B, section 3.2.2.
const TIMES_OVER_ALL: u32 = 10;
/// Concurrent attempts at one account from unknown devices. Together with the two that a known device may have, at most ten
/// hashes run for an account and a device.
const MOST_STRANGERS: usize = 8;

/// The sign-in limits of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInLimits {
    /// Failed attempts at an account from a network that cost no wait.
    pub attempts: u32,
    /// Fewer attempts than that are forgotten after this long without another; attempts that caused a wait wear off over a day.
    pub window: Span,
    /// Attempts of a device, or at an account from a network, that are worked on at once.
    pub concurrent: usize,
}

impl Default for SignInLimits {
    fn default() -> Self {
        Self { attempts: 10, window: Span::seconds(900), concurrent: 2 }
    }
}

/// The keys by which the limits tell sign-in attempts apart.
#[derive(Clone, Copy, Debug)]
pub struct Attempter {
    account: Key,
    network: Key,
    pair: Key,
    device: Key,
}

impl Attempter {
    /// An account as it was named, known or not; where the attempt came from; and what the client calls itself.
    pub fn new(account: &str, address: Option<IpAddr>, agent: Option<&str>) -> Self {
        let network = network_text(address);
        Self {
            account: Key::of("account", &[account]),
            network: Key::of("network", &[&network]),
            pair: Key::of("pair", &[account, &network]),
            device: Key::of("device", &[account, &network, agent.unwrap_or_default()]),
        }
    }
}

/// The network of a client as limits tell networks apart, as a text.
pub fn network(address: Option<IpAddr>) -> String {
    network_text(address)
}

/// Sign-in back-off.
#[derive(Debug)]
pub struct SignInLimiter {
    limits: SignInLimits,
    state: Mutex<State>,
    shared: SharedTally,
}

#[derive(Debug, Default)]
struct State {
    buckets: Buckets,
    /// Attempts being worked on, by pair or device, and strangers' by account.
    under_way: HashMap<Key, usize>,
    strangers: HashMap<Key, usize>,
    /// Known devices, with the account of each and when it last signed in.
    known: HashMap<Key, Known>,
}

/// A device that an account was signed in to from.
#[derive(Clone, Copy, Debug)]
struct Known {
    account: Key,
    at: Timestamp,
}

/// An attempt that is being worked on, until it is dropped. It counts as failed until [`Attempt::right`] says otherwise.
#[derive(Debug)]
pub struct Attempt<'a> {
    limiter: &'a SignInLimiter,
    attempter: Attempter,
    now: Timestamp,
    is_known: bool,
    /// Whether the other nodes have counted it.
    is_shared: bool,
    /// Whether strangers at this account have to wait from now on, and did not before.
    pub raises_alarm: bool,
}

/// Too many attempts: come back after this long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts; try again in {} seconds", .retry_after.as_seconds())]
pub struct TooManyAttempts {
    /// How long to wait.
    pub retry_after: Span,
}

const BUSY: TooManyAttempts = TooManyAttempts { retry_after: Span::long_seconds(FIRST_WAIT_SECONDS) };

impl SignInLimiter {
    /// Nobody has tried anything yet.
    pub(crate) fn new(limits: SignInLimits, shared: SharedTally) -> Self {
        Self { limits, state: Mutex::default(), shared }
    }

    /// Takes a slot for one attempt, held until the result is dropped, and counts it on all nodes. Two hundred guesses at once
    /// are two hundred, not one.
    ///
    /// # Errors
    /// When the next attempt has to wait, or as many as may be are under way on this node.
    pub async fn take(&self, attempter: Attempter, now: Timestamp) -> Result<Attempt<'_>, TooManyAttempts> {
        let mut attempt = self.take_here(attempter, now)?;
        let counts = self.counted(&attempter, attempt.is_known);
        match self.shared.take(&counts).await {
            Shared::Counted(raised) => {
                attempt.is_shared = true;
                let account = counts.iter().position(|count| count.limit == SharedLimit::SignInAccount);
                // All nodes together raise it once.
                attempt.raises_alarm = account.is_some_and(|place| raised[place]);
                Ok(attempt)
            }
            Shared::Unknown => Ok(attempt),
            Shared::Wait(wait) => {
                let mut state = lock(&self.state);
                for count in &counts {
                    state.buckets.uncount(&count.key);
                }
                drop(state);
                Err(wait)
            }
        }
    }

    /// As [`take`](Self::take), counted on this node alone.
    fn take_here(&self, attempter: Attempter, now: Timestamp) -> Result<Attempt<'_>, TooManyAttempts> {
        let mut state = lock(&self.state);
        let is_known = state.known.contains_key(&attempter.device);
        let counted = self.counted(&attempter, is_known);
        let place = place(&attempter, is_known);
        if let Some(retry_after) = counted.iter().filter_map(|count| state.buckets.wait(&count.key, now)).max() {
            return Err(TooManyAttempts { retry_after });
        }
        if state.under_way.get(&place).is_some_and(|count| *count >= self.limits.concurrent) {
            return Err(BUSY);
        }
        if !is_known {
            let strangers = state.strangers.entry(attempter.account).or_default();
            if *strangers >= MOST_STRANGERS {
                return Err(BUSY);
            }
            *strangers += 1;
        }
        *state.under_way.entry(place).or_default() += 1;
        let mut raises_alarm = false;
        for Count { key, allowance, .. } in counted {
            let raised = state.buckets.count(key, allowance, now);
            raises_alarm |= raised && key == attempter.account;
        }
        Ok(Attempt { limiter: self, attempter, now, is_known, is_shared: false, raises_alarm })
    }

    /// Whether the device is known without asking the store.
    pub fn knows(&self, attempter: &Attempter) -> bool {
        lock(&self.state).known.contains_key(&attempter.device)
    }

    /// Remembers that the store knows this device.
    pub fn recognise(&self, attempter: &Attempter, now: Timestamp) {
        lock(&self.state).recognise(attempter, now);
    }

    /// Forgets the known devices of an account, for example when its password changes.
    pub fn forget(&self, account: &str) {
        let account = Key::of("account", &[account]);
        lock(&self.state).known.retain(|_, device| device.account != account);
    }

    /// What an attempt is counted under.
    fn counted(&self, attempter: &Attempter, is_known: bool) -> Vec<Count> {
        let one = Allowance { free: self.limits.attempts, window: self.limits.window };
        let all = Allowance { free: self.limits.attempts.saturating_mul(TIMES_OVER_ALL), window: self.limits.window };
        if is_known {
            return vec![Count { limit: SharedLimit::SignInDevice, key: attempter.device, allowance: one }];
        }
        // A bound over a day: a botnet that spreads its guesses over hours is held as well.
        let account = Allowance { window: Span::days(1), ..all };
        vec![
            Count { limit: SharedLimit::SignInPair, key: attempter.pair, allowance: one },
            Count { limit: SharedLimit::SignInNetwork, key: attempter.network, allowance: all },
            Count { limit: SharedLimit::SignInAccount, key: attempter.account, allowance: account },
        ]
    }
}

impl State {
    fn recognise(&mut self, attempter: &Attempter, now: Timestamp) {
        if self.known.len() >= MOST {
            forget_older_half(&mut self.known);
        }
        self.known.insert(attempter.device, Known { account: attempter.account, at: now });
    }
}

/// The key under which concurrent attempts are bounded.
const fn place(attempter: &Attempter, is_known: bool) -> Key {
    if is_known { attempter.device } else { attempter.pair }
}

impl Attempt<'_> {
    /// Whether the account was signed in to from this device before.
    pub const fn is_known(&self) -> bool {
        self.is_known
    }

    /// The password was right: what the attempt was counted under forgets it. Call it once.
    pub fn right(&self) {
        let mut state = lock(&self.limiter.state);
        let Attempter { account, network, pair, device } = self.attempter;
        if !self.is_known {
            state.buckets.uncount(&network);
            state.buckets.uncount(&account);
            state.buckets.clear(&pair);
        }
        state.buckets.clear(&device);
        drop(state);
        let counted = [(SharedLimit::SignInNetwork, network), (SharedLimit::SignInAccount, account)];
        let counted = if self.is_shared && !self.is_known { &counted[..] } else { &[] };
        let device = (SharedLimit::SignInDevice, device);
        let cleared = if self.is_known { vec![device] } else { vec![(SharedLimit::SignInPair, pair), device] };
        self.limiter.shared.give_back(counted, &cleared);
    }

    /// The person is signed in, their second factor proven if they have one: the device is known from now on.
    pub fn signed_in(self) {
        lock(&self.limiter.state).recognise(&self.attempter, self.now);
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.limiter.state);
        leave(&mut state.under_way, &place(&self.attempter, self.is_known));
        if !self.is_known {
            leave(&mut state.strangers, &self.attempter.account);
        }
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

/// Forgets the half that signed in longest ago.
fn forget_older_half(devices: &mut HashMap<Key, Known>) {
    let mut times: Vec<Timestamp> = devices.values().map(|device| device.at).collect();
    let middle = times.len() / 2;
    let (_, median, _) = times.select_nth_unstable(middle);
    let median = *median;
    devices.retain(|_, device| device.at > median);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000_000);

    fn v4(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
    }

    fn from(account: &str, last: u8) -> Attempter {
        Attempter::new(account, Some(v4(last)), Some("browser"))
    }

    impl Attempt<'_> {
        fn succeeded(self) {
            self.right();
            self.signed_in();
        }
    }

    fn default() -> SignInLimiter {
        SignInLimiter::new(SignInLimits::default(), SharedTally::default())
    }

    #[test]
    fn ten_guesses_at_once_and_then_a_growing_wait() {
        let limiter = default();
        let passed = (0..200).filter(|_| limiter.take_here(from("ada", 1), NOW).is_ok()).count();
        assert_eq!(passed, 10);
        let mut now = NOW;
        for wait in [1, 2, 4, 8, 16] {
            let refused = limiter.take_here(from("ada", 1), now).unwrap_err();
            assert_eq!(refused.retry_after.as_seconds(), wait);
            now = now + Span::long_seconds(wait);
            assert!(limiter.take_here(from("ada", 1), now).is_ok(), "after {wait} s");
        }
    }

    #[test]
    fn a_guesser_elsewhere_does_not_lock_the_owner_out() {
        let limiter = default();
        while limiter.take_here(from("ada", 1), NOW).is_ok() {}
        assert!(limiter.take_here(from("ada", 2), NOW).is_ok());
    }

    #[test]
    fn one_network_cannot_go_through_all_accounts_and_known_devices_there_get_in() {
        let limiter = default();
        limiter.take_here(from("ada", 1), NOW).unwrap().succeeded();
        let passed = (0..1_000).filter(|n| limiter.take_here(from(&format!("user{n}"), 1), NOW).is_ok()).count();
        assert_eq!(passed, 100);
        limiter.take_here(from("ada", 1), NOW).unwrap().succeeded();
        let other_client = Attempter::new("ada", Some(v4(1)), Some("curl"));
        assert!(limiter.take_here(other_client, NOW).is_err(), "another client at the same address is a stranger");
        let elsewhere = from("ada", 2);
        assert!(limiter.take_here(elsewhere, NOW).is_ok());
    }

    #[test]
    fn guesses_behind_one_address_do_not_fill_the_count_of_a_known_device() {
        let limiter = default();
        limiter.take_here(from("ada", 1), NOW).unwrap().succeeded();
        let guesser = Attempter::new("ada", Some(v4(1)), Some("guesser"));
        while limiter.take_here(guesser, NOW).is_ok() {}
        limiter.take_here(from("ada", 1), NOW).unwrap().succeeded();
        // Its own wrong passwords are counted all the same.
        assert_eq!((0..50).filter(|_| limiter.take_here(from("ada", 1), NOW).is_ok()).count(), 10);
    }

    #[test]
    fn an_account_is_guessed_at_a_hundred_times_from_everywhere_and_the_alarm_is_raised_once() {
        let limiter = default();
        limiter.take_here(from("ada", 0), NOW).unwrap().succeeded();
        let guess = |n: u32| Attempter::new("ada", Some(IpAddr::from(n.to_be_bytes())), None);
        let mut alarms = 0;
        let passed = (0..2_000).filter(|n| {
            let taken = limiter.take_here(guess(*n), NOW);
            alarms += usize::from(taken.as_ref().is_ok_and(|attempt| attempt.raises_alarm));
            taken.is_ok()
        });
        assert_eq!(passed.count(), 100);
        assert_eq!(alarms, 1);
        assert!(limiter.take_here(from("ada", 0), NOW).is_ok(), "from a known device one always gets in");
        assert!(limiter.take_here(from("bob", 1), NOW).is_ok(), "another account is not concerned");
        let mut now = NOW;
        let mut guesses = 0;
        for n in 2_000.. {
            if now >= NOW + Span::days(1) {
                break;
            }
            match limiter.take_here(guess(n), now) {
                Ok(_) => guesses += 1,
                Err(wait) => now = now + wait.retry_after,
            }
        }
        assert!((90..=120).contains(&guesses), "{guesses} within a day");
    }

    #[test]
    fn success_and_time_forget() {
        let limiter = default();
        while limiter.take_here(from("ada", 1), NOW).is_ok() {}
        let after_the_wait = NOW + Span::seconds(1);
        limiter.take_here(from("ada", 1), after_the_wait).unwrap().succeeded();
        assert!((0..9).all(|_| limiter.take_here(from("ada", 1), after_the_wait).is_ok()), "it starts anew");
        (0..9).for_each(|_| drop(limiter.take_here(from("bob", 2), NOW).unwrap()));
        let later = NOW + SignInLimits::default().window;
        assert_eq!((0..50).filter(|_| limiter.take_here(from("bob", 2), later).is_ok()).count(), 10);
    }

    #[test]
    fn a_clock_that_is_set_back_asks_for_no_longer_wait_than_documented() {
        let limiter = default();
        for second in 0..10_000 {
            let _ = limiter.take_here(from("ada", 1), NOW + Span::seconds(second));
        }
        let back = Timestamp::from_micros(NOW.as_micros() - 92_800_000_000);
        let refused = limiter.take_here(from("ada", 1), back).unwrap_err();
        assert!(refused.retry_after.as_seconds() <= 900, "{refused:?}");
    }

    #[test]
    fn so_many_at_once_and_no_more() {
        let limiter = default();
        let first = limiter.take_here(from("ada", 1), NOW).unwrap();
        let _second = limiter.take_here(from("ada", 1), NOW).unwrap();
        assert!(limiter.take_here(from("ada", 1), NOW).is_err());
        assert!(limiter.take_here(from("ada", 2), NOW).is_ok(), "from elsewhere nobody is in the way");
        assert!(limiter.take_here(from("bob", 1), NOW).is_ok());
        drop(first);
        assert!(limiter.take_here(from("ada", 1), NOW).is_ok());
        drop(limiter.take_here(from("ada", 1), NOW));
        let state = lock(&limiter.state);
        assert_eq!(state.under_way.values().sum::<usize>(), 1, "only the second is left");
        assert_eq!(state.strangers.values().sum::<usize>(), 1);
    }

    #[test]
    fn so_many_strangers_at_once_and_known_devices_beside_them() {
        let limiter = default();
        limiter.take_here(from("ada", 0), NOW).unwrap().succeeded();
        let strangers: Vec<_> = (1..=200).filter_map(|n| limiter.take_here(from("ada", n), NOW).ok()).collect();
        assert_eq!(strangers.len(), 8);
        let owner = [limiter.take_here(from("ada", 0), NOW).unwrap(), limiter.take_here(from("ada", 0), NOW).unwrap()];
        assert!(limiter.take_here(from("ada", 0), NOW).is_err(), "ten in all");
        assert!(limiter.take_here(from("ada", 201), NOW).is_err());
        limiter.recognise(&from("ada", 201), NOW);
        assert!(limiter.take_here(from("ada", 201), NOW).is_ok(), "once the store has said that it knows the device");
        assert!(limiter.take_here(from("bob", 1), NOW).is_ok(), "another account is not concerned");
        drop(strangers);
        assert!(limiter.take_here(from("ada", 202), NOW).is_ok());
        drop(owner);
        let state = lock(&limiter.state);
        assert!(state.strangers.is_empty() && state.under_way.is_empty());
    }

    #[test]
    fn clients_whose_address_cannot_be_told_share_a_count() {
        let limiter = default();
        let nowhere = |n: u32| Attempter::new(&format!("user{n}"), None, None);
        assert_eq!((0..1_000).filter(|n| limiter.take_here(nowhere(*n), NOW).is_ok()).count(), 100);
        assert!(limiter.take_here(from("ada", 1), NOW).is_ok());
    }
}
