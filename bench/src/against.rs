//! Rounds that alternate between the product and the baseline. Ratios are taken within each pair of rounds, so that a
//! machine that slows down half-way slows both.

use super::cases::{Against, Before, Case, Measure, PIPELINED, Tokens};
use super::client::metric;
use super::contender::{self, Running};
use super::cost::{self, Observed, precise};
use super::goals::{Figure, Goal, Outcome};
use super::plan::Plan;
use super::report::{self, Round};
use super::request::{Answer, Order, Request};
use super::stage::{GENERATOR_CORE, SERVER_CORE};
use super::stats::Spread;
use super::stock::{RUN_IN, Seeded, Stock};
use super::tokens;
use super::wrk::{Generator, Load};
use std::path::PathBuf;
use std::time::Duration;
use task_support::fail::Result;
use task_support::{interrupt, product, say};

/// The product's metrics of work that a cached validation must not need.
const READS: &str = "nolapse_candidate_reads_total";
const HASHES: &str = "nolapse_slow_hashes_total";

/// Runs one benchmark against its baseline.
pub(super) fn run(plan: &Plan, case: &'static Case, stock: &mut Stock) -> Result<Outcome> {
    let seeded = stock.seeded(plan.profile, plan.backend, plan.live(case))?;
    let measured = Rounds::prepare(plan, case, seeded)?.measure(seeded)?;
    let name = match case.against {
        Against::Bare => "nolapse-api",
        Against::Validate => case.name,
    };
    let (connections, rest) = case.offered.pace();
    let rests = match rest.as_millis() {
        0 => String::new(),
        rest => format!(", each of which rests {rest} ms behind an answer"),
    };
    let text = format!(
        "{}: {} of them, {} rounds of {} s, {connections} connections{rests}.\n\n{}",
        case.about,
        plan.count(case),
        plan.size.rounds,
        plan.size.seconds,
        report::table([case.against.name(), name], &measured.pairs, plan.pipeline),
    );
    Ok(Outcome { text, figures: measured.figures(plan, case) })
}

/// What the rounds of one case need.
pub(super) struct Rounds<'a> {
    plan: &'a Plan,
    case: &'static Case,
    /// The program `bare`, if it is the baseline.
    bare: Option<PathBuf>,
    generator: Generator,
}

/// The results of the rounds.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// The baseline and the product in each round.
    pub(super) pairs: Vec<(Round, Round)>,
    /// Database reads in the product's rounds.
    reads: u64,
    hashes: u64,
}

impl<'a> Rounds<'a> {
    /// Writes the request and, for cases about unknown or malformed tokens, those tokens to files.
    pub(super) fn prepare(plan: &'a Plan, case: &'static Case, seeded: &mut Seeded) -> Result<Self> {
        let folder = seeded.stage.folder.path().to_owned();
        let own = match case.tokens {
            Tokens::Live(_) => "tokens",
            Tokens::Unknown(_) | Tokens::Malformed(_) => {
                let (file, count) = (folder.join("strangers"), plan.count(case));
                tokens::write_strangers(&file, count, matches!(case.tokens, Tokens::Unknown(_)))?;
                tokens::check(&file, count)?;
                "strangers"
            }
        };
        let credential = match case.request.needs() {
            None => String::new(),
            Some(scope) => seeded.credential(scope)?,
        };
        let (head, tail) = Request::cut(&case.request, tokens::TOKEN_LENGTH, &credential);
        let generator = Generator::prepare(&folder, "asked", own, (&head, &tail), GENERATOR_CORE)?;
        let bare = match case.against {
            Against::Bare => Some(product::build_program("bare", "bare", plan.profile)?),
            Against::Validate => None,
        };
        Ok(Self { plan, case, bare, generator })
    }

    /// Runs the rounds, the baseline first in each.
    pub(super) fn measure(&self, seeded: &mut Seeded) -> Result<Measured> {
        let folder = seeded.stage.folder.path();
        let start = |program: &PathBuf| contender::start_bare(program, folder, SERVER_CORE, self.case.answer);
        let bare = self.bare.as_ref().map(start).transpose()?;
        if let Some(bare) = &bare {
            seeded.generator().run(&self.load(bare, RUN_IN, Order::Random))?;
        }
        if self.case.before == Before::Warm {
            seeded.warm()?;
            self.generator.run(&self.load(seeded.running()?, RUN_IN, Order::Random))?;
        }
        let mut measured = Measured::default();
        for round in 1..=self.plan.size.rounds {
            say::step(format!("round {round} of {}", self.plan.size.rounds));
            if self.case.before == Before::Restart {
                seeded.stop();
            }
            let first = match (&bare, self.case.before) {
                (Some(bare), Before::Warm) => seeded.running()?.while_stopped(|| self.of_bare(seeded, bare)),
                (Some(bare), Before::Restart) => self.of_bare(seeded, bare),
                (None, Before::Warm | Before::Restart) => {
                    seeded.start()?;
                    self.once(seeded.generator(), seeded.running()?, &seeded.observed()?, Answer::Live)
                }
            }?;
            let running = seeded.start()?;
            let (reads, hashes) = (metric(running, READS)?, metric(running, HASHES)?);
            let running = seeded.running()?;
            let second = self.once(&self.generator, running, &seeded.observed()?, self.case.answer)?;
            measured.reads += metric(running, READS)?.saturating_sub(reads);
            measured.hashes += metric(running, HASHES)?.saturating_sub(hashes);
            measured.pairs.push((first, second));
        }
        Ok(measured)
    }

