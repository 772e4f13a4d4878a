//! `DELETE …/actors/{actor_id}`: deletes an actor and revokes its tokens.

use actix_web::web::Data;
use actix_web::{HttpResponse, routes};
use authority::actors::Actors;
use token_domain::id::ActorId;

use crate::surface::permission::ManageActors;
use crate::surface::projects::errors;
use crate::surface::projects::place::At;
use edge::error::ApiResult;

/// Delete an actor and its tokens.
#[utoipa::path(
    tag = "actors",
    security(("bearer" = ["actors:manage"]), ("api_key" = ["actors:manage"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("project_id" = String, Path, description = "The id of the project."),
        ("actor_id" = String, Path, description = "The id of the actor."),
    ),
    responses(
        (status = 204, description = "Deleted. Its tokens are no longer valid on any node."),
    )
)]
#[routes]
#[delete("/v1/organizations/{org_id}/projects/{project_id}/actors/{actor_id}")]
#[delete("/v1/actors/{actor_id}")]
pub(super) async fn delete_actor(at: At<ManageActors, ActorId>, actors: Data<Actors>) -> ApiResult<HttpResponse> {
    actors.delete(at.ground, at.id, &at.origin).await.map_err(errors::tenancy)?;
    Ok(HttpResponse::NoContent().finish())
}
