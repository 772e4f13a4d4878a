//! `POST /v1/me/totp`: starts the set-up of a second factor.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use authority::second_factors::{Begun, SecondFactors};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use utoipa::ToSchema;

use super::errors;
use crate::surface::Authorized;
use crate::surface::permission::Enrolling;
use edge::error::ApiResult;

/// The name of this service in the app.
const ISSUER: &str = "nolapse tokens";
/// All characters but the unreserved ones (RFC 3986, section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A second factor that is waiting for confirmation.
#[derive(Serialize, ToSchema)]
struct NewTotp {
    /// The secret in base 32 (32 letters and digits), for typing into the authenticator app. Shown only once.
    #[schema(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    secret: String,
    /// The secret as a URI, to be shown as a QR code for the authenticator app.
    otpauth_uri: String,
}

/// Start setting up a second factor.
///
/// Time-based one-time passwords (RFC 6238) with SHA-1, 30 seconds and six digits. The second factor has no effect
/// until it is confirmed. Calling this again before that creates another secret.
#[utoipa::path(
    tag = "me",
    security(("bearer" = [])),
    responses(
        (status = 201, description = "Started. Confirm it with a code.", body = NewTotp),
        (status = 409, description = "There is already a second factor.", body = crate::error_body::Error),
    )
)]
#[post("/v1/me/totp")]
pub(super) async fn start_totp(who: Authorized<Enrolling>, factors: Data<SecondFactors>) -> ApiResult<HttpResponse> {
    let begun = factors.begin(&who.caller, &who.origin).await.map_err(errors::second_factor)?;
    Ok(HttpResponse::Created().json(NewTotp::from(begun)))
}

impl From<Begun> for NewTotp {
    fn from(begun: Begun) -> Self {
        let secret = begun.secret.to_base32();
        let issuer = utf8_percent_encode(ISSUER, ENCODED);
        let account = utf8_percent_encode(begun.account.as_str(), ENCODED);
        Self {
            otpauth_uri: format!(
                "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
                *secret
            ),
            secret: (*secret).clone(),
        }
    }
}
