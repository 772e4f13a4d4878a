//! The one table of public error codes. `docs/reference/errors.md` is generated from it.
//!
//! **Invariant:** the text of a code never changes once released; clients compare it.

use std::fmt::Write as _;

use actix_web::http::StatusCode;

/// A public error code: what the `error` field says unless the operation has a more exact text for the same case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request cannot be read.
    MalformedRequest,
    /// It can be read, and a field or parameter is not acceptable.
    InvalidRequest,
    /// A query parameter is absent.
    MissingParameter,
    /// Two credentials that differ.
    ConflictingCredentials,
    /// No credential.
    Unauthenticated,
    /// A credential that is unknown, expired or revoked; nothing says which.
    InvalidToken,
    /// The organisation's token cap.
    LimitReached,
    /// A good credential without the scope.
    InsufficientScope,
    /// A good credential that may not do this, whatever its scopes.
    Forbidden,
    /// Not there, or of another organisation or project.
    NotFound,
    /// No such operation on this path.
    MethodNotAllowed,
    /// The body did not arrive in time.
    RequestTimeout,
    /// The state of the thing does not permit it.
    Conflict,
    /// The body is too long.
    PayloadTooLarge,
    /// A body that can be read, and asks for what is never done.
    UnprocessableContent,
    /// Too many attempts.
    TooManyRequests,
    /// A fault of ours.
    Internal,
    /// Something we need cannot be reached, or we are overloaded.
    Unavailable,
    /// The deployment has no organisation yet.
    NotSetUp,
}

/// What the table says of a code.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The `error` field.
    pub error: &'static str,
    /// The status, also the `statusCode` field.
    pub status: StatusCode,
    /// The `message` field unless the operation says something more exact: what to do about it.
    pub message: &'static str,
}

impl Code {
    /// Every code, by status.
    pub const ALL: [Self; 19] = [
        Self::MalformedRequest,
        Self::InvalidRequest,
        Self::MissingParameter,
        Self::ConflictingCredentials,
        Self::Unauthenticated,
        Self::InvalidToken,
        Self::LimitReached,
        Self::InsufficientScope,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::Conflict,
        Self::PayloadTooLarge,
        Self::UnprocessableContent,
        Self::TooManyRequests,
        Self::Internal,
        Self::Unavailable,
        // Behind the general code, which stands for their status.
        Self::NotSetUp,
    ];

    /// The table.
    pub const fn entry(self) -> Entry {
        let (error, status, message) = match self {
            Self::MalformedRequest => (
                "malformed request",
                StatusCode::BAD_REQUEST,
                "Send a JSON object in UTF-8, without duplicate keys, at most 32 levels deep.",
            ),
            Self::InvalidRequest => {
                ("invalid request", StatusCode::BAD_REQUEST, "Correct the field or parameter named in `field`.")
            }
            Self::MissingParameter => {
                ("missing required parameter", StatusCode::BAD_REQUEST, "Add the query parameter named in `field`.")
            }
            Self::ConflictingCredentials => {
                ("conflicting credentials", StatusCode::BAD_REQUEST, "Send one credential, in one header.")
            }
            Self::Unauthenticated => (
                "authentication required",
                StatusCode::UNAUTHORIZED,
                "Send `Authorization: Bearer` with a session token or an API token.",
            ),
            Self::InvalidToken => (
                "invalid token",
                StatusCode::UNAUTHORIZED,
                "Use a credential that exists and is neither expired nor revoked.",
            ),
            Self::LimitReached => (
                "token limit reached",
                StatusCode::PAYMENT_REQUIRED,
                "Revoke a token that is not needed, or raise the limit.",
            ),
            Self::InsufficientScope => (
                "insufficient scope",
                StatusCode::FORBIDDEN,
                "Use a credential that has the scopes listed in `missing`.",
            ),
            Self::Forbidden => ("forbidden", StatusCode::FORBIDDEN, "Use a credential that may do this."),
            Self::NotFound => (
                "not found",
                StatusCode::NOT_FOUND,
                "Check the path and the id; what belongs to others is not found either.",
            ),
            Self::MethodNotAllowed => {
                ("method not allowed", StatusCode::METHOD_NOT_ALLOWED, "Use one of the methods in the `Allow` header.")
            }
            Self::RequestTimeout => (
                "request timeout",
                StatusCode::REQUEST_TIMEOUT,
                "Send the whole body sooner; the connection was closed.",
            ),
            Self::Conflict => ("conflict", StatusCode::CONFLICT, "Read the current state and decide again."),
            Self::PayloadTooLarge => (
                "payload too large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "Send a shorter body: at most 64 KiB, 4 KiB on validation.",
            ),
            Self::UnprocessableContent => (
                "unprocessable content",
                StatusCode::UNPROCESSABLE_ENTITY,
                "Correct the field named in `field`; the request was not carried out.",
            ),
            Self::TooManyRequests => {
                ("too many requests", StatusCode::TOO_MANY_REQUESTS, "Wait as long as `Retry-After` says, in seconds.")
            }
            Self::Internal => (
                "internal error",
                StatusCode::INTERNAL_SERVER_ERROR,
                "Try again; if it goes on, report the X-Request-ID of this response.",
            ),
            Self::Unavailable => (
                "unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "Try again after the seconds in `Retry-After`; this says nothing about any token.",
            ),
            Self::NotSetUp => (
                "not set up",
                StatusCode::SERVICE_UNAVAILABLE,
                "Set this deployment up first, with `nolapse-api setup` or the link the server printed; if it was, correct its database URL.",
            ),
        };
        Entry { error, status, message }
    }

