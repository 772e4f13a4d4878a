//! The second factor of the session's person: set-up, confirmation, recovery codes, removal.

mod confirm_totp;
mod create_recovery_codes;
mod delete_totp;
pub(super) mod errors;
mod get_totp;
mod start_totp;

use authority::hashing::{RecoveryCode, TotpCode};
use authority::second_factors::Proof;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use zeroize::Zeroizing;

use edge::error::{ApiError, ApiResult};

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(get_totp::get_totp)
        .service(start_totp::start_totp)
        .service(confirm_totp::confirm_totp)
        .service(delete_totp::delete_totp)
        .service(create_recovery_codes::create_recovery_codes);
}

/// The new recovery codes.
#[derive(Serialize, ToSchema)]
struct RecoveryCodes {
    /// Ten recovery codes, each good for one sign-in without the authenticator app. Shown only once.
    #[schema(example = json!(["aaaq-eaye-7p6p-37x7"]))]
    recovery_codes: Vec<String>,
}

impl From<Vec<RecoveryCode>> for RecoveryCodes {
    fn from(codes: Vec<RecoveryCode>) -> Self {
        Self { recovery_codes: codes.iter().map(|code| (*code.expose()).clone()).collect() }
    }
}

/// Parses a code of six digits.
fn code(text: &str) -> ApiResult<TotpCode> {
    TotpCode::parse(text)
        .ok_or_else(|| ApiError::invalid("code", "must be the six digits that the authenticator app shows now"))
}

/// The proof of a second factor in a body: a code, a recovery code or none.
pub(super) fn proof(
    given: Option<&Zeroizing<String>>,
    recovery: Option<&Zeroizing<String>>,
) -> ApiResult<Option<Proof>> {
    match (given, recovery) {
        (Some(_), Some(_)) => Err(ApiError::invalid("recovery_code", "must not be sent together with code")),
        (Some(text), None) => code(text).map(|code| Some(Proof::Code(code))),
        (None, Some(text)) => {
            let read = RecoveryCode::parse(text).map(|code| Some(Proof::Recovery(code)));
            read.ok_or_else(|| {
                ApiError::invalid(
                    "recovery_code",
                    "must be sixteen letters and digits, as shown when the code was created",
                )
            })
        }
        (None, None) => Ok(None),
    }
}

/// As [`proof`], but one of the two is required.
fn required_proof(given: Option<&Zeroizing<String>>, recovery: Option<&Zeroizing<String>>) -> ApiResult<Proof> {
    proof(given, recovery)?.ok_or_else(|| ApiError::invalid("code", "is required, unless recovery_code is sent"))
}
