//! `POST /v1/oauth/revoke`: OAuth 2.0 token revocation (RFC 7009).

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use authority::leaks::Leaks;
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::client::{MaybeClient, NamesToken};
use crate::surface::failing;
use edge::error::ApiResult;

/// The token to revoke (RFC 7009, section 2.1).
#[derive(Deserialize, ToSchema)]
#[schema(as = RevocationRequest)]
pub(super) struct Revocation {
    /// The token as presented.
    #[schema(value_type = String)]
    token: Zeroizing<String>,
    /// The type of the token. Not needed, because there is only one type.
    #[serde(default)]
    #[expect(dead_code, reason = "read and left alone, as RFC 7009 §2.1 allows")]
    token_type_hint: Option<String>,
}

impl NamesToken for Revocation {
    fn token(&self) -> &str {
        &self.token
    }
}

/// Revoke a token by its secret (RFC 7009).
///
/// The token itself is the only credential needed. A caller that also authenticates can revoke only tokens of its own
/// organisation. The response is 200 even if the token is not valid, because there is nothing left to revoke.
#[utoipa::path(
    tag = "OAuth 2.0",
    security(),
    request_body(content = Revocation, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The token is no longer valid."),
        (status = 401, description = "The request also carries a credential, which is not valid.", body = crate::error_body::Error),
    )
)]
#[post("/v1/oauth/revoke")]
pub(super) async fn revoke_presented(client: MaybeClient<Revocation>, leaks: Data<Leaks>) -> ApiResult<HttpResponse> {
    let MaybeClient { caller, origin, form } = client;
    leaks.revoke(&form.token, caller.as_ref(), &origin).await.map_err(|error| failing::leak(&error))?;
    Ok(HttpResponse::Ok().finish())
}
