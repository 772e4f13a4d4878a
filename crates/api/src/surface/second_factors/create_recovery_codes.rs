//! `POST /v1/me/recovery-codes`: new recovery codes in place of the old ones.

use actix_web::post;
use actix_web::web::{self, Data};
use authority::second_factors::SecondFactors;
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{RecoveryCodes, errors, required_proof};
use crate::surface::Authorized;
use crate::surface::permission::Anyone;
use edge::error::ApiResult;
use edge::extract::Json;

/// A proof of the second factor, so that an open session alone cannot create recovery codes.
#[derive(Deserialize, ToSchema)]
struct NewRecoveryCodes {
    /// A six-digit code of the authenticator app; alternatively `recovery_code`.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "123456")]
    code: Option<Zeroizing<String>>,
    /// One of the current recovery codes.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    recovery_code: Option<Zeroizing<String>>,
}

/// Create new recovery codes.
///
/// The previous codes stop working.
#[utoipa::path(
    tag = "me",
    security(("bearer" = [])),
    request_body = NewRecoveryCodes,
    responses(
        (status = 200, description = "Created.", body = RecoveryCodes),
        (status = 409, description = "There is no second factor to recover.", body = crate::error_body::Error),
        (status = 429, description = "There were too many wrong codes.", body = crate::error_body::Error),
    )
)]
#[post("/v1/me/recovery-codes")]
pub(super) async fn create_recovery_codes(
    who: Authorized<Anyone>,
    factors: Data<SecondFactors>,
    Json(body): Json<NewRecoveryCodes>,
) -> ApiResult<web::Json<RecoveryCodes>> {
    let proof = required_proof(body.code.as_ref(), body.recovery_code.as_ref())?;
    let codes = factors.renew_recovery_codes(&who.caller, &proof, &who.origin).await;
    Ok(web::Json(codes.map_err(errors::second_factor)?.into()))
}
