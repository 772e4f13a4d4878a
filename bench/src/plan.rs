//! What the command line asked for.

use super::ALONE;
use super::backend::Backend;
use super::cases::{self, CASES, Case, LIVE, Tokens};
use super::goals::Outcome;
use super::stock::Stock;
use task_support::args::Args;
use task_support::fail::{Fail, Result};
use task_support::product::Profile;

/// The deepest pipeline.
const DEEPEST: u32 = 64;

/// A benchmark without a baseline.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alone {
    /// Its name on the command line.
    pub(super) name: &'static str,
    /// What it shows, in a phrase.
    pub(super) about: &'static str,
    /// Measures, and returns the text of its section.
    pub(super) run: fn(&Plan, &mut Stock) -> Result<Outcome>,
    /// What it needs.
    pub(super) ground: Ground,
}

/// What a benchmark needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ground {
    /// A database, on which its result depends.
    Database,
    /// A database with as many live tokens as most benchmarks have; the server may have cached them.
    Tokens,
    /// Only the processor; if it uses a database, the result does not depend on which.
    Processor,
}

/// The benchmark that a name on the command line selects.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subject {
    /// Rounds that alternate with a baseline.
    Against(&'static Case),
    /// Anything else.
    Alone(&'static Alone),
}

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    option: &'static str,
    /// Rounds; results are their medians.
    pub(super) rounds: u32,
    /// Seconds of a round, if the round ends by time.
    pub(super) seconds: u64,
    /// The place in a benchmark's own list of sizes: quick, usual, full.
    pub(super) index: usize,
}

const QUICK: Size = Size { option: " --quick", rounds: 3, seconds: 2, index: 0 };
const USUAL: Size = Size { option: "", rounds: 5, seconds: 5, index: 1 };
const FULL: Size = Size { option: " --full", rounds: 7, seconds: 10, index: 2 };
/// The name that selects all benchmarks.
pub(super) const ALL: &str = "all";
/// `--full` in a run of all benchmarks: as many tokens, less time.
const FULL_PART: Size = Size { rounds: 5, seconds: 3, ..FULL };
/// The usual size in a run of all benchmarks.
const USUAL_PART: Size = Size { rounds: 3, seconds: 3, ..USUAL };
/// `--quick` in a run of all benchmarks.
const QUICK_PART: Size = Size { rounds: 1, seconds: 1, ..QUICK };

/// What the command line asked for.
#[derive(Debug)]
pub(super) struct Plan {
    /// The benchmark.
    pub(super) subject: Subject,
    /// How much is measured.
    pub(super) size: Size,
    /// On which database.
    pub(super) backend: Backend,
    /// Requests written at once on each connection.
    pub(super) pipeline: u32,
    /// The number of tokens, instead of that of the size.
    pub(super) tokens: Option<usize>,
    /// Whether this is part of a run of all benchmarks.
    pub(super) is_part: bool,
    /// Whether the result goes into the page.
    pub(super) write: bool,
    /// How the programs are built.
    pub(super) profile: Profile,
}

/// One benchmark, or all of them.
#[derive(Debug)]
pub(super) enum Asked {
    /// One, as planned.
    One(Plan),
    /// All.
    All(Whole),
}

/// The options of a run of all benchmarks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole {
    pub(super) size: Size,
    /// On this database alone, if one was named.
    pub(super) only: Option<Backend>,
    pub(super) write: bool,
    profile: Profile,
}

