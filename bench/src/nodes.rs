//! The cost of a request on one of several nodes, and what each added node brings. Nodes share a database and nothing
//! else, so that a node loses only what its own polls take: their share of a core is measured, and not the throughput
//! of several nodes on the two cores of one machine.

use super::backend::Backend;
use super::callgrind::Counter;
use super::contender::Running;
use super::cost::{cpu_time, precise};
use super::goals::Outcome;
use super::plan::Plan;
use super::size::SETTLED;
use super::stock::Stock;
use std::fmt::Write as _;
use std::thread::sleep;
use std::time::{Duration, Instant};
use task_support::fail::Result;
use task_support::{interrupt, say};

/// Nodes of the largest deployment that is measured.
const NODES: usize = 3;
/// How long idle nodes are watched.
const WATCHED: Duration = Duration::from_secs(20);

/// A deployment with some number of nodes.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    /// Instructions of a request for a cached token, on a node under callgrind.
    instructions: u64,
    /// The share of a core that one idle node takes.
    node: f64,
    /// The share of a core that PostgreSQL takes for all of them.
    database: f64,
}

/// `cargo xtask bench nodes`: the table.
pub(super) fn measure(_: &Plan, stock: &mut Stock) -> Result<Outcome> {
    stock.clear();
    let counter = Counter::prepare(Backend::Postgres)?;
    let mut rows = [Row::default(); NODES];
    let mut nodes = Vec::new();
    for (others, row) in rows.iter_mut().enumerate() {
        // The node that is counted is one more.
        row.instructions = counter.of_product()?.total();
        nodes.push(counter.start(&format!("node-{others}"))?);
        say::step(format!("{} idle", nodes.len()));
        (row.node, row.database) = idle(&counter, &nodes)?;
    }
    drop(nodes);
    Ok(Outcome::text(text(&rows)))
}

/// The share of a core of one of the nodes, and of the database.
fn idle(counter: &Counter, nodes: &[Running]) -> Result<(f64, f64)> {
    sleep(SETTLED);
    let nodes: Vec<_> = nodes.iter().map(Running::observed).collect();
    let database = counter.database();
    let taken = || Ok((cpu_time(&nodes)?, cpu_time(&database)?));
    let began = Instant::now();
    let before: (Duration, Duration) = taken()?;
    sleep(WATCHED);
    interrupt::check()?;
    let (after, watched) = (taken()?, began.elapsed().as_secs_f64());
    let share = |before: Duration, after: Duration| after.saturating_sub(before).as_secs_f64() / watched;
    Ok((share(before.0, after.0) / precise(nodes.len() as u64), share(before.1, after.1)))
}

fn text(rows: &[Row; NODES]) -> String {
    let mut table = String::from(
        "| nodes | instructions of a request | an idle node, of a core | PostgreSQL for all, of a core | throughput |\n\
         | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for (at, row) in rows.iter().enumerate() {
        let Row { instructions, node, database } = row;
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "| {} | {instructions} | {:.2} % | {:.2} % | {:.2} |",
            at + 1,
            node * 100.0,
            database * 100.0,
            throughput(rows, at)
        );
    }
    format!(
        "{table}\nRequests for a cached token, outside the kernel, on a node with so many others on the same PostgreSQL. Throughput is \
         that of one node, with a core for each node and PostgreSQL elsewhere: what is left of each core beside the polls.\n"
    )
}

/// What all nodes answer together, relative to one alone.
fn throughput(rows: &[Row; NODES], at: usize) -> f64 {
    let of = |at: usize| precise(at as u64 + 1) * (1.0 - rows[at].node) / precise(rows[at].instructions);
    of(at) / of(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_adds_what_its_polls_leave_at_the_price_of_a_request() {
        let row = |instructions, node| Row { instructions, node, database: 0.1 };
        let rows = [row(1_000, 0.0), row(1_000, 0.05), row(2_000, 0.0)];
        for (at, expected) in [1.0, 1.9, 1.5].into_iter().enumerate() {
            assert!((throughput(&rows, at) - expected).abs() < 1e-9, "{at}");
        }
        assert!(text(&rows).contains("| 2 | 1000 | 5.00 % | 10.00 % | 1.90 |"), "{}", text(&rows));
    }
}
