//! `POST /v1/me/keys/{key_id}/rotate/cancel`: the old key is active again, the new one revoked.

use actix_web::post;
use actix_web::web::{self, Data};
use authority::Context;
use authority::tokens::Tokens;

use super::KeyId;
use crate::surface::path::PathParam;
use crate::surface::permission::WriteSelf;
use crate::surface::tokens::TokenView;
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;

/// Cancel the rotation of one of your personal keys.
#[utoipa::path(
    tag = "keys",
    security(("bearer" = ["user:write"]), ("api_key" = ["user:write"])),
    params(("key_id" = String, Path, description = "The id of the key that was rotated.")),
    responses(
        (status = 200, description = "The old key, which is active again.", body = TokenView),
        (status = 409, description = "The key is not rotating.", body = crate::error_body::Error),
    )
)]
#[post("/v1/me/keys/{key_id}/rotate/cancel")]
pub(super) async fn cancel_key_rotation(
    who: Authorized<WriteSelf>,
    PathParam(KeyId(id)): PathParam<KeyId>,
    tokens: Data<Tokens>,
    context: Data<Context>,
) -> ApiResult<web::Json<TokenView>> {
    let key = tokens.cancel_key_rotation(&who.caller, id, &who.origin).await.map_err(failing::token)?;
    Ok(web::Json(TokenView::new(key, context.now())))
}
