//! `GET /.well-known/nolapse-tokens`: the URLs where a scanner checks and reports a found token of this deployment.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Serialize;
use token_format::pattern;
use utoipa::ToSchema;

use crate::surface::public_url::PublicUrl;
use edge::error::ApiResult;

/// The addresses of this deployment.
#[derive(Serialize, ToSchema)]
#[schema(as = WellKnownAddresses)]
struct Addresses {
    /// Validates a token: `POST {"token": …}`.
    validate: String,
    /// Revokes tokens that were found: `POST {"credentials": […]}`.
    revoke: String,
    /// Introspects a token (RFC 7662).
    introspect: String,
    rules: Rules,
}

/// Rules for finding tokens in text.
#[derive(Serialize, ToSchema)]
#[schema(as = ScanRules)]
struct Rules {
    /// A regular expression (RE2, PCRE, Go, Python, Rust) that matches tokens as issued. It does not constrain the text
    /// before a token.
    pattern: &'static str,
    /// How to verify the checksum of a match offline.
    checksum: &'static str,
}

/// Get the addresses for checking and revoking a token that was found.
#[utoipa::path(
    tag = "leaks",
    security(),
    responses(
        (status = 200, body = Addresses),
        (status = 404, description = "`server.public_url` is not set.", body = crate::error_body::Error),
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
