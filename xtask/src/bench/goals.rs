//! What the product has to reach: one line for each goal, and the figures that benchmarks hold against them.
//!
//! A goal that is about a database has a target for each of them, so that neither hides behind the other.

use super::contender::Backend;

/// A figure that has a goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// CPU of a token nobody issued.
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
    /// Memory of a server nobody asks.
    Idle,
    /// A build after an edit of the binary's package.
    RebuildApi,
    /// A build after an edit of the package below it.
    RebuildAuthority,
    /// CPU of the fastest peer's check, of a validation's.
    PeerValidate,
    /// The same, of an introspection's.
    PeerIntrospect,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) goal: Goal,
    /// What is measured, in a phrase that no other line has.
    pub(super) what: &'static str,
    pub(super) direction: Direction,
    /// Written after the number.
    pub(super) unit: &'static str,
    /// Places after the point. What is shown is what is judged.
    pub(super) decimals: usize,
    pub(super) targets: &'static [Target],
}

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
}

/// The same on both databases.
const fn both(limit: f64) -> [Target; 2] {
    [on(Backend::Sqlite, limit), on(Backend::Postgres, limit)]
}

/// On one database only.
const fn on(backend: Backend, limit: f64) -> Target {
    Target { on: Some(backend), limit }
}

/// Whatever the database.
const fn alone(limit: f64) -> Target {
    Target { on: None, limit }
}

/// At most `targets`, as a ratio of what stands in `what`.
const fn ratio(goal: Goal, what: &'static str, targets: &'static [Target]) -> Line {
    Line { goal, what, direction: Direction::AtMost, unit: "×", decimals: 3, targets }
}

/// At most `targets` of `unit`.
const fn at_most(goal: Goal, what: &'static str, unit: &'static str, targets: &'static [Target]) -> Line {
    Line { goal, what, direction: Direction::AtMost, unit, decimals: 2, targets }
}

impl Line {
    const fn at_least(self) -> Self {
        Self { direction: Direction::AtLeast, ..self }
    }

    const fn decimals(self, decimals: usize) -> Self {
        Self { decimals, ..self }
    }
}

