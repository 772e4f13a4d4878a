//! Organisations and what stands inside them, as far as a decision about a token needs to know.

use std::fmt;

use crate::id::{AccessScopeId, ActorId, ProjectId};
use crate::text::Slug;
use crate::time::Timestamp;

/// A device, agent or service a token was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActorStanding {
    /// The actor.
    pub actor_id: ActorId,
    /// Its project.
    pub project_id: ProjectId,
    /// Set when it was switched off.
    pub disabled_at: Option<Timestamp>,
    /// When the actor, and with it every token of its, ends.
    pub expires_at: Option<Timestamp>,
    /// The tenant boundary it acts in; nothing means the whole project.
    pub access_scope: Option<AccessScopeStanding>,
}

/// A tenant boundary as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessScopeStanding {
    /// The access scope.
    pub id: AccessScopeId,
    /// Its slug.
    pub slug: Slug,
    /// Whether its actors may act at all.
    pub active: bool,
}

/// What an actor is at some moment; its tokens count only while it is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorStatus {
    /// It may act.
    Active,
    /// It was switched off.
    Disabled,
    /// Its time is over.
    Expired,
}

impl ActorStatus {
    /// Of an actor that was switched off and ends at these moments. Precedence: disabled, expired, active. At the very
    /// microsecond of its expiry it is expired.
    pub fn at(disabled_at: Option<Timestamp>, expires_at: Option<Timestamp>, now: Timestamp) -> Self {
        if disabled_at.is_some() {
            return Self::Disabled;
        }
        if expires_at.is_some_and(|moment| moment <= now) { Self::Expired } else { Self::Active }
    }

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for ActorStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
