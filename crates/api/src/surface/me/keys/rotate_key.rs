//! `POST /v1/me/keys/{key_id}/rotate`: a successor takes over, with a grace for the old key.

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, post};
use authority::Context;
use authority::tokens::{RotateRequest, Tokens};

use super::KeyId;
use crate::surface::path::PathParam;
use crate::surface::permission::WriteSelf;
use crate::surface::tokens::{RotateToken, RotatedToken, idempotency};
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;
use edge::extract::OptionalJson;

/// Rotate one of your personal keys.
///
/// Requires a session, or a key that also has `tokens:manage`.
#[utoipa::path(
    tag = "keys",
    security(("bearer" = ["user:write"]), ("api_key" = ["user:write"])),
    params(
        ("key_id" = String, Path, description = "The id of the key."),
        ("Idempotency-Key" = Option<String>, Header, description = "A retry with the same key creates no second token."),
    ),
    request_body = Option<RotateToken>,
    responses(
        (status = 200, description = "Rotated.", body = RotatedToken),
        (status = 409, description = "The token is not active, or this Idempotency-Key was used before.", body = crate::error_body::Error),
        (status = 429, description = "This credential is creating too many secrets at the same time.", body = crate::error_body::Error),
    )
)]
#[post("/v1/me/keys/{key_id}/rotate")]
pub(super) async fn rotate_key(
    who: Authorized<WriteSelf>,
    PathParam(KeyId(id)): PathParam<KeyId>,
    request: HttpRequest,
    tokens: Data<Tokens>,
    context: Data<Context>,
    OptionalJson(body): OptionalJson<RotateToken>,
) -> ApiResult<web::Json<RotatedToken>> {
    let asked =
        RotateRequest { idempotency: idempotency::of(&request, &body)?, ..body.read(&context.policy().rotation)? };
    let rotated = tokens.rotate_key(&who.caller, id, asked, &who.origin).await.map_err(failing::token)?;
    Ok(web::Json(rotated.into()))
}
