//! Limits mail that others cause: invitations, which go to addresses of the inviting person's choice in the name of this
//! deployment, and notices about tokens, which whoever holds a leaked token could cause.
//!
//! Invitations are counted by organisation, not by person: whoever may invite may also invite somebody who may.

use std::marker::PhantomData;
use std::sync::Mutex;

use token_domain::id::{Id, Kind};
use token_domain::{Span, Timestamp};

use super::bucket::Allowance;
use super::buckets::Buckets;
use super::key::Key;
use super::{TooManyAttempts, lock};

/// Messages that were sent lately, counted by things of kind `K`.
#[derive(Debug)]
pub struct MessageLimiter<K> {
    allowance: Allowance,
    sent: Mutex<Buckets>,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> MessageLimiter<K> {
    /// So many messages cost no wait.
    pub fn new(free: u32) -> Self {
        Self { allowance: Allowance { free, window: Span::days(1) }, sent: Mutex::default(), kind: PhantomData }
    }

    /// Counts a message.
    ///
    /// # Errors
    /// When the next one has to wait.
    pub fn take(&self, id: Id<K>, now: Timestamp) -> Result<(), TooManyAttempts> {
        let key = Key::of("message", &[&id.to_string()]);
        let mut sent = lock(&self.sent);
        if let Some(retry_after) = sent.wait(&key, now) {
            return Err(TooManyAttempts { retry_after });
        }
        sent.count(key, self.allowance, now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use token_domain::id::kind;

    #[test]
    fn a_hundred_messages_go_at_once_and_about_a_hundred_a_day_follow() {
        let organization = |n| Id::<kind::Organization>::from_uuid(token_domain::id::Uuid::from_u128(n));
        let (limiter, begun) = (MessageLimiter::new(100), Timestamp::from_micros(1_000_000_000_000));
        let at_once = (0..1_000).filter(|_| limiter.take(organization(1), begun).is_ok()).count();
        assert_eq!(at_once, 100);
        assert!(limiter.take(organization(2), begun).is_ok(), "another's");
        let (mut now, mut more) = (begun, 0);
        while now < begun + Span::days(1) {
            match limiter.take(organization(1), now) {
                Ok(()) => more += 1,
                Err(wait) => now = now + wait.retry_after,
            }
        }
        assert!((90..=250).contains(&more), "{more}");
    }
}
