//! `POST …/scopes/{scope_id}/actors`: many actors into a tenant boundary at once.

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

/// Put actors into an access scope, out of whichever they were in: all of them or none.
#[utoipa::path(
    tag = "access scopes",
    security(("bearer" = ["actors:manage"]), ("api_key" = ["actors:manage"])),
    params(
        ("org_id" = String, Path, description = "the organisation's id"),
        ("project_id" = String, Path, description = "the project's id"),
        ("scope_id" = String, Path, description = "the access scope's id"),
    ),
    request_body = Several,
    responses(
        (status = 200, body = AssignedView),
    )
)]
#[routes]
#[post("/v1/organizations/{org_id}/projects/{project_id}/scopes/{scope_id}/actors")]
#[post("/v1/scopes/{scope_id}/actors")]
pub(super) async fn assign_actors(
    at: At<ManageActors, AccessScopeId>,
    scopes: Data<AccessScopes>,
    Json(body): Json<Several>,
) -> ApiResult<web::Json<AssignedView>> {
    let assigned = scopes.assign(at.ground, at.id, body.read()?, &at.origin).await.map_err(errors::tenancy)?;
    Ok(web::Json(assigned.into()))
}
