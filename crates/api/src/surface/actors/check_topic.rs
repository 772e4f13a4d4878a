//! `GET …/actors/{actor_id}/check`: what a message broker asks before it lets an actor publish or subscribe.

use actix_web::routes;
use actix_web::web::{self, Data};
use authority::actors::Actors;
use serde::Serialize;
use token_domain::access::Topic;
use token_domain::id::ActorId;
use utoipa::ToSchema;

use super::query::TopicQuery;
use crate::surface::permission::ReadActors;
use crate::surface::projects::errors;
use crate::surface::projects::place::At;
use edge::error::ApiResult;
use edge::extract::Query;

/// Whether the actor may use the topic.
#[derive(Serialize, ToSchema)]
struct TopicCheck {
    allowed: bool,
    #[schema(value_type = String, example = "acme/room/topic")]
    topic: Topic,
    /// Why it may not: `actor_disabled`, `actor_expired`, `access_scope_inactive` or `outside_access_scope`.
    reason: Option<&'static str>,
}

/// Check whether an actor may use a topic.
///
/// The topic is given as it appears on the wire, including the slug.
#[utoipa::path(
    tag = "actors",
    security(("bearer" = ["actors:read"]), ("api_key" = ["actors:read"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("project_id" = String, Path, description = "The id of the project."),
        ("actor_id" = String, Path, description = "The id of the actor."),
        TopicQuery,
    ),
    responses(
        (status = 200, body = TopicCheck),
    )
)]
#[routes]
#[get("/v1/organizations/{org_id}/projects/{project_id}/actors/{actor_id}/check")]
#[get("/v1/actors/{actor_id}/check")]
pub(super) async fn check_topic(
    at: At<ReadActors, ActorId>,
    actors: Data<Actors>,
    Query(query): Query<TopicQuery>,
) -> ApiResult<web::Json<TopicCheck>> {
    let topic = query.read()?;
    let answer = actors.check(at.ground, at.id, &topic).await.map_err(errors::tenancy)?;
    Ok(web::Json(TopicCheck { allowed: answer.reason().is_none(), topic, reason: answer.reason() }))
}
