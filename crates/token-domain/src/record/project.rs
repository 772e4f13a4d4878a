//! Projects, their access scopes and their actors.

use crate::Timestamp;
use crate::access::{ActorName, ActorType, Description, ExternalId, Metadata, ScopeDisplayName};
use crate::id::{AccessScopeId, ActorId, OrganizationId, ProjectId};
use crate::text::{Name, Slug};

/// A project of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Shown to people.
    pub name: Name,
    /// Unique in the organisation.
    pub slug: Slug,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A tenant boundary inside a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessScope {
    /// Its id.
    pub id: AccessScopeId,
    /// Its project.
    pub project_id: ProjectId,
    /// Unique in the project; never changes.
    pub slug: Slug,
    /// Shown to people.
    pub name: Option<ScopeDisplayName>,
    /// What it is for.
    pub description: Option<Description>,
    /// The caller's own notes.
    pub metadata: Option<Metadata>,
    /// Whether its actors may act at all.
    pub is_active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A device, agent or service that acts in a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Its id.
    pub id: ActorId,
    /// Its project.
    pub project_id: ProjectId,
    /// Its tenant boundary; nothing means the whole project.
    pub access_scope_id: Option<AccessScopeId>,
    /// Shown to people; need not be unique.
    pub name: ActorName,
    /// A label without effect.
    pub actor_type: ActorType,
    /// What it is for.
    pub description: Option<Description>,
    /// What another system calls it.
    pub external_id: Option<ExternalId>,
    /// The caller's own notes.
    pub metadata: Option<Metadata>,
    /// Set while it is switched off.
    pub disabled_at: Option<Timestamp>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When one of its tokens last validated. Read with it; written by way of its tokens.
    pub last_used_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
