//! `DELETE /v1/tokens/self`: revokes the token that authenticates the request. It needs no scope.

use actix_web::web::Data;
use actix_web::{HttpResponse, delete};
use authority::tokens::Tokens;

use crate::surface::permission::Anyone;
use crate::surface::{Authorized, failing, freshness};
use edge::error::ApiResult;

/// Revoke the token of this request.
#[utoipa::path(
    tag = "tokens",
    security(("bearer" = []), ("api_key" = [])),
    responses(
        (status = 204, description = "Revoked on every node."),
        (status = 403, description = "The credential is a session, not a token.", body = crate::error_body::Error),
    )
)]
#[delete("/v1/tokens/self")]
pub(super) async fn revoke_self(who: Authorized<Anyone>, tokens: Data<Tokens>) -> ApiResult<HttpResponse> {
    let place = tokens.revoke_own(&who.caller, &who.origin).await.map_err(failing::token)?;
    Ok(freshness::revoked(place))
}
