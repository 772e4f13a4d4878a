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

/// A second factor that waits for its first code.
#[derive(Serialize, ToSchema)]
struct NewTotp {
    /// Shown once: 32 letters and digits of base 32, for typing into the app.
    #[schema(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    secret: String,
    /// The same for the app to scan, drawn as a QR code.
    otpauth_uri: String,
}

/// Begin to set up a second factor.
///
/// Time-based one-time passwords (RFC 6238): SHA-1, 30 seconds, six digits. It does not count until it is confirmed; called
/// again before that, it makes another secret.
#[utoipa::path(
    tag = "me",
    security(("bearer" = [])),
    responses(
        (status = 201, description = "begun; confirm it with a code", body = NewTotp),
        (status = 409, description = "there is one already", body = crate::error_body::Error),
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
