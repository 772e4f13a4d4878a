//! `cargo xtask bench`: the product against the ground it stands on, in the same minutes, with the same generator.
//!
//! Rounds alternate between the two servers, and ratios are taken within each pair of rounds, so a machine that slows
//! down half-way slows both. Server and database share one core, the generator has another: what is compared is work,
//! not scheduling. Processor time per request comes from the kernel's accounts of the server **and** the database.

mod cases;
mod contender;
mod cost;
mod report;
mod stats;
mod tokens;
mod wrk;

use crate::args::Args;
use crate::fail::{Context as _, Fail, Result};
use crate::{interrupt, product, say};
use cases::{Before, CASES, Case, Order, Tokens};
use contender::{Backend, Product, Running};
use cost::Observed;
use report::Round;
use std::path::Path;
use std::time::Duration;
use wrk::{Generator, Load};

/// The core of server and database.
const SERVER_CORE: usize = 1;
/// The core of the generator.
const GENERATOR_CORE: usize = 0;
/// How long asking for every token once may take.
const WARM_UP: Duration = Duration::from_mins(3);
/// How long both servers are loaded before anything counts.
const RUN_IN: Duration = Duration::from_secs(1);
/// Deepest pipeline: what fits into one segment's worth of requests many times over.
const DEEPEST: u32 = 64;

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size {
    option: &'static str,
    rounds: u32,
    seconds: u64,
    tokens: usize,
}

/// Sizes; `tokens` is the place in the case's own list.
const QUICK: Size = Size { option: " --quick", rounds: 3, seconds: 2, tokens: 0 };
const USUAL: Size = Size { option: "", rounds: 5, seconds: 5, tokens: 1 };
const FULL: Size = Size { option: " --full", rounds: 7, seconds: 10, tokens: 2 };

/// What the command line asked for.
struct Plan {
    case: &'static Case,
    size: Size,
    backend: Backend,
    pipeline: u32,
    tokens: Option<usize>,
    write: bool,
}

impl Plan {
    fn parse(mut args: Args) -> Result<Self> {
        let size = match (args.flag("--quick"), args.flag("--full")) {
            (false, false) => USUAL,
            (true, false) => QUICK,
            (false, true) => FULL,
            (true, true) => return Err(Fail::usage("--quick or --full, not both")),
        };
        let backend = Backend::parse(args.value("--backend")?.as_deref().unwrap_or("sqlite"))?;
        let pipeline = number(&mut args, "--pipeline", DEEPEST)?.unwrap_or(1);
        let tokens = number(&mut args, "--tokens", 10_000_000)?.and_then(|count| usize::try_from(count).ok());
        let write = args.flag("--write");
        let line = |case: &Case| format!("  {:<20} {}", case.name, case.about);
        let names = || CASES.iter().map(line).collect::<Vec<_>>().join("\n");
        let case = match args.words()?.as_slice() {
            [name] => {
                cases::find(name).ok_or_else(|| Fail::usage(format!("no benchmark {name:?}; there are\n{}", names())))
            }
            _ => Err(Fail::usage(format!("which benchmark? One of\n{}", names()))),
        }?;
        Ok(Self { case, size, backend, pipeline, tokens, write })
    }

    /// How many tokens there are.
    fn count(&self) -> usize {
        match self.case.tokens {
            Tokens::Live(sizes) => self.tokens.unwrap_or(sizes[self.size.tokens]),
            Tokens::Unknown(count) | Tokens::Malformed(count) => self.tokens.unwrap_or(count),
        }
    }

    /// The command that does the same again.
    fn command(&self) -> String {
        let depth = if self.pipeline == 1 { String::new() } else { format!(" --pipeline {}", self.pipeline) };
        let tokens = self.tokens.map(|count| format!(" --tokens {count}")).unwrap_or_default();
        let (name, size, backend) = (self.case.name, self.size.option, self.backend.name());
        format!("cargo xtask bench {name}{size} --backend {backend}{depth}{tokens}")
    }

    /// What tells this result from others of the same benchmark.
    fn title(&self) -> String {
        let depth = if self.pipeline == 1 { String::new() } else { format!(", {} pipelined", self.pipeline) };
        format!("{} on {}{depth}", self.case.name, self.backend.name())
    }
}

/// An option with a number from 1 to `most`.
fn number(args: &mut Args, name: &str, most: u32) -> Result<Option<u32>> {
    let Some(text) = args.value(name)? else { return Ok(None) };
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.map(Some).ok_or_else(|| Fail::usage(format!("{name} takes a number from 1 to {most}, not {text:?}")))
}

