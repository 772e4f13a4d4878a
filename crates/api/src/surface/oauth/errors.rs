//! Errors in the words that OAuth libraries read: `error` as RFC 6749 §5.2, RFC 6750 §3.1 and RFC 7009 §2.2.1 name them,
//! and `error_description` beside `message`. Faults of ours are what they are everywhere.

use actix_web::http::header::{self, HeaderMap};

use edge::codes::Code;
use edge::error::ApiError;

/// The error as OAuth has it. Who came by `Basic` is challenged for that (RFC 6749 §5.2).
pub(super) fn of(error: ApiError, headers: &HeaderMap) -> ApiError {
    let name = match error.code() {
        Code::MalformedRequest
        | Code::InvalidRequest
        | Code::MissingParameter
        | Code::ConflictingCredentials
        | Code::RequestTimeout
        | Code::PayloadTooLarge
        | Code::UnprocessableContent => "invalid_request",
        Code::Unauthenticated | Code::InvalidToken => "invalid_client",
        Code::InsufficientScope => "insufficient_scope",
        Code::Forbidden => "access_denied",
        Code::TooManyRequests => "temporarily_unavailable",
        Code::LimitReached
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::Conflict
        | Code::Internal
        | Code::Unavailable
        | Code::NotSetUp => {
            return error;
        }
    };
    let description = error.public_message().to_owned();
    let is_denied = name == "invalid_client";
    let error = error.saying(name).with("error_description", description);
    if is_denied && is_basic(headers) { error.challenging_basic() } else { error }
}

fn is_basic(headers: &HeaderMap) -> bool {
    let scheme = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
    scheme.is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
}
