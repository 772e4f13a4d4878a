//! `POST /v1/tokens/{token_id}/rotate`: a successor takes over, with a grace for the old token.

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, post};
use authority::Context;
use authority::tokens::{RotateRequest, Rotated, Tokens};
use serde::{Deserialize, Serialize};
use token_domain::Span;
use token_domain::id::TokenId;
use token_domain::token::{GraceMode, RotationPolicy, Status};
use utoipa::ToSchema;

use super::idempotency;
use crate::surface::path::PathParam;
use crate::surface::permission::ManageTokens;
use crate::surface::{Authorized, failing};
use edge::error::{ApiError, ApiResult};
use edge::extract::OptionalJson;

/// The options of the rotation.
#[derive(Default, Deserialize, Serialize, ToSchema)]
pub(in crate::surface) struct RotateToken {
    /// How long the old token stays valid, in seconds: 0–2592000, or less if the deployment has a lower maximum.
    /// Defaults to the deployment's default.
    #[serde(default)]
    grace_period_seconds: Option<u32>,
    /// `fixed`: the old token stays valid until its grace period ends. `first_use`: the grace period ends shortly after
    /// the first validation of the new token, if that is earlier.
    #[serde(default)]
    mode: Option<String>,
}

/// The new token.
#[derive(Serialize, ToSchema)]
pub(in crate::surface) struct RotatedToken {
    id: String,
    /// The token itself. Shown only once.
    secret: String,
    name: String,
    scopes: Vec<String>,
    agent_type: String,
    /// `active`
    status: &'static str,
    created_at: String,
    expires_at: Option<String>,
    old_token_id: String,
    /// `rotating`, or `revoked` if there is no grace period.
    old_token_status: &'static str,
    grace_period_ends_at: String,
}

/// Rotate a token.
#[utoipa::path(
    tag = "tokens",
    security(("bearer" = ["tokens:manage"]), ("api_key" = ["tokens:manage"])),
    params(
        ("token_id" = String, Path, description = "The id of the token."),
        ("Idempotency-Key" = Option<String>, Header, description = "A retry with the same key creates no second token."),
    ),
    request_body = Option<RotateToken>,
    responses(
        (status = 200, description = "Rotated.", body = RotatedToken),
        (status = 409, description = "The token is not active, or this Idempotency-Key was used before.", body = crate::error_body::Error),
        (status = 429, description = "This credential is creating too many secrets at the same time.", body = crate::error_body::Error),
    )
)]
#[post("/v1/tokens/{token_id}/rotate")]
pub(super) async fn rotate_token(
    who: Authorized<ManageTokens>,
    PathParam(id): PathParam<TokenId>,
    request: HttpRequest,
    tokens: Data<Tokens>,
    context: Data<Context>,
    OptionalJson(body): OptionalJson<RotateToken>,
) -> ApiResult<web::Json<RotatedToken>> {
    let asked =
        RotateRequest { idempotency: idempotency::of(&request, &body)?, ..body.read(&context.policy().rotation)? };
    let rotated = tokens.rotate(&who.caller, id, asked, &who.origin).await.map_err(failing::token)?;
    Ok(web::Json(rotated.into()))
}

impl RotateToken {
    pub(in crate::surface) fn read(self, policy: &RotationPolicy) -> ApiResult<RotateRequest> {
        let grace = self.grace_period_seconds.map(Span::seconds);
        if grace.is_some_and(|grace| grace > policy.longest_grace) {
            let most = policy.longest_grace.as_seconds();
            return Err(ApiError::invalid("grace_period_seconds", format!("must be 0 to {most}")));
        }
        let mode = match self.mode.as_deref() {
            None => GraceMode::Fixed,
            Some(text) => {
                GraceMode::parse(text).ok_or_else(|| ApiError::invalid("mode", "must be fixed or first_use"))?
            }
        };
        Ok(RotateRequest { grace, mode, idempotency: None })
    }
}

impl From<Rotated> for RotatedToken {
    fn from(rotated: Rotated) -> Self {
        let token = rotated.token;
        Self {
            id: token.id.to_string(),
            secret: rotated.secret.expose().to_owned(),
            name: token.name.to_string(),
            scopes: token.scopes,
            agent_type: token.agent_type.to_string(),
            status: Status::Active.as_str(),
            created_at: token.facts.created_at.rfc3339_seconds(),
            expires_at: token.facts.expires_at.map(token_domain::Timestamp::rfc3339_seconds),
            old_token_id: rotated.old_token_id.to_string(),
            old_token_status: rotated.old_status.as_str(),
            grace_period_ends_at: rotated.grace_ends_at.rfc3339_seconds(),
        }
    }
}
