//! The request as the audit trail and the limiter want to know it.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use authority::Origin;

use edge::extract::ClientIp;
use edge::request_id::RequestId;

/// Where a request came from.
#[derive(Clone, Debug)]
pub(super) struct From(pub(super) Origin);

impl FromRequest for From {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(of(request))))
    }
}

/// Where a request came from. Copies a few texts, so hot handlers call it only when something is to be recorded.
pub(super) fn of(request: &HttpRequest) -> Origin {
    let client_ip = ClientIp::of(request).0;
    let user_agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Origin {
        request_id: RequestId::of(request).map(|id| id.as_str().to_owned()).unwrap_or_default(),
        client_ip,
        presented_from: client_ip,
        user_agent: user_agent.map(str::to_owned),
    }
}
