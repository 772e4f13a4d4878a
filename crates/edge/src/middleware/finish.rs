//! The last step for every answer: its request id, and closing the connection.

use actix_web::HttpResponse;
use actix_web::http::ConnectionType;
use actix_web::http::header::HeaderValue;

use crate::request_id;

/// The request's id, and whether its connection is to be closed.
pub(super) struct Finish {
    pub(super) id: HeaderValue,
    closing: bool,
}

impl Finish {
    pub(super) const fn new(id: HeaderValue, closing: bool) -> Self {
        Self { id, closing }
    }

    /// The id for log lines.
    pub(super) fn id(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }

    #[inline]
    pub(super) fn apply<B>(&self, response: &mut HttpResponse<B>) {
        response.headers_mut().insert(request_id::HEADER, self.id.clone());
        if self.closing {
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
    }
}
