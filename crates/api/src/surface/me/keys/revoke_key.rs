//! `DELETE /v1/me/keys/{key_id}`: once the 204 is sent, no validation accepts the key.

use actix_web::web::Data;
use actix_web::{HttpResponse, delete};
use authority::tokens::Tokens;

use super::KeyId;
use crate::surface::path::PathParam;
use crate::surface::permission::WriteSelf;
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;

/// Revoke one of your personal keys.
#[utoipa::path(
    tag = "keys",
    security(("bearer" = ["user:write"]), ("api_key" = ["user:write"])),
    params(("key_id" = String, Path, description = "The id of the key.")),
    responses((status = 204, description = "Revoked on every node. The answer is the same if it was revoked before."))
)]
#[delete("/v1/me/keys/{key_id}")]
pub(super) async fn revoke_key(
    who: Authorized<WriteSelf>,
    PathParam(KeyId(id)): PathParam<KeyId>,
    tokens: Data<Tokens>,
) -> ApiResult<HttpResponse> {
    tokens.revoke_key(&who.caller, id, &who.origin).await.map_err(failing::token)?;
    Ok(HttpResponse::NoContent().finish())
}
