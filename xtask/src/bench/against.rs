//! Rounds that alternate between the product and the ground it stands on: ratios are taken within each pair of rounds,
//! so a machine that slows down half-way slows both.

use super::cases::{Against, Before, Case, Order, Request, Tokens, VALIDATE};
use super::client::Client;
use super::contender::{self, Product, Running};
use super::cost::{self, Observed};
use super::plan::Plan;
use super::report::{self, Round};
use super::stage::{GENERATOR_CORE, SERVER_CORE, Stage};
use super::tokens;
use super::wrk::{CONNECTIONS, Generator, Load};
use crate::fail::Result;
use crate::{interrupt, product, say};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long asking for every token once may take, beside a second for each so many of them.
const WARM_UP: Duration = Duration::from_mins(3);
const WARMED_PER_SECOND: usize = 5_000;
/// How long both servers are loaded before anything counts.
const RUN_IN: Duration = Duration::from_secs(1);

/// One benchmark against its ground: the text of its section.
pub(super) fn run(plan: &Plan, case: &'static Case) -> Result<String> {
    let stage = Stage::prepare(plan)?;
    let count = plan.count(case);
    let pairs = Rounds::prepare(plan, case, count, &stage)?.measure(&stage.product)?;
    let name = match case.against {
        Against::Bare => "nolapse-api",
        Against::Validate => case.name,
    };
    Ok(format!(
        "{}: {count} of them, {} rounds of {} s, {CONNECTIONS} connections.\n\n{}",
        case.about,
        plan.size.rounds,
        plan.size.seconds,
        report::table([case.against.name(), name], &pairs),
    ))
}

/// What the rounds of one case need.
pub(super) struct Rounds<'a> {
    plan: &'a Plan,
    case: &'static Case,
    count: usize,
    /// The ground's own program, if it has one.
    bare: Option<PathBuf>,
    generator: Generator,
    of_ground: Generator,
    folder: &'a Path,
}

impl<'a> Rounds<'a> {
    /// Fills the database with `count` tokens, or writes down as many that nobody issued.
    pub(super) fn prepare(plan: &'a Plan, case: &'static Case, count: usize, stage: &'a Stage) -> Result<Self> {
        let folder = stage.folder.path();
        let file = folder.join("tokens");
        match case.tokens {
            Tokens::Live(_) => stage.product.seed(count, &file)?,
            Tokens::Unknown(_) | Tokens::Malformed(_) => {
                // The product is measured with tokens it does not know, on a database that has some.
                stage.product.seed(1, &file)?;
                tokens::write_strangers(&file, count, matches!(case.tokens, Tokens::Unknown(_)))?;
            }
        }
        tokens::check(&file, count)?;
        let credential = match case.request.needs() {
            None => String::new(),
            Some(scope) => Client::sign_in(&stage.product.start()?)?.create_token(scope)?,
        };
        let generator = |name, request: &Request| {
            let (head, tail) = request.cut(tokens::TOKEN_LENGTH, &credential);
            Generator::prepare(folder, name, (&head, &tail), GENERATOR_CORE)
        };
        let bare = match case.against {
            Against::Bare => Some(product::build_program("bare", "bare", plan.profile)?),
            Against::Validate => None,
        };
        let (of_ground, generator) = (generator("validate", &VALIDATE)?, generator("asked", &case.request)?);
        Ok(Self { plan, case, count, bare, generator, of_ground, folder })
    }

    /// Runs the rounds, the ground first in each.
    pub(super) fn measure(&self, product: &Product) -> Result<Vec<(Round, Round)>> {
        let start = |program: &PathBuf| contender::start_bare(program, self.folder, SERVER_CORE, self.case.answer);
        let bare = self.bare.as_ref().map(start).transpose()?;
        let mut running = product.start()?;
        if self.case.before == Before::Warm {
            say::step(format!("asking for each of {} tokens once", self.count));
            self.warm(&running)?;
        }
        self.of_ground.run(&self.load(bare.as_ref().unwrap_or(&running), RUN_IN, Order::Random))?;

        let mut pairs = Vec::new();
        for round in 1..=self.plan.size.rounds {
            say::step(format!("round {round} of {}", self.plan.size.rounds));
            let first = match &bare {
                Some(bare) => self.once(&self.of_ground, bare, &[Observed { pid: bare.id(), family: false }])?,
                None => self.once(&self.of_ground, &running, &product.observed(&running))?,
            };
            if self.case.before == Before::Restart && round > 1 {
                // The old one goes before the new one comes: the database file has one owner.
                drop(running);
                running = product.start()?;
            }
            let second = self.once(&self.generator, &running, &product.observed(&running))?;
            pairs.push((first, second));
        }
        Ok(pairs)
    }

    /// Makes the node know every token. The last requests of the pass may be cut off, which costs their tokens one
    /// read.
    pub(super) fn warm(&self, running: &Running) -> Result {
        let patience = WARM_UP + Duration::from_secs((self.count / WARMED_PER_SECOND) as u64);
        for (order, time) in [(Order::Once, patience), (Order::Random, RUN_IN)] {
            let load = Load { pipeline: 1, ..self.load(running, time, order) };
            self.generator.run(&load).map_err(|fail| running.explain(&fail))?;
        }
        interrupt::check()?;
        let seen = self.generator.run(&self.load(running, RUN_IN, Order::Random))?;
        seen.must_be(self.case.answer).map_err(|fail| running.explain(&fail))
    }

    fn once(&self, generator: &Generator, running: &Running, observed: &[Observed]) -> Result<Round> {
        let load = self.load(running, Duration::from_secs(self.plan.size.seconds), self.case.order);
        let before = cost::cpu_time(observed)?;
        let seen = generator.run(&load).map_err(|fail| running.explain(&fail))?;
        let used = cost::cpu_time(observed)?.saturating_sub(before);
        seen.must_be(self.case.answer).map_err(|fail| running.explain(&fail))?;
        Ok(Round::new(&seen, used, cost::resident(running.id())?))
    }

    fn load(&self, running: &Running, time: Duration, order: Order) -> Load {
        Load { port: running.port, time, order, pipeline: self.plan.pipeline, connections: CONNECTIONS }
    }
}
