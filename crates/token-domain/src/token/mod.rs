//! A token's life: the facts that are stored, the status that follows from them, and the transitions.

mod cause;
mod facts;
mod networks;
mod rotation;
mod status;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use cause::{Explanation, RevokeCause};
pub use facts::{RevokeReason, Revoked, Superseded, TokenFacts};
pub use networks::{AllowedNetworks, InvalidNetworks};
pub use rotation::{GraceMode, Lifetime, NotPossible, RotationPolicy};
pub use status::Status;

/// Whose token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The organisation's own, typically held by a CI job.
    Organization,
    /// A person's API key.
    Personal,
    /// A device's, agent's or service's, bound to one project.
    Actor,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Organization, Self::Personal, Self::Actor];

    /// The name on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Personal => "personal",
            Self::Actor => "actor",
        }
    }

    /// Reads the name back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
