//! `GET /v1/organizations/{org_id}/projects/{project_id}`.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::projects::Projects;

use super::errors;
use super::place::At;
use super::view::ProjectView;
use crate::surface::permission::ReadProjects;
use edge::error::ApiResult;

/// Get a project.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = ["projects:read"]), ("api_key" = ["projects:read"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("project_id" = String, Path, description = "The id of the project."),
    ),
    responses((status = 200, body = ProjectView))
)]
#[get("/v1/organizations/{org_id}/projects/{project_id}")]
pub(super) async fn get_project(at: At<ReadProjects>, projects: Data<Projects>) -> ApiResult<web::Json<ProjectView>> {
    let project = projects.get(at.ground).await.map_err(errors::tenancy)?;
    Ok(web::Json(project.into()))
}
