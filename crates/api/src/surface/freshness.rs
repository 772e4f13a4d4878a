//! Log places in headers, for `cluster.consistency = "relaxed"`, where a change is acknowledged before it holds on all
//! nodes: the place of a revocation, and the place that an answer must know of.

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use authority::records::LogPlace;

use edge::error::{ApiError, ApiResult};

/// In the answer to a revocation: its log place.
const REVOCATION_SEQ: HeaderName = HeaderName::from_static("x-nlp-revocation-seq");
/// In a question: the answering node must have applied all changes up to this log place.
const MIN_SEQ: HeaderName = HeaderName::from_static("x-nlp-min-seq");

/// The 204 of a revocation, with its log place in relaxed mode.
pub(super) fn revoked(place: Option<LogPlace>) -> HttpResponse {
    let mut response = HttpResponse::NoContent().finish();
    // Cannot fail: the text is digits and a dot.
    if let Some(value) = place.and_then(|place| HeaderValue::try_from(place.to_string()).ok()) {
        response.headers_mut().insert(REVOCATION_SEQ, value);
    }
    response
}

/// The log place that the answering node must have applied; `None` without the header.
///
/// # Errors
/// 400 for a header that is not a log place.
pub(super) fn wanted(request: &HttpRequest) -> ApiResult<Option<LogPlace>> {
    let Some(value) = request.headers().get(&MIN_SEQ) else { return Ok(None) };
    let place = value.to_str().ok().and_then(|text| text.parse().ok());
    place.map(Some).ok_or_else(|| {
        ApiError::invalid("X-Nlp-Min-Seq", "must be the value of an X-Nlp-Revocation-Seq header, such as 17.42")
    })
}
