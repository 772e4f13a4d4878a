//! A database and a warm server, shared by the benchmarks that only read: filling a database and warming a cache with a
//! million tokens takes longer than most benchmarks.

use super::backend::Backend;
use super::client::Client;
use super::contender::{Product, Running};
use super::cost::Observed;
use super::request::{Answer, Order, VALIDATE};
use super::stage::{GENERATOR_CORE, Stage};
use super::tokens;
use super::wrk::{Generator, Load};
use std::path::PathBuf;
use std::time::Duration;
use task_support::fail::{Context as _, Fail, Result};
use task_support::product::Profile;
use task_support::{interrupt, say};

/// How long the warm-up may take, plus a second for each [`WARMED_PER_SECOND`] tokens.
const WARM_UP: Duration = Duration::from_mins(3);
const WARMED_PER_SECOND: usize = 5_000;
/// How many of the last tokens may be missed when the pass over the file ends.
const CUT_OFF: usize = 256;
/// How long a server is loaded before a measurement.
pub(super) const RUN_IN: Duration = Duration::from_secs(1);

/// Holds the last database that was asked for. A different one replaces it.
#[derive(Debug, Default)]
pub(super) struct Stock {
    held: Option<Seeded>,
}

impl Stock {
    /// A database with `count` live tokens: the held one, or a new one.
    pub(super) fn seeded(&mut self, profile: Profile, backend: Backend, count: usize) -> Result<&mut Seeded> {
        let fits = |held: &Seeded| held.backend == backend && held.count == count;
        let seeded = match self.held.take().filter(fits) {
            Some(held) => held,
            None => Seeded::prepare(profile, backend, count, |product| product)?,
        };
        Ok(self.held.insert(seeded))
    }

    /// Drops the held server, its database and its folder.
    pub(super) fn clear(&mut self) {
        self.held = None;
    }
}

/// A database with live tokens, and its server.
#[derive(Debug)]
pub(super) struct Seeded {
    // Fields are dropped in this order: the server before its database.
    running: Option<Running>,
    /// Whether the server has cached every token.
    is_warm: bool,
    pub(super) product: Product,
    pub(super) stage: Stage,
    pub(super) count: usize,
    backend: Backend,
    generator: Generator,
}

impl Seeded {
    /// Makes a database with `count` live tokens, for a product with the settings that `set` adds.
    pub(super) fn prepare(
        profile: Profile,
        backend: Backend,
        count: usize,
        set: impl FnOnce(Product) -> Product,
    ) -> Result<Self> {
        let stage = Stage::prepare(profile, backend)?;
        let file = stage.folder.path().join("tokens");
        stage.product.seed(count, &file)?;
        tokens::check(&file, count)?;
        let generator = validating(&stage, "tokens")?;
        let product = set(stage.product.clone());
        Ok(Self { running: None, is_warm: false, product, stage, count, backend, generator })
    }

    /// The generator that validates these tokens.
    pub(super) const fn generator(&self) -> &Generator {
        &self.generator
    }

    /// The file with its tokens, one a line.
    pub(super) fn tokens(&self) -> PathBuf {
        self.stage.folder.path().join("tokens")
    }

    /// A credential with one scope.
    pub(super) fn credential(&mut self, scope: &str) -> Result<String> {
        Client::sign_in(self.start()?)?.create_token(scope)
    }

    /// The server, started if it is down.
    pub(super) fn start(&mut self) -> Result<&Running> {
        let running = match self.running.take() {
            Some(running) => running,
            None => self.product.start()?,
        };
        Ok(self.running.insert(running))
    }

    /// Stops the server. The next one starts with an empty cache.
    pub(super) fn stop(&mut self) {
        self.running = None;
        self.is_warm = false;
    }

    /// The server that was started.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn running(&self) -> Result<&Running> {
        self.running.as_ref().ok_or_else(|| Fail::new("the server of the benchmark is down"))
    }

    /// The processes whose time counts.
    pub(super) fn observed(&self) -> Result<Vec<Observed>> {
        self.running().map(|running| self.product.observed(running))
    }

    /// The generator that validates the last of the tokens.
    fn last(&self) -> Result<Generator> {
        let (name, all) = ("last", self.tokens());
        let text = std::fs::read(&all).attempt(|| format!("read {}", all.display()))?;
        let from = text.len().saturating_sub(CUT_OFF * (tokens::TOKEN_LENGTH + 1));
        std::fs::write(all.with_file_name(name), &text[from..]).attempt(|| format!("write {name}"))?;
        validating(&self.stage, name)
    }

    /// Starts the server and validates every token once. The last requests of that pass may be cut off, so the last
    /// tokens are validated again.
    pub(super) fn warm(&mut self) -> Result {
        self.start()?;
        if self.is_warm {
            return Ok(());
        }
        say::step(format!("asking for each of {} tokens once", self.count));
        let running = self.running()?;
        let patience = WARM_UP + Duration::from_secs((self.count / WARMED_PER_SECOND) as u64);
        let last = self.last()?;
        for (generator, order, time) in [(&self.generator, Order::Once, patience), (&last, Order::Random, RUN_IN)] {
            generator.run(&Load::usual(running.port, time, order)).map_err(|fail| running.explain(&fail))?;
        }
        interrupt::check()?;
        let seen = self.generator.run(&Load::usual(running.port, RUN_IN, Order::Random))?;
        seen.must_be(Answer::Live).map_err(|fail| running.explain(&fail))?;
        self.is_warm = true;
        Ok(())
    }
}

/// The generator that validates the tokens of a file.
fn validating(stage: &Stage, tokens: &'static str) -> Result<Generator> {
    let (head, tail) = VALIDATE.cut(tokens::TOKEN_LENGTH, "");
    Generator::prepare(stage.folder.path(), "validate", tokens, (&head, &tail), GENERATOR_CORE)
}
