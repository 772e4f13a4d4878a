//! What requests and changes there are, who runs beside whom, and what must not be answered.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use fence::Raise;
use loom::model::Builder;
use loom::thread;

use crate::fencing::Fencing;
use crate::tally::{Event, Tally};
use crate::world::{Change, Facts, Habit, ORGANIZATION, SLOT_MATE, STRANGER, TOKEN, World};

/// How every breach is announced, to tell it from other panics.
const BREACH: &str = "breach of the promise";

/// Who does what. A request may begin at any time; it counts as late when it sees that the change was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// The token is revoked beside a request and a late one; when all are done, another finds what they left behind.
    Revocation,
    /// The token is created, otherwise as above.
    Creation,
    /// The token is revoked beside a request; then comes a late one.
    MemberChange,
    /// As above, but it is the organisation that changes, and the token is dead by that.
    GroupChange,
    /// The token is revoked beside a request and a change of a token in another slot; then comes a late request.
    Stranger,
    /// A request, a revocation, a late request, and beside them a change of a token in the same slot.
    SlotMate,
    /// As above, but beside them the organisation changes.
    Overlap,
    /// Two changes of another token and a request, and beside them one more such change, which may be slow; then a
    /// revocation and a late request.
    SlowStranger,
}

impl Scenario {
    fn change(self) -> Change {
        match self {
            Self::Revocation
            | Self::MemberChange
            | Self::SlotMate
            | Self::Stranger
            | Self::Overlap
            | Self::SlowStranger => Change { facts: Facts::Dead, touched: Raise::Member(TOKEN) },
            Self::GroupChange => Change { facts: Facts::Dead, touched: Raise::Group(ORGANIZATION) },
            Self::Creation => Change { facts: Facts::Live, touched: Raise::Created },
        }
    }

    /// What the row says before the change, which is what no late request may be answered.
    fn before(self) -> Facts {
        match self {
            Self::Creation => Facts::Unknown,
            Self::Revocation
            | Self::GroupChange
            | Self::MemberChange
            | Self::SlotMate
            | Self::Stranger
            | Self::Overlap
            | Self::SlowStranger => Facts::Live,
        }
    }
}

/// One execution of a scenario.
struct Play<F: Fencing> {
    scenario: Scenario,
    world: World<F>,
    tally: Arc<Tally>,
}

impl<F: Fencing> Play<F> {
    fn run(self: &Arc<Self>) {
        match self.scenario {
            Scenario::Revocation | Scenario::Creation => {
                self.beside(&[Self::request, Self::late_request], Self::change);
                self.request();
            }
            Scenario::MemberChange | Scenario::GroupChange => self.beside(&[Self::request], Self::change_and_request),
            Scenario::Stranger => self.beside(&[Self::request, Self::raise_stranger], Self::change_and_request),
            Scenario::SlotMate => self.beside(&[Self::raise_slot_mate], Self::request_around_change),
            Scenario::Overlap => self.beside(&[Self::raise_organization], Self::request_around_change),
            Scenario::SlowStranger => {
                self.beside(&[Self::raise_stranger], |play| {
                    play.raise_stranger();
                    play.raise_stranger();
                    play.request();
                });
                self.change_and_request();
            }
        }
    }

    /// Does `work` while others do theirs, and waits for them.
    fn beside(self: &Arc<Self>, others: &[fn(&Self)], work: fn(&Self)) {
        let spawn = |other: &fn(&Self)| {
            let (play, other) = (Arc::clone(self), *other);
            thread::spawn(move || other(&play))
        };
        let others: Vec<_> = others.iter().map(spawn).collect();
        work(self);
        for other in others {
            other.join().expect("a breach ends the execution before anybody is joined");
        }
    }

    /// A request that may begin at any time.
    fn request(&self) {
        let late = self.world.is_acknowledged();
        let facts = self.world.validate();
        if late {
            self.check(facts);
        }
    }

    /// A request that begins after the acknowledgement, or not at all. Of two requests beside a change, one at least
    /// has to be late for the promise to say anything, so the other alone needs to begin at any time.
    fn late_request(&self) {
        if self.world.is_acknowledged() {
            self.check(self.world.validate());
        }
    }

    /// The promise.
    fn check(&self, answered: Facts) {
        self.tally.count(Event::BeganLate);
        assert!(answered != self.scenario.before(), "{BREACH}: {answered:?} after {:?}", self.scenario);
    }

    fn change(&self) {
        self.world.change(self.scenario.change());
    }

    fn change_and_request(&self) {
        self.change();
        self.request();
    }

    fn request_around_change(&self) {
        self.request();
        self.change_and_request();
    }

    fn raise_stranger(&self) {
        self.world.raise(Raise::Member(STRANGER));
    }

    fn raise_slot_mate(&self) {
        self.world.raise(Raise::Member(SLOT_MATE));
    }

    fn raise_organization(&self) {
        self.world.raise(Raise::Group(ORGANIZATION));
    }
}

/// Runs every execution of a scenario, and says what happened in them.
///
/// # Errors
/// The breach of the promise that one of them ended with.
pub(crate) fn explore<F: Fencing>(
    scenario: Scenario,
    habit: Habit,
    fences: impl Fn() -> F + Send + Sync + 'static,
) -> Result<Arc<Tally>, String> {
    let tally = Arc::new(Tally::default());
    let play = {
        let tally = Arc::clone(&tally);
        move || {
            tally.begin();
            let world = World::new(fences(), habit, scenario.before(), &tally);
            Arc::new(Play { scenario, world, tally: Arc::clone(&tally) }).run();
        }
    };
    match catch_unwind(AssertUnwindSafe(|| Builder::new().check(play))) {
        Ok(()) => Ok(tally),
        Err(panic) => Err(breach(panic.as_ref())),
    }
}

fn breach(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map_or("a panic without text", String::as_str);
    assert!(text.starts_with(BREACH), "the model stopped for another reason: {text}");
    text.to_owned()
}
