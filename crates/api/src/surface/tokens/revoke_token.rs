//! `DELETE /v1/tokens/{token_id}`: once the 204 is sent, no validation accepts the token.

use actix_web::web::Data;
use actix_web::{HttpResponse, delete};
use authority::tokens::Tokens;
use token_domain::id::TokenId;

use crate::surface::path::PathParam;
use crate::surface::permission::ManageTokens;
use crate::surface::{Authorized, failing, freshness};
use edge::error::ApiResult;

/// Revoke a token.
#[utoipa::path(
    tag = "tokens",
    security(("bearer" = ["tokens:manage"]), ("api_key" = ["tokens:manage"])),
    params(("token_id" = String, Path, description = "The id of the token.")),
    responses((status = 204, description = "Revoked on every node. The answer is the same if it was revoked before."))
)]
#[delete("/v1/tokens/{token_id}")]
pub(super) async fn revoke_token(
    who: Authorized<ManageTokens>,
    PathParam(id): PathParam<TokenId>,
    tokens: Data<Tokens>,
) -> ApiResult<HttpResponse> {
    let place = tokens.revoke(&who.caller, id, &who.origin).await.map_err(failing::token)?;
    Ok(freshness::revoked(place))
}
