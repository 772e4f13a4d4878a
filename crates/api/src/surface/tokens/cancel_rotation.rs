//! `POST /v1/tokens/{token_id}/rotate/cancel`: the old token is active again, the new one revoked.

use actix_web::post;
use actix_web::web::{self, Data};
use authority::Context;
use authority::tokens::Tokens;
use token_domain::id::TokenId;

use super::view::TokenView;
use crate::surface::path::PathParam;
use crate::surface::permission::ManageTokens;
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;

/// Cancel the rotation of a token.
#[utoipa::path(
    tag = "tokens",
    security(("bearer" = ["tokens:manage"]), ("api_key" = ["tokens:manage"])),
    params(("token_id" = String, Path, description = "The id of the token that was rotated.")),
    responses(
        (status = 200, description = "The old token, which is active again.", body = TokenView),
        (status = 409, description = "The token is not rotating.", body = crate::error_body::Error),
    )
)]
#[post("/v1/tokens/{token_id}/rotate/cancel")]
pub(super) async fn cancel_rotation(
    who: Authorized<ManageTokens>,
    PathParam(id): PathParam<TokenId>,
    tokens: Data<Tokens>,
    context: Data<Context>,
) -> ApiResult<web::Json<TokenView>> {
    let token = tokens.cancel_rotation(&who.caller, id, &who.origin).await.map_err(failing::token)?;
    Ok(web::Json(TokenView::new(token, context.now())))
}
