//! `cargo xtask bench all`: every benchmark, in an order in which those that only read share a database and a server
//! with a warm cache. A failed benchmark is reported, and the next one runs.

use super::backend::Backend;
use super::plan::{Plan, Whole};
use super::stock::Stock;
use super::{measure, scale};
use std::time::{Duration, Instant};
use task_support::fail::{Fail, Result};
use task_support::{interrupt, say};

/// One benchmark of the sequence.
#[derive(Clone, Copy, Debug)]
struct Step {
    name: &'static str,
    pipeline: u32,
    on: On,
    /// The time it takes, without preparing a database and warming the cache.
    takes: Takes,
}

/// The databases that a step runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    /// On each, one after the other.
    Both,
    /// On SQLite only: the result does not depend on the database.
    Sqlite,
    /// On SQLite only, after all others: slow steps, and steps that build programs, are lost last if the run is
    /// interrupted.
    Last,
}

/// How long a step takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    /// Its rounds: turns in each round, and seconds besides (quick, usual, full).
    Rounds(u32, [u64; 3]),
    /// Seconds: quick, usual, full.
    Seconds([u64; 3]),
}

const fn asked(name: &'static str, pipeline: u32) -> Step {
    Step { name, pipeline, on: On::Both, takes: Takes::Rounds(2, [5, 5, 10]) }
}

/// Steps that share a database are adjacent; those that restart its server come last among them.
const STEPS: &[Step] = &[
    asked("validate", 1),
    asked("validate-zipf", 1),
    asked("validate-paced", 1),
    asked("validate", 16),
    asked("validate-zipf", 16),
    asked("validate-unknown", 1),
    asked("validate-malformed", 1),
    asked("forward-auth", 1),
    asked("introspect", 1),
    Step { name: "start", pipeline: 1, on: On::Both, takes: Takes::Rounds(1, [2, 2, 5]) },
    asked("validate-cold", 1),
    Step { name: "create", pipeline: 1, on: On::Both, takes: Takes::Rounds(4, [10, 10, 10]) },
    Step { name: "revoke", pipeline: 1, on: On::Both, takes: Takes::Seconds([10, 20, 90]) },
    Step { name: "listing", pipeline: 1, on: On::Both, takes: Takes::Seconds([30, 90, 160]) },
    Step { name: "workers", pipeline: 1, on: On::Sqlite, takes: Takes::Rounds(4, [10, 25, 25]) },
    Step { name: "workers", pipeline: 16, on: On::Sqlite, takes: Takes::Rounds(4, [10, 25, 25]) },
    Step { name: "size", pipeline: 1, on: On::Sqlite, takes: Takes::Seconds([10, 15, 25]) },
    Step { name: "validate-scale", pipeline: 1, on: On::Last, takes: Takes::Rounds(2, [10, 60, 60]) },
    Step { name: "scopes", pipeline: 1, on: On::Last, takes: Takes::Seconds([90, 100, 120]) },
    // The first of the two also builds the programs.
    Step { name: "instructions", pipeline: 1, on: On::Last, takes: Takes::Seconds([100, 100, 100]) },
    Step { name: "profile", pipeline: 1, on: On::Last, takes: Takes::Seconds([20, 20, 20]) },
    Step { name: "nodes", pipeline: 1, on: On::Last, takes: Takes::Seconds([150, 150, 150]) },
];

/// Seconds to make a database of a million live tokens, and to validate each of them once.
const SEED: [u64; 2] = [30, 60];
const WARM: [u64; 2] = [45, 120];
const MILLION: usize = 1_000_000;

/// Runs all benchmarks.
///
/// # Errors
/// Names the failed benchmarks at the end; an interruption ends the run at once.
pub(super) fn run(whole: &Whole) -> Result {
    let plans = plans(whole)?;
    let total: Duration = plans.iter().map(|(_, estimate)| *estimate).sum();
    say::step(format!("{} benchmarks, about {} minutes", plans.len(), minutes(total)));
    let (began, mut stock, mut failed) = (Instant::now(), Stock::default(), Vec::new());
    for (at, (plan, _)) in plans.iter().enumerate() {
        interrupt::check()?;
        let left: Duration = plans[at..].iter().map(|(_, estimate)| *estimate).sum();
        say::step(format!(
            "{} of {}: {}; {} minutes gone, about {} to go",
            at + 1,
            plans.len(),
            plan.title(),
            minutes(began.elapsed()),
            minutes(left),
        ));
        if let Err(fail) = measure(plan, &mut stock) {
            interrupt::check()?;
            say::raw(format!("error: {}: {fail}", plan.title()));
            // After a failure the next benchmark gets a new database and server.
            stock.clear();
            failed.push(plan.title());
        }
    }
    say::step(format!("{} benchmarks in {} minutes", plans.len(), minutes(began.elapsed())));
    if failed.is_empty() {
        return Ok(());
    }
    Err(Fail::new(format!("{} of {} benchmarks failed: {}", failed.len(), plans.len(), failed.join("; "))))
}

