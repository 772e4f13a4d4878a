//! Cross-origin requests: an allow-list, no wildcard, no credentials by cookie.
//!
//! Written here rather than taken from a crate: a refused preflight must get an error in this service's format, and the
//! whole implementation is this short file.

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
const REQUEST_HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, content-type, idempotency-key, x-api-key, x-nlp-min-seq, x-request-id");
/// The response headers that scripts may read: browsers hide all others from them.
const RESPONSE_HEADERS: HeaderValue = HeaderValue::from_static(
    "x-request-id, retry-after, www-authenticate, x-accepted-scopes, x-token-expires-at, x-total-count, allow, location, \
     content-disposition, nolapse-audit-head, x-nlp-org, x-nlp-token-id, x-nlp-kind, x-nlp-scopes, x-nlp-project, x-nlp-actor, \
     x-nlp-access-scope, x-nlp-revocation-seq",
);
/// Ten minutes: browsers soon forget an origin that was removed from the list. They cap the value at two hours at most.
const MAX_AGE_SECONDS: HeaderValue = HeaderValue::from_static("600");

/// The origins whose pages may call, exactly as a browser sends them.
#[derive(Clone, Debug, Default)]
pub struct Cors(Arc<[String]>);

impl Cors {
    /// Allows these origins and no others.
    pub fn new(origins: &[String]) -> Self {
        Self(origins.into())
    }

    /// The origin to name in the answer, if the request came from one that is allowed.
    pub fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        self.0.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()).then(|| origin.clone())
    }

    /// Whether the list has entries and the request has an origin, so that the origin has to be judged.
    pub fn is_asked(&self, headers: &HeaderMap) -> bool {
        !self.0.is_empty() && headers.contains_key(header::ORIGIN)
    }

    /// Whether a request is a CORS preflight from an allowed origin.
    pub fn is_preflight(&self, method: &Method, headers: &HeaderMap) -> bool {
        method == Method::OPTIONS
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
            && self.allowed(headers).is_some()
    }

    /// Adds the CORS headers to an answer. `Vary` is set whenever the list has entries, also for origins that are not
    /// in it: a shared cache must not serve one origin's answer to another.
    pub fn mark(&self, origin: Option<&HeaderValue>, preflight: bool, headers: &mut HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = origin else { return };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if preflight {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS);
        } else {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
        }
    }
}
