//! `GET /.well-known/nolapse-tokens`: the URLs where a scanner checks and reports a found token of this deployment.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Serialize;
use token_format::pattern;
use utoipa::ToSchema;

use crate::surface::public_url::PublicUrl;
use edge::error::ApiResult;

/// Addresses of this deployment.
#[derive(Serialize, ToSchema)]
#[schema(as = WellKnownAddresses)]
struct Addresses {
    /// `POST {"token": …}`: whether a token is good.
    validate: String,
    /// `POST {"credentials": […]}`: puts an end to tokens that were found.
    revoke: String,
    /// RFC 7662.
    introspect: String,
    rules: Rules,
}

/// How tokens are found in text.
#[derive(Serialize, ToSchema)]
#[schema(as = ScanRules)]
struct Rules {
    /// A regular expression (RE2, PCRE, Go, Python, Rust) for tokens as issued. Anything may stand before one.
    pattern: &'static str,
    /// What tells a token from a look-alike, with nothing asked of anybody.
    checksum: &'static str,
}

/// Where to ask about a token that was found, and to end it.
#[utoipa::path(
    tag = "leaks",
    security(),
    responses(
        (status = 200, body = Addresses),
        (status = 404, description = "`server.public_url` is not set", body = crate::error_body::Error),
    )
)]
#[get("/.well-known/nolapse-tokens")]
pub(super) async fn get_addresses(url: Data<PublicUrl>) -> ApiResult<HttpResponse> {
    let url = url.required()?;
    Ok(HttpResponse::Ok().json(Addresses {
        validate: format!("{url}/v1/auth/validate"),
        revoke: format!("{url}/v1/credentials/revoke"),
        introspect: format!("{url}/v1/oauth/introspect"),
        rules: Rules {
            pattern: pattern::ISSUED,
            checksum: "the last 8 digits are the CRC-32 (ISO-HDLC), in hexadecimal, of the 36 characters before",
        },
    }))
}
