//! `DELETE …/scopes/{scope_id}/actors/{actor_id}`: one actor out of a tenant boundary.

use actix_web::web::Data;
use actix_web::{HttpResponse, routes};
use authority::access_scopes::AccessScopes;
use authority::projects::TenancyError;
use token_domain::id::{AccessScopeId, ActorId};

use crate::surface::permission::ManageActors;
use crate::surface::projects::errors;
use crate::surface::projects::place::At;
use edge::error::ApiResult;

/// Remove one actor from an access scope.
///
/// Succeeds even if the actor is not in the access scope.
#[utoipa::path(
    tag = "access scopes",
    security(("bearer" = ["actors:manage"]), ("api_key" = ["actors:manage"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("project_id" = String, Path, description = "The id of the project."),
        ("scope_id" = String, Path, description = "The id of the access scope."),
        ("actor_id" = String, Path, description = "The id of the actor."),
    ),
    responses(
        (status = 204, description = "The actor is not in the access scope."),
    )
)]
#[routes]
#[delete("/v1/organizations/{org_id}/projects/{project_id}/scopes/{scope_id}/actors/{actor_id}")]
#[delete("/v1/scopes/{scope_id}/actors/{actor_id}")]
pub(super) async fn unassign_actor(
    at: At<ManageActors, (AccessScopeId, ActorId)>,
    scopes: Data<AccessScopes>,
) -> ApiResult<HttpResponse> {
    let (id, actor) = at.id;
    match scopes.unassign(at.ground, id, vec![actor], &at.origin).await {
        Ok(_) => Ok(HttpResponse::NoContent().finish()),
        // The path names the actor, so the answer is 404 rather than an error about the body.
        Err(TenancyError::NoSuchActors(_)) => Err(errors::tenancy(TenancyError::NotFound)),
        Err(error) => Err(errors::tenancy(error)),
    }
}
