//! The table of benchmarks. A new benchmark is a new row.

use super::goals::Goal;
use super::request::{Answer, Order, Request, VALIDATE};
use super::wrk::CONNECTIONS;
use std::time::Duration;

/// One benchmark.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    /// Its name on the command line.
    pub(super) name: &'static str,
    /// What it shows, in a phrase.
    pub(super) about: &'static str,
    /// The tokens it asks with.
    pub(super) tokens: Tokens,
    /// The order in which it takes them.
    pub(super) order: Order,
    /// What is done to the product before it is measured.
    pub(super) before: Before,
    /// The expected answer to every request.
    pub(super) answer: Answer,
    /// The request around the token, without `Content-Length`.
    pub(super) request: Request,
    /// The load.
    pub(super) offered: Offered,
    /// The baseline.
    pub(super) against: Against,
    /// The figures that have goals.
    pub(super) goals: &'static [(Goal, Measure)],
    /// The figures that have goals with [`PIPELINED`] requests written at once.
    pub(super) pipelined: &'static [(Goal, Measure)],
}

/// The pipeline depth of the goals.
pub(super) const PIPELINED: u32 = 16;

/// How a figure is read from the rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// Processor time of a request, relative to the baseline in the same round.
    CpuRatio,
    /// Requests per second, relative to the baseline.
    RateRatio,
    /// The 99th percentile of latency, relative to the baseline.
    TailRatio,
    /// The number of database reads, over all rounds.
    Reads,
    /// The number of slow hashes, over all rounds.
    Hashes,
}

/// What a benchmark is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Against {
    /// The server `bare`, with the same requests.
    Bare,
    /// The product itself, validating live tokens.
    Validate,
}

impl Against {
    /// Its name in a table.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Validate => "validate",
        }
    }
}

/// Where a benchmark's tokens come from, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tokens {
    /// Live tokens: quick, usual and full size.
    Live([usize; 3]),
    /// Well formed, with the right checksum, but never issued.
    Unknown(usize),
    /// The right shape with a wrong checksum.
    Malformed(usize),
}

/// The load on a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offered {
    /// As much as it answers, on few connections: either generator or server is saturated.
    Most,
    /// About a third of what a server could answer: each of many connections pauses after an answer. A faster server
    /// gets slightly more requests.
    Paced,
}

impl Offered {
    /// The number of connections, and how long each pauses after an answer.
    pub(super) const fn pace(self) -> (u32, Duration) {
        match self {
            Self::Most => (CONNECTIONS, Duration::ZERO),
            Self::Paced => (2 * CONNECTIONS, Duration::from_millis(1)),
        }
    }
}

/// What is done to the product before it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// Every token is validated once, so that all are cached.
    Warm,
    /// The server is restarted before every round, so that none is cached.
    Restart,
}

/// Live tokens of most benchmarks: quick, usual and full size.
pub(super) const LIVE: [usize; 3] = [20_000, 100_000, 1_000_000];

