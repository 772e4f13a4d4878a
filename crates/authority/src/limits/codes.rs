//! Limits guesses at a person's one-time codes. They are counted per person, not per address: six digits are too few to
//! give each address its own attempts. A guess at a code takes the password first, so strangers cannot use up the count.

use std::sync::Mutex;

use token_domain::id::UserId;
use token_domain::{Span, Timestamp};

use super::bucket::Allowance;
use super::buckets::Buckets;
use super::key::Key;
use super::shared::{Count, Shared, SharedLimit, SharedTally};
use super::{TooManyAttempts, lock};

/// Wrong codes of a person that cost no wait. With the longest wait a guesser has a hundred tries a day at a million codes,
/// of which three are right.
const ALLOWANCE: Allowance = Allowance { free: 5, window: Span::days(1) };

/// Guesses at one-time codes.
#[derive(Debug, Default)]
pub struct CodeLimiter {
    people: Mutex<Buckets>,
    shared: SharedTally,
}

/// A guess at a code.
#[derive(Debug)]
#[must_use = "a guess counts as wrong until it is said to be right"]
pub struct CodeAttempt<'a> {
    limiter: &'a CodeLimiter,
    key: Key,
}

impl CodeLimiter {
    /// Guesses that are counted with other nodes as well.
    pub(crate) fn new(shared: SharedTally) -> Self {
        Self { people: Mutex::default(), shared }
    }

    /// Counts a guess on all nodes, which is wrong until [`CodeAttempt::succeeded`] says otherwise.
    ///
    /// # Errors
    /// When the next guess has to wait.
    pub async fn take(&self, user: UserId, now: Timestamp) -> Result<CodeAttempt<'_>, TooManyAttempts> {
        let attempt = self.take_here(user, now)?;
        let count = Count { limit: SharedLimit::Code, key: attempt.key, allowance: ALLOWANCE };
        match self.shared.take(&[count]).await {
            Shared::Counted(_) | Shared::Unknown => Ok(attempt),
            Shared::Wait(wait) => {
                lock(&self.people).uncount(&attempt.key);
                Err(wait)
            }
        }
    }

    /// Counts a guess on this node alone.
    ///
    /// # Errors
    /// When the next guess has to wait.
    pub fn take_here(&self, user: UserId, now: Timestamp) -> Result<CodeAttempt<'_>, TooManyAttempts> {
        let key = Key::of("code", &[&user.to_string()]);
        let mut people = lock(&self.people);
        if let Some(retry_after) = people.wait(&key, now) {
            return Err(TooManyAttempts { retry_after });
        }
        people.count(key, ALLOWANCE, now);
        Ok(CodeAttempt { limiter: self, key })
    }
}

impl CodeAttempt<'_> {
    /// The guess was right: the person starts anew.
    pub fn succeeded(self) {
        lock(&self.limiter.people).clear(&self.key);
        self.limiter.shared.give_back(&[], &[(SharedLimit::Code, self.key)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000_000);

    #[test]
    fn guesses_at_codes_are_few_wherever_they_come_from() {
        let user = |n| token_domain::Id::from_uuid(token_domain::id::Uuid::from_u128(n));
        let limiter = CodeLimiter::default();
        let passed = (0..1_000).filter(|_| limiter.take_here(user(1), NOW).is_ok()).count();
        assert_eq!(passed, 5);
        assert!(limiter.take_here(user(2), NOW).is_ok(), "somebody else is not kept waiting");
        // The most that a guesser gets in a day, asking as soon as it may.
        let mut now = NOW;
        let mut guesses = 0;
        while now < NOW + Span::days(1) {
            match limiter.take_here(user(1), now) {
                Ok(_) => guesses += 1,
                Err(wait) => now = now + wait.retry_after,
            }
        }
        assert!((90..=120).contains(&guesses), "{guesses}");
        limiter.take_here(user(1), now + Span::days(1)).unwrap().succeeded();
        assert_eq!((0..9).filter(|_| limiter.take_here(user(1), now).is_ok()).count(), 5, "a right one forgets");
    }
}
