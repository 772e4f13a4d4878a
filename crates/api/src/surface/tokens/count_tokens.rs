//! `GET /v1/tokens/counts`: how many tokens have each status.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::records::StatusCounts;
use authority::tokens::Tokens;
use serde::Serialize;
use utoipa::ToSchema;

use super::list_tokens::{ListTokensQuery, Whose};
use crate::surface::permission::ReadTokens;
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;
use edge::extract::Query;

/// The number of tokens by status.
#[derive(Serialize, ToSchema)]
struct TokenCounts {
    active: u64,
    rotating: u64,
    expired: u64,
    revoked: u64,
}

/// Count the tokens of the organisation by status.
///
/// Accepts the filters of the list of tokens.
#[utoipa::path(
    tag = "tokens",
    security(("bearer" = ["tokens:read"]), ("api_key" = ["tokens:read"])),
    params(ListTokensQuery, Whose),
    responses((status = 200, body = TokenCounts))
)]
#[get("/v1/tokens/counts")]
pub(super) async fn count_tokens(
    who: Authorized<ReadTokens>,
    tokens: Data<Tokens>,
    Query(query): Query<ListTokensQuery>,
    Query(whose): Query<Whose>,
) -> ApiResult<web::Json<TokenCounts>> {
    let StatusCounts { active, rotating, expired, revoked } =
        tokens.count(&who.caller, whose.read(query.read(tokens.now())?)?).await.map_err(failing::token)?;
    Ok(web::Json(TokenCounts { active, rotating, expired, revoked }))
}
