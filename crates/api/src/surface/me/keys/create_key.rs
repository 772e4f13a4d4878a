//! `POST /v1/me/keys`: issues a personal key. Only this answer contains its secret.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};
use authority::Context;
use authority::tokens::{KeyRequest, Tokens};
use serde::{Deserialize, Serialize};
use token_domain::access::Metadata;
use utoipa::ToSchema;

use crate::surface::permission::WriteSelf;
use crate::surface::tokens::{CreatedToken, asked, idempotency};
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;
use edge::extract::Json;

/// The key to create. It belongs to the caller, in the caller's organisation.
#[derive(Deserialize, Serialize, ToSchema)]
struct CreateKey {
    /// 1–100 characters.
    #[schema(example = "laptop")]
    name: String,
    /// 1–64 scopes of the catalogue, which the caller's role must have. Defaults to the default scopes of the
    /// catalogue.
    #[serde(default)]
    #[schema(example = json!(["scans:read"]))]
    scopes: Option<Vec<String>>,
    /// A label: empty, or up to 64 of `a–z`, `0–9`, `_`.
    #[serde(default)]
    agent_type: Option<String>,
    /// A project of the organisation to bind the key to.
    #[serde(default)]
    project_id: Option<String>,
    /// When the token expires (RFC 3339).
    #[serde(default)]
    expires_at: Option<String>,
    /// The lifetime in days, as an alternative to `expires_at`.
    #[serde(default)]
    expires_in_days: Option<u32>,
    /// The purpose of the token: up to 500 characters.
    #[serde(default)]
    description: Option<String>,
    /// The identifier of the holder in your own system: up to 255 characters.
    #[serde(default)]
    external_id: Option<String>,
    /// Data about the holder for gateways: a JSON object of up to 4 KiB and 8 levels.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    metadata: Option<Metadata>,
    /// Up to 32 networks in CIDR notation from which the token may be used. Defaults to any address.
    #[serde(default)]
    #[schema(example = json!(["203.0.113.0/24"]))]
    allowed_networks: Option<Vec<String>>,
}

/// Create a personal key.
///
/// Requires a session, or a key that also has `tokens:manage`.
#[utoipa::path(
    tag = "keys",
    security(("bearer" = ["user:write"]), ("api_key" = ["user:write"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "A retry with the same key creates no second token.")),
    request_body = CreateKey,
    responses(
        (status = 201, description = "Created.", body = CreatedToken),
        (status = 402, description = "The organisation has reached its token cap.", body = crate::error_body::Error),
        (status = 409, description = "The person has reached the maximum number of keys, or this Idempotency-Key was used before; `id` names the key.", body = crate::error_body::Error),
        (status = 429, description = "This credential is creating too many secrets at the same time.", body = crate::error_body::Error),
    )
)]
#[post("/v1/me/keys")]
pub(super) async fn create_key(
    who: Authorized<WriteSelf>,
    request: HttpRequest,
    tokens: Data<Tokens>,
    context: Data<Context>,
    Json(body): Json<CreateKey>,
) -> ApiResult<HttpResponse> {
    let idempotency = idempotency::of(&request, &body)?;
    let asked = KeyRequest { idempotency, ..asked!(body) };
    let issued = tokens.issue_key(&who.caller, asked, &who.origin).await.map_err(failing::token)?;
    Ok(HttpResponse::Created().json(CreatedToken::new(issued, context.now())))
}
