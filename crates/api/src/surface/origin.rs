//! The request origin, for the audit trail and the rate limits.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use authority::{Origin, Presentation};

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

/// The origin of a request. Copies a few texts, so hot handlers call it only when something is to be recorded.
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

/// The origin of a token that the request itself presents.
pub(super) struct ByHolder<'r>(pub(super) &'r HttpRequest);

impl Presentation for ByHolder<'_> {
    fn address(&self) -> Option<IpAddr> {
        ClientIp::of(self.0).0
    }

    fn holder_address(&self) -> Option<IpAddr> {
        self.address()
    }

    fn holder_agent(&self) -> Option<String> {
        self.origin().agent()
    }

    fn origin(&self) -> Origin {
        of(self.0)
    }
}

/// The origin of a token that a gateway asks about, with the address that the gateway reports.
pub(super) struct ByGateway<'r> {
    pub(super) request: &'r HttpRequest,
    pub(super) presented_from: Option<IpAddr>,
}

impl Presentation for ByGateway<'_> {
    fn address(&self) -> Option<IpAddr> {
        self.presented_from
    }

    fn holder_address(&self) -> Option<IpAddr> {
        self.presented_from
    }

    /// `None`: the `User-Agent` is the gateway's, not the token holder's.
    fn holder_agent(&self) -> Option<String> {
        None
    }

    fn origin(&self) -> Origin {
        Origin { presented_from: self.presented_from, ..of(self.request) }
    }
}
