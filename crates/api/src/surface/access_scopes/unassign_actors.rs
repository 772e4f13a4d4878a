//! `DELETE …/scopes/{scope_id}/actors`: many actors out of a tenant boundary at once.

use actix_web::routes;
use actix_web::web::{self, Data};
use authority::access_scopes::AccessScopes;
use token_domain::id::AccessScopeId;

use super::several::{AssignedView, Several};
use crate::surface::permission::ManageActors;
use crate::surface::projects::errors;
use crate::surface::projects::place::At;
use edge::error::ApiResult;
use edge::extract::Json;

/// Remove actors from an access scope.
///
/// Either all actors are removed or none. Actors that are not in the access scope stay unchanged.
#[utoipa::path(
    tag = "access scopes",
    security(("bearer" = ["actors:manage"]), ("api_key" = ["actors:manage"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("project_id" = String, Path, description = "The id of the project."),
        ("scope_id" = String, Path, description = "The id of the access scope."),
    ),
    request_body = Several,
    responses(
        (status = 200, body = AssignedView),
    )
)]
#[routes]
#[delete("/v1/organizations/{org_id}/projects/{project_id}/scopes/{scope_id}/actors")]
#[delete("/v1/scopes/{scope_id}/actors")]
pub(super) async fn unassign_actors(
    at: At<ManageActors, AccessScopeId>,
    scopes: Data<AccessScopes>,
    Json(body): Json<Several>,
) -> ApiResult<web::Json<AssignedView>> {
    let assigned = scopes.unassign(at.ground, at.id, body.read()?, &at.origin).await.map_err(errors::tenancy)?;
    Ok(web::Json(assigned.into()))
}
