//! What was noted of the uses of a token and is not written down.

use token_domain::Timestamp;
use token_domain::id::TokenId;
use token_domain::usage::UseCounts;

/// The kinds of uses that are counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UseKind {
    /// The token was found good.
    Allowed,
    /// It was found good, and lacked a scope that was asked for.
    Insufficient,
    /// It is known and was refused.
    Denied,
}

impl UseKind {
    /// Every kind, in the order of the counters.
    pub const ALL: [Self; 3] = [Self::Allowed, Self::Insufficient, Self::Denied];
}

/// The uses of one token, kept small: a million of them may wait at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Noted {
    token_id: TokenId,
    /// Microseconds; 0 for a token that was only refused.
    last_used: i64,
    counts: [u32; UseKind::ALL.len()],
}

impl Noted {
    pub(crate) fn new(token_id: TokenId, last_used: Option<Timestamp>, counts: [u32; UseKind::ALL.len()]) -> Self {
        Self { token_id, last_used: last_used.map_or(0, Timestamp::as_micros), counts }
    }

    pub(crate) const fn token_id(&self) -> TokenId {
        self.token_id
    }

    /// When it was last used, if it was found good at all.
    pub(crate) fn last_used(&self) -> Option<Timestamp> {
        (self.last_used > 0).then(|| Timestamp::from_micros(self.last_used))
    }

    pub(crate) fn counts(&self) -> UseCounts {
        let [allowed, insufficient, denied] = self.counts.map(u64::from);
        UseCounts { allowed, insufficient, denied }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.counts.iter().all(|count| *count == 0)
    }

    /// Adds another's uses of the same token, if they are of the same and fit.
    pub(crate) fn join(&mut self, other: &Self) -> bool {
        if self.token_id != other.token_id {
            return false;
        }
        let mut sums = self.counts;
        for (sum, count) in sums.iter_mut().zip(other.counts) {
            let Some(fits) = sum.checked_add(count) else { return false };
            *sum = fits;
        }
        (self.last_used, self.counts) = (self.last_used.max(other.last_used), sums);
        true
    }
}
