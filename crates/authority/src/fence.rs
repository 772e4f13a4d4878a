//! The fence between what caches remember and what changes took away.
//!
//! One process-wide counter orders two kinds of events: a read of the database that a cache will remember (it takes
//! the counter's value *before* it reads) and a change that takes rights away (it raises the counter *after* its
//! commit and writes the new value into the slot of whatever it touched, before anyone is told that it happened). A
//! remembered fact may be used only while the slots of its token and its organisation hold nothing newer than the
//! stamp it was read under, and that is looked at on every use.
//!
//! Why it holds: a request that starts after the change was acknowledged sees the slot raised. If a remembered fact
//! passes all the same, its stamp is at least the raised value, so its read began after the raise, hence after the
//! commit, and saw the change. There is no lock, no list of what to evict, and no need to know under which key a cache
//! holds a token, so a token whose keyed tag is missing is fenced like any other.
//!
//! Slots are shared by hash. A neighbour that shares a raised slot is read again once; that is all a collision costs.
//! (A fence inside each cache bucket, checked under the bucket's lock, was the alternative: it needs the token's
//! digest to find the bucket, which a row whose tag was made with a lost key cannot give.)

#[cfg(loom)]
use loom::sync::atomic::{AtomicU64, Ordering};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicU64, Ordering};

use std::sync::Arc;

use storage::model::Touched;
use token_domain::id::{OrganizationId, TokenId};

/// Slots for tokens. With a million cached tokens one revocation makes about fifteen neighbours be read again.
#[cfg(not(loom))]
const TOKEN_SLOTS: usize = 65_536;
/// Slots for organisations.
#[cfg(not(loom))]
const ORGANIZATION_SLOTS: usize = 4_096;
#[cfg(loom)]
const TOKEN_SLOTS: usize = 2;
#[cfg(loom)]
const ORGANIZATION_SLOTS: usize = 1;

/// A moment in the order of changes: taken before a read that will be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(u64);

/// The counter and the slots.
#[derive(Debug)]
pub struct Fences {
    counter: AtomicU64,
    tokens: Box<[AtomicU64]>,
    organizations: Box<[AtomicU64]>,
    created: AtomicU64,
}

/// Raises fences when it is dropped, whatever happened in between: success, error, panic or an answer that never
/// came from the database. Hold it across the commit.
#[must_use = "fences are raised when this is dropped, so hold it until the commit is over"]
#[derive(Debug)]
pub struct Armed {
    fences: Arc<Fences>,
    touched: Vec<Touched>,
}

impl Default for Fences {
    fn default() -> Self {
        let slots = |count: usize| (0..count).map(|_| AtomicU64::new(0)).collect();
        Self {
            counter: AtomicU64::new(0),
            tokens: slots(TOKEN_SLOTS),
            organizations: slots(ORGANIZATION_SLOTS),
            created: AtomicU64::new(0),
        }
    }
}

impl Fences {
    /// The stamp for a read that is about to begin. Take it before the first byte goes to the database.
    pub fn stamp(&self) -> Stamp {
        Stamp(self.counter.load(Ordering::SeqCst))
    }

    /// Whether facts about a token, read under a stamp, may still be used.
    pub fn holds(&self, stamp: Stamp, token: TokenId, organization: OrganizationId) -> bool {
        self.token_slot(token).load(Ordering::SeqCst) <= stamp.0
            && self.organization_slot(organization).load(Ordering::SeqCst) <= stamp.0
    }

    /// Whether "there is no such token", read under a stamp, may still be used.
    pub fn still_unknown(&self, stamp: Stamp) -> bool {
        self.created.load(Ordering::SeqCst) <= stamp.0
    }

    /// Raises the fence of what a committed change touched.
    pub fn raise(&self, touched: Touched) {
        // An addition, not a load and a store: two changes must never share a value, or a stamp taken between them
        // would pass for both.
        let value = self.counter.fetch_add(1, Ordering::SeqCst) + 1;
        match touched {
            Touched::Token(token) => self.token_slot(token).fetch_max(value, Ordering::SeqCst),
            Touched::Organization(organization) => {
                self.organization_slot(organization).fetch_max(value, Ordering::SeqCst)
            }
            Touched::Created(_) => self.created.fetch_max(value, Ordering::SeqCst),
        };
    }

    /// Promises to raise the fences of a change that is about to be tried.
    pub fn arm(self: &Arc<Self>) -> Armed {
        Armed { fences: Arc::clone(self), touched: Vec::new() }
    }

    fn token_slot(&self, token: TokenId) -> &AtomicU64 {
        slot(&self.tokens, token.uuid().as_u128())
    }

    fn organization_slot(&self, organization: OrganizationId) -> &AtomicU64 {
        slot(&self.organizations, organization.uuid().as_u128())
    }
}

/// The slot of an id: the low 64 bits of a `UUIDv7` are random, so they spread by themselves.
fn slot(slots: &[AtomicU64], id: u128) -> &AtomicU64 {
    let index = usize::try_from(id & 0xffff_ffff).unwrap_or(0) % slots.len();
    &slots[index]
}

impl Armed {
    /// Adds something the change touches.
    pub fn touch(&mut self, touched: Touched) {
        self.touched.push(touched);
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        for touched in &self.touched {
            self.fences.raise(*touched);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn token(bits: u128) -> TokenId {
        TokenId::from_uuid(uuid_of(bits))
    }

    fn organization(bits: u128) -> OrganizationId {
        OrganizationId::from_uuid(uuid_of(bits))
    }

    fn uuid_of(bits: u128) -> token_domain::id::Uuid {
        token_domain::id::Uuid::from_u128(bits)
    }

    #[test]
    fn a_change_outdates_what_was_read_before_it_and_nothing_read_after() {
        let fences = Fences::default();
        let before = fences.stamp();
        assert!(fences.holds(before, token(1), organization(1)));
        fences.raise(Touched::Token(token(1)));
        assert!(!fences.holds(before, token(1), organization(1)));
        assert!(fences.holds(before, token(2), organization(1)));
        let after = fences.stamp();
        assert!(fences.holds(after, token(1), organization(1)));
        fences.raise(Touched::Organization(organization(1)));
        assert!(!fences.holds(after, token(1), organization(1)));
        assert!(fences.holds(after, token(1), organization(2)));
    }

    #[test]
    fn a_creation_outdates_only_what_was_unknown() {
        let fences = Fences::default();
        let before = fences.stamp();
        fences.raise(Touched::Created(token(1)));
        assert!(!fences.still_unknown(before));
        assert!(fences.holds(before, token(1), organization(1)));
        assert!(fences.still_unknown(fences.stamp()));
    }

    #[test]
    fn an_armed_guard_raises_on_panic_too() {
        let fences = Arc::new(Fences::default());
        let stamp = fences.stamp();
        let mut armed = fences.arm();
        armed.touch(Touched::Token(token(9)));
        let outcome = std::thread::spawn(move || {
            let _armed = armed;
            panic!("the database went away");
        })
        .join();
        assert!(outcome.is_err());
        assert!(!fences.holds(stamp, token(9), organization(1)));
    }
}
