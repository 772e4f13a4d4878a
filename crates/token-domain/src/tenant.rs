//! Organisations and what stands inside them, as far as a decision about a token needs to know.

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
