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

/// A key to make. It is the caller's own, in the caller's organisation.
#[derive(Deserialize, Serialize, ToSchema)]
struct CreateKey {
    /// 1–100 characters.
    #[schema(example = "laptop")]
    name: String,
    /// 1–64 scopes of the catalogue, none beyond the caller's role; the catalogue's defaults if left out.
    #[serde(default)]
    #[schema(example = json!(["scans:read"]))]
    scopes: Option<Vec<String>>,
    /// A label: empty, or up to 64 of `a–z`, `0–9`, `_`.
    #[serde(default)]
    agent_type: Option<String>,
    /// A project of the organisation to bind the key to.
    #[serde(default)]
    project_id: Option<String>,
    /// When it ends; RFC 3339.
    #[serde(default)]
    expires_at: Option<String>,
    /// Or: in how many days it ends.
    #[serde(default)]
    expires_in_days: Option<u32>,
    /// What it is for: up to 500 characters.
    #[serde(default)]
    description: Option<String>,
    /// Its holder in the caller's own system: up to 255 characters.
    #[serde(default)]
    external_id: Option<String>,
    /// What a gateway wants to know about the holder: an object of up to 4 KiB, 8 levels deep.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    metadata: Option<Metadata>,
    /// Where it may be used from: up to 32 networks in CIDR notation; from anywhere if left out.
    #[serde(default)]
    #[schema(example = json!(["203.0.113.0/24"]))]
    allowed_networks: Option<Vec<String>>,
}

/// Issue a personal key.
///
/// By a session, or by a key that has `tokens:manage` as well.
#[utoipa::path(
    tag = "keys",
    security(("bearer" = ["user:write"]), ("api_key" = ["user:write"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "A retry with the same key makes no second token.")),
    request_body = CreateKey,
    responses(
        (status = 201, description = "made", body = CreatedToken),
        (status = 402, description = "the organisation's token cap is reached", body = crate::error_body::Error),
        (status = 409, description = "the person has as many keys as they may, or this Idempotency-Key was used before; `id` names the key", body = crate::error_body::Error),
        (status = 429, description = "too many secrets are being made at once with this credential", body = crate::error_body::Error),
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
