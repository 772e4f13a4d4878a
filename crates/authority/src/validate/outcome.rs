//! What validation says, and how often it said what.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use token_domain::ScopeSet;
use token_domain::decide::Denial;
use token_domain::record::Token;
use token_domain::token::{RevokeReason, Status};

use crate::memory::Entry;

/// The answer about a presented text.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Good, and covers what was asked.
    Live(Arc<Entry>),
    /// Good, and does not cover what was asked.
    Insufficient {
        /// What is known about the token.
        entry: Arc<Entry>,
        /// The scopes that are lacking.
        missing: ScopeSet,
    },
    /// A good token, presented from elsewhere than where it may be used, or nobody knows from where.
    Elsewhere(Arc<Entry>),
    /// Not good. Why is nobody's business but the operator's.
    Invalid,
}

/// What only `detail` shows.
#[derive(Clone, Debug)]
pub struct Details {
    /// The token, with what is not yet written down of its last use.
    pub token: Token,
    /// Its status at the moment of the answer.
    pub status: Status,
}

/// The outcomes that are counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomeKind {
    /// Good.
    Live,
    /// Good, scopes lacking.
    Insufficient,
    /// Known and dead.
    Denied(Denial),
    /// Token-shaped and not known.
    Unknown,
    /// Not token-shaped, or its checksum is wrong.
    Malformed,
    /// Good, and presented from where it may not be used.
    Elsewhere,
    /// Could not be known.
    Unavailable,
}

/// The labels in the order of the counters.
const LABELS: [&str; 15] = [
    "live",
    "insufficient",
    "unknown",
    "malformed",
    "unavailable",
    "revoked",
    "superseded",
    "expired",
    "organization_disabled",
    "person_disabled",
    "person_removed",
    "actor_disabled",
    "access_scope_inactive",
    "idle",
    "elsewhere",
];

/// Counts by outcome. One relaxed addition each; read by the metrics page.
#[derive(Debug, Default)]
pub struct OutcomeCounters([AtomicU64; LABELS.len()]);

impl OutcomeKind {
    const fn index(self) -> usize {
        match self {
            Self::Live => 0,
            Self::Insufficient => 1,
            Self::Unknown => 2,
            Self::Malformed => 3,
            Self::Unavailable => 4,
            Self::Elsewhere => 14,
            Self::Denied(denial) => match denial {
                Denial::Revoked(RevokeReason::Superseded) => 6,
                Denial::Revoked(
                    RevokeReason::Requested
                    | RevokeReason::RotationCancelled
                    | RevokeReason::Leaked
                    | RevokeReason::OwnerRemoved
                    | RevokeReason::Policy,
                ) => 5,
                Denial::Expired => 7,
                Denial::OrganizationDisabled => 8,
                Denial::PersonDisabled => 9,
                Denial::PersonRemoved => 10,
                Denial::ActorDisabled | Denial::ActorExpired => 11,
                Denial::AccessScopeInactive => 12,
                Denial::Idle => 13,
            },
        }
    }
}

impl OutcomeCounters {
    pub(super) fn count(&self, kind: OutcomeKind) {
        self.0[kind.index()].fetch_add(1, Ordering::Relaxed);
    }

    /// Each label with its count since the process began.
    pub fn snapshot(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        LABELS.iter().zip(&self.0).map(|(label, count)| (*label, count.load(Ordering::Relaxed)))
    }
}