impl Asked {
    pub(super) fn parse(mut args: Args) -> Result<Self> {
        let size = match (args.flag("--quick"), args.flag("--full")) {
            (false, false) => USUAL,
            (true, false) => QUICK,
            (false, true) => FULL,
            (true, true) => return Err(Fail::usage("--quick or --full, not both")),
        };
        let backend = args.value("--backend")?.map(|text| Backend::parse(&text)).transpose()?;
        let pipeline = number(&mut args, "--pipeline", DEEPEST)?;
        let tokens = number(&mut args, "--tokens", 10_000_000)?.and_then(|count| usize::try_from(count).ok());
        let write = args.flag("--write");
        let profile = if args.flag("--dev") { Profile::Dev } else { Profile::Release };
        if write && profile == Profile::Dev {
            return Err(Fail::usage("--dev is for work on a benchmark; its numbers are not written down"));
        }
        match args.words()?.as_slice() {
            [name] if name == ALL => match (pipeline, tokens) {
                (None, None) => Ok(Self::All(Whole { size: part_of(size), only: backend, write, profile })),
                _ => Err(Fail::usage("all benchmarks choose their own --pipeline and --tokens")),
            },
            [name] => {
                let fail = || Fail::usage(format!("no benchmark {name:?}; there are\n{}", names()));
                let (backend, pipeline) = (backend.unwrap_or(Backend::Sqlite), pipeline.unwrap_or(1));
                let subject = find(name).ok_or_else(fail)?;
                let backend = match subject.ground() {
                    Ground::Database | Ground::Tokens => backend,
                    Ground::Processor => Backend::Sqlite,
                };
                Ok(Self::One(Plan { subject, size, backend, pipeline, tokens, is_part: false, write, profile }))
            }
            _ => Err(Fail::usage(format!("which benchmark? One of\n{}", names()))),
        }
    }
}

/// The size with the same amounts in less time, for a run of all benchmarks.
fn part_of(size: Size) -> Size {
    [QUICK_PART, USUAL_PART, FULL_PART][size.index]
}

impl Whole {
    /// The plan of one benchmark of the run.
    ///
    /// # Errors
    /// If there is no such benchmark.
    pub(super) fn part(&self, name: &str, backend: Backend, pipeline: u32) -> Result<Plan> {
        let subject = find(name).ok_or_else(|| Fail::new(format!("the benchmark {name} is gone")))?;
        let Self { size, only: _, write, profile } = *self;
        Ok(Plan { subject, size, backend, pipeline, tokens: None, is_part: true, write, profile })
    }
}

impl Plan {
    /// How many live tokens the database of a case has.
    pub(super) fn live(&self, case: &Case) -> usize {
        match case.tokens {
            Tokens::Live(_) => self.count(case),
            Tokens::Unknown(_) | Tokens::Malformed(_) => LIVE[self.size.index],
        }
    }

    /// The number of live tokens in the database that this benchmark shares with others, if it shares one.
    pub(super) fn shared(&self) -> Option<usize> {
        match self.subject {
            Subject::Against(case) => Some(self.live(case)),
            Subject::Alone(alone) => match alone.ground {
                Ground::Tokens => Some(self.amount()),
                Ground::Database | Ground::Processor => None,
            },
        }
    }

    /// How many live tokens most benchmarks have.
    pub(super) fn amount(&self) -> usize {
        self.tokens.unwrap_or(LIVE[self.size.index])
    }

    /// How many tokens a case asks with.
    pub(super) fn count(&self, case: &Case) -> usize {
        match case.tokens {
            Tokens::Live(sizes) => self.tokens.unwrap_or(sizes[self.size.index]),
            Tokens::Unknown(count) | Tokens::Malformed(count) => self.tokens.unwrap_or(count),
        }
    }

    /// The command that repeats this benchmark.
    pub(super) fn command(&self) -> String {
        if self.is_part {
            return format!("cargo xtask bench {ALL}{}", self.size.option);
        }
        let depth = if self.pipeline == 1 { String::new() } else { format!(" --pipeline {}", self.pipeline) };
        let tokens = self.tokens.map(|count| format!(" --tokens {count}")).unwrap_or_default();
        let backend = match self.subject.ground() {
            Ground::Database | Ground::Tokens => format!(" --backend {}", self.backend.name()),
            Ground::Processor => String::new(),
        };
        format!("cargo xtask bench {}{}{backend}{depth}{tokens}", self.subject.name(), self.size.option)
    }

