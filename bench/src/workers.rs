//! The gain of a second worker. The generator shares the two cores, so throughput would measure that sharing; processor
//! time per request shows what two workers cost each other by locks and shared cache lines. Two workers and a generator
//! on two cores also cause context switches, so *bare*, whose workers share nothing, is measured as well; with sixteen
//! pipelined requests there are few switches.

use super::against::turn;
use super::cases::{LIVE, PIPELINED};
use super::contender::{self, Running};
use super::cost::Observed;
use super::goals::{Figure, Goal, Outcome};
use super::plan::Plan;
use super::report::{self, Round};
use super::request::{Answer, Order};
use super::stats::Spread;
use super::stock::{Seeded, Stock};
use super::wrk::{CONNECTIONS, Generator, Load};
use std::time::Duration;
use task_support::fail::Result;
use task_support::{product, say};

/// Tokens of each server, by size. More do not change the result and take longer to cache.
const TOKENS: [usize; 3] = [LIVE[0], LIVE[1], LIVE[1]];
const WORKERS: &str = "NOLAPSE__SERVER__WORKERS";

/// `cargo xtask bench workers`: the table.
pub(super) fn run(plan: &Plan, stock: &mut Stock) -> Result<Outcome> {
    stock.clear();
    let count = TOKENS[plan.size.index];
    let server = |workers: &str| -> Result<Seeded> {
        say::step(format!("a server with {workers} workers"));
        let mut seeded = Seeded::prepare(plan.profile, plan.backend, count, |product| {
            product.on_all_cores().with(WORKERS, workers)
        })?;
        seeded.warm()?;
        Ok(seeded)
    };
    let (one, two) = (server("1")?, server("2")?);
    let program = product::build_program("bare", "bare", plan.profile)?;
    let bare = |workers: &str| contender::start_bare_with(&program, one.stage.folder.path(), workers);
    let grounds = (bare("1")?, bare("2")?);
    let time = Duration::from_secs(plan.size.seconds);
    let ask = |generator: &Generator, running: &Running, observed: &[Observed]| {
        let load = Load { pipeline: plan.pipeline, ..Load::usual(running.port, time, Order::Random) };
        turn(generator, running, &load, observed, Answer::Live)
    };
    let of_bare = |running: &Running| ask(one.generator(), running, &[running.observed()]);
    let of_product = |seeded: &Seeded| ask(seeded.generator(), seeded.running()?, &seeded.observed()?);
    let (mut bares, mut products) = (Vec::new(), Vec::new());
    for round in 1..=plan.size.rounds {
        say::step(format!("round {round} of {}", plan.size.rounds));
        let (first, second) = (one.running()?, two.running()?);
        bares.push(first.while_stopped(|| second.while_stopped(|| Ok((of_bare(&grounds.0)?, of_bare(&grounds.1)?))))?);
        products.push((second.while_stopped(|| of_product(&one))?, first.while_stopped(|| of_product(&two))?));
    }
    let Spread { min, median, max } = scaling(&products);
    let ground = scaling(&bares);
    let text = format!(
        "{count} live tokens known to each server, {} rounds of {} s, {CONNECTIONS} connections.\n\n{}\n\
         Throughput of two workers by CPU, twice the ratio of their CPU for a request: **{median:.2}** ({min:.2}–{max:.2}).\n\n\
         The same of *bare*, which shares nothing between its workers: {:.2} ({:.2}–{:.2}).\n\n{}",
        plan.size.rounds,
        plan.size.seconds,
        report::table(["1 worker", "2 workers"], &products, plan.pipeline),
        ground.median,
        ground.min,
        ground.max,
        report::table(["bare, 1 worker", "bare, 2 workers"], &bares, plan.pipeline),
    );
    let goal = match plan.pipeline {
        1 => Some(Goal::Workers),
        PIPELINED => Some(Goal::WorkersPipelined),
        _ => None,
    };
    let figures = goal.into_iter().map(|goal| Figure { goal, on: None, value: median }).collect();
    Ok(Outcome { text, figures })
}

/// The throughput of two workers relative to one, if processor time is the bottleneck.
fn scaling(pairs: &[(Round, Round)]) -> Spread {
    Spread::of(pairs.iter().map(|(one, two)| 2.0 * one.cpu_us() / two.cpu_us()))
}

#[cfg(test)]
mod tests {
    use super::super::wrk::Seen;
    use super::*;

    #[test]
    fn two_workers_at_the_same_cost_have_twice_the_throughput() {
        let round = |cpu_ms| {
            let seen =
                Seen { requests: 1_000, duration: Duration::from_secs(1), latency_us: [1; 3], refused: 0, failed: 0 };
            Round::new(&seen, Duration::from_millis(cpu_ms), 0)
        };
        for (one, two, expected) in [(10, 10, 2.0), (9, 10, 1.8), (10, 20, 1.0)] {
            let found = scaling(&[(round(one), round(two))]).median;
            assert!((found - expected).abs() < 1e-9, "{found}");
        }
    }
}
