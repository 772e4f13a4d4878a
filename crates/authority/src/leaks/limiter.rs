//! How many requests one network may send to what asks for no credential and costs something all the same: reports of leaked
//! tokens, of which each may name a thousand texts to be looked up, and exchanges of identity tokens.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use token_domain::{Span, Timestamp};

use crate::limits::{LONGEST_WAIT, SharedLimit, SharedTally, TooManyAttempts, network};

const HOUR: Span = Span::seconds(3_600);
/// How many networks are remembered. Beyond it those are forgotten that may send all of their reports again, and then the half
/// that waits least.
const MOST_NETWORKS: usize = 100_000;

/// Limits the reports of each network: it may send a full allowance at once, which refills evenly over an hour.
#[derive(Debug)]
pub(crate) struct ReportLimiter {
    /// The time in which one report comes back.
    interval: Span,
    /// When each network will have all of its reports again.
    whole_at: Mutex<HashMap<String, Timestamp>>,
    /// What it is counted as by all nodes together, if it is.
    shared: Option<(SharedLimit, SharedTally)>,
}

impl ReportLimiter {
    /// Allows `most` reports an hour.
    pub(crate) fn new(most: u32) -> Self {
        Self {
            interval: Span::micros(HOUR.as_micros() / i64::from(most.max(1))),
            whole_at: Mutex::default(),
            shared: None,
        }
    }

    /// Allows `most` reports an hour over all nodes.
    pub(crate) fn shared(most: u32, limit: SharedLimit, tally: &SharedTally) -> Self {
        Self { shared: Some((limit, tally.clone())), ..Self::new(most) }
    }

    /// Refuses an address that could not send a report now; counts nothing.
    pub(crate) fn check(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), TooManyAttempts> {
        let whole_at = self.whole_at.lock().unwrap_or_else(PoisonError::into_inner);
        whole_at.get(&network(address)).map_or(Ok(()), |whole| self.after(*whole, now).map(drop))
    }

    /// When a network will have all of its reports again after another one, if it may send it.
    fn after(&self, whole: Timestamp, now: Timestamp) -> Result<Timestamp, TooManyAttempts> {
        let after = whole.max(now) + self.interval;
        let beyond = after.since(now).as_micros() - HOUR.as_micros();
        if beyond > 0 {
            let seconds = Span::long_seconds((beyond - 1).div_euclid(1_000_000) + 1);
            return Err(TooManyAttempts { retry_after: seconds.min(LONGEST_WAIT) });
        }
        Ok(after)
    }

    /// Counts a report from this address, on this node and then on all.
    pub(crate) async fn admit(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), TooManyAttempts> {
        self.admit_here(address, now)?;
        let Some((limit, tally)) = &self.shared else { return Ok(()) };
        let network = network(address);
        let admitted = tally.take_of_hour(*limit, &network, self.interval).await;
        if admitted.is_err() {
            let mut whole_at = self.whole_at.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(whole) = whole_at.get_mut(&network) {
                *whole = Timestamp::from_micros(whole.as_micros() - self.interval.as_micros());
            }
        }
        admitted
    }

    /// Counts a report from this address on this node alone. Moments are those of a clock that only runs.
    pub(crate) fn admit_here(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), TooManyAttempts> {
        let mut whole_at = self.whole_at.lock().unwrap_or_else(PoisonError::into_inner);
        if whole_at.len() >= MOST_NETWORKS {
            make_room(&mut whole_at, now);
        }
        let whole = whole_at.entry(network(address)).or_insert(now);
        *whole = self.after(*whole, now)?;
        Ok(())
    }
}

fn make_room(whole_at: &mut HashMap<String, Timestamp>, now: Timestamp) {
    whole_at.retain(|_, whole| *whole > now);
    if whole_at.len() >= MOST_NETWORKS {
        let mut times: Vec<Timestamp> = whole_at.values().copied().collect();
        let middle = times.len() / 2;
        let (_, &mut median, _) = times.select_nth_unstable(middle);
        whole_at.retain(|_, whole| *whole > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000 + seconds * 1_000_000)
    }

    fn from(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_network_has_its_own_hour() {
        let limiter = ReportLimiter::new(60);
        for _ in 0..60 {
            assert_eq!(limiter.admit_here(Some(from("192.0.2.1")), at(0)), Ok(()));
        }
        assert_eq!(
            limiter.admit_here(Some(from("192.0.2.1")), at(0)),
            Err(TooManyAttempts { retry_after: Span::seconds(60) })
        );
        assert_eq!(limiter.admit_here(Some(from("192.0.2.2")), at(0)), Ok(()));
        assert_eq!(limiter.admit_here(None, at(0)), Ok(()));
        assert_eq!(limiter.admit_here(Some(from("192.0.2.1")), at(60)), Ok(()), "one comes back a minute");
        assert!(limiter.admit_here(Some(from("192.0.2.1")), at(60)).is_err());
        assert_eq!((0..100).filter(|_| limiter.admit_here(Some(from("192.0.2.1")), at(7_200)).is_ok()).count(), 60);
    }

    #[test]
    fn a_subnet_of_ipv6_is_one_network() {
        let limiter = ReportLimiter::new(10);
        let passed = (0..50).filter(|n| limiter.admit_here(Some(from(&format!("2001:db8::{n:x}"))), at(0)).is_ok());
        assert_eq!(passed.count(), 10);
    }

    #[test]
    fn nobody_is_told_to_wait_longer_than_documented() {
        for most in [1, 2, 3, 60] {
            let limiter = ReportLimiter::new(most);
            while limiter.admit_here(None, at(0)).is_ok() {}
            for moment in [at(0), at(-92_800), at(10)] {
                let refused = limiter.admit_here(None, moment).unwrap_err();
                assert!(refused.retry_after.as_seconds() <= 900, "{refused:?}");
            }
        }
    }

    #[test]
    fn memory_is_bounded_and_who_waits_goes_on_waiting() {
        let limiter = ReportLimiter::new(2);
        (0..2).for_each(|_| limiter.admit_here(Some(from("192.0.2.1")), at(0)).unwrap());
        for n in 0..u32::try_from(MOST_NETWORKS).unwrap() + 10_000 {
            limiter.admit_here(Some(IpAddr::from((0x0a00_0000 + n).to_be_bytes())), at(0)).unwrap();
        }
        assert!(limiter.whole_at.lock().unwrap().len() <= MOST_NETWORKS);
        assert!(limiter.admit_here(Some(from("192.0.2.1")), at(0)).is_err());
    }
}
