//! `POST /v1/tokens/lookup`: finds a token by its secret. `POST`, because a secret must not be in a URL.

use actix_web::post;
use actix_web::web::{self, Data};
use authority::Context;
use authority::tokens::Tokens;
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::TokenView;
use crate::surface::permission::ReadTokens;
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;
use edge::extract::Json;

/// The secret that was found.
#[derive(Deserialize, ToSchema)]
#[schema(as = LookupToken)]
struct Found {
    /// The token as it was found.
    #[schema(example = "nlp_00112233445566778899aabbccddeeff550c911c")]
    token: String,
}

/// Find the token that a secret belongs to.
///
/// Also finds revoked and expired tokens. A look-up does not count as a use of the token.
#[utoipa::path(
    tag = "tokens",
    security(("bearer" = ["tokens:read"]), ("api_key" = ["tokens:read"])),
    request_body = Found,
    responses(
        (status = 200, body = TokenView),
        (status = 404, description = "No token of the caller's organisation has this secret.", body = crate::error_body::Error),
    )
)]
#[post("/v1/tokens/lookup")]
pub(super) async fn lookup_token(
    who: Authorized<ReadTokens>,
    tokens: Data<Tokens>,
    context: Data<Context>,
    Json(found): Json<Found>,
) -> ApiResult<web::Json<TokenView>> {
    let token = tokens.lookup(&who.caller, &found.token).await.map_err(failing::token)?;
    Ok(web::Json(TokenView::new(token, context.now())))
}
