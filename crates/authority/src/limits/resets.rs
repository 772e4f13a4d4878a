//! Limits requests for a new password. They are counted by network, which has to wait beyond its allowance, and by address, to
//! which nothing more is sent beyond its own. The answer does not tell the second case: otherwise anybody could find out whether
//! an address was used here before, and could keep its owner from requesting. The owner has the latest message in the mailbox.

use std::net::IpAddr;
use std::sync::Mutex;

use token_domain::{Span, Timestamp};

use super::bucket::Allowance;
use super::buckets::Buckets;
use super::key::{Key, network_text};
use super::{TooManyAttempts, lock};

/// Requests of a network over all addresses that cost no wait.
const OF_NETWORK: Allowance = Allowance { free: 20, window: Span::seconds(3_600) };
/// Messages to an address that are sent as they are requested. With the longest wait, a hundred a day at most.
const TO_ADDRESS: Allowance = Allowance { free: 3, window: Span::seconds(3_600) };

/// Requests for a new password.
#[derive(Debug, Default)]
pub struct ResetLimiter {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    networks: Buckets,
    addresses: Buckets,
}

/// What becomes of a request that its network may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetRequest {
    /// A message is sent if the address has an account.
    Sent,
    /// The address had too many messages lately.
    Withheld,
}

impl ResetLimiter {
    /// Counts a request for an address, known or not.
    ///
    /// # Errors
    /// When the network has to wait.
    pub fn take(&self, account: &str, from: Option<IpAddr>, now: Timestamp) -> Result<ResetRequest, TooManyAttempts> {
        let network = Key::of("reset network", &[&network_text(from)]);
        let address = Key::of("reset address", &[account]);
        let mut state = lock(&self.state);
        if let Some(retry_after) = state.networks.wait(&network, now) {
            return Err(TooManyAttempts { retry_after });
        }
        state.networks.count(network, OF_NETWORK, now);
        if state.addresses.wait(&address, now).is_some() {
            return Ok(ResetRequest::Withheld);
        }
        state.addresses.count(address, TO_ADDRESS, now);
        Ok(ResetRequest::Sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000_000);

    fn network(n: u32) -> IpAddr {
        IpAddr::from(n.to_be_bytes())
    }

    #[test]
    fn a_network_waits_and_an_address_gets_no_more_messages_from_wherever_they_are_requested() {
        let limiter = ResetLimiter::default();
        let passed = (0..1_000).filter(|n| limiter.take(&format!("user{n}"), Some(network(1)), NOW).is_ok()).count();
        assert_eq!(passed, 20);
        let taken: Vec<_> = (2..1_000).map(|n| limiter.take("ada", Some(network(n)), NOW)).collect();
        assert!(taken.iter().all(Result::is_ok), "each network asked once");
        assert_eq!(taken.iter().filter(|taken| **taken == Ok(ResetRequest::Sent)).count(), 3);
        assert_eq!(
            limiter.take("bob", Some(network(2)), NOW),
            Ok(ResetRequest::Sent),
            "another address is not concerned"
        );
        let later = NOW + Span::days(1);
        assert_eq!(limiter.take("ada", Some(network(1)), later), Ok(ResetRequest::Sent));
    }

    #[test]
    fn an_address_gets_about_a_hundred_messages_a_day_at_most() {
        let limiter = ResetLimiter::default();
        let mut sent = 0;
        for minute in 0..24 * 60 {
            let now = NOW + Span::seconds(60 * minute);
            let from = network(minute);
            sent += usize::from(limiter.take("ada", Some(from), now) == Ok(ResetRequest::Sent));
        }
        assert!((80..=110).contains(&sent), "{sent}");
    }
}
