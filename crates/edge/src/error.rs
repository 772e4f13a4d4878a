//! The one error type of handlers and extractors, and the shape errors have on the wire.
//!
//! An error has a public half, built from the table in [`super::codes`], and a private half, `cause`, which only the log
//! sees. **Invariant:** nothing a 5xx says depends on its cause.

use std::borrow::Cow;
use std::fmt;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::codes::{Code, Entry};

/// The beginning of every challenge.
const REALM: &str = "Bearer realm=\"nolapse\"";
/// On a 403 for missing scopes: the smallest sufficient sets, separated by commas, the one that permits least first.
const ACCEPTED_SCOPES: HeaderName = HeaderName::from_static("x-accepted-scopes");
/// No cache may store the answer: a verdict about a credential holds only at that moment.
pub const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An error for a client. One pointer wide, so that results stay small.
pub struct ApiError(Box<Inner>);

struct Inner {
    code: Code,
    error: Option<Cow<'static, str>>,
    message: Option<Cow<'static, str>>,
    fields: Vec<(&'static str, Value)>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<String>,
    closes: bool,
}

/// What a handler or extractor answers with.
pub type ApiResult<T> = Result<T, ApiError>;

impl From<Code> for ApiError {
    fn from(code: Code) -> Self {
        Self(Box::new(Inner {
            code,
            error: None,
            message: None,
            fields: Vec::new(),
            headers: Vec::new(),
            cause: None,
            closes: false,
        }))
    }
}

impl ApiError {
    /// 400, naming the field or parameter. `advice` says what would be right and never repeats the value. It is a
    /// predicate (`must not be empty`), which gets the field's name as its subject, or a whole sentence.
    pub fn invalid(field: impl Into<String>, advice: impl Into<Cow<'static, str>>) -> Self {
        let (field, advice) = (field.into(), advice.into());
        let is_predicate = advice.starts_with(char::is_lowercase) && !advice.starts_with(&field);
        let message = if is_predicate { format!("{field} {advice}").into() } else { advice };
        Self::from(Code::InvalidRequest).message(message).with("field", field)
    }

    /// 400 for an absent query parameter: `missing required parameter: org`.
    pub fn missing_parameter(name: &str) -> Self {
        Self::from(Code::MissingParameter)
            .continued(format_args!(": {name}"))
            .message(format!("{name} is required: add it to the query."))
            .with("field", name)
    }

    /// 403 for these missing scopes, in the order they were required.
    pub fn insufficient_scope<S: AsRef<str>>(missing: &[S]) -> Self {
        let names: Vec<&str> = missing.iter().map(AsRef::as_ref).collect();
        let challenge = lacking_challenge(&names);
        Self::from(Code::InsufficientScope).challenge(&challenge).with("missing", names)
    }

    /// 401 for two credentials that differ, on a gateway's question, because nginx turns a 400 into a 500. The
    /// challenge says that the request is invalid (RFC 6750 §3.1).
    pub fn conflicting_at_gateway() -> Self {
        Self::from(Code::ConflictingAtGateway).challenge(&format!("{REALM}, error=\"invalid_request\""))
    }

    /// 403 for a request that no row of the gateway's route table matches, whatever the token may do.
    pub fn no_route() -> Self {
        Self::from(Code::NoRoute).challenge(&format!("{REALM}, error=\"insufficient_scope\""))
    }

    /// Adds the sufficient sets of scopes as `X-Accepted-Scopes`; without any set, no header.
    #[must_use]
    pub fn accepting<S: AsRef<str>>(self, sets: &[Vec<S>]) -> Self {
        match accepted_scopes(sets) {
            Some(value) => self.header(ACCEPTED_SCOPES, &value),
            None => self,
        }
    }

    /// 405 with the allowed methods, such as `GET, POST`.
    pub fn method_not_allowed(allow: &str) -> Self {
        Self::from(Code::MethodNotAllowed).header(header::ALLOW, allow)
    }

    /// 429, with the number of seconds after which the client may try again.
    pub fn too_many_requests(retry_after_seconds: u64) -> Self {
        Self::from(Code::TooManyRequests).header(header::RETRY_AFTER, &retry_after_seconds.to_string())
    }

    /// 503; the cause goes to the log.
    pub fn unavailable(cause: impl fmt::Display) -> Self {
        Self::from(Code::Unavailable).because(cause)
    }

    /// 500; the cause goes to the log.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::from(Code::Internal).because(cause)
    }

