//! An access scope as the wire shows it.

use authority::access_scopes::Listed;
use authority::records::AccessScope;
use serde::Serialize;
use token_domain::access::Metadata;
use utoipa::ToSchema;

/// An access scope. Times are in UTC with milliseconds.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AccessScope)]
pub(super) struct ScopeView {
    access_scope_id: String,
    slug: String,
    name: Option<String>,
    description: Option<String>,
    #[schema(value_type = Option<Object>)]
    metadata: Option<Metadata>,
    /// Whether the access scope is active. Its actors are refused while it is not.
    is_active: bool,
    project_id: String,
    created_at: String,
    updated_at: String,
    /// The number of actors. Only present if it was requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_count: Option<u64>,
}

impl From<AccessScope> for ScopeView {
    fn from(access_scope: AccessScope) -> Self {
        Listed { access_scope, actors: None }.into()
    }
}

impl From<Listed> for ScopeView {
    fn from(Listed { access_scope, actors }: Listed) -> Self {
        Self {
            access_scope_id: access_scope.id.to_string(),
            slug: access_scope.slug.to_string(),
            name: access_scope.name.map(|name| name.to_string()),
            description: access_scope.description.map(|text| text.to_string()),
            metadata: access_scope.metadata,
            is_active: access_scope.is_active,
            project_id: access_scope.project_id.to_string(),
            created_at: access_scope.created_at.rfc3339_millis(),
            updated_at: access_scope.updated_at.rfc3339_millis(),
            actor_count: actors,
        }
    }
}
