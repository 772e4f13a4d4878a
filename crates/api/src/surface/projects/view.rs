//! A project as the wire shows it.

use authority::records::Project;
use serde::Serialize;
use utoipa::ToSchema;

/// A project. Times are in UTC with milliseconds.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Project)]
pub(super) struct ProjectView {
    project_id: String,
    organization_id: String,
    name: String,
    slug: String,
    created_at: String,
    updated_at: String,
}

impl From<Project> for ProjectView {
    fn from(project: Project) -> Self {
        Self {
            project_id: project.id.to_string(),
            organization_id: project.organization_id.to_string(),
            name: project.name.to_string(),
            slug: project.slug.to_string(),
            created_at: project.created_at.rfc3339_millis(),
            updated_at: project.updated_at.rfc3339_millis(),
        }
    }
}
