//! `POST /v1/internal/actors/validate`: a broker asks who connects with a token.

use actix_web::HttpRequest;
use actix_web::post;
use actix_web::web::{self, Data};
use authority::actors::Actors;
use authority::validate::Validator;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::view::BrokerClient;
use crate::surface::permission::ValidateTokens;
use crate::surface::{Authorized, failing, origin};
use edge::error::ApiResult;
use edge::extract::Json;

/// The token that an actor connects with.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BrokerValidation {
    /// The token as presented. Anything but a token of an actor is denied.
    #[schema(value_type = String, max_length = 4096, example = "nlp_00112233445566778899aabbccddeeff550c911c")]
    access_token: Zeroizing<String>,
}

/// Whether the actor may connect.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = BrokerAdmission)]
enum Admission {
    Allowed(Box<AllowedActor>),
    Denied(DeniedActor),
}

/// The actor may connect.
#[derive(Serialize, ToSchema)]
struct AllowedActor {
    /// `allow`
    result: &'static str,
    is_superuser: bool,
    client_attrs: BrokerClient,
}

/// The actor may not connect. Why is not said.
#[derive(Serialize, ToSchema)]
struct DeniedActor {
    /// `deny`
    result: &'static str,
    is_superuser: bool,
}

/// Decide whether an actor may connect to a message broker.
///
/// The response is 200 in either case. Only actors of the caller's organisation are allowed, and only those of its project and
/// access scope if its credential is bound to them.
#[utoipa::path(
    tag = "brokers",
    security(("bearer" = ["authority:validate"]), ("api_key" = ["authority:validate"])),
    request_body = BrokerValidation,
    responses((status = 200, description = "The decision.", body = Admission))
)]
#[post("/v1/internal/actors/validate")]
pub(super) async fn validate_actor(
    who: Authorized<ValidateTokens>,
    request: HttpRequest,
    Json(body): Json<BrokerValidation>,
    actors: Data<Actors>,
    validator: Data<Validator>,
) -> ApiResult<web::Json<Admission>> {
    let admitted = actors.admit(&who.caller, &validator, &body.access_token, &|| origin::of(&request)).await;
    Ok(web::Json(match admitted.map_err(|failure| failing::failed(&failure))? {
        Some(connection) => Admission::Allowed(Box::new(AllowedActor {
            result: "allow",
            is_superuser: false,
            client_attrs: BrokerClient::from(&connection),
        })),
        None => Admission::Denied(DeniedActor { result: "deny", is_superuser: false }),
    }))
}