    /// Appends data to the `error` text, which two codes of the contract do. Not for 5xx.
    #[must_use]
    pub fn continued(mut self, rest: impl fmt::Display) -> Self {
        self.0.error = Some(format!("{}{rest}", self.0.code.entry().error).into());
        self
    }

    /// The error in OAuth's format: its error code, and `error_description` beside `message`. An error without an OAuth
    /// code stays as it is.
    #[must_use]
    pub fn in_oauth_words(mut self) -> Self {
        let Some(word) = self.0.code.in_oauth() else { return self };
        let description = self.public_message().to_owned();
        self.0.error = Some(word.into());
        self.with("error_description", description)
    }

    /// A more exact `message`. Not for 5xx.
    #[must_use]
    pub fn message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.0.message = Some(message.into());
        self
    }

    /// Another field in the body. Not for 5xx.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.fields.push((name, value.into()));
        self
    }

    /// Sets the cause, which only the log shows.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    /// Closes the connection after the answer, because the rest of the request is not read.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.0.closes = true;
        self
    }

    /// The code this error has in the table.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The `message` as sent.
    pub fn public_message(&self) -> &str {
        let Entry { status, message, .. } = self.0.code.entry();
        self.0.message.as_deref().filter(|_| !status.is_server_error()).unwrap_or(message)
    }

    /// Challenges for `Basic`, the scheme that the request used (RFC 6749 §5.2, RFC 7617 §2.1).
    #[must_use]
    pub fn challenging_basic(self) -> Self {
        self.challenge("Basic realm=\"nolapse\", charset=\"UTF-8\"")
    }

    /// The cause, for the log only.
    pub fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// The body as sent.
    pub fn body(&self) -> String {
        // Strings, numbers and lists of strings always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    fn challenge(self, challenge: &str) -> Self {
        self.header(header::WWW_AUTHENTICATE, challenge)
    }

    /// Sets a header if the value is allowed in one. All values made here are ASCII; only names from a caller may not
    /// be.
    fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers.push((name, value));
        }
        self
    }
}

/// The body: `error` and `message` first, then added fields, `statusCode` last. Written by hand because the order of a
/// `serde_json::Map` depends on a feature that any dependency may enable.
impl Serialize for ApiError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Inner { code, error: exact, message: advice, fields, .. } = &*self.0;
        let Entry { error, status, message } = code.entry();
        let mut body = serializer.serialize_map(None)?;
        if status.is_server_error() {
            body.serialize_entry("error", error)?;
            body.serialize_entry("message", message)?;
        } else {
            body.serialize_entry("error", exact.as_deref().unwrap_or(error))?;
            body.serialize_entry("message", advice.as_deref().unwrap_or(message))?;
            fields.iter().try_for_each(|(name, value)| body.serialize_entry(name, value))?;
        }
        body.serialize_entry("statusCode", &status.as_u16())?;
        body.end()
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entry = self.0.code.entry();
        f.write_str(self.0.error.as_deref().unwrap_or(entry.error))?;
        self.cause().map_or(Ok(()), |cause| write!(f, ": {cause}"))
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiError({:?}: {self})", self.0.code)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.0.code.entry().status
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status_code());
        response.content_type("application/json");
        let set = |name: &HeaderName| self.0.headers.iter().any(|(present, _)| present == name);
        match self.0.code.general() {
            Code::Unauthenticated if !set(&header::WWW_AUTHENTICATE) => {
                response.insert_header((header::WWW_AUTHENTICATE, REALM));
            }
            Code::InvalidToken if !set(&header::WWW_AUTHENTICATE) => {
                response.insert_header((header::WWW_AUTHENTICATE, format!("{REALM}, error=\"invalid_token\"")));
            }
            Code::Unavailable | Code::NotSetUp | Code::TooManyRequests if !set(&header::RETRY_AFTER) => {
                response.insert_header((header::RETRY_AFTER, "1"));
            }
            _ => {}
        }
        for (name, value) in &self.0.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        if self.0.closes {
            response.force_close();
        }
        response.body(self.body())
    }
}

/// The challenge of RFC 6750, section 3, for these missing scopes. Names with characters that section 3 forbids
/// (quotes, backslashes, control characters) are left out: a caller may have sent them.
pub fn lacking_challenge(names: &[&str]) -> String {
    let visible = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    let shown: Vec<&str> = names.iter().copied().filter(|name| name.bytes().all(visible)).collect();
    format!("{REALM}, error=\"insufficient_scope\", scope=\"{}\"", shown.join(" "))
}

