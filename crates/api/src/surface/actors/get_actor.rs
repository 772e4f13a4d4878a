//! `GET …/actors/{actor_id}`.

use actix_web::routes;
use actix_web::web::{self, Data};
use authority::Context;
use authority::actors::Actors;
use token_domain::id::ActorId;

use super::view::ActorView;
use crate::surface::permission::ReadActors;
use crate::surface::projects::errors;
use crate::surface::projects::place::At;
use edge::error::ApiResult;

/// Get an actor.
#[utoipa::path(
    tag = "actors",
    security(("bearer" = ["actors:read"]), ("api_key" = ["actors:read"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("project_id" = String, Path, description = "The id of the project."),
        ("actor_id" = String, Path, description = "The id of the actor."),
    ),
    responses(
        (status = 200, body = ActorView),
    )
)]
#[routes]
#[get("/v1/organizations/{org_id}/projects/{project_id}/actors/{actor_id}")]
#[get("/v1/actors/{actor_id}")]
pub(super) async fn get_actor(
    at: At<ReadActors, ActorId>,
    actors: Data<Actors>,
    context: Data<Context>,
) -> ApiResult<web::Json<ActorView>> {
    let actor = actors.get(at.ground, at.id).await.map_err(errors::tenancy)?;
    Ok(web::Json(ActorView::new(actor, context.now(), at.dialect)))
}
