//! `cargo xtask bench`: measures the product against a baseline, in the same minutes and with the same generator; some
//! benchmarks have no baseline.
//!
//! Server and database share one core, the generator has another. Processor time per request is that of the server
//! **and** the database, as the kernel counts it.

mod against;
mod all;
mod backend;
mod callgrind;
mod cases;
mod changes;
mod client;
mod contender;
mod cost;
mod goal_table;
mod goals;
mod instructions;
mod listing;
mod nodes;
mod plan;
mod report;
mod request;
mod scale;
mod scopes;
mod size;
mod stage;
mod stats;
mod stock;
mod tokens;
mod workers;
mod wrk;

use goals::Outcome;
use plan::{Alone, Asked, Ground, Plan, Subject};
use std::process::ExitCode;
use stock::Stock;
use task_support::args::Args;
use task_support::fail::Result;
use task_support::say;

/// Benchmarks without a baseline. Those with one are in [`cases::CASES`].
const ALONE: &[Alone] = &[
    Alone {
        name: "validate-scale",
        about: "live tokens known to the node, from a thousand of them to ten million",
        run: scale::run,
        ground: Ground::Database,
    },
    Alone {
        name: "instructions",
        about: "the processor instructions and allocations of a request for a token the server knows",
        run: instructions::measure,
        ground: Ground::Processor,
    },
    Alone {
        name: "profile",
        about: "the functions that take them",
        run: instructions::profile,
        ground: Ground::Processor,
    },
    Alone {
        name: "scopes",
        about: "a check against the scope catalogue",
        run: scopes::measure,
        ground: Ground::Processor,
    },
    Alone {
        name: "create",
        about: "making tokens through the API, as a signed-in person does",
        run: changes::create,
        ground: Ground::Database,
    },
    Alone { name: "revoke", about: "revoking tokens, each to its 204", run: changes::revoke, ground: Ground::Database },
    Alone {
        name: "listing",
        about: "first, middle and last page of lists of 100 000",
        run: listing::run,
        ground: Ground::Database,
    },
    Alone {
        name: "workers",
        about: "what a second worker brings, by the processor time of a request",
        run: workers::run,
        ground: Ground::Processor,
    },
    Alone {
        name: "nodes",
        about: "a request on one of three nodes on PostgreSQL, and what each added node brings, by processor time",
        run: nodes::measure,
        ground: Ground::Processor,
    },
    Alone { name: "start", about: "seconds of a start", run: size::start, ground: Ground::Tokens },
    Alone { name: "size", about: "the program, and a server nobody asks", run: size::size, ground: Ground::Processor },
];

/// The command that `cargo xtask test` runs: compares the instruction counts with the committed ones.
const CHECK: &str = "check";

fn main() -> ExitCode {
    let arguments = std::env::args().skip(1);
    task_support::main(|| run(Args::new(arguments)))
}

/// `cargo xtask bench <name>|all [--quick|--full] [--backend sqlite|postgres] [--pipeline N] [--tokens N] [--dev] [--write]`
fn run(args: Args) -> Result {
    if args.is_only(CHECK) {
        return instructions::check();
    }
    match Asked::parse(args)? {
        Asked::One(plan) => measure(&plan, &mut Stock::default()),
        Asked::All(whole) => all::run(&whole),
    }
}

/// Measures one benchmark, prints the result and, with `--write`, stores it.
fn measure(plan: &Plan, stock: &mut Stock) -> Result {
    let Outcome { text, figures } = match plan.subject {
        Subject::Against(case) => against::run(plan, case, stock),
        Subject::Alone(alone) => (alone.run)(plan, stock)
            .map(|Outcome { text, figures }| Outcome { text: format!("{}.\n\n{text}", alone.about), figures }),
    }?;
    let commit = report::commit()?;
    let text = format!("{text}\n{}", report::origin(plan, &commit)?);
    say::out(format!("\n{}\n\n{text}", plan.title()));
    if plan.write { report::write(plan, &text, &figures, &commit) } else { Ok(()) }
}
