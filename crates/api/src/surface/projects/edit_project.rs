//! `PATCH /v1/organizations/{org_id}/projects/{project_id}`: renames a project. The slug never changes.

use actix_web::patch;
use actix_web::web::{self, Data};
use authority::projects::{ProjectChange, Projects};
use serde::Deserialize;
use token_domain::text::{Name, Slug};
use utoipa::ToSchema;

use super::errors;
use super::patch::Patch;
use super::place::At;
use super::view::ProjectView;
use crate::surface::permission::ManageProjects;
use edge::error::ApiResult;
use edge::extract::Json;

/// The changes. Fields that are left out stay unchanged.
#[derive(Deserialize, ToSchema)]
struct EditProject {
    /// 1–100 characters; `null` resets it to the slug.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    name: Patch<String>,
    /// The current slug, if sent at all; it cannot be changed.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    slug: Patch<String>,
}

/// Rename a project.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = ["projects:manage"]), ("api_key" = ["projects:manage"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("project_id" = String, Path, description = "The id of the project."),
    ),
    request_body = EditProject,
    responses((status = 200, body = ProjectView))
)]
#[patch("/v1/organizations/{org_id}/projects/{project_id}")]
pub(super) async fn edit_project(
    at: At<ManageProjects>,
    projects: Data<Projects>,
    Json(body): Json<EditProject>,
) -> ApiResult<web::Json<ProjectView>> {
    let change = ProjectChange {
        slug: body.slug.value("slug", |text| Slug::parse(text))?,
        name: body.name.change("name", |text| Name::parse(text))?,
    };
    let project = projects.edit(at.ground, change, &at.origin).await.map_err(errors::tenancy)?;
    Ok(web::Json(project.into()))
}