    /// The code for a status that something other than our own code produced.
    pub fn of_status(status: StatusCode) -> Self {
        let same = Self::ALL.into_iter().find(|code| code.entry().status == status);
        same.unwrap_or(if status.is_client_error() { Self::MalformedRequest } else { Self::Internal })
    }
}

/// `docs/reference/errors.md`.
pub fn markdown() -> String {
    let mut text = String::from(
        "# Errors\n\n\
         Generated by `nolapse-api reference errors`; do not edit.\n\n\
         Every error is `{\"error\": …, \"message\": …, \"statusCode\": …}`. `error` is stable and for programs, `message` says what to do and may\n\
         change. Fields are added where they help (`field` names what was not acceptable, `missing` the scopes that were not there).\n\
         An operation may have a more exact `error` for a case of the same status; its documentation says so.\n\
         A 5xx says no more than this; the detail is in the log under the `X-Request-ID` of the response.\n\n\
         | status | `error` | `message` |\n|---|---|---|\n",
    );
    for code in Code::ALL {
        let Entry { error, status, message } = code.entry();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {} | `{error}` | {message} |", status.as_u16());
    }
    text.push_str(
        "\n401 carries `WWW-Authenticate: Bearer realm=\"nolapse\"`, with `error=\"invalid_token\"` when a credential was presented; 403 for want of a\n\
         scope carries `error=\"insufficient_scope\"` and the scopes that are missing, and `X-Accepted-Scopes` with the smallest sets of scopes that\n\
         would do: sets separated by commas, names in a set by spaces, the set that permits least first. 405 carries `Allow`. 429 and 503 carry `Retry-After` in seconds.\n\n\
         Bytes that are not HTTP at all never reach the application: an unreadable request line, header or body framing is answered\n\
         400, a head that is too large 431 and one that does not arrive in time 408, each with an empty body, and the connection closes.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn codes_are_told_apart_and_sorted_by_status() {
        let texts: BTreeSet<&str> = Code::ALL.iter().map(|code| code.entry().error).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        assert!(Code::ALL.is_sorted_by_key(|code| code.entry().status.as_u16()));
    }

    #[test]
    fn any_status_has_a_code() {
        let rows = [
            (400, Code::MalformedRequest),
            (413, Code::PayloadTooLarge),
            (418, Code::MalformedRequest),
            (502, Code::Internal),
        ];
        for (status, code) in rows {
            assert_eq!(Code::of_status(StatusCode::from_u16(status).unwrap()), code);
        }
    }

    #[test]
    fn the_reference_is_current() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/errors.md");
        let committed = std::fs::read_to_string(file).unwrap_or_default();
        assert!(committed == markdown(), "run `nolapse-api reference errors` and commit it");
    }
}