fn minutes(time: Duration) -> u64 {
    time.as_secs().div_ceil(60)
}

/// Every benchmark with its expected time, one database after the other and the slowest last.
fn plans(whole: &Whole) -> Result<Vec<(Plan, Duration)>> {
    let mut plans = Vec::new();
    let passes: [(Backend, &[On]); 3] =
        [(Backend::Sqlite, &[On::Both, On::Sqlite]), (Backend::Postgres, &[On::Both]), (Backend::Sqlite, &[On::Last])];
    for (backend, wanted) in passes.into_iter().filter(|(backend, _)| whole.only.is_none_or(|only| only == *backend)) {
        let mut at_hand = None;
        for step in STEPS.iter().filter(|step| wanted.contains(&step.on)) {
            let plan = whole.part(step.name, backend, step.pipeline)?;
            let estimate = step.time(&plan) + preparing(&plan, &mut at_hand);
            plans.push((plan, estimate));
        }
    }
    Ok(plans)
}

impl Step {
    fn time(&self, plan: &Plan) -> Duration {
        let index = plan.size.index;
        let seconds = match self.takes {
            Takes::Rounds(turns, beside) => {
                let sizes = if self.name == "validate-scale" { scale::SIZES[index].len() as u64 } else { 1 };
                u64::from(plan.size.rounds * turns) * plan.size.seconds * sizes + beside[index]
            }
            Takes::Seconds(seconds) => seconds[index],
        };
        Duration::from_secs(seconds)
    }
}

/// The time to make databases that are not `at_hand`, and to warm the cache.
fn preparing(plan: &Plan, at_hand: &mut Option<usize>) -> Duration {
    let backend = match plan.backend {
        Backend::Sqlite => 0,
        Backend::Postgres => 1,
    };
    let new = match plan.shared() {
        Some(count) if *at_hand == Some(count) => 0,
        Some(count) => count,
        None if plan.subject.name() == "validate-scale" => scale::SIZES[plan.size.index].iter().sum(),
        None => 0,
    };
    *at_hand = plan.shared();
    let millions = Duration::from_secs(SEED[backend] + WARM[backend]) * u32::try_from(new).unwrap_or(u32::MAX);
    millions / u32::try_from(MILLION).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::super::ALONE;
    use super::super::cases::CASES;
    use super::super::plan::Asked;
    use super::*;
    use task_support::args::Args;

    fn whole(options: &str) -> Whole {
        match Asked::parse(Args::new(["all"].into_iter().chain(options.split_whitespace()).map(str::to_owned))) {
            Ok(Asked::All(whole)) => whole,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_benchmark_is_a_step() {
        for name in CASES.iter().map(|case| case.name).chain(ALONE.iter().map(|alone| alone.name)) {
            assert!(STEPS.iter().any(|step| step.name == name), "{name}");
        }
        assert!(STEPS.iter().all(|step| whole("").part(step.name, Backend::Sqlite, 1).is_ok()));
    }

    #[test]
    fn a_full_run_takes_less_than_an_hour() {
        let total = |option: &str| plans(&whole(option)).unwrap().iter().map(|(_, time)| *time).sum::<Duration>();
        assert!(total("--full") < Duration::from_hours(1), "{:?}", total("--full"));
        assert!(total("") < total("--full") && total("--quick") < Duration::from_mins(15), "{:?}", total("--quick"));
    }

    #[test]
    fn a_database_that_is_named_is_the_only_one() {
        let parts = |options: &str| plans(&whole(options)).unwrap().len();
        let postgres = plans(&whole("--backend postgres")).unwrap();
        assert!(!postgres.is_empty() && postgres.iter().all(|(plan, _)| plan.backend == Backend::Postgres));
        assert_eq!(parts(""), parts("--backend postgres") + parts("--backend sqlite"));
    }

    #[test]
    fn a_shared_database_is_prepared_once() {
        let mut at_hand = None;
        let plan = whole("--full").part("validate", Backend::Sqlite, 1).unwrap();
        assert_eq!(preparing(&plan, &mut at_hand), Duration::from_secs(75));
        let other = whole("--full").part("forward-auth", Backend::Sqlite, 1).unwrap();
        assert_eq!(preparing(&other, &mut at_hand), Duration::ZERO);
        assert_eq!(
            preparing(&whole("--full").part("create", Backend::Sqlite, 1).unwrap(), &mut at_hand),
            Duration::ZERO
        );
        assert_eq!(preparing(&plan, &mut at_hand), Duration::from_secs(75), "the one in between took its place");
    }
}