/// Every goal, in the order of the table.
pub(super) const GOALS: &[Line] = &[
    ratio(
        Goal::ValidateCpu,
        "validate, live and known to the node, uniformly (usage, metrics, audit on): CPU, of bare's",
        &both(1.12),
    ),
    ratio(Goal::ZipfCpu, "the same by Zipf's law: CPU, of bare's", &both(1.12)),
    ratio(Goal::PipelinedCpu, "validate, 16 pipelined, uniformly: CPU, of bare's", &both(1.70)),
    ratio(Goal::PipelinedZipfCpu, "validate, 16 pipelined, by Zipf's law: CPU, of bare's", &both(1.70)),
    ratio(Goal::ValidateRate, "validate, uniformly: requests/s, of bare's", &both(0.92)).at_least(),
    ratio(Goal::ZipfRate, "validate, by Zipf's law: requests/s, of bare's", &both(0.92)).at_least(),
    ratio(Goal::ValidateTail, "validate, uniformly: p99, of bare's", &both(1.2)),
    ratio(Goal::ZipfTail, "validate, by Zipf's law: p99, of bare's", &both(1.2)),
    ratio(
        Goal::PacedTail,
        "validate, uniformly, each connection resting 1 ms behind an answer: p99, of bare's",
        &both(1.2),
    ),
    at_most(Goal::CachedReads, "validate, known to the node: database reads", "reads", &both(0.0)).decimals(0),
    at_most(Goal::CachedHashes, "validate, known to the node: slow hashes", "hashes", &both(0.0)).decimals(0),
    at_most(Goal::Allocations, "validate, known to the node: allocations beyond bare's", "a request", &[alone(0.0)]),
    ratio(Goal::UnknownCpu, "unknown token: CPU, of a live one's", &both(1.0)),
    ratio(Goal::MalformedCpu, "wrong checksum: CPU, of a live token's", &both(1.0)),
    at_most(Goal::MalformedReads, "wrong checksum: database reads", "reads", &both(0.0)).decimals(0),
    // A quarter above a bare handler that does nothing but the point read: 3.1 and 9.6 of bare's.
    ratio(
        Goal::ColdCpu,
        "first use after a start: CPU of server and database, of bare's",
        &[on(Backend::Sqlite, 3.875), on(Backend::Postgres, 12.0)],
    ),
    at_most(Goal::ColdHashes, "first use after a start: slow hashes", "hashes", &both(0.0)).decimals(0),
    ratio(Goal::ScaleCpu, "most stored tokens: CPU, of a thousand's", &[alone(1.25)]),
    at_most(Goal::ScaleBytes, "memory of a remembered token", "bytes", &[alone(200.0)]).decimals(0),
    at_most(Goal::Start, "start with 1 000 000 tokens", "s", &both(1.0)),
    ratio(Goal::Workers, "2 workers: throughput by CPU, of one worker's", &[alone(1.8)]).at_least().decimals(2),
    ratio(Goal::WorkersPipelined, "2 workers, 16 pipelined: throughput by CPU, of one worker's", &[alone(1.8)])
        .at_least()
        .decimals(2),
    ratio(Goal::ForwardCpu, "forward-auth: CPU, of validate's", &both(1.25)),
    ratio(Goal::IntrospectCpu, "introspection: CPU, of validate's", &both(1.25)),
    at_most(Goal::CreateBcryptCpu, "create with bcrypt 10: CPU", "ms", &both(60.0)),
    at_most(Goal::CreateCpu, "create with sha256, one at a time: CPU", "ms", &both(0.3)).decimals(3),
    at_most(Goal::CreateCpuAtOnce, "create with sha256, 16 at once: CPU", "ms", &both(0.3)).decimals(3),
    at_most(
        Goal::CreateRate,
        "create with sha256, 16 at once, FULL durability",
        "per second",
        &[on(Backend::Sqlite, 5_000.0)],
    )
    .at_least()
    .decimals(0),
    at_most(
        Goal::RevokeWait,
        "revoke, one at a time: p50 beyond one wait for the disk",
        "ms",
        &[on(Backend::Sqlite, 1.0)],
    ),
    at_most(
        Goal::RevokeTail,
        "revoke, one at a time, on the one node there is: p99",
        "ms",
        &[on(Backend::Postgres, 150.0)],
    ),
    ratio(Goal::ListingDepth, "lists of 100 000: p50 of page 1 000, of page 1's, the worst list", &both(2.0)),
    at_most(Goal::ListingEnds, "lists of 100 000: p50 of pages 1 and 1 000, the worst list", "ms", &both(5.0)),
    // Nobody asked for this one; it is where such lists cost most.
    at_most(Goal::ListingMiddle, "lists of 100 000: p50 of page 500, the worst list", "ms", &both(5.0)),
    at_most(Goal::Program, "release program, stripped", "MB", &[alone(25.0)]),
    at_most(Goal::Idle, "resident memory of an idle server", "MiB", &[alone(30.0)]),
    at_most(Goal::RebuildApi, "debug build after an edit in api", "s", &[alone(6.0)]),
    at_most(Goal::RebuildAuthority, "debug build after an edit in authority", "s", &[alone(6.0)]),
    ratio(Goal::PeerValidate, "fastest peer: CPU per check, of validate's", &[alone(15.0)]).at_least().decimals(1),
    ratio(Goal::PeerIntrospect, "fastest peer: CPU per check, of introspection's", &[alone(15.0)])
        .at_least()
        .decimals(1),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_a_goal_and_a_phrase_of_its_own() {
        for (at, line) in GOALS.iter().enumerate() {
            assert_eq!(GOALS.iter().position(|other| other.goal == line.goal), Some(at), "{}", line.what);
            assert_eq!(GOALS.iter().position(|other| other.what == line.what), Some(at), "{}", line.what);
            assert!(!line.targets.is_empty() && !line.what.contains('|'), "{}", line.what);
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
