//! `POST /v1/me/totp/confirm`: proves that the app has the secret, which activates the second factor.

use actix_web::post;
use actix_web::web::{self, Data};
use authority::second_factors::SecondFactors;
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{RecoveryCodes, code, errors};
use crate::surface::Authorized;
use crate::surface::permission::Enrolling;
use edge::error::ApiResult;
use edge::extract::Json;

/// A code of the authenticator app.
#[derive(Deserialize, ToSchema)]
struct ConfirmTotp {
    /// Six digits.
    #[schema(value_type = String, example = "123456")]
    code: Zeroizing<String>,
}

/// Confirm a second factor with its first code.
///
/// Signing in then requires a code. Ends all other sessions of the person.
#[utoipa::path(
    tag = "me",
    security(("bearer" = [])),
    request_body = ConfirmTotp,
    responses(
        (status = 200, description = "The second factor is set up.", body = RecoveryCodes),
        (status = 409, description = "No second factor is waiting for confirmation.", body = crate::error_body::Error),
        (status = 429, description = "There were too many wrong codes.", body = crate::error_body::Error),
    )
)]
#[post("/v1/me/totp/confirm")]
pub(super) async fn confirm_totp(
    who: Authorized<Enrolling>,
    factors: Data<SecondFactors>,
    Json(body): Json<ConfirmTotp>,
) -> ApiResult<web::Json<RecoveryCodes>> {
    let code = code(&body.code)?;
    let codes = factors.confirm(&who.caller, code, &who.origin).await.map_err(errors::second_factor)?;
    Ok(web::Json(codes.into()))
}