    /// The title of the result, which is unique.
    pub(super) fn title(&self) -> String {
        let depth = if self.pipeline == 1 { String::new() } else { format!(", {} pipelined", self.pipeline) };
        match self.subject.ground() {
            Ground::Database | Ground::Tokens => format!("{} on {}{depth}", self.subject.name(), self.backend.name()),
            Ground::Processor => format!("{}{depth}", self.subject.name()),
        }
    }
}

impl Subject {
    /// Its name on the command line.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Against(case) => case.name,
            Self::Alone(alone) => alone.name,
        }
    }

    const fn ground(self) -> Ground {
        match self {
            Self::Against(_) => Ground::Database,
            Self::Alone(alone) => alone.ground,
        }
    }
}

/// The benchmark called `name`.
fn find(name: &str) -> Option<Subject> {
    let alone = || ALONE.iter().find(|alone| alone.name == name).map(Subject::Alone);
    cases::find(name).map(Subject::Against).or_else(alone)
}

fn names() -> String {
    let cases = CASES.iter().map(|case| (case.name, case.about));
    let all = cases.chain(ALONE.iter().map(|alone| (alone.name, alone.about)));
    let all = all.chain([(ALL, "every one of them, on both databases")]);
    all.map(|(name, about)| format!("  {name:<20} {about}")).collect::<Vec<_>>().join("\n")
}

/// An option with a number from 1 to `most`.
fn number(args: &mut Args, name: &str, most: u32) -> Result<Option<u32>> {
    let Some(text) = args.value(name)? else { return Ok(None) };
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.map(Some).ok_or_else(|| Fail::usage(format!("{name} takes a number from 1 to {most}, not {text:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Result<Asked> {
        Asked::parse(Args::new(line.split_whitespace().map(str::to_owned)))
    }

    fn plan(line: &str) -> Result<Plan> {
        asked(line).map(|asked| match asked {
            Asked::One(plan) => plan,
            Asked::All(_) => panic!("{line} is about all of them"),
        })
    }

    #[test]
    fn a_run_of_all_benchmarks_has_the_same_amounts_and_less_time() {
        for (option, index) in [("--quick", 0), ("", 1), ("--full", 2)] {
            let Asked::All(whole) = asked(&format!("all {option}")).unwrap() else { panic!("one of them") };
            let (part, one) = (whole.size, plan(&format!("validate {option}")).unwrap().size);
            assert_eq!((part.index, part.option), (index, one.option));
            assert!(part.rounds < one.rounds && part.seconds < one.seconds);
            let command = whole.part("validate", Backend::Postgres, 16).unwrap().command();
            assert_eq!(command, format!("cargo xtask bench all {option}").trim_end());
        }
        assert!(asked("all --pipeline 2").is_err());
    }

    #[test]
    fn the_command_in_the_report_asks_for_the_same() {
        for line in [
            "validate --backend sqlite",
            "validate-cold --quick --backend postgres --pipeline 16",
            "validate-unknown --full --backend sqlite --tokens 500",
            "listing --backend postgres",
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
            ("validate-zipf --full", 1_000_000),
        ] {
            let plan = plan(line).unwrap();
            let Subject::Against(case) = plan.subject else { panic!("{line} is not compared with anything") };
            assert_eq!(plan.count(case), count, "{line}");
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
            ("validate --dev --write", "not written down"),
        ] {
            let fail = plan(line).err().unwrap();
            assert!(fail.to_string().contains(expected) && fail.code() == 2, "{line}: {fail}");
        }
    }

    #[test]
    fn every_benchmark_has_a_name_of_its_own() {
        let all: Vec<_> = CASES.iter().map(|case| case.name).chain(ALONE.iter().map(|alone| alone.name)).collect();
        for (at, name) in all.iter().enumerate() {
            assert_eq!(all.iter().position(|other| other == name), Some(at), "{name}");
            assert_eq!(find(name).unwrap().name(), *name);
        }
    }
}
