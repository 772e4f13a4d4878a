//! The cost of the product without requests: bytes of the program, memory of an idle server, seconds of a start.

use super::contender::Product;
use super::cost;
use super::goals::{Figure, Goal, Outcome};
use super::plan::Plan;
use super::stage::Stage;
use super::stats::Spread;
use super::stock::Stock;
use std::thread::sleep;
use std::time::{Duration, Instant};
use task_support::fail::{Context as _, Result};
use task_support::{interrupt, product, say};

/// How long after its start a server counts as idle.
pub(super) const SETTLED: Duration = Duration::from_secs(3);

/// `cargo xtask bench size`: program and idle memory.
pub(super) fn size(plan: &Plan, stock: &mut Stock) -> Result<Outcome> {
    stock.clear();
    let stage = Stage::prepare(plan.profile, plan.backend)?;
    let program = product::build(plan.profile)?;
    let bytes = std::fs::metadata(&program).attempt(|| format!("look at {}", program.display()))?.len();
    stage.product.seed(1, &stage.folder.path().join("tokens"))?;
    let mut idle = Vec::new();
    for _ in 0..plan.size.rounds {
        idle.push(resting(&stage.product.clone().on_all_cores())?);
    }
    let (megabytes, idle) = (cost::precise(bytes) / 1e6, Spread::of(idle));
    let text = format!(
        "| what | |\n| --- | ---: |\n| program, stripped | {megabytes:.1} MB |\n\
         | resident memory, idle (least–most) | {:.1} MiB ({:.1}–{:.1}) |\n",
        idle.median, idle.min, idle.max,
    );
    let figures = [(Goal::Program, megabytes), (Goal::Idle, idle.median)];
    Ok(Outcome { text, figures: figures.map(|(goal, value)| Figure { goal, on: None, value }).to_vec() })
}

/// Resident MiB of a server without requests.
fn resting(product: &Product) -> Result<f64> {
    let running = product.start()?;
    sleep(SETTLED);
    interrupt::check()?;
    Ok(cost::precise(cost::resident(running.id())?) / f64::from(1 << 20))
}

/// `cargo xtask bench start`: seconds until the program listens.
pub(super) fn start(plan: &Plan, stock: &mut Stock) -> Result<Outcome> {
    let count = plan.amount();
    let seeded = stock.seeded(plan.profile, plan.backend, count)?;
    let mut taken = Vec::new();
    for round in 1..=plan.size.rounds {
        say::step(format!("start {round} of {}", plan.size.rounds));
        seeded.stop();
        let started = Instant::now();
        seeded.start()?;
        taken.push(started.elapsed().as_secs_f64());
    }
    let Spread { min, median, max } = Spread::of(taken);
    let text = format!("{count} live tokens: {median:.2} s ({min:.2}–{max:.2}), {} times.\n", plan.size.rounds);
    Ok(Outcome { text, figures: vec![Figure { goal: Goal::Start, on: Some(plan.backend), value: median }] })
}
