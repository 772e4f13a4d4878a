//! `DELETE /v1/me/totp`: remove one's second factor.

use actix_web::web::Data;
use actix_web::{HttpResponse, delete};
use authority::second_factors::SecondFactors;
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{errors, required_proof};
use crate::surface::Authorized;
use crate::surface::permission::Anyone;
use edge::error::ApiResult;
use edge::extract::Json;

/// The password and a proof of the second factor.
#[derive(Deserialize, ToSchema)]
struct DeleteTotp {
    #[schema(value_type = String)]
    password: Zeroizing<String>,
    /// A six-digit code of the authenticator app; alternatively `recovery_code`.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "123456")]
    code: Option<Zeroizing<String>>,
    /// One of the recovery codes. Each can be used once.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    recovery_code: Option<Zeroizing<String>>,
}

/// Remove your second factor and its recovery codes.
///
/// Ends all other sessions of the person. If the organisation requires a second factor, this session can then only set
/// up another one.
#[utoipa::path(
    tag = "me",
    security(("bearer" = [])),
    request_body = DeleteTotp,
    responses(
        (status = 204, description = "Removed."),
        (status = 409, description = "There is no second factor.", body = crate::error_body::Error),
        (status = 429, description = "There were too many wrong passwords or codes.", body = crate::error_body::Error),
    )
)]
#[delete("/v1/me/totp")]
pub(super) async fn delete_totp(
    who: Authorized<Anyone>,
    factors: Data<SecondFactors>,
    Json(body): Json<DeleteTotp>,
) -> ApiResult<HttpResponse> {
    let proof = required_proof(body.code.as_ref(), body.recovery_code.as_ref())?;
    let removed = factors.remove(&who.caller, body.password, &proof, &who.origin).await;
    removed.map_err(errors::second_factor)?;
    Ok(HttpResponse::NoContent().finish())
}