/// The value of `X-Accepted-Scopes`; `None` without any set.
pub fn accepted_scopes<S: AsRef<str>>(sets: &[Vec<S>]) -> Option<String> {
    let shown = |set: &Vec<S>| set.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" ");
    let text = sets.iter().map(shown).collect::<Vec<_>>().join(", ");
    (!text.is_empty()).then_some(text)
}

/// The name of the header `X-Accepted-Scopes`.
pub const fn accepted_scopes_header() -> HeaderName {
    ACCEPTED_SCOPES
}

/// An answer from a prepared body, such as those of validation.
pub fn exact(status: StatusCode, json: impl MessageBody + 'static) -> HttpResponse {
    let mut response = HttpResponse::new(status);
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    response.set_body(BoxBody::new(json))
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;

    use super::*;

    #[actix_web::test]
    async fn errors_have_their_exact_bytes_and_headers() {
        type Row = (ApiError, u16, &'static str, &'static [(&'static str, &'static str)]);
        let rows: Vec<Row> = vec![
            (
                Code::NotFound.into(),
                404,
                r#"{"error":"not found","message":"Check the path and the id. Resources of other organisations and projects are reported as not found.","statusCode":404}"#,
                &[],
            ),
            (
                ApiError::invalid("scopes[1]", "must be in the catalogue"),
                400,
                r#"{"error":"invalid request","message":"scopes[1] must be in the catalogue","field":"scopes[1]","statusCode":400}"#,
                &[],
            ),
            (
                Code::Unauthenticated.into(),
                401,
                r#"{"error":"authentication required","message":"Send `Authorization: Bearer` with a session token or an API token.","statusCode":401}"#,
                &[("www-authenticate", "Bearer realm=\"nolapse\"")],
            ),
            (
                Code::InvalidToken.into(),
                401,
                r#"{"error":"invalid token","message":"Use a valid credential: this one is unknown, expired or revoked.","statusCode":401}"#,
                &[("www-authenticate", "Bearer realm=\"nolapse\", error=\"invalid_token\"")],
            ),
            (
                ApiError::insufficient_scope(&["tokens:read", "execute"]),
                403,
                r#"{"error":"insufficient scope","message":"Use a credential that has the scopes listed in `missing`.","missing":["tokens:read","execute"],"statusCode":403}"#,
                &[(
                    "www-authenticate",
                    "Bearer realm=\"nolapse\", error=\"insufficient_scope\", scope=\"tokens:read execute\"",
                )],
            ),
            (
                ApiError::insufficient_scope(&["a", "b\" c", "d\n"])
                    .accepting(&[vec!["a"], vec!["b", "c"]])
                    .accepting::<&str>(&[]),
                403,
                r#"{"error":"insufficient scope","message":"Use a credential that has the scopes listed in `missing`.","missing":["a","b\" c","d\n"],"statusCode":403}"#,
                &[
                    ("www-authenticate", "Bearer realm=\"nolapse\", error=\"insufficient_scope\", scope=\"a\""),
                    ("x-accepted-scopes", "a, b c"),
                ],
            ),
            (
                ApiError::method_not_allowed("GET, POST"),
                405,
                r#"{"error":"method not allowed","message":"Use one of the methods in the `Allow` header.","statusCode":405}"#,
                &[("allow", "GET, POST")],
            ),
            (
                ApiError::too_many_requests(30),
                429,
                r#"{"error":"too many requests","message":"Wait for the number of seconds in `Retry-After`, then try again.","statusCode":429}"#,
                &[("retry-after", "30")],
            ),
            (
                ApiError::unavailable("connection refused").continued("hidden").with("hidden", 1).message("hidden"),
                503,
                r#"{"error":"unavailable","message":"Try again after the number of seconds in `Retry-After`. This error says nothing about the validity of a token.","statusCode":503}"#,
                &[("retry-after", "1")],
            ),
            (
                ApiError::internal("index out of bounds"),
                500,
                r#"{"error":"internal error","message":"Try again. If the error persists, report the X-Request-ID of this response.","statusCode":500}"#,
                &[],
            ),
            (
                ApiError::missing_parameter("org"),
                400,
                r#"{"error":"missing required parameter: org","message":"org is required: add it to the query.","field":"org","statusCode":400}"#,
                &[],
            ),
        ];
        for (error, status, body, headers) in rows {
            let response = error.error_response();
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers().get("content-type").unwrap(), "application/json");
            for (name, value) in headers {
                assert_eq!(response.headers().get(*name).unwrap(), value, "{error:?}");
            }
            assert_eq!(to_bytes(response.into_body()).await.unwrap(), body);
        }
    }
}
