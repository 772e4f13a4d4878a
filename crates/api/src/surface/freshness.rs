//! From when on a change holds, and how fresh an answer is asked to be, where nodes answer changes before these hold
//! everywhere (`cluster.consistency = "relaxed"`): places in the log of changes.

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use authority::records::LogPlace;

use edge::error::{ApiError, ApiResult};

/// On the answer to a revocation: its place.
const REVOCATION_SEQ: HeaderName = HeaderName::from_static("x-nlp-revocation-seq");
/// On a question: the answer knows of everything up to that place.
const MIN_SEQ: HeaderName = HeaderName::from_static("x-nlp-min-seq");

/// The 204 of a revocation.
pub(super) fn revoked(place: Option<LogPlace>) -> HttpResponse {
    let mut response = HttpResponse::NoContent().finish();
    // Digits and a dot.
    if let Some(value) = place.and_then(|place| HeaderValue::try_from(place.to_string()).ok()) {
        response.headers_mut().insert(REVOCATION_SEQ, value);
    }
    response
}

/// The place that an answer has to know of.
///
/// # Errors
/// 400 for a header that is none.
pub(super) fn wanted(request: &HttpRequest) -> ApiResult<Option<LogPlace>> {
    let Some(value) = request.headers().get(&MIN_SEQ) else { return Ok(None) };
    let place = value.to_str().ok().and_then(|text| text.parse().ok());
    place.map(Some).ok_or_else(|| {
        ApiError::invalid("X-Nlp-Min-Seq", "must be what an X-Nlp-Revocation-Seq header said, as in 17.42")
    })
}
