//! Where tokens are used from and for which scopes: noted at a validation, written down with the uses.
//!
//! A token that is used a thousand times a second from one address for one scope is to cost one row a minute, and each
//! validation a look. So what was noted lately is remembered as a number in a table of fixed size that is read without a
//! lock: a validation that finds its number there is done (30 ns); another takes the lock and stands in line to be written.
//! What shares a place in the table pushes each other out and is noted once more, which costs a row and loses nothing. The
//! alternative that lost: the last address in each token's entry, which has no byte left in its two cache lines and says
//! nothing of two addresses that take turns.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use storage::{Store, Tx};
use token_domain::id::TokenId;
use token_domain::record::{ScopeUse, TokenOrigin};
use token_domain::{Requirement, ScopeCatalogue, ScopeSet, Timestamp};

use crate::error::Failure;
use crate::origin::Presentation;

/// Places in the table, 64 KiB: as many tokens and addresses at once are told apart without a lock.
const PLACES: usize = 8_192;
/// Sightings that wait at most. What finds no room is noted at a later use: nothing is marked as noted before it waits.
const MOST: usize = 16_384;
/// Rows of one unit of work.
const AT_ONCE: usize = 64;
/// How exactly the moment of an address is kept: what is seen again within it is not noted again.
const ADDRESS_EVERY: i64 = 60 * 1_000_000;
/// The same of a scope, which is looked at over months.
const SCOPE_EVERY: i64 = 3_600 * 1_000_000;

/// What was seen and is not written down.
#[derive(Debug)]
pub(crate) struct Sightings {
    lately: Box<[AtomicU64]>,
    hasher: RandomState,
    waiting: Mutex<Vec<Sighting>>,
    /// Whether anybody is told of new addresses.
    told: NewAddresses,
}

/// Whether a token's use from a new address queues a notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum NewAddresses {
    /// No: neither mail nor webhooks are configured.
    #[default]
    Ignored,
    /// Yes.
    Noted,
}

/// What one use of a token showed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sighting {
    token: TokenId,
    at: Timestamp,
    seen: Seen,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    From { address: IpAddr, agent: Option<String> },
    For(ScopeSet),
}

impl Default for Sightings {
    fn default() -> Self {
        Self {
            lately: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
            waiting: Mutex::default(),
            told: NewAddresses::default(),
        }
    }
}

impl Sightings {
    /// Nothing seen yet.
    pub(crate) fn telling(told: NewAddresses) -> Self {
        Self { told, ..Self::default() }
    }

    /// Notes where a good token was presented, if its holder presented it.
    pub(crate) fn origin(&self, token: TokenId, presented: &dyn Presentation, at: Timestamp) {
        let Some(address) = presented.holder_address() else { return };
        let number = self.hasher.hash_one((token, address, at.as_micros() / ADDRESS_EVERY));
        self.note(number, || Sighting { token, at, seen: Seen::From { address, agent: presented.holder_agent() } });
    }

    /// Notes which scopes were asked of a token that has them.
    pub(crate) fn scopes(&self, token: TokenId, required: &Requirement, at: Timestamp) {
        let scopes = required.scopes();
        if scopes.is_empty() {
            return;
        }
        let number = self.hasher.hash_one((token, scopes, at.as_micros() / SCOPE_EVERY));
        self.note(number, || Sighting { token, at, seen: Seen::For(scopes) });
    }

