//! `POST /v1/internal/actors/check-room-access`: a broker asks whether an actor may use a topic that it was not told of.

use actix_web::post;
use actix_web::web::{self, Data};
use authority::actors::Actors;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::revalidate_actor::readmit;
use super::view::AllowedTopic;
use crate::surface::Authorized;
use crate::surface::permission::ValidateTokens;
use edge::error::ApiResult;
use edge::extract::Json;

/// The actor, and what it wants to use.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BrokerQuestion {
    /// The `actor_token_id` of the connection.
    actor_token_id: String,
    /// A topic, or a pattern in which `+` stands for one part.
    #[schema(max_length = 4096, example = "fleet/acme/room/chat")]
    pattern: String,
}

/// Whether the actor may use the topic.
#[derive(Serialize, ToSchema)]
struct RoomAccess {
    allow: bool,
    /// What allows it: empty if nothing does.
    allowed_topics: Vec<AllowedTopic>,
}

/// Decide whether an actor that is connected to a message broker may use a topic.
///
/// The response is 200 in either case. A pattern is allowed if every topic that it stands for is.
#[utoipa::path(
    tag = "brokers",
    security(("bearer" = ["authority:validate"]), ("api_key" = ["authority:validate"])),
    request_body = BrokerQuestion,
    responses((status = 200, description = "The decision.", body = RoomAccess))
)]
#[post("/v1/internal/actors/check-room-access")]
pub(super) async fn check_room_access(
    who: Authorized<ValidateTokens>,
    Json(body): Json<BrokerQuestion>,
    actors: Data<Actors>,
) -> ApiResult<web::Json<RoomAccess>> {
    let connection = readmit(&who.caller, &actors, &body.actor_token_id).await?;
    let covering = connection.ok().filter(|connection| connection.topics().covers(&body.pattern));
    let allowed_topics: Vec<_> = covering.iter().map(AllowedTopic::of).collect();
    Ok(web::Json(RoomAccess { allow: !allowed_topics.is_empty(), allowed_topics }))
}
