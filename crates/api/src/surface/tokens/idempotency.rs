//! The `Idempotency-Key` header.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use authority::tokens::Idempotency;
use serde::Serialize;

use edge::error::{ApiError, ApiResult};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const LONGEST: usize = 255;

/// The key of this request, if it has one, with a digest of the request, so that reuse for another request is detected.
pub(in crate::surface) fn of(request: &HttpRequest, asked: &impl Serialize) -> ApiResult<Option<Idempotency>> {
    let mut keys = request.headers().get_all(HEADER);
    let Some(first) = keys.next() else { return Ok(None) };
    let refuse = || {
        ApiError::invalid("Idempotency-Key", format!("must be sent once, as 1 to {LONGEST} printable ASCII characters"))
    };
    let key = first.to_str().ok().filter(|key| (1..=LONGEST).contains(&key.len())).ok_or_else(refuse)?;
    if keys.next().is_some() {
        return Err(refuse());
    }
    let asked = serde_json::to_vec(asked).map_err(ApiError::internal)?;
    Ok(Some(Idempotency::new(key, &asked)))
}