/// `cargo xtask bench <name> [--quick|--full] [--backend sqlite|postgres] [--pipeline N] [--tokens N] [--write]`
pub(crate) fn task(args: Args) -> Result {
    let plan = Plan::parse(args)?;
    let cores = std::thread::available_parallelism().attempt(|| "count the processor cores".into())?;
    if cores.get() < 2 {
        return Err(Fail::new("a benchmark needs two processor cores: one for the servers, one for the generator"));
    }
    say::step("building bare and nolapse-api, release");
    let bare = product::build_program("bare", "bare", product::Profile::Release)?;
    let program = product::build(product::Profile::Release)?;

    let folder = tempfile::Builder::new().prefix("nolapse-bench-").tempdir().attempt(|| "make a folder".into())?;
    let product = Product::prepare(program, folder.path(), SERVER_CORE, plan.backend)?;
    let file = folder.path().join("tokens");
    match plan.case.tokens {
        Tokens::Live(_) => product.seed(plan.count(), &file)?,
        Tokens::Unknown(_) | Tokens::Malformed(_) => {
            // The product is measured with tokens it does not know, on a database that has some.
            product.seed(1, &file)?;
            tokens::write_strangers(&file, plan.count(), matches!(plan.case.tokens, Tokens::Unknown(_)))?;
        }
    }
    tokens::check(&file, plan.count())?;
    let generator = Generator::prepare(folder.path(), &plan.case.request, GENERATOR_CORE)?;
    let pairs = measure(&plan, &bare, &product, &generator, folder.path())?;

    let text = format!(
        "{}: {} of them, {} rounds of {} s, {} connections.\n\n{}\n{}",
        plan.case.about,
        plan.count(),
        plan.size.rounds,
        plan.size.seconds,
        wrk::CONNECTIONS,
        report::table(&pairs),
        report::origin(&plan.command())?,
    );
    say::out(format!("\n{}\n\n{text}", plan.title()));
    if plan.write { report::write(&plan.title(), &text) } else { Ok(()) }
}

/// Runs the rounds, bare first in each.
fn measure(
    plan: &Plan,
    bare: &Path,
    product: &Product,
    generator: &Generator,
    folder: &Path,
) -> Result<Vec<(Round, Round)>> {
    let ground = contender::start_bare(bare, folder, SERVER_CORE, plan.case.answer)?;
    let of_ground = [Observed { pid: ground.id(), family: false }];
    let mut running = product.start()?;
    if plan.case.before == Before::Warm {
        say::step(format!("asking for each of {} tokens once", plan.count()));
        warm(plan, generator, &running)?;
    }
    let run_in = Load { port: ground.port, time: RUN_IN, order: Order::Random, pipeline: plan.pipeline };
    generator.run(&run_in)?;

    let mut pairs = Vec::new();
    for round in 1..=plan.size.rounds {
        say::step(format!("round {round} of {}", plan.size.rounds));
        let first = once(plan, generator, &ground, &of_ground)?;
        if plan.case.before == Before::Restart && round > 1 {
            // The old one goes before the new one comes: the database file has one owner.
            drop(running);
            running = product.start()?;
        }
        let second = once(plan, generator, &running, &product.observed(&running))?;
        pairs.push((first, second));
    }
    Ok(pairs)
}

/// Makes the node know every token. The last requests of the pass may be cut off, which costs their tokens one read.
fn warm(plan: &Plan, generator: &Generator, running: &Running) -> Result {
    for (order, time) in [(Order::Once, WARM_UP), (Order::Random, RUN_IN)] {
        let load = Load { port: running.port, time, order, pipeline: 1 };
        generator.run(&load).map_err(|fail| running.explain(&fail))?;
    }
    interrupt::check()?;
    let load = Load { port: running.port, time: RUN_IN, order: Order::Random, pipeline: plan.pipeline };
    let seen = generator.run(&load)?;
    seen.must_be(plan.case.answer).map_err(|fail| running.explain(&fail))
}

fn once(plan: &Plan, generator: &Generator, running: &Running, observed: &[Observed]) -> Result<Round> {
    let time = Duration::from_secs(plan.size.seconds);
    let load = Load { port: running.port, time, order: plan.case.order, pipeline: plan.pipeline };
    let before = cost::cpu_time(observed)?;
    let seen = generator.run(&load).map_err(|fail| running.explain(&fail))?;
    let used = cost::cpu_time(observed)?.saturating_sub(before);
    seen.must_be(plan.case.answer).map_err(|fail| running.explain(&fail))?;
    Ok(Round::new(&seen, used, cost::resident(running.id())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(line: &str) -> Result<Plan> {
        Plan::parse(Args::new(line.split_whitespace().map(str::to_owned)))
    }

    #[test]
    fn the_command_in_the_report_asks_for_the_same() {
        for line in [
            "validate --backend sqlite",
            "validate-cold --quick --backend postgres --pipeline 16",
            "validate-unknown --full --backend sqlite --tokens 500",
        ] {
            let first = plan(line).unwrap();
            assert_eq!(first.command(), format!("cargo xtask bench {line}"));
        }
    }

    #[test]
    fn sizes_choose_the_number_of_tokens() {
        for (line, count) in [
            ("validate --quick", 20_000),
            ("validate", 100_000),
            ("validate --full", 1_000_000),
            ("validate --full --tokens 7", 7),
            ("validate-unknown --full", 1_000),
        ] {
            assert_eq!(plan(line).unwrap().count(), count, "{line}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (line, expected) in [
            ("", "which benchmark?"),
            ("validat", "no benchmark \"validat\""),
            ("validate --quick --full", "not both"),
            ("validate --backend mysql", "no backend \"mysql\""),
            ("validate --pipeline 0", "from 1 to 64"),
            ("validate --tokens many", "not \"many\""),
        ] {
            let fail = plan(line).err().unwrap();
            assert!(fail.to_string().contains(expected) && fail.code() == 2, "{line}: {fail}");
        }
    }
}
