//! Rows of projects, access scopes and actors.

use super::inconsistent;
use crate::error::StoreError;
use crate::schema::{access_scopes, actors, projects};
use diesel::prelude::{Queryable, Selectable};
use token_domain::Timestamp;
use token_domain::access::{ActorName, ActorType, Description, ExternalId, Metadata, ScopeDisplayName};
use token_domain::id::{AccessScopeId, ActorId, OrganizationId, ProjectId};
use token_domain::record::{AccessScope, Actor, Project};
use token_domain::text::{Name, Slug};

/// A row of `projects`.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = projects)]
pub(crate) struct ProjectRow {
    pub(crate) id: ProjectId,
    organization_id: OrganizationId,
    name: String,
    slug: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl TryFrom<ProjectRow> for Project {
    type Error = StoreError;

    fn try_from(row: ProjectRow) -> Result<Self, StoreError> {
        let bad = |column| inconsistent("project", row.id, column);
        Ok(Self {
            id: row.id,
            organization_id: row.organization_id,
            name: Name::parse_stored(&row.name).map_err(|_| bad("name"))?,
            slug: Slug::parse(&row.slug).map_err(|_| bad("slug"))?,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// A row of `access_scopes`.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = access_scopes)]
pub(crate) struct AccessScopeRow {
    pub(crate) id: AccessScopeId,
    project_id: ProjectId,
    slug: String,
    name: Option<String>,
    description: Option<String>,
    metadata: Option<String>,
    is_active: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl TryFrom<AccessScopeRow> for AccessScope {
    type Error = StoreError;

    fn try_from(row: AccessScopeRow) -> Result<Self, StoreError> {
        let bad = |column| inconsistent("access scope", row.id, column);
        Ok(Self {
            id: row.id,
            project_id: row.project_id,
            slug: Slug::parse(&row.slug).map_err(|_| bad("slug"))?,
            name: row.name.as_deref().map(ScopeDisplayName::parse_stored).transpose().map_err(|_| bad("name"))?,
            description: row
                .description
                .as_deref()
                .map(Description::parse_stored)
                .transpose()
                .map_err(|_| bad("description"))?,
            metadata: row.metadata.as_deref().map(Metadata::parse_stored).transpose().map_err(|_| bad("metadata"))?,
            is_active: row.is_active,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// A row of `actors`.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = actors)]
pub(crate) struct ActorRow {
    pub(crate) id: ActorId,
    project_id: ProjectId,
    access_scope_id: Option<AccessScopeId>,
    name: String,
    actor_type: String,
    description: Option<String>,
    external_id: Option<String>,
    metadata: Option<String>,
    disabled_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl ActorRow {
    /// The record, with when one of its tokens was last used.
    pub(crate) fn seen(self, last_used_at: Option<Timestamp>) -> Result<Actor, StoreError> {
        let bad = |column| inconsistent("actor", self.id, column);
        Ok(Actor {
            id: self.id,
            project_id: self.project_id,
            access_scope_id: self.access_scope_id,
            name: ActorName::parse_stored(&self.name).map_err(|_| bad("name"))?,
            actor_type: ActorType::parse(&self.actor_type).ok_or_else(|| bad("actor_type"))?,
            description: self
                .description
                .as_deref()
                .map(Description::parse_stored)
                .transpose()
                .map_err(|_| bad("description"))?,
            external_id: self
                .external_id
                .as_deref()
                .map(ExternalId::parse_stored)
                .transpose()
                .map_err(|_| bad("external_id"))?,
            metadata: self.metadata.as_deref().map(Metadata::parse_stored).transpose().map_err(|_| bad("metadata"))?,
            disabled_at: self.disabled_at,
            expires_at: self.expires_at,
            last_used_at,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}