    fn note(&self, number: u64, sighting: impl FnOnce() -> Sighting) {
        let place = &self.lately[usize::try_from(number).unwrap_or(0) % PLACES];
        if place.load(Ordering::Relaxed) == number {
            return;
        }
        // Made before the lock is taken: it copies a text.
        let sighting = sighting();
        let mut waiting = self.waiting();
        if waiting.len() < MOST {
            waiting.push(sighting);
            place.store(number, Ordering::Relaxed);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Sighting>> {
        // Nothing panics while it is held.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting().is_empty()
    }

    /// Writes down some of what waits; how many sightings that were. What cannot be written waits on.
    ///
    /// # Errors
    /// An error of the store.
    pub(crate) async fn write_unit(&self, store: &Store, catalogue: &ScopeCatalogue) -> Result<usize, Failure> {
        let part: Vec<Sighting> = {
            let mut waiting = self.waiting();
            let first = waiting.len().saturating_sub(AT_ONCE);
            waiting.split_off(first)
        };
        let written = part.len();
        if written == 0 {
            return Ok(0);
        }
        let (origins, uses) = rows(&part, catalogue);
        let told = self.told;
        let unit = store.write(move |tx| {
            Box::pin(async move {
                let new = match told {
                    NewAddresses::Noted => new_origins(tx, &origins).await?,
                    NewAddresses::Ignored => Vec::new(),
                };
                tx.record_origins(&origins).await?;
                tx.queue_address_notices(&new).await?;
                Ok::<_, Failure>(tx.record_scope_uses(&uses).await?)
            })
        });
        if let Err(failure) = unit.await {
            self.waiting().extend(part);
            return Err(failure);
        }
        Ok(written)
    }
}

/// Those origins whose token is known to be used from elsewhere and not from there. A token that was never used before has no
/// address that would be new.
async fn new_origins(tx: &mut Tx, origins: &[TokenOrigin]) -> Result<Vec<TokenOrigin>, Failure> {
    let mut tokens: Vec<TokenId> = origins.iter().map(|origin| origin.token_id).collect();
    tokens.dedup();
    if tokens.is_empty() {
        return Ok(Vec::new());
    }
    let known = tx.origins_of(&tokens).await?;
    let is_new = |origin: &&TokenOrigin| {
        let mut others = known.iter().filter(|known| known.token_id == origin.token_id).peekable();
        others.peek().is_some() && others.all(|known| known.address != origin.address)
    };
    Ok(origins.iter().filter(is_new).cloned().collect())
}

/// The rows, each key once and in the order in which they are written.
fn rows(part: &[Sighting], catalogue: &ScopeCatalogue) -> (Vec<TokenOrigin>, Vec<ScopeUse>) {
    let (mut origins, mut uses) = (Vec::new(), Vec::new());
    for Sighting { token, at, seen } in part {
        match seen {
            Seen::From { address, agent } => origins.push(TokenOrigin {
                token_id: *token,
                address: address.to_string(),
                agent: agent.clone().filter(|agent| !agent.is_empty()),
                first_used_at: *at,
                last_used_at: *at,
            }),
            Seen::For(scopes) => uses.extend(catalogue.names(*scopes).into_iter().map(|scope| ScopeUse {
                token_id: *token,
                scope: scope.to_owned(),
                last_used_at: *at,
            })),
        }
    }
    origins.sort_by(|one, other| {
        let key = |origin: &TokenOrigin| (origin.token_id, std::cmp::Reverse(origin.last_used_at));
        (one.token_id, &one.address).cmp(&(other.token_id, &other.address)).then(key(one).cmp(&key(other)))
    });
    origins.dedup_by(|next, kept| {
        let is_same = (next.token_id, &next.address) == (kept.token_id, &kept.address);
        if is_same {
            kept.first_used_at = kept.first_used_at.min(next.first_used_at);
        }
        is_same
    });
    uses.sort_by(|one, other| {
        let key = (one.token_id, &one.scope).cmp(&(other.token_id, &other.scope));
        key.then(other.last_used_at.cmp(&one.last_used_at))
    });
    uses.dedup_by(|next, kept| (next.token_id, &next.scope) == (kept.token_id, &kept.scope));
    (origins, uses)
}

#[cfg(test)]
mod tests {
    use test_support::records::{T0, after, id};

    use super::*;
    use crate::origin::Origin;

    fn from(address: &str, agent: &str) -> Origin {
        let presented_from = Some(address.parse().unwrap());
        Origin { presented_from, user_agent: Some(agent.to_owned()), ..Origin::internal() }
    }

    #[test]
    fn an_address_is_noted_once_a_minute_and_every_address_is() {
        let sightings = Sightings::default();
        let minute = T0.as_micros() / ADDRESS_EVERY * ADDRESS_EVERY;
        let at = |second: i64| Timestamp::from_micros(minute + second * 1_000_000);
        for (address, second, waiting) in [
            ("203.0.113.7", 0, 1),
            ("203.0.113.7", 59, 1),
            ("203.0.113.8", 59, 2),
            ("203.0.113.7", 59, 2),
            ("203.0.113.7", 60, 3),
        ] {
            sightings.origin(id(1), &from(address, "curl"), at(second));
            assert_eq!(sightings.waiting().len(), waiting, "{address} after {second} s");
        }
        sightings.origin(id(1), &(|| from("203.0.113.9", "gateway")), at(60));
        assert_eq!(sightings.waiting().len(), 3, "somebody else who asks is no holder");
    }

    #[test]
    fn what_waits_is_bounded_and_noted_later() {
        let sightings = Sightings::default();
        for number in (0..).take(MOST + 10) {
            sightings.origin(id(number), &from("203.0.113.7", ""), T0);
        }
        assert_eq!(sightings.waiting().len(), MOST);
        sightings.waiting().clear();
        sightings.origin(id(u64::try_from(MOST).unwrap() + 5), &from("203.0.113.7", ""), T0);
        assert_eq!(sightings.waiting().len(), 1);
    }

    #[test]
    fn rows_have_each_key_once_and_are_in_order() {
        let catalogue = ScopeCatalogue::built_in().unwrap();
        let required = |name: &str| catalogue.require_all(&[name]).unwrap().scopes();
        let sighting = |token: u64, second: u32, seen| Sighting { token: id(token), at: after(second), seen };
        let seen = |address: &str, agent: &str| Seen::From {
            address: address.parse().unwrap(),
            agent: Some(agent.to_owned()),
        };
        let part = [
            sighting(2, 1, seen("203.0.113.7", "")),
            sighting(1, 3, seen("203.0.113.9", "old")),
            sighting(1, 8, seen("203.0.113.9", "new")),
            sighting(1, 2, seen("203.0.113.8", "curl")),
            sighting(1, 2, Seen::For(required("scans:run"))),
            sighting(1, 5, Seen::For(required("scans:run"))),
        ];
        let (origins, uses) = rows(&part, &catalogue);
        let shown: Vec<_> = origins
            .iter()
            .map(|origin| (origin.address.as_str(), origin.agent.as_deref(), origin.first_used_at, origin.last_used_at))
            .collect();
        assert_eq!(
            shown,
            [
                ("203.0.113.8", Some("curl"), after(2), after(2)),
                ("203.0.113.9", Some("new"), after(3), after(8)),
                ("203.0.113.7", None, after(1), after(1)),
            ]
        );
        let scopes: Vec<_> = uses.iter().map(|used| (used.scope.as_str(), used.last_used_at)).collect();
        assert_eq!(scopes, [("projects:read", after(5)), ("scans:run", after(5))]);
    }
}
