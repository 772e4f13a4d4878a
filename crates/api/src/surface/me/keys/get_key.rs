//! `GET /v1/me/keys/{key_id}`.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::Context;
use authority::tokens::Tokens;

use super::KeyId;
use crate::surface::path::PathParam;
use crate::surface::permission::ReadSelf;
use crate::surface::tokens::TokenView;
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;

/// Get one of your personal keys.
#[utoipa::path(
    tag = "keys",
    security(("bearer" = ["user:read"]), ("api_key" = ["user:read"])),
    params(("key_id" = String, Path, description = "The id of the key.")),
    responses((status = 200, body = TokenView))
)]
#[get("/v1/me/keys/{key_id}")]
pub(super) async fn get_key(
    who: Authorized<ReadSelf>,
    PathParam(KeyId(id)): PathParam<KeyId>,
    tokens: Data<Tokens>,
    context: Data<Context>,
) -> ApiResult<web::Json<TokenView>> {
    let key = tokens.key(&who.caller, id).await.map_err(failing::token)?;
    Ok(web::Json(TokenView::new(key, context.now())))
}
