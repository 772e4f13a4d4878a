//! What a token is at some moment: derived from its facts, see [`super::TokenFacts::status`], and stored nowhere.

use std::fmt;

use serde::Serialize;

/// What a token is at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Validates.
    Active,
    /// Has a successor and still validates, until its grace ends.
    Rotating,
    /// Killed, or superseded with its grace over.
    Revoked,
    /// Past its expiry.
    Expired,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Active, Self::Rotating, Self::Revoked, Self::Expired];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Rotating => "rotating",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }

    /// Reads the name back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether a token of this status validates.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Active | Self::Rotating)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
