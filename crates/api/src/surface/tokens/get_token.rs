//! `GET /v1/tokens/{token_id}`: one token.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::Context;
use authority::tokens::Tokens;
use token_domain::id::TokenId;

use super::view::TokenView;
use crate::surface::path::PathParam;
use crate::surface::permission::ReadTokens;
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;

/// Get a token.
#[utoipa::path(
    tag = "tokens",
    security(("bearer" = ["tokens:read"]), ("api_key" = ["tokens:read"])),
    params(("token_id" = String, Path, description = "The id of the token.")),
    responses((status = 200, body = TokenView))
)]
#[get("/v1/tokens/{token_id}")]
pub(super) async fn get_token(
    who: Authorized<ReadTokens>,
    PathParam(id): PathParam<TokenId>,
    tokens: Data<Tokens>,
    context: Data<Context>,
) -> ApiResult<web::Json<TokenView>> {
    let token = tokens.get(&who.caller, id).await.map_err(failing::token)?;
    Ok(web::Json(TokenView::new(token, context.now())))
}
