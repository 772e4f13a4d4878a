//! The fences under every interleaving, and every known mistake around them.
//!
//! The promise: **a request that begins after a change was acknowledged is never answered with what was true before the
//! change.** Loom runs each scenario in every order that its threads can take turns in and with every value that their
//! loads may see under acquire and release. The mistakes follow: a model that passed them would prove nothing.
//!
//! ```sh
//! RUSTFLAGS="--cfg loom" cargo test -p fence --release --test loom --target-dir target/loom
//! ```
//!
//! Nothing bounds the search: no limit of preemptions, none of executions. It takes a minute on two cores.
//!
//! Out of the model's reach: loom lets each thread do its steps in the order they are written, so a weaker ordering on
//! the stamp's load, which would allow the read to overtake it, is refused by argument and not here.
#![cfg(loom)]

mod fencing;
mod scenario;
mod tally;
mod world;

use fence::Fences;

use crate::fencing::{Altered, Raising};
use crate::scenario::{Scenario, explore};
use crate::tally::Event;
use crate::world::Habit;

/// What happens in a scenario worth its name when a token is remembered, followed and read again.
const ALL_ABOUT_TOKENS: &[Event] = &[
    Event::BeganLate,
    Event::UsedCache,
    Event::RefusedCache,
    Event::FollowedFlight,
    Event::RefusedFlight,
    Event::ReadAlone,
];

/// The promise holds in every execution, and the executions took the turns that it is about.
#[expect(clippy::print_stdout, reason = "how much was explored is the figure to show: run with --nocapture")]
fn holds(scenario: Scenario, turns: &[Event]) {
    let tally =
        explore(scenario, Habit::AsMeant, Fences::new).unwrap_or_else(|breach| panic!("{scenario:?}: {breach}"));
    println!("{scenario:?} holds in all of its {} executions", tally.executions());
    for turn in turns {
        assert!(tally.of(*turn) > 0, "{scenario:?} never came to {turn:?} in {} executions", tally.executions());
    }
}

#[test]
fn a_revocation_is_final() {
    holds(Scenario::Revocation, ALL_ABOUT_TOKENS);
}

#[test]
fn a_creation_is_known_at_once() {
    let turns =
        [Event::BeganLate, Event::RefusedUnknown, Event::FollowedFlight, Event::RefusedFlight, Event::ReadAlone];
    holds(Scenario::Creation, &turns);
}

#[test]
fn the_change_of_one_member_or_of_its_group_is_final() {
    for scenario in [Scenario::MemberChange, Scenario::GroupChange] {
        holds(scenario, ALL_ABOUT_TOKENS);
    }
}

#[test]
fn other_changes_meanwhile_give_nothing_back() {
    holds(Scenario::Stranger, ALL_ABOUT_TOKENS);
    for scenario in [Scenario::SlotMate, Scenario::Overlap, Scenario::SlowStranger] {
        holds(scenario, &[Event::BeganLate, Event::RefusedCache]);
    }
}

#[test]
fn every_known_mistake_is_caught() {
    use Scenario::{Creation, GroupChange, MemberChange, Revocation};
    let table = [
        (Habit::RaiseBeforeCommit, MemberChange),
        (Habit::RaiseBeforeCommit, GroupChange),
        (Habit::RaiseBeforeCommit, Creation),
        (Habit::RaiseAfterTelling, Revocation),
        (Habit::RaiseAfterTelling, Creation),
        (Habit::StampAfterRead, MemberChange),
        (Habit::StampAfterRead, GroupChange),
        (Habit::StampAfterRead, Creation),
        (Habit::LookOnInsertOnly, MemberChange),
        (Habit::EvictOnly, MemberChange),
        (Habit::EvictAndLookBeforeInsert, MemberChange),
        (Habit::TrustFlights, MemberChange),
        (Habit::TrustFlights, GroupChange),
        (Habit::TrustFlights, Creation),
    ];
    for (habit, scenario) in table {
        let outcome = explore(scenario, habit, Fences::new);
        assert!(outcome.is_err(), "{habit:?} passed {scenario:?}: {outcome:?}");
    }
}

/// What eviction lacks is one thing, the look under the lock that guards the insert: with it, it would do.
#[test]
fn eviction_with_a_check_under_the_lock_keeps_the_promise() {
    let outcome = explore(Scenario::MemberChange, Habit::EvictAndLookOnInsert, Fences::new);
    assert!(outcome.is_ok(), "{outcome:?}");
}

#[test]
fn a_raise_that_sets_back_the_counter_or_a_slot_is_caught() {
    for (raising, scenario) in
        [(Raising::CountByStore, Scenario::SlowStranger), (Raising::WriteByStore, Scenario::SlotMate)]
    {
        let altered = move || Altered::new(raising);
        let outcome = explore(scenario, Habit::AsMeant, altered);
        assert!(outcome.is_err(), "{raising:?} passed {scenario:?}: {outcome:?}");
        let faithful = explore(scenario, Habit::AsMeant, || Altered::new(Raising::Faithful));
        assert!(faithful.is_ok(), "the copy itself is wrong: {faithful:?}");
    }
}

/// Neither a shared value nor a slot written first breaks the promise: a value is made after its change's commit in
/// both, and the counter only grows. They are not used because a slot that is written first also outdates the reads
/// that begin before the counter follows, and because an addition needs no such thought.
#[test]
fn a_raise_may_share_its_value_and_may_write_first() {
    let scenarios =
        [Scenario::MemberChange, Scenario::GroupChange, Scenario::SlotMate, Scenario::Overlap, Scenario::SlowStranger];
    for raising in [Raising::CountByMax, Raising::WriteBeforeCounting] {
        for scenario in scenarios {
            let outcome = explore(scenario, Habit::AsMeant, move || Altered::new(raising));
            assert!(outcome.is_ok(), "{raising:?} failed {scenario:?}: {outcome:?}");
        }
    }
}
