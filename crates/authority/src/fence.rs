//! The fences of the caches, in the words of this crate: tokens are members, organisations are groups.
//!
//! What may still be used of what a cache remembers, and why, is [`::fence`]'s to say. Here ids get their types, and
//! the raise after the commit is made sure of by a guard, so that no way out of a unit of work can skip it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::fence::Raise;
pub use ::fence::Stamp;
use storage::model::Touched;
use token_domain::id::{OrganizationId, TokenId};

/// The fences of this process.
#[derive(Debug, Default)]
pub struct Fences {
    fences: ::fence::Fences,
    looks: Mutex<Looks>,
}

/// When looks at the log of other nodes began: the last one, and the last one whose news are applied.
#[derive(Debug, Default)]
struct Looks {
    asked: Option<Stamp>,
    applied: Option<Stamp>,
}

/// Raises fences when it is dropped, whatever happened in between: success, error, panic or an answer that never
/// came from the database. Hold it across the commit.
#[must_use = "fences are raised when this is dropped, so hold it until the commit is over"]
#[derive(Debug)]
pub struct Armed {
    fences: Arc<Fences>,
    touched: Vec<Touched>,
}

impl Fences {
    /// The stamp for a read that is about to begin. Take it before the first byte goes to the database.
    pub fn stamp(&self) -> Stamp {
        self.fences.stamp()
    }

    /// Whether facts about a token, read under a stamp, may still be used. Ask on every use.
    pub fn holds(&self, stamp: Stamp, token: TokenId, organization: OrganizationId) -> bool {
        self.fences.holds(stamp, token.uuid().as_u128(), organization.uuid().as_u128())
    }

    /// Whether "there is no such token", read under a stamp, may still be used. Ask on every use.
    pub fn still_unknown(&self, stamp: Stamp) -> bool {
        self.fences.still_unknown(stamp)
    }

    /// Raises the fence of what a change touched: after its commit, and before anybody is told.
    pub fn raise(&self, touched: Touched) {
        self.fences.raise(match touched {
            Touched::Token(token) => Raise::Member(token.uuid().as_u128()),
            Touched::Organization(organization) => Raise::Group(organization.uuid().as_u128()),
            Touched::Created(_) => Raise::Created,
        });
    }

    /// Raises every fence: somebody else changed the database, and nobody here knows what.
    pub fn raise_all(&self) {
        self.fences.raise(Raise::Everything);
    }

    /// A look at the log is about to be asked for.
    pub fn asked(&self) {
        self.looks().asked = Some(self.stamp());
    }

    /// What the last look showed is applied.
    pub fn caught_up(&self) {
        let mut looks = self.looks();
        looks.applied = looks.asked;
    }

    /// Whether this process changed neither the token nor the organisation since the last applied poll of the log was sent. If so,
    /// the log entries that it has applied include all of its own changes to them.
    pub fn holds_since_asked(&self, token: TokenId, organization: OrganizationId) -> bool {
        let applied = self.looks().applied;
        applied.is_some_and(|stamp| self.holds(stamp, token, organization))
    }

    fn looks(&self) -> MutexGuard<'_, Looks> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Promises to raise the fences of a change that is about to be tried.
    pub fn arm(self: &Arc<Self>) -> Armed {
        Armed { fences: Arc::clone(self), touched: Vec::new() }
    }
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

#[cfg(test)]
mod tests {
    use token_domain::id::{Id, Kind, Uuid};

    use super::*;

    fn id<K: Kind>(bits: u128) -> Id<K> {
        Id::from_uuid(Uuid::from_u128(bits))
    }

    /// What a stamp is still good for: token 1 of organisation 2, its neighbours on either side, unknown tokens.
    fn good_for(fences: &Fences, stamp: Stamp) -> [bool; 4] {
        let holds = |token, organization| fences.holds(stamp, id(token), id(organization));
        [holds(1, 2), holds(1, 3), holds(2, 2), fences.still_unknown(stamp)]
    }

    #[test]
    fn what_was_touched_is_what_is_fenced() {
        let table = [
            (Touched::Token(id(1)), [false, false, true, true]),
            (Touched::Organization(id(2)), [false, true, false, true]),
            (Touched::Created(id(1)), [true, true, true, false]),
        ];
        for (touched, expected) in table {
            let fences = Fences::default();
            let before = fences.stamp();
            fences.raise(touched);
            assert_eq!(good_for(&fences, before), expected, "{touched:?}");
            assert_eq!(good_for(&fences, fences.stamp()), [true; 4], "{touched:?}");
        }
    }

    #[test]
    fn a_change_that_nobody_knows_fences_everything_read_before_and_nothing_after() {
        let fences = Fences::default();
        let before = fences.stamp();
        fences.raise_all();
        assert_eq!(good_for(&fences, before), [false; 4]);
        assert_eq!(good_for(&fences, fences.stamp()), [true; 4]);
    }

    #[test]
    fn a_change_counts_as_applied_once_a_look_that_began_after_it_is() {
        let fences = Fences::default();
        let holds = || fences.holds_since_asked(id(1), id(2));
        assert!(!holds(), "nothing was looked at yet");
        fences.asked();
        fences.caught_up();
        assert!(holds());
        fences.asked();
        fences.raise(Touched::Token(id(1)));
        assert!(!holds());
        fences.caught_up();
        assert!(!holds(), "that look may have been answered before the change");
        fences.asked();
        assert!(!holds());
        fences.caught_up();
        assert!(holds());
        fences.raise(Touched::Organization(id(2)));
        assert!(!holds());
    }

    #[test]
    fn an_armed_guard_raises_all_it_holds_when_dropped_and_not_before() {
        let fences = Arc::new(Fences::default());
        let stamp = fences.stamp();
        let mut armed = fences.arm();
        armed.touch(Touched::Token(id(1)));
        armed.touch(Touched::Created(id(7)));
        assert_eq!(good_for(&fences, stamp), [true; 4]);
        drop(armed);
        assert_eq!(good_for(&fences, stamp), [false, false, true, false]);
    }

    #[test]
    fn an_armed_guard_raises_on_panic_too() {
        let fences = Arc::new(Fences::default());
        let stamp = fences.stamp();
        let mut armed = fences.arm();
        armed.touch(Touched::Token(id(1)));
        let outcome = std::thread::spawn(move || {
            let _armed = armed;
            panic!("the database went away");
        })
        .join();
        assert!(outcome.is_err());
        assert_eq!(good_for(&fences, stamp), [false, false, true, true]);
    }
}
