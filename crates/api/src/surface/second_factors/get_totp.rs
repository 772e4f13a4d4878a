//! `GET /v1/me/totp`: whether there is a second factor.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::second_factors::SecondFactors;
use serde::Serialize;
use token_domain::Timestamp;
use utoipa::ToSchema;

use super::errors;
use crate::surface::Authorized;
use crate::surface::permission::Enrolling;
use edge::error::ApiResult;

/// The state of the second factor.
#[derive(Serialize, ToSchema)]
struct TotpStatus {
    enabled: bool,
    /// When the second factor was set up.
    enabled_at: Option<String>,
    /// The number of unused recovery codes.
    recovery_codes_left: i64,
    /// Whether the organisation of this session requires a second factor.
    required: bool,
}

/// Get the state of your second factor.
#[utoipa::path(
    tag = "me",
    security(("bearer" = [])),
    responses((status = 200, body = TotpStatus))
)]
#[get("/v1/me/totp")]
pub(super) async fn get_totp(
    who: Authorized<Enrolling>,
    factors: Data<SecondFactors>,
) -> ApiResult<web::Json<TotpStatus>> {
    let status = factors.status(&who.caller).await.map_err(errors::second_factor)?;
    Ok(web::Json(TotpStatus {
        enabled: status.since.is_some(),
        enabled_at: status.since.map(Timestamp::rfc3339_seconds),
        recovery_codes_left: status.recovery_codes_left,
        required: status.rule.is_required(),
    }))
}
