//! `DELETE /v1/organizations/{org_id}/projects/{project_id}`: the project and everything in it.

use actix_web::web::Data;
use actix_web::{HttpResponse, delete};
use authority::projects::{Contents, Projects};
use serde::Serialize;
use utoipa::ToSchema;

use super::deletion::{Deletion, Mode};
use super::errors;
use super::place::At;
use crate::surface::permission::DeleteProjects;
use edge::error::ApiResult;
use edge::extract::Query;

/// The resources that a deletion would affect.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Concerned {
    access_scopes: u64,
    actors: u64,
    /// The number of valid tokens of its actors and of valid tokens bound to it.
    live_tokens: u64,
}

/// Delete a project with its access scopes and actors.
///
/// The tokens of its actors and the tokens bound to the project stop being valid.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = ["projects:delete"]), ("api_key" = ["projects:delete"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("project_id" = String, Path, description = "The id of the project."),
        Deletion,
    ),
    responses(
        (status = 200, description = "A dry run: what the deletion would affect.", body = Concerned),
        (status = 204, description = "Deleted."),
        (status = 409, description = "It has actors, and `ifAssigned` is `reject`.", body = crate::error_body::Error),
    )
)]
#[delete("/v1/organizations/{org_id}/projects/{project_id}")]
pub(super) async fn delete_project(
    at: At<DeleteProjects>,
    projects: Data<Projects>,
    Query(deletion): Query<Deletion>,
) -> ApiResult<HttpResponse> {
    let (if_assigned, mode) = deletion.read()?;
    match mode {
        Mode::DryRun => {
            let contents = projects.preview_delete(at.ground, if_assigned).await.map_err(errors::tenancy)?;
            Ok(HttpResponse::Ok().json(Concerned::from(contents)))
        }
        Mode::Real => {
            projects.delete(at.ground, if_assigned, &at.origin).await.map_err(errors::tenancy)?;
            Ok(HttpResponse::NoContent().finish())
        }
    }
}

impl From<Contents> for Concerned {
    fn from(contents: Contents) -> Self {
        Self { access_scopes: contents.access_scopes, actors: contents.actors, live_tokens: contents.live_tokens }
    }
}
