//! The notice that the token a request was made with is about to end, on its way from who authenticates to the answer.

use actix_web::http::header::{HeaderName, HeaderValue};

/// When the token ends, as the wire writes it; in the request's extensions, and only when that is soon.
#[derive(Clone, Debug)]
pub struct EndsSoon(pub HeaderValue);

impl EndsSoon {
    /// The header on the answer.
    pub const HEADER: HeaderName = HeaderName::from_static("x-token-expires-at");
}
