//! `GET /v1/tokens/self`: the token that authenticates the request. It needs no scope.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::Context;
use authority::tokens::Tokens;

use super::view::TokenView;
use crate::surface::permission::Anyone;
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;

/// Get the token of this request.
#[utoipa::path(
    tag = "tokens",
    security(("bearer" = []), ("api_key" = [])),
    responses(
        (status = 200, body = TokenView),
        (status = 403, description = "The credential is a session, not a token.", body = crate::error_body::Error),
    )
)]
#[get("/v1/tokens/self")]
pub(super) async fn get_self(
    who: Authorized<Anyone>,
    tokens: Data<Tokens>,
    context: Data<Context>,
) -> ApiResult<web::Json<TokenView>> {
    let token = tokens.own(&who.caller).await.map_err(failing::token)?;
    Ok(web::Json(TokenView::new(token, context.now())))
}
