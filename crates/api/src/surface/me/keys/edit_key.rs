//! `PATCH /v1/me/keys/{key_id}`: renames or relabels a key. The scopes of a key never change.

use actix_web::patch;
use actix_web::web::{self, Data};
use authority::Context;
use authority::tokens::Tokens;

use super::KeyId;
use crate::surface::path::PathParam;
use crate::surface::permission::WriteSelf;
use crate::surface::tokens::{EditToken, TokenView};
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;
use edge::extract::Json;

/// Update one of your personal keys.
#[utoipa::path(
    tag = "keys",
    security(("bearer" = ["user:write"]), ("api_key" = ["user:write"])),
    params(("key_id" = String, Path, description = "The id of the key.")),
    request_body = EditToken,
    responses((status = 200, body = TokenView))
)]
#[patch("/v1/me/keys/{key_id}")]
pub(super) async fn edit_key(
    who: Authorized<WriteSelf>,
    PathParam(KeyId(id)): PathParam<KeyId>,
    tokens: Data<Tokens>,
    context: Data<Context>,
    Json(body): Json<EditToken>,
) -> ApiResult<web::Json<TokenView>> {
    let key = tokens.edit_key(&who.caller, id, body.read()?, &who.origin).await.map_err(failing::token)?;
    Ok(web::Json(TokenView::new(key, context.now())))
}
