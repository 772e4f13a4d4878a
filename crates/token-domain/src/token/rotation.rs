//! Rotation: how long the old token lives beside the new one, and what expiry the new one gets.

use serde::{Deserialize, Serialize};

use super::status::Status;
use crate::time::{Span, Timestamp};

/// When a superseded token dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GraceMode {
    /// At the end of its grace.
    #[default]
    Fixed,
    /// A little after its successor first validates, or at the end of its grace, whichever is first.
    FirstUse,
}

impl GraceMode {
    /// Every mode.
    pub const ALL: [Self; 2] = [Self::Fixed, Self::FirstUse];

    /// The name on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::FirstUse => "first_use",
        }
    }

    /// Reads the name back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text)
    }
}

/// A transition that the token's status does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token that is {status} cannot be {event}")]
pub struct NotPossible {
    /// What was asked for.
    pub event: &'static str,
    /// What the token is.
    pub status: Status,
}

/// How a token's end was chosen, which is what a rotation carries over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// Never ends by itself.
    Unlimited,
    /// Ends at a fixed moment; a successor ends at the same one.
    Until(Timestamp),
    /// Ends a span after it was made; a successor gets the whole span anew.
    For(Span),
}

impl Lifetime {
    /// The end for a token made now.
    pub fn expires_at(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Unlimited => None,
            Self::Until(moment) => Some(moment),
            Self::For(span) => Some(now + span),
        }
    }

    /// The span it was chosen as, if it was.
    pub const fn span(self) -> Option<Span> {
        match self {
            Self::For(span) => Some(span),
            Self::Unlimited | Self::Until(_) => None,
        }
    }
}

/// What a deployment allows and assumes about rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationPolicy {
    /// The grace when the caller names none.
    pub default_grace: Span,
    /// The longest grace a caller may ask for.
    pub longest_grace: Span,
    /// How long the old token lives after its successor's first use, in first-use mode.
    pub first_use_remaining: Span,
}

impl RotationPolicy {
    /// The longest grace a deployment may allow, in seconds: thirty days.
    pub const LONGEST_GRACE_SECONDS: u32 = 2_592_000;
}

impl Default for RotationPolicy {
    fn default() -> Self {
        Self {
            default_grace: Span::days(1),
            longest_grace: Span::seconds(Self::LONGEST_GRACE_SECONDS),
            first_use_remaining: Span::seconds(300),
        }
    }
}
