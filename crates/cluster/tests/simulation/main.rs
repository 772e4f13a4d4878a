//! The protocol under schedules drawn from a seed: nodes that are stopped, killed and cut off, clocks that run at different
//! rates, failovers that lose what was not durable. A checker looks at what clients saw: no validation that was sent after a
//! revocation was answered says "valid".
//!
//! Each known mistake is played as well and must be caught, which shows that the schedules reach where it matters.
//!
//! To play one schedule again: `NOLAPSE_SIMULATION_SEED=<seed>`. The long version has a million schedules.

#![expect(clippy::unwrap_used, reason = "what a test did not expect fails it")]

mod chance;
mod database;
mod node;
mod scripts;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use node::Mistake;
use world::{Outcome, play};

/// Schedules of the protocol as it is.
const SCHEDULES: u64 = 20_000;
const SCHEDULES_FULL: u64 = 1_000_000;
/// A mistake must be caught within this many schedules.
const SCHEDULES_TO_CATCH: u64 = 200_000;

fn is_full() -> bool {
    std::env::var_os("NOLAPSE_TEST_FULL").is_some()
}

/// One seed to play again, if that was asked for.
fn asked_for() -> Option<u64> {
    std::env::var("NOLAPSE_SIMULATION_SEED").ok().map(|seed| seed.parse().unwrap())
}

#[test]
fn no_validation_after_the_answer_to_a_revocation_says_valid() {
    if let Some(seed) = asked_for() {
        let outcome = play(seed, None, true);
        assert_eq!(outcome.violation, None, "seed {seed}");
        return;
    }
    let schedules = if is_full() { SCHEDULES_FULL } else { SCHEDULES };
    let next = AtomicU64::new(0);
    let (mut total, mut violations) = (Outcome::default(), Vec::new());
    std::thread::scope(|scope| {
        let player = || {
            let (mut total, mut violations) = (Outcome::default(), Vec::new());
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= schedules {
                    return (total, violations);
                }
                let outcome = play(seed, None, false);
                if outcome.violation.is_some() {
                    violations.push(seed);
                }
                total.add(&outcome);
            }
        };
        let players: Vec<_> = (0..2).map(|_| scope.spawn(player)).collect();
        for player in players {
            let (part, found) = player.join().unwrap();
            total.add(&part);
            violations.extend(found);
        }
    });
    println!("{schedules} schedules: {total:?}");
    assert!(violations.is_empty(), "seeds to play again: {violations:?}");
    // Schedules in which nothing happens show nothing.
    for (what, count) in [
        ("revocations answered for acknowledgements", total.acknowledged),
        ("revocations answered for their time", total.waited_out),
        ("answers from memory", total.hits),
        ("answers that a revocation had overtaken", total.refused_afterwards),
        ("lookups without a lease", total.without_lease),
        ("nodes taken off the list", total.removed),
        ("nodes that found themselves off it", total.unregistered),
        ("failovers", total.failovers),
        ("commits of unknown outcome", total.unknown),
    ] {
        assert!(count > schedules / 1_000, "{what}: {count}");
    }
}

#[test]
fn every_known_mistake_is_caught() {
    let mut missed = Vec::new();
    for mistake in Mistake::BY_CHANCE {
        let caught = (0..SCHEDULES_TO_CATCH).find(|seed| play(*seed, Some(mistake), false).violation.is_some());
        match caught {
            Some(seed) => println!("{mistake:?}: caught by seed {seed}"),
            None => missed.push(mistake),
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:?}");
}

#[test]
fn a_seed_plays_the_same_schedule_again() {
    for seed in 0..50 {
        assert_eq!(play(seed, None, false), play(seed, None, false));
    }
}
