//! `POST /v1/internal/actors/revalidate`: a broker asks whether a connection may go on.

use actix_web::post;
use actix_web::web::{self, Data};
use authority::actors::{Actors, Connection, Disconnection};
use serde::{Deserialize, Serialize};
use token_domain::id::ActorId;
use utoipa::ToSchema;

use super::view::BrokerClient;
use crate::surface::permission::ValidateTokens;
use crate::surface::{Authorized, failing};
use authority::Caller;
use edge::error::ApiResult;
use edge::extract::Json;

/// The actor that is connected.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BrokerRevalidation {
    /// The `actor_token_id` of the connection.
    actor_token_id: String,
}

/// Whether the actor may stay connected.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = BrokerStanding)]
enum Standing {
    Valid(Box<ValidActor>),
    Invalid(InvalidActor),
}

/// The actor may stay, and use this.
#[derive(Serialize, ToSchema)]
struct ValidActor {
    valid: bool,
    #[serde(flatten)]
    client: BrokerClient,
}

/// The connection must end.
#[derive(Serialize, ToSchema)]
struct InvalidActor {
    valid: bool,
    /// `token_not_found`, `token_suspended` or `token_expired`.
    error: &'static str,
    /// What the client is told: the same.
    disconnect_reason: &'static str,
}

/// Decide whether an actor may stay connected to a message broker.
///
/// The response is 200 in either case. `token_not_found` stands for an actor that does not exist, that the caller's credential
/// does not reach, or that has no valid token any more. An actor is deleted with its project.
#[utoipa::path(
    tag = "brokers",
    security(("bearer" = ["authority:validate"]), ("api_key" = ["authority:validate"])),
    request_body = BrokerRevalidation,
    responses((status = 200, description = "The decision.", body = Standing))
)]
#[post("/v1/internal/actors/revalidate")]
pub(super) async fn revalidate_actor(
    who: Authorized<ValidateTokens>,
    Json(body): Json<BrokerRevalidation>,
    actors: Data<Actors>,
) -> ApiResult<web::Json<Standing>> {
    Ok(web::Json(match readmit(&who.caller, &actors, &body.actor_token_id).await? {
        Ok(connection) => {
            Standing::Valid(Box::new(ValidActor { valid: true, client: BrokerClient::from(&connection) }))
        }
        Err(why) => {
            let error = match why {
                Disconnection::NotFound => "token_not_found",
                Disconnection::Suspended => "token_suspended",
                Disconnection::Expired => "token_expired",
            };
            Standing::Invalid(InvalidActor { valid: false, error, disconnect_reason: error })
        }
    }))
}

/// The actor that a broker names. A text that is no id names none.
pub(super) async fn readmit(
    caller: &Caller,
    actors: &Actors,
    text: &str,
) -> ApiResult<Result<Connection, Disconnection>> {
    let Ok(id) = ActorId::parse(text) else { return Ok(Err(Disconnection::NotFound)) };
    actors.readmit(caller, id).await.map_err(|failure| failing::failed(&failure))
}
