//! What clients asked and were told, and when. The checker judges by nothing else.

use std::time::Instant;

/// Nanoseconds since the beginning of the run.
pub(crate) type Moment = u64;

/// The clock of all clients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Moment {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// What a change makes of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Validations say "valid".
    Valid,
    /// They say 401, until a later change says otherwise.
    Disabled,
    /// They say 401, for ever.
    Revoked,
}

/// How a change was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With success.
    Acknowledged,
    /// With 503, or not at all: it happens, now or later, or it does not.
    Unknown,
}

/// A change of a token. Those of one token are made by one client, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) sent: Moment,
    pub(crate) answered: Moment,
    pub(crate) node: usize,
    pub(crate) to: State,
    pub(crate) outcome: Outcome,
}

/// What a validation said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Valid,
    Invalid,
    /// 503, or nothing: that claims nothing.
    Nothing,
}

/// A validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) token: usize,
    pub(crate) sent: Moment,
    pub(crate) answered: Moment,
    pub(crate) node: usize,
    pub(crate) said: Said,
}

/// All changes of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) changes: Vec<Change>,
}

/// What all clients saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    /// By the token's number.
    pub(crate) lives: Vec<Life>,
    pub(crate) looks: Vec<Look>,
}
