//! `POST /v1/tokens`: issues a token. Only this answer contains its secret.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, post};
use authority::Context;
use authority::tokens::{IssueRequest, Issued, Tokens};
use serde::{Deserialize, Serialize};
use token_domain::Timestamp;
use token_domain::access::Metadata;
use utoipa::ToSchema;

use super::view::TokenView;
use super::{asked, idempotency};
use crate::surface::permission::ManageTokens;
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;
use edge::extract::Json;

/// The token to create. It belongs to the caller's organisation.
#[derive(Deserialize, Serialize, ToSchema)]
struct CreateToken {
    /// 1–100 characters.
    #[schema(example = "CI on main")]
    name: String,
    /// 1–64 scopes of the catalogue, which the caller must have as well.
    #[schema(example = json!(["execute"]))]
    scopes: Vec<String>,
    /// A label: empty, or up to 64 of `a–z`, `0–9`, `_`.
    #[serde(default)]
    agent_type: Option<String>,
    /// A project of the organisation to bind the token to.
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

/// The token that was created.
#[derive(Serialize, ToSchema)]
pub(in crate::surface) struct CreatedToken {
    #[serde(flatten)]
    token: TokenView,
    /// The token itself. Shown only once.
    #[schema(example = "nlp_00112233445566778899aabbccddeeff550c911c")]
    secret: String,
    /// Scopes that have no effect because a scope they require is missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

/// A scope without effect.
#[derive(Serialize, ToSchema)]
struct Warning {
    scope: String,
    /// The scopes that are missing.
    requires: Vec<String>,
    message: String,
}

/// Create a token.
#[utoipa::path(
    tag = "tokens",
    security(("bearer" = ["tokens:manage"]), ("api_key" = ["tokens:manage"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "A retry with the same key creates no second token.")),
    request_body = CreateToken,
    responses(
        (status = 201, description = "Created.", body = CreatedToken),
        (status = 402, description = "The organisation has reached its token cap.", body = crate::error_body::Error),
        (status = 409, description = "This Idempotency-Key was used before; `id` names the token.", body = crate::error_body::Error),
        (status = 429, description = "This credential is creating too many secrets at the same time.", body = crate::error_body::Error),
    )
)]
#[post("/v1/tokens")]
pub(super) async fn create_token(
    who: Authorized<ManageTokens>,
    request: HttpRequest,
    tokens: Data<Tokens>,
    context: Data<Context>,
    Json(body): Json<CreateToken>,
) -> ApiResult<HttpResponse> {
    let idempotency = idempotency::of(&request, &body)?;
    let asked = IssueRequest { idempotency, ..asked!(body) };
    let issued = tokens.issue(&who.caller, asked, &who.origin).await.map_err(failing::token)?;
    Ok(HttpResponse::Created().json(CreatedToken::new(issued, context.now())))
}

impl CreatedToken {
    pub(in crate::surface) fn new(issued: Issued, now: Timestamp) -> Self {
        let warning = |(scope, requires): (String, Vec<String>)| Warning {
            message: format!(
                "{scope} has no effect without {}. Create another token that has both.",
                requires.join(", ")
            ),
            scope,
            requires,
        };
        Self {
            secret: issued.secret.expose().to_owned(),
            token: TokenView::new(issued.token, now),
            warnings: issued.warnings.into_iter().map(warning).collect(),
        }
    }
}
