//! The cost of a validation by the number of tokens: from a thousand to ten million, all cached, each size on a new
//! database and against `bare` in the same rounds.

use super::against::Rounds;
use super::cases;
use super::client::metric;
use super::cost;
use super::goals::{Figure, Goal, Outcome};
use super::plan::Plan;
use super::stats::Spread;
use super::stock::{Seeded, Stock};
use super::wrk::CONNECTIONS;
use std::fmt::Write as _;
use std::time::Instant;
use task_support::fail::{Fail, Result};
use task_support::say;

/// How many tokens: quick, usual and full size.
pub(super) const SIZES: [&[usize]; 3] =
    [&[1_000, 10_000, 50_000], &[1_000, 10_000, 100_000, 1_000_000], &[1_000, 10_000, 100_000, 1_000_000, 10_000_000]];
/// The bound of the cache, so high that it has no effect.
const MAX_BYTES: &str = "8589934592";

/// The result of one size.
struct Size {
    count: usize,
    /// Processor time of a request in microseconds.
    cpu: f64,
    ratio: Spread,
    p99: f64,
    memory: Memory,
}

/// `cargo xtask bench validate-scale`: the table.
pub(super) fn run(plan: &Plan, stock: &mut Stock) -> Result<Outcome> {
    stock.clear();
    let sizes = SIZES[plan.size.index].iter().map(|count| measure(plan, *count)).collect::<Result<Vec<_>>>()?;
    let mut rows = String::new();
    for Size { count, cpu, ratio, p99, memory } in &sizes {
        let Memory { start, each, counted } = memory;
        // Writing to a String cannot fail.
        let _ = writeln!(
            rows,
            "| {count} | {cpu:.2} | **{:.2}** ({:.2}–{:.2}) | {p99:.2} | {each:.0} | {counted:.0} | {start:.2} |",
            ratio.median, ratio.min, ratio.max,
        );
    }
    let text = format!(
        "{} rounds of {} s for each size, {CONNECTIONS} connections, tokens uniformly by chance.\n\n\
         | tokens | CPU µs/request | CPU, of bare's (least–most) | p99 ms | resident bytes/token | counted bytes/token | start s |\n\
         | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n{rows}",
        plan.size.rounds, plan.size.seconds,
    );
    Ok(Outcome { text, figures: figures(&sizes) })
}

fn figures(sizes: &[Size]) -> Vec<Figure> {
    let (Some(fewest), Some(most)) = (sizes.first(), sizes.last()) else { return Vec::new() };
    // The sizes are measured minutes apart, so their ratios to `bare` are comparable but their times are not. With few
    // tokens the program's own memory hides that of the tokens.
    [(Goal::ScaleCpu, most.ratio.median / fewest.ratio.median), (Goal::ScaleBytes, most.memory.each)]
        .map(|(goal, value)| Figure { goal, on: None, value })
        .to_vec()
}

fn measure(plan: &Plan, count: usize) -> Result<Size> {
    let case = cases::find("validate").ok_or_else(|| Fail::new("the case `validate` is gone"))?;
    say::step(format!("{count} tokens"));
    let mut seeded = Seeded::prepare(plan.profile, plan.backend, count, |product| {
        product.with("NOLAPSE__CACHE__MAX_BYTES", MAX_BYTES)
    })?;
    let memory = Memory::measure(&mut seeded)?;
    let pairs = Rounds::prepare(plan, case, &mut seeded)?.measure(&mut seeded)?.pairs;
    Ok(Size {
        count,
        cpu: Spread::of(pairs.iter().map(|(_, product)| product.cpu_us())).median,
        ratio: Spread::of(pairs.iter().map(|(bare, product)| product.cpu_us() / bare.cpu_us())),
        p99: Spread::of(pairs.iter().map(|(_, product)| product.latency_ms()[1])).median,
        memory,
    })
}

/// Memory and start time with cached tokens.
struct Memory {
    /// Seconds from the start of the program until it listens.
    start: f64,
    /// Resident bytes that each token added.
    each: f64,
    /// Bytes for each token by the service's own count.
    counted: f64,
}

impl Memory {
    /// Starts the server and validates every token once.
    fn measure(seeded: &mut Seeded) -> Result<Self> {
        let started = Instant::now();
        let id = seeded.start()?.id();
        let start = started.elapsed().as_secs_f64();
        let empty = cost::resident(id)?;
        seeded.warm()?;
        let full = cost::resident(id)?;
        let running = seeded.running()?;
        let (bytes, cached) = (metric(running, "nolapse_cached_bytes")?, metric(running, "nolapse_cached_tokens")?);
        if cached == 0 {
            return Err(Fail::new("nothing is remembered after every token was asked for"));
        }
        let each = cost::precise(full.saturating_sub(empty)) / cost::precise(seeded.count as u64);
        Ok(Self { start, each, counted: cost::precise(bytes) / cost::precise(cached) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_compare_the_most_tokens_with_the_fewest() {
        let size = |count, ratio, each| Size {
            count,
            cpu: 0.0,
            ratio: Spread::of([ratio]),
            p99: 0.0,
            memory: Memory { start: 0.0, each, counted: 0.0 },
        };
        let figures = figures(&[size(1_000, 1.0, 9_000.0), size(10_000, 1.5, 900.0), size(1_000_000, 1.2, 150.0)]);
        let values: Vec<_> = figures.iter().map(|figure| (figure.goal, figure.value)).collect();
        assert_eq!(values, [(Goal::ScaleCpu, 1.2), (Goal::ScaleBytes, 150.0)]);
    }
}
