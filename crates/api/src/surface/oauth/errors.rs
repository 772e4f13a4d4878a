//! Errors in OAuth's format: `error` as in RFC 6749 §5.2, RFC 6750 §3.1 and RFC 7009 §2.2.1, and `error_description`
//! beside `message`. Faults of the service are answered as on all routes.

use actix_web::ResponseError as _;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};

use edge::error::ApiError;

/// The error in OAuth's format. A client that used `Basic` is challenged for `Basic` (RFC 6749 §5.2).
pub(super) fn of(error: ApiError, headers: &HeaderMap) -> ApiError {
    let is_denied = error.status_code() == StatusCode::UNAUTHORIZED;
    let error = error.in_oauth_words();
    if is_denied && is_basic(headers) { error.challenging_basic() } else { error }
}

fn is_basic(headers: &HeaderMap) -> bool {
    let scheme = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
    scheme.is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
}
