//! `POST /v1/tokens/self/rotate`: rotates the token that authenticates the request, so that a program can do it by
//! itself.

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, post};
use authority::Context;
use authority::tokens::{RotateRequest, Tokens};

use super::idempotency;
use super::rotate_token::{RotateToken, RotatedToken};
use crate::surface::permission::RotateSelf;
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;
use edge::extract::OptionalJson;

/// Rotate the token of this request.
#[utoipa::path(
    tag = "tokens",
    security(("bearer" = ["self:rotate"]), ("api_key" = ["self:rotate"])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "A retry with the same key creates no second token."),
    ),
    request_body = Option<RotateToken>,
    responses(
        (status = 200, description = "Rotated.", body = RotatedToken),
        (status = 409, description = "The token is not active, or this Idempotency-Key was used before.", body = crate::error_body::Error),
        (status = 429, description = "This credential is creating too many secrets at the same time.", body = crate::error_body::Error),
    )
)]
#[post("/v1/tokens/self/rotate")]
pub(super) async fn rotate_self(
    who: Authorized<RotateSelf>,
    request: HttpRequest,
    tokens: Data<Tokens>,
    context: Data<Context>,
    OptionalJson(body): OptionalJson<RotateToken>,
) -> ApiResult<web::Json<RotatedToken>> {
    let asked =
        RotateRequest { idempotency: idempotency::of(&request, &body)?, ..body.read(&context.policy().rotation)? };
    let rotated = tokens.rotate_own(&who.caller, asked, &who.origin).await.map_err(failing::token)?;
    Ok(web::Json(rotated.into()))
}
