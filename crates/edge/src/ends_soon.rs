//! The notice that the request's token is about to end, passed from authentication to the answer.

use actix_web::http::header::{HeaderName, HeaderValue};

/// When the token ends, in the wire format. Stored in the request's extensions, and only if the token ends soon.
#[derive(Clone, Debug)]
pub struct EndsSoon(pub HeaderValue);

impl EndsSoon {
    /// The header on the answer.
    pub const HEADER: HeaderName = HeaderName::from_static("x-token-expires-at");
}