/// Every benchmark.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "validate",
        about: "live tokens known to the node, uniformly",
        tokens: Tokens::Live(LIVE),
        order: Order::Random,
        before: Before::Warm,
        answer: Answer::Live,
        request: VALIDATE,
        offered: Offered::Most,
        against: Against::Bare,
        goals: &[
            (Goal::ValidateCpu, Measure::CpuRatio),
            (Goal::ValidateRate, Measure::RateRatio),
            (Goal::ValidateTail, Measure::TailRatio),
            (Goal::CachedReads, Measure::Reads),
            (Goal::CachedHashes, Measure::Hashes),
        ],
        pipelined: &[(Goal::PipelinedCpu, Measure::CpuRatio)],
    },
    Case {
        name: "validate-zipf",
        about: "live tokens known to the node, by Zipf's law",
        tokens: Tokens::Live(LIVE),
        order: Order::Zipf,
        before: Before::Warm,
        answer: Answer::Live,
        request: VALIDATE,
        offered: Offered::Most,
        against: Against::Bare,
        goals: &[
            (Goal::ZipfCpu, Measure::CpuRatio),
            (Goal::ZipfRate, Measure::RateRatio),
            (Goal::ZipfTail, Measure::TailRatio),
        ],
        pipelined: &[(Goal::PipelinedZipfCpu, Measure::CpuRatio)],
    },
    Case {
        name: "validate-paced",
        about: "live tokens known to the node, uniformly, at a rate that both servers keep up with",
        tokens: Tokens::Live(LIVE),
        order: Order::Random,
        before: Before::Warm,
        answer: Answer::Live,
        request: VALIDATE,
        offered: Offered::Paced,
        against: Against::Bare,
        goals: &[(Goal::PacedTail, Measure::TailRatio)],
        pipelined: &[],
    },
    Case {
        name: "validate-cold",
        about: "first use of each token after a start",
        tokens: Tokens::Live([100_000, 300_000, 1_000_000]),
        order: Order::Once,
        before: Before::Restart,
        answer: Answer::Live,
        request: VALIDATE,
        offered: Offered::Most,
        against: Against::Bare,
        goals: &[(Goal::ColdCpu, Measure::CpuRatio), (Goal::ColdHashes, Measure::Hashes)],
        pipelined: &[],
    },
    Case {
        name: "validate-unknown",
        about: "well-formed tokens nobody issued",
        tokens: Tokens::Unknown(1_000),
        order: Order::Random,
        before: Before::Warm,
        answer: Answer::Unknown,
        request: VALIDATE,
        offered: Offered::Most,
        against: Against::Validate,
        goals: &[(Goal::UnknownCpu, Measure::CpuRatio)],
        pipelined: &[],
    },
    Case {
        name: "validate-malformed",
        about: "token-shaped strings with a wrong checksum",
        tokens: Tokens::Malformed(1_000),
        order: Order::Random,
        before: Before::Warm,
        answer: Answer::Unknown,
        request: VALIDATE,
        offered: Offered::Most,
        against: Against::Validate,
        goals: &[(Goal::MalformedCpu, Measure::CpuRatio), (Goal::MalformedReads, Measure::Reads)],
        pipelined: &[],
    },
    Case {
        name: "forward-auth",
        about: "live tokens known to the node, as a proxy asks about them",
        tokens: Tokens::Live(LIVE),
        order: Order::Random,
        before: Before::Warm,
        answer: Answer::Live,
        request: Request {
            line: "GET /v1/auth/forward?scope=execute",
            headers: &["Authorization: Bearer {token}"],
            body: "",
        },
        offered: Offered::Most,
        against: Against::Validate,
        goals: &[(Goal::ForwardCpu, Measure::CpuRatio)],
        pipelined: &[],
    },
    Case {
        name: "introspect",
        about: "live tokens known to the node, as OAuth 2.0 introspects them",
        tokens: Tokens::Live(LIVE),
        order: Order::Random,
        before: Before::Warm,
        answer: Answer::Live,
        request: Request {
            line: "POST /v1/oauth/introspect",
            headers: &["Authorization: Bearer {credential}", "Content-Type: application/x-www-form-urlencoded"],
            body: "token={token}",
        },
        offered: Offered::Most,
        against: Against::Validate,
        goals: &[(Goal::IntrospectCpu, Measure::CpuRatio)],
        pipelined: &[],
    },
];

/// The benchmark called `name`.
pub(super) fn find(name: &str) -> Option<&'static Case> {
    CASES.iter().find(|case| case.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for (at, case) in CASES.iter().enumerate() {
            assert_eq!(CASES.iter().position(|other| other.name == case.name), Some(at));
            assert_eq!(find(case.name).unwrap().about, case.about);
        }
        assert!(find("validate-everything").is_none());
    }

    #[test]
    fn requests_that_need_a_credential_have_one() {
        let introspect = find("introspect").unwrap().request;
        assert_eq!(introspect.needs(), Some("authority:introspect"));
        let (head, tail) = introspect.cut(44, "nlp_mine");
        assert!(head.contains("Authorization: Bearer nlp_mine\r\n") && head.ends_with("\r\n\r\ntoken="), "{head}");
        assert!(head.contains("Content-Length: 50\r\n") && tail.is_empty(), "{head}");
        assert_eq!(VALIDATE.needs(), None);
    }
}
