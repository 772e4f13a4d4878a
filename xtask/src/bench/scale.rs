//! What a validation costs against how many tokens there are: from a thousand to ten million, all of them known to the
//! node, each size on a database of its own and beside `bare` in the same rounds.

use super::against::Rounds;
use super::cases;
use super::client::metric;
use super::plan::Plan;
use super::stage::Stage;
use super::stats::Spread;
use super::wrk::CONNECTIONS;
use super::{cost, tokens};
use crate::fail::{Fail, Result};
use crate::say;
use std::fmt::Write as _;
use std::time::Instant;

/// How many tokens: quick, usual and full size.
const SIZES: [&[usize]; 3] =
    [&[1_000, 10_000, 50_000], &[1_000, 10_000, 100_000, 1_000_000], &[1_000, 10_000, 100_000, 1_000_000, 10_000_000]];
/// Memory the cache may have: as much as it takes, the bound is not what is measured.
const MAX_BYTES: &str = "8589934592";

/// `cargo xtask bench validate-scale`: the table.
pub(super) fn run(plan: &Plan) -> Result<String> {
    let case = cases::find("validate").ok_or_else(|| Fail::new("the case `validate` is gone"))?;
    let mut rows = String::new();
    for &count in SIZES[plan.size.index] {
        say::step(format!("{count} tokens"));
        let stage = Stage::prepare(plan)?;
        let rounds = Rounds::prepare(plan, case, count, &stage)?;
        let product = stage.product.with("NOLAPSE__CACHE__MAX_BYTES", MAX_BYTES);
        let (start, empty, full, counted) = memory(&rounds, &product, &stage, count)?;
        let pairs = rounds.measure(&product)?;
        let cpu = Spread::of(pairs.iter().map(|(_, product)| product.cpu_us()));
        let ratio = Spread::of(pairs.iter().map(|(bare, product)| product.cpu_us() / bare.cpu_us()));
        let p99 = Spread::of(pairs.iter().map(|(_, product)| product.latency_ms()[1]));
        let each = cost::precise(full.saturating_sub(empty)) / cost::precise(count as u64);
        // Writing to a String cannot fail.
        let _ = writeln!(
            rows,
            "| {count} | {:.2} | **{:.2}** ({:.2}–{:.2}) | {:.2} | {each:.0} | {counted:.0} | {start:.2} |",
            cpu.median, ratio.median, ratio.min, ratio.max, p99.median,
        );
    }
    Ok(format!(
        "{} rounds of {} s for each size, {CONNECTIONS} connections, tokens uniformly by chance.\n\n\
         | tokens | CPU µs/request | CPU, of bare's (least–most) | p99 ms | resident bytes/token | counted bytes/token | start s |\n\
         | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n{rows}",
        plan.size.rounds, plan.size.seconds,
    ))
}

/// Seconds a start takes, resident bytes before and after every token was asked for once, and the bytes that the service
/// itself counts for each of them.
fn memory(
    rounds: &Rounds<'_>,
    product: &super::contender::Product,
    stage: &Stage,
    count: usize,
) -> Result<(f64, u64, u64, f64)> {
    tokens::check(&stage.folder.path().join("tokens"), count)?;
    let started = Instant::now();
    let running = product.start()?;
    let start = started.elapsed().as_secs_f64();
    let empty = cost::resident(running.id())?;
    rounds.warm(&running)?;
    let full = cost::resident(running.id())?;
    let (bytes, cached) = (metric(&running, "nolapse_cached_bytes")?, metric(&running, "nolapse_cached_tokens")?);
    if cached == 0 {
        return Err(Fail::new("nothing is remembered after every token was asked for"));
    }
    Ok((start, empty, full, cost::precise(bytes) / cost::precise(cached)))
}
