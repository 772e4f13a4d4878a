//! `GET /v1/me/keys`: the caller's keys, newest first.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::tokens::Tokens;

use crate::surface::permission::ReadSelf;
use crate::surface::tokens::{ListTokensQuery, TokenList};
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;
use edge::extract::Query;

/// List your personal keys.
#[utoipa::path(
    tag = "keys",
    security(("bearer" = ["user:read"]), ("api_key" = ["user:read"])),
    params(ListTokensQuery),
    responses((status = 200, body = TokenList))
)]
#[get("/v1/me/keys")]
pub(super) async fn list_keys(
    who: Authorized<ReadSelf>,
    tokens: Data<Tokens>,
    Query(query): Query<ListTokensQuery>,
) -> ApiResult<web::Json<TokenList>> {
    let page = tokens.list_keys(&who.caller, query.read(tokens.now())?).await.map_err(failing::token)?;
    Ok(web::Json(page.into()))
}
