//! Limits requests for a new password. They are counted by network, which has to wait beyond its allowance, and by address, to
//! which nothing more is sent beyond its own. The answer does not tell the second case: otherwise anybody could find out whether
//! an address was used here before, and could keep its owner from requesting. The owner has the latest message in the mailbox.

use std::net::IpAddr;
use std::sync::Mutex;

use token_domain::{Span, Timestamp};

use super::bucket::Allowance;
use super::buckets::Buckets;
use super::key::{Key, network_text};
use super::shared::{Count, Shared, SharedLimit, SharedTally};
use super::{TooManyAttempts, lock};

/// Requests of a network over all addresses that cost no wait.
const OF_NETWORK: Allowance = Allowance { free: 20, window: Span::seconds(3_600) };
/// Messages to an address that are sent as they are requested. With the longest wait, a hundred a day at most.
const TO_ADDRESS: Allowance = Allowance { free: 3, window: Span::seconds(3_600) };

/// Requests for a new password.
#[derive(Debug, Default)]
pub struct ResetLimiter {
    networks: Mutex<Buckets>,
    addresses: Mutex<Buckets>,
    shared: SharedTally,
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
    /// Requests that are counted with other nodes as well.
    pub(crate) fn new(shared: SharedTally) -> Self {
        Self { shared, ..Self::default() }
    }

    /// Counts a request for an address, known or not, on all nodes.
    ///
    /// # Errors
    /// When the network has to wait.
    pub async fn take(
        &self,
        account: &str,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<ResetRequest, TooManyAttempts> {
        let network = Key::of("reset network", &[&network_text(from)]);
        let of_network = Count { limit: SharedLimit::ResetNetwork, key: network, allowance: OF_NETWORK };
        self.count(&self.networks, of_network, now).await?;
        let address = Key::of("reset address", &[account]);
        let to_address = Count { limit: SharedLimit::ResetAddress, key: address, allowance: TO_ADDRESS };
        let is_one_too_many = self.count(&self.addresses, to_address, now).await.is_err();
        Ok(if is_one_too_many { ResetRequest::Withheld } else { ResetRequest::Sent })
    }

    /// Counts a request on this node, and then on all.
    async fn count(&self, buckets: &Mutex<Buckets>, count: Count, now: Timestamp) -> Result<(), TooManyAttempts> {
        {
            let mut buckets = lock(buckets);
            if let Some(retry_after) = buckets.wait(&count.key, now) {
                return Err(TooManyAttempts { retry_after });
            }
            buckets.count(count.key, count.allowance, now);
        }
        match self.shared.take(&[count]).await {
            Shared::Counted(_) | Shared::Unknown => Ok(()),
            Shared::Wait(wait) => {
                lock(buckets).uncount(&count.key);
                Err(wait)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000_000);

    /// Without other nodes nothing is waited for.
    fn take(
        limiter: &ResetLimiter,
        account: &str,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<ResetRequest, TooManyAttempts> {
        limiter.take(account, Some(from), now).now_or_never().unwrap()
    }

    fn network(n: u32) -> IpAddr {
        IpAddr::from(n.to_be_bytes())
    }

    #[test]
    fn a_network_waits_and_an_address_gets_no_more_messages_from_wherever_they_are_requested() {
        let limiter = ResetLimiter::default();
        let passed = (0..1_000).filter(|n| take(&limiter, &format!("user{n}"), network(1), NOW).is_ok()).count();
        assert_eq!(passed, 20);
        let taken: Vec<_> = (2..1_000).map(|n| take(&limiter, "ada", network(n), NOW)).collect();
        assert!(taken.iter().all(Result::is_ok), "each network asked once");
        assert_eq!(taken.iter().filter(|taken| **taken == Ok(ResetRequest::Sent)).count(), 3);
        assert_eq!(take(&limiter, "bob", network(2), NOW), Ok(ResetRequest::Sent), "another address is not concerned");
        let later = NOW + Span::days(1);
        assert_eq!(take(&limiter, "ada", network(1), later), Ok(ResetRequest::Sent));
    }

    #[test]
    fn an_address_gets_about_a_hundred_messages_a_day_at_most() {
        let limiter = ResetLimiter::default();
        let mut sent = 0;
        for minute in 0..24 * 60 {
            let now = NOW + Span::seconds(60 * minute);
            let from = network(minute);
            sent += usize::from(take(&limiter, "ada", from, now) == Ok(ResetRequest::Sent));
        }
        assert!((80..=110).contains(&sent), "{sent}");
    }
}
