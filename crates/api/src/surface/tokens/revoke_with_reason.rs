//! `POST /v1/tokens/{token_id}/revoke`: as `DELETE`, with a reason for the audit trail.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use authority::tokens::Tokens;
use serde::Deserialize;
use token_domain::access::Description;
use token_domain::id::TokenId;
use token_domain::token::{Explanation, RevokeCause};
use utoipa::ToSchema;

use crate::surface::path::PathParam;
use crate::surface::permission::ManageTokens;
use crate::surface::projects::patch;
use crate::surface::{Authorized, failing, freshness};
use edge::error::ApiResult;
use edge::extract::Json;

/// Why the token is revoked.
#[derive(Deserialize, ToSchema)]
struct Reason {
    /// `leaked`, `replaced`, `person_left`, `unused` or `other`.
    #[serde(default)]
    #[schema(example = "replaced")]
    reason: Option<String>,
    /// An optional comment of up to 500 characters.
    #[serde(default)]
    note: Option<String>,
}

/// The reason and the note of a revocation.
pub(super) fn explanation(reason: Option<&String>, note: Option<&String>) -> ApiResult<Explanation> {
    let cause = |text: &str| RevokeCause::parse(text).ok_or("must be leaked, replaced, person_left, unused or other");
    Ok(Explanation {
        cause: patch::read("reason", reason, cause)?,
        note: patch::read("note", note, Description::parse)?,
    })
}

/// Revoke a token and record a reason.
#[utoipa::path(
    tag = "tokens",
    security(("bearer" = ["tokens:manage"]), ("api_key" = ["tokens:manage"])),
    params(("token_id" = String, Path, description = "The id of the token.")),
    request_body = Reason,
    responses((status = 204, description = "Revoked on every node. If it was revoked before, its first reason is kept."))
)]
#[post("/v1/tokens/{token_id}/revoke")]
pub(super) async fn revoke_with_reason(
    who: Authorized<ManageTokens>,
    PathParam(id): PathParam<TokenId>,
    tokens: Data<Tokens>,
    Json(reason): Json<Reason>,
) -> ApiResult<HttpResponse> {
    let explanation = explanation(reason.reason.as_ref(), reason.note.as_ref())?;
    let place = tokens.revoke_saying(&who.caller, id, explanation, &who.origin).await.map_err(failing::token)?;
    Ok(freshness::revoked(place))
}
