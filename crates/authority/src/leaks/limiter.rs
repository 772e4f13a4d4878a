//! How many reports of leaked tokens one address may send: each may name a thousand texts to be looked up, and asks for no
//! credential.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use token_domain::{Span, Timestamp};

use crate::limits::TooManyAttempts;

const WINDOW: Span = Span::seconds(3_600);
/// How many addresses are remembered; beyond it those whose window is over are forgotten, and then all.
const MOST_ADDRESSES: usize = 100_000;

/// Counts reports by address, each in windows that begin with its first.
#[derive(Debug)]
pub(super) struct ReportLimiter {
    /// Reports of an address within [`WINDOW`].
    most: u32,
    windows: Mutex<HashMap<Option<IpAddr>, Window>>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    began: Timestamp,
    count: u32,
}

impl ReportLimiter {
    pub(super) fn new(most: u32) -> Self {
        Self { most, windows: Mutex::default() }
    }

    /// Counts a report from this address.
    pub(super) fn admit(&self, address: Option<IpAddr>, now: Timestamp) -> Result<(), TooManyAttempts> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MOST_ADDRESSES {
            windows.retain(|_, window| window.began + WINDOW > now);
            if windows.len() >= MOST_ADDRESSES {
                windows.clear();
            }
        }
        let window = windows.entry(address).or_insert(Window { began: now, count: 0 });
        if window.began + WINDOW <= now {
            *window = Window { began: now, count: 0 };
        }
        if window.count >= self.most {
            return Err(TooManyAttempts { retry_after: (window.began + WINDOW).since(now) });
        }
        window.count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_hour() {
        let limiter = ReportLimiter::new(60);
        let (one, other) = (Some("192.0.2.1".parse().unwrap()), Some("192.0.2.2".parse().unwrap()));
        let at = |seconds: i64| Timestamp::from_micros(1_700_000_000_000_000 + seconds * 1_000_000);
        for second in 0..60 {
            assert_eq!(limiter.admit(one, at(second)), Ok(()));
        }
        assert_eq!(limiter.admit(one, at(60)), Err(TooManyAttempts { retry_after: Span::seconds(3_540) }));
        assert_eq!(limiter.admit(other, at(60)), Ok(()));
        assert_eq!(limiter.admit(None, at(60)), Ok(()));
        assert_eq!(limiter.admit(one, at(3_600)), Ok(()));
    }
}
