//! What tokens have in common, an organisation and a list of scopes: one copy of each for all the tokens that have it, for
//! as long as one of them is remembered.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::entry::Shared;

/// Unused copies kept beside a quarter of those in use: removing them costs each insertion a look at five copies. What entries are charged holds for all the memory but for that.
const IDLE: usize = 256;

/// The copies in use, and some that were.
#[derive(Debug, Default)]
pub(crate) struct Shares(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    copies: HashSet<Arc<Shared>>,
    /// How many there were in use when somebody last looked.
    used: usize,
}

impl Shares {
    /// The shared copy equal to `wanted`, or `wanted` itself if there is none yet.
    pub(crate) fn copy_of(&self, wanted: Shared) -> Arc<Shared> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(copy) = known.copies.get(&wanted) {
            return Arc::clone(copy);
        }
        if known.copies.len() >= known.used + known.used / 4 + IDLE {
            known.copies.retain(|copy| Arc::strong_count(copy) > 1);
            known.used = known.copies.len();
        }
        let new = Arc::new(wanted);
        known.copies.insert(Arc::clone(&new));
        new
    }
}

#[cfg(test)]
mod tests {
    use token_domain::ScopeSet;
    use token_domain::id::{Id, Uuid};

    use super::*;

    fn shared(number: usize) -> Shared {
        Shared {
            organization_id: Id::from_uuid(Uuid::from_u128(u128::try_from(number).unwrap_or(0))),
            organization_disabled_at: None,
            granted: ScopeSet::EMPTY,
            scopes: "read".into(),
            answer: bytes::Bytes::from_static(b"{}"),
        }
    }

    fn len(shares: &Shares) -> usize {
        shares.0.lock().unwrap_or_else(PoisonError::into_inner).copies.len()
    }

    #[test]
    fn equal_values_share_one_copy() {
        let shares = Shares::default();
        let (one, same, other) = (shares.copy_of(shared(1)), shares.copy_of(shared(1)), shares.copy_of(shared(2)));
        assert!(Arc::ptr_eq(&one, &same) && !Arc::ptr_eq(&one, &other));
    }

    #[test]
    fn copies_that_nobody_has_any_longer_go() {
        let shares = Shares::default();
        let held: Vec<_> = (0..10_000).map(|number| shares.copy_of(shared(number))).collect();
        for number in 10_000..30_000 {
            drop(shares.copy_of(shared(number)));
            assert!(len(&shares) <= 12_500 + IDLE);
        }
        assert!(Arc::ptr_eq(&held[7], &shares.copy_of(shared(7))), "what somebody has stays");
        drop(held);
        for number in 30_000..50_000 {
            drop(shares.copy_of(shared(number)));
        }
        assert!(len(&shares) <= IDLE);
    }
}