    fn of_bare(&self, seeded: &Seeded, bare: &Running) -> Result<Round> {
        self.once(seeded.generator(), bare, &[bare.observed()], self.case.answer)
    }

    fn once(&self, generator: &Generator, running: &Running, observed: &[Observed], answer: Answer) -> Result<Round> {
        let load = self.load(running, Duration::from_secs(self.plan.size.seconds), self.case.order);
        turn(generator, running, &load, observed, answer)
    }

    fn load(&self, running: &Running, time: Duration, order: Order) -> Load {
        let (connections, rest) = self.case.offered.pace();
        Load { pipeline: self.plan.pipeline, connections, rest, ..Load::usual(running.port, time, order) }
    }
}

/// Loads one server in a round: what the clients measured, and the processor time of the `observed` processes.
///
/// # Errors
/// If any answer was not `answer`.
pub(super) fn turn(
    generator: &Generator,
    running: &Running,
    load: &Load,
    observed: &[Observed],
    answer: Answer,
) -> Result<Round> {
    interrupt::check()?;
    let before = cost::cpu_time(observed)?;
    let seen = generator.run(load).map_err(|fail| running.explain(&fail))?;
    let used = cost::cpu_time(observed)?.saturating_sub(before);
    seen.must_be(answer).map_err(|fail| running.explain(&fail))?;
    Ok(Round::new(&seen, used, cost::resident(running.id())?))
}

impl Measured {
    /// Medians over the rounds, for the goals of the case. None with another number of tokens or pipeline depth than
    /// the goals have.
    fn figures(&self, plan: &Plan, case: &Case) -> Vec<Figure> {
        let goals: &[(Goal, Measure)] = match (plan.tokens, plan.pipeline) {
            (None, 1) => case.goals,
            (None, PIPELINED) => case.pipelined,
            (None | Some(_), _) => &[],
        };
        let figure = |(goal, measure): &(Goal, Measure)| Figure {
            goal: *goal,
            on: Some(plan.backend),
            value: self.value(*measure),
        };
        goals.iter().map(figure).collect()
    }

    fn value(&self, measure: Measure) -> f64 {
        let ratio = |read: &dyn Fn(&Round) -> f64| {
            Spread::of(self.pairs.iter().map(|(ground, product)| read(product) / read(ground))).median
        };
        match measure {
            Measure::CpuRatio => ratio(&Round::cpu_us),
            Measure::RateRatio => ratio(&Round::per_second),
            Measure::TailRatio => ratio(&|round| round.latency_ms()[1]),
            Measure::Reads => precise(self.reads),
            Measure::Hashes => precise(self.hashes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::backend::Backend;
    use super::super::cases;
    use super::super::plan::Asked;
    use super::super::wrk::Seen;
    use super::*;
    use task_support::args::Args;

    fn round(requests: u64, cpu_ms: u64) -> Round {
        let seen =
            Seen { requests, duration: Duration::from_secs(1), latency_us: [1, requests, 1], refused: 0, failed: 0 };
        Round::new(&seen, Duration::from_millis(cpu_ms), 0)
    }

    fn plan(line: &str) -> Plan {
        match Asked::parse(Args::new(line.split_whitespace().map(str::to_owned))).unwrap() {
            Asked::One(plan) => plan,
            Asked::All(_) => panic!("{line} is about all of them"),
        }
    }

    #[test]
    fn figures_are_medians_within_pairs() {
        let pairs = vec![(round(1_000, 10), round(900, 10)), (round(500, 10), round(500, 11))];
        let measured = Measured { pairs, reads: 3, hashes: 2 };
        let near = |left: f64, right: f64| (left - right).abs() < 1e-9;
        for (measure, expected) in [
            (Measure::CpuRatio, f64::midpoint(1.0 / 0.9, 1.1)),
            (Measure::RateRatio, 0.95),
            (Measure::TailRatio, 0.95),
            (Measure::Reads, 3.0),
            (Measure::Hashes, 2.0),
        ] {
            assert!(near(measured.value(measure), expected), "{measure:?}: {}", measured.value(measure));
        }
    }

    #[test]
    fn only_the_sizes_of_a_goal_are_compared_with_it() {
        let case = cases::find("validate").unwrap();
        let measured = Measured { pairs: vec![(round(1, 1), round(1, 1))], ..Measured::default() };
        for (line, goals) in [
            ("validate --full", 5),
            ("validate --full --pipeline 16", 1),
            ("validate --full --pipeline 4", 0),
            ("validate --full --tokens 5", 0),
        ] {
            assert_eq!(measured.figures(&plan(line), case).len(), goals, "{line}");
        }
        let figures = measured.figures(&plan("validate --backend postgres"), case);
        assert!(figures.iter().all(|figure| figure.on == Some(Backend::Postgres)));
    }
}
