//! What the product has to reach, read from `bench/goals.toml`, and the figures that benchmarks hold against it.

use super::backend::Backend;
use serde::Deserialize;
use std::sync::LazyLock;

const TEXT: &str = include_str!("../goals.toml");

/// A figure that has a goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Goal {
    /// CPU of a cached validation, uniformly.
    ValidateCpu,
    /// The same, tokens by Zipf's law.
    ZipfCpu,
    /// CPU with sixteen requests written at once, uniformly.
    PipelinedCpu,
    /// The same, by Zipf's law.
    PipelinedZipfCpu,
    /// Requests in a second, uniformly.
    ValidateRate,
    /// The same, by Zipf's law.
    ZipfRate,
    /// What 99 % of the requests stay within, uniformly.
    ValidateTail,
    /// The same, by Zipf's law.
    ZipfTail,
    /// The same, uniformly, at a rate that both keep up with.
    PacedTail,
    /// Database reads of cached validations.
    CachedReads,
    /// Slow hashes of cached validations.
    CachedHashes,
    /// Allocations of a cached validation beyond the ground's.
    Allocations,
    /// Processor time of validating a well-formed token that does not exist.
    UnknownCpu,
    /// CPU of a token with a wrong checksum.
    MalformedCpu,
    /// Database reads for tokens with a wrong checksum.
    MalformedReads,
    /// CPU of the first validation after a start.
    ColdCpu,
    /// Slow hashes of first validations after a start.
    ColdHashes,
    /// CPU with the most tokens, of that with the fewest.
    ScaleCpu,
    /// Memory of a remembered token.
    ScaleBytes,
    /// Time of a start with a million tokens.
    Start,
    /// What a second worker brings.
    Workers,
    /// The same with sixteen requests written at once.
    WorkersPipelined,
    /// CPU of a forward-auth request.
    ForwardCpu,
    /// CPU of an introspection.
    IntrospectCpu,
    /// CPU of making a token with bcrypt.
    CreateBcryptCpu,
    /// CPU of making a token without, by one client.
    CreateCpu,
    /// The same, by sixteen clients.
    CreateCpuAtOnce,
    /// Tokens made in a second by sixteen clients.
    CreateRate,
    /// What half of all revocations take beyond a wait for the disk.
    RevokeWait,
    /// What 99 % of all revocations take.
    RevokeTail,
    /// The last page of a list, of the first.
    ListingDepth,
    /// The first page of a list, or the last if that is slower.
    ListingEnds,
    /// The page in the middle.
    ListingMiddle,
    /// The program.
    Program,
    /// Resident memory of a server without requests.
    Idle,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Direction {
    /// At most so much.
    AtMost,
    /// At least so much.
    AtLeast,
}

/// On which database, if it depends on one, and how much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Target {
    pub(super) on: Option<Backend>,
    pub(super) limit: f64,
}

/// One goal: what it says, and its targets.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) goal: Goal,
    /// The name of the figure in the report; unique among the goals.
    pub(super) what: String,
    pub(super) direction: Direction,
    /// Written after the number.
    pub(super) unit: String,
    /// Decimal places. The figure is rounded to them before it is compared with the goal.
    pub(super) decimals: usize,
    sqlite: Option<f64>,
    postgres: Option<f64>,
    any: Option<f64>,
    /// Whether a figure beyond the limit is a miss.
    #[serde(default = "judged")]
    pub(super) judged: bool,
}

const fn judged() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    goal: Vec<Line>,
}

/// Every goal, in the order of the table.
pub(super) static GOALS: LazyLock<Vec<Line>> = LazyLock::new(|| match toml::from_str::<File>(TEXT) {
    Ok(file) => file.goal,
    // Compiled in, and read by a test.
    Err(error) => panic!("bench/goals.toml: {error}"),
});

/// A number that belongs to a goal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Figure {
    pub(super) goal: Goal,
    /// The database it was measured on, if the goal tells them apart.
    pub(super) on: Option<Backend>,
    pub(super) value: f64,
}

/// What a benchmark found: the text of its section, and the figures that have goals.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Outcome {
    pub(super) text: String,
    pub(super) figures: Vec<Figure>,
}

impl Outcome {
    /// A benchmark without goals.
    pub(super) const fn text(text: String) -> Self {
        Self { text, figures: Vec::new() }
    }
}

impl Line {
    /// Whether `value` is good enough for `limit`.
    pub(super) fn is_reached(&self, value: f64, limit: f64) -> bool {
        match self.direction {
            Direction::AtMost => value <= limit,
            Direction::AtLeast => value >= limit,
        }
    }

    /// Its limits.
    pub(super) fn targets(&self) -> impl Iterator<Item = Target> + use<> {
        let on = [(Some(Backend::Sqlite), self.sqlite), (Some(Backend::Postgres), self.postgres), (None, self.any)];
        on.into_iter().filter_map(|(on, limit)| Some(Target { on, limit: limit? }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_a_goal_and_a_phrase_of_its_own() {
        for (at, line) in GOALS.iter().enumerate() {
            assert_eq!(GOALS.iter().position(|other| other.goal == line.goal), Some(at), "{}", line.what);
            assert_eq!(GOALS.iter().position(|other| other.what == line.what), Some(at), "{}", line.what);
            assert!(line.targets().next().is_some() && !line.what.contains('|'), "{}", line.what);
        }
    }

    #[test]
    fn better_is_less_or_more() {
        let line = |goal| GOALS.iter().find(|line| line.goal == goal).unwrap();
        for (goal, value, limit, is_reached) in [
            (Goal::ValidateCpu, 1.12, 1.12, true),
            (Goal::ValidateCpu, 1.121, 1.12, false),
            (Goal::ValidateRate, 0.92, 0.92, true),
            (Goal::ValidateRate, 0.919, 0.92, false),
            (Goal::CachedReads, 0.0, 0.0, true),
        ] {
            assert_eq!(line(goal).is_reached(value, limit), is_reached, "{goal:?} {value}");
        }
    }
}
