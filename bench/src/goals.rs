//! The goals of the product, read from `bench/goals.toml`, and the figures that are compared with them.

use super::backend::Backend;
use serde::Deserialize;
use std::sync::LazyLock;

const TEXT: &str = include_str!("../goals.toml");

/// A figure that has a goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Goal {
    /// Processor time of a cached validation, tokens chosen uniformly.
    ValidateCpu,
    /// As `ValidateCpu`, tokens by Zipf's law.
    ZipfCpu,
    /// Processor time with sixteen requests written at once, uniformly.
    PipelinedCpu,
    /// The same, by Zipf's law.
    PipelinedZipfCpu,
    /// Requests per second, uniformly.
    ValidateRate,
    /// The same, by Zipf's law.
    ZipfRate,
    /// The 99th percentile of latency, uniformly.
    ValidateTail,
    /// The same, by Zipf's law.
    ZipfTail,
    /// The 99th percentile of latency, uniformly, at a rate that both servers keep up with.
    PacedTail,
    /// Database reads of cached validations.
    CachedReads,
    /// Slow hashes of cached validations.
    CachedHashes,
    /// Allocations of a cached validation beyond the baseline's.
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
    /// Processor time with the most tokens, relative to that with the fewest.
    ScaleCpu,
    /// Memory of a cached token.
    ScaleBytes,
    /// Time of a start with a million tokens.
    Start,
    /// The throughput of two workers, relative to one.
    Workers,
    /// The same with sixteen requests written at once.
    WorkersPipelined,
    /// CPU of a forward-auth request.
    ForwardCpu,
    /// CPU of an introspection.
    IntrospectCpu,
    /// Processor time of creating a token with bcrypt.
    CreateBcryptCpu,
    /// Processor time of creating a token with SHA-256, by one client.
    CreateCpu,
    /// The same, by sixteen clients.
    CreateCpuAtOnce,
    /// Tokens created per second by sixteen clients.
    CreateRate,
    /// The median latency of a revocation, less a disk sync.
    RevokeWait,
    /// The 99th percentile of a revocation's latency.
    RevokeTail,
    /// The latency of a list's last page, relative to the first.
    ListingDepth,
    /// The latency of a list's first or last page, whichever is slower.
    ListingEnds,
    /// The latency of a list's middle page.
    ListingMiddle,
    /// The size of the program.
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

/// The limit, and the database that it is for, if it depends on one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Target {
    pub(super) on: Option<Backend>,
    pub(super) limit: f64,
}

/// One goal and its targets.
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
    /// Whether a figure beyond the limit counts as missed.
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
    // Cannot fail: the text is compiled in, and a test parses it.
    Err(error) => panic!("bench/goals.toml: {error}"),
});

/// A measured number for a goal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Figure {
    pub(super) goal: Goal,
    /// The database it was measured on, if the goal tells them apart.
    pub(super) on: Option<Backend>,
    pub(super) value: f64,
}

/// The result of a benchmark: the text of its section, and the figures that have goals.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Outcome {
    pub(super) text: String,
    pub(super) figures: Vec<Figure>,
}

impl Outcome {
    /// The result of a benchmark without goals.
    pub(super) const fn text(text: String) -> Self {
        Self { text, figures: Vec::new() }
    }
}

impl Line {
    /// Whether `value` reaches `limit`.
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
    fn a_goal_is_an_upper_or_a_lower_bound() {
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
