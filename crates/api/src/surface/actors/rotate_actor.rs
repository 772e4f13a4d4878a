//! `POST …/actors/{actor_id}/rotate`: a new token for an actor, with a grace for the one it has.

use actix_web::routes;
use actix_web::web::{self, Data};
use authority::Context;
use authority::actors::Actors;
use serde::Deserialize;
use token_domain::Span;
use token_domain::id::ActorId;
use token_domain::token::RotationPolicy;
use utoipa::ToSchema;

use super::view::{ActorView, RotatedActorView};
use crate::surface::permission::ManageActors;
use crate::surface::projects::errors;
use crate::surface::projects::place::At;
use edge::error::{ApiError, ApiResult};
use edge::extract::OptionalJson;

/// The options of the rotation.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RotateActor {
    /// How long the current token stays valid, in seconds: 0–2592000, or less if the deployment has a lower maximum.
    /// Defaults to the deployment's default.
    #[serde(default)]
    grace_period_seconds: Option<u32>,
}

/// Rotate the token of an actor.
#[utoipa::path(
    tag = "actors",
    security(("bearer" = ["actors:manage"]), ("api_key" = ["actors:manage"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("project_id" = String, Path, description = "The id of the project."),
        ("actor_id" = String, Path, description = "The id of the actor."),
    ),
    request_body = Option<RotateActor>,
    responses(
        (status = 200, description = "Rotated.", body = RotatedActorView),
        (status = 409, description = "The actor is disabled or expired, or another rotation happened at the same time.", body = crate::error_body::Error),
        (status = 429, description = "This credential is creating too many secrets at the same time.", body = crate::error_body::Error),
    )
)]
#[routes]
#[post("/v1/organizations/{org_id}/projects/{project_id}/actors/{actor_id}/rotate")]
#[post("/v1/actors/{actor_id}/rotate")]
pub(super) async fn rotate_actor(
    at: At<ManageActors, ActorId>,
    actors: Data<Actors>,
    context: Data<Context>,
    OptionalJson(body): OptionalJson<RotateActor>,
) -> ApiResult<web::Json<RotatedActorView>> {
    let grace = body.read(&context.policy().rotation)?;
    let rotated = actors.rotate(at.ground, at.id, grace, &at.origin).await.map_err(errors::tenancy)?;
    Ok(web::Json(RotatedActorView {
        actor: ActorView::new(rotated.actor, context.now(), at.dialect),
        access_token: rotated.secret.expose().to_owned(),
        grace_period_ends_at: rotated.grace_ends_at.map(token_domain::Timestamp::rfc3339_millis),
    }))
}

impl RotateActor {
    fn read(&self, policy: &RotationPolicy) -> ApiResult<Option<Span>> {
        let grace = self.grace_period_seconds.map(Span::seconds);
        if grace.is_some_and(|grace| grace > policy.longest_grace) {
            let most = policy.longest_grace.as_seconds();
            return Err(ApiError::invalid("gracePeriodSeconds", format!("must be 0 to {most}")));
        }
        Ok(grace)
    }
}
