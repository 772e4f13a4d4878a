//! Limits the invitations that an organisation has mailed: they go to addresses of the inviting person's choice, which may be
//! strangers', in the name of this deployment.
//!
//! Counted by organisation, not by person: whoever may invite may also invite somebody who may.

use std::sync::Mutex;

use token_domain::id::OrganizationId;
use token_domain::{Span, Timestamp};

use super::bucket::Allowance;
use super::buckets::Buckets;
use super::key::Key;
use super::{TooManyAttempts, lock};

/// Invitations that cost no wait: a team of a hundred is invited at once. With the longest wait another hundred a day follow.
const ALLOWANCE: Allowance = Allowance { free: 100, window: Span::days(1) };

/// Invitations that were mailed lately.
#[derive(Debug, Default)]
pub struct InvitationLimiter {
    organizations: Mutex<Buckets>,
}

impl InvitationLimiter {
    /// Counts an invitation that is mailed.
    ///
    /// # Errors
    /// When the next one has to wait.
    pub fn take(&self, organization: OrganizationId, now: Timestamp) -> Result<(), TooManyAttempts> {
        let key = Key::of("invitation", &[&organization.to_string()]);
        let mut organizations = lock(&self.organizations);
        if let Some(retry_after) = organizations.wait(&key, now) {
            return Err(TooManyAttempts { retry_after });
        }
        organizations.count(key, ALLOWANCE, now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisation_mails_two_hundred_a_day_and_holds_up_no_other() {
        let organization = |n| token_domain::Id::from_uuid(token_domain::id::Uuid::from_u128(n));
        let (limiter, begun) = (InvitationLimiter::default(), Timestamp::from_micros(1_000_000_000_000));
        let at_once = (0..1_000).filter(|_| limiter.take(organization(1), begun).is_ok()).count();
        assert_eq!(at_once, 100);
        assert!(limiter.take(organization(2), begun).is_ok());
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
