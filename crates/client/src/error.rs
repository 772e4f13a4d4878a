//! Why a call has no answer to return.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

/// The result of a call.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a call has no answer to return.
#[derive(Debug)]
pub enum Error {
    /// The address of the authority cannot be used, for this reason.
    Address(String),
    /// The authority answered with an error.
    Refused(Box<Refusal>),
    /// No answer came: whether the request was carried out is unknown.
    Unreachable(String),
    /// An answer came that does not match the API document.
    Unreadable(String),
}

/// An answer with an error status.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// The short stable text of the body, or the status in words if there is none.
    pub error: String,
    /// What to do about it; empty where the body has none.
    pub message: String,
    /// The field or parameter it is about.
    pub field: Option<String>,
    /// The scopes that the credential lacks.
    pub missing: Vec<String>,
    /// `X-Request-ID`, by which the authority's log can be searched.
    pub request_id: Option<String>,
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
    /// The whole body, if it was JSON.
    pub body: Value,
}

impl Refusal {
    /// Parses the body of an error response. Any other body gives an error without details.
    pub(crate) fn read(status: u16, request_id: Option<String>, retry_after: Option<Duration>, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let missing = body.get("missing").and_then(Value::as_array).into_iter().flatten();
        Self {
            status,
            error: text("error").unwrap_or_else(|| in_words(status)),
            message: text("message").unwrap_or_default(),
            field: text("field"),
            missing: missing.filter_map(Value::as_str).map(str::to_owned).collect(),
            request_id,
            retry_after,
            body,
        }
    }
}

/// The text for a status without an error body, such as a proxy's.
fn in_words(status: u16) -> String {
    let reason = ureq::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    reason.map_or_else(|| format!("status {status}"), str::to_lowercase)
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)?;
        if !self.message.is_empty() && self.message != self.error {
            write!(f, ": {}", self.message)?;
        }
        if !self.missing.is_empty() && !self.missing.iter().all(|scope| self.message.contains(scope)) {
            write!(f, " (missing: {})", self.missing.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(why) => f.write_str(why),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Unreachable(why) => write!(f, "the authority cannot be reached: {why}"),
            Self::Unreadable(why) => write!(f, "the answer is not that of a nolapse authority: {why}"),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    /// The refusal, if the authority answered with one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Address(_) | Self::Unreachable(_) | Self::Unreadable(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_read_whatever_the_body_is() {
        for (status, body, expected) in [
            (404, r#"{"error":"not found","message":"No such token.","statusCode":404}"#, "not found: No such token."),
            (401, r#"{"valid":false,"error":"invalid token"}"#, "invalid token"),
            (
                403,
                r#"{"error":"insufficient scope","message":"More is needed.","missing":["a:b"]}"#,
                "insufficient scope: More is needed. (missing: a:b)",
            ),
            (502, "<html>Bad Gateway</html>", "bad gateway"),
            (599, "", "status 599"),
            (500, r#"["not","an","object"]"#, "internal server error"),
        ] {
            assert_eq!(Refusal::read(status, None, None, body.as_bytes()).to_string(), expected);
        }
    }
}
