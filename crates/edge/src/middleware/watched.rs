//! What every request on a route that is not hot gets: span, log line, metrics by route, CORS, security headers.

use std::time::Instant;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpResponse};
use tracing::Instrument as _;

use super::finish::Finish;
use super::settle::settle;
use crate::ends_soon::EndsSoon;
use crate::error::NO_STORE;
use crate::extract::body::Started;
use crate::parts::{Edge, EdgeParts, Transport};
use crate::request_id::RequestId;

/// On every answer unless its handler set another value: an API answer must not be rendered, framed, cached or sniffed.
const SECURITY: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::CACHE_CONTROL, NO_STORE),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

/// After one visit browsers use `https` for a year (RFC 6797). Not for subdomains, which may belong to somebody else.
const ONLY_HTTPS: HeaderValue = HeaderValue::from_static("max-age=31536000");

pub(super) async fn watched<B: MessageBody + 'static>(
    edge: &Edge,
    finish: &Finish,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let started = Instant::now();
    let parts = &edge.parts;
    let _in_flight = parts.metrics.enter();
    let method = request.method().clone();
    let route = request.match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    let origin = parts.cors.allowed(request.headers());
    let preflight = parts.cors.is_preflight(&method, request.headers());
    request.extensions_mut().insert(RequestId(finish.id.clone()));
    request.extensions_mut().insert(Started(started));

    let span = tracing::info_span!("request", request_id = finish.id());
    let refused = match &parts.gate {
        Some(gate) if !preflight => gate.admit(request.path()).await.err(),
        Some(_) | None => None,
    };
    let mut settled = match refused {
        Some(error) => Err(error.into()),
        None if preflight => Ok(request.into_response(HttpResponse::NoContent().finish()).map_into_right_body()),
        None => settle(edge, finish, request, next).instrument(span.clone()).await,
    };
    let status = match &settled {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    let elapsed = started.elapsed();
    if parts.access_log {
        let (status, elapsed_us) = (status.as_u16(), u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX));
        span.in_scope(|| tracing::info!(%method, route, status, elapsed_us, "answered"));
    }
    parts.metrics.finished(&method, route, status, elapsed);
    match &mut settled {
        Ok(response) => {
            let notice = response.request().extensions().get::<EndsSoon>().cloned();
            if let Some(EndsSoon(moment)) = notice {
                response.headers_mut().insert(EndsSoon::HEADER, moment);
            }
            dress(parts, origin.as_ref(), preflight, response.headers_mut());
        }
        Err(error) => dress_error(parts, origin, error),
    }
    settled
}

/// Adds the headers of [`watched`] to an answer of the fast path, whose request has no origin to judge.
pub(super) fn dressed<R: HasHeaders>(edge: &Edge, mut answered: Result<R, Error>) -> Result<R, Error> {
    let parts = &edge.parts;
    match &mut answered {
        Ok(response) => dress(parts, None, false, response.own_headers_mut()),
        Err(error) => dress_error(parts, None, error),
    }
    answered
}

/// An answer, with or without its request.
pub(super) trait HasHeaders {
    fn own_headers_mut(&mut self) -> &mut HeaderMap;
}

impl<B> HasHeaders for HttpResponse<B> {
    fn own_headers_mut(&mut self) -> &mut HeaderMap {
        self.headers_mut()
    }
}

impl<B> HasHeaders for ServiceResponse<B> {
    fn own_headers_mut(&mut self) -> &mut HeaderMap {
        self.headers_mut()
    }
}

/// Adds the CORS and security headers.
fn dress(parts: &EdgeParts, origin: Option<&HeaderValue>, preflight: bool, headers: &mut HeaderMap) {
    secure(headers, parts.transport);
    parts.cors.mark(origin, preflight, headers);
}

/// As [`dress`], for an error that becomes an answer later.
fn dress_error(parts: &EdgeParts, origin: Option<HeaderValue>, error: &mut Error) {
    let (cors, transport) = (parts.cors.clone(), parts.transport);
    error.add_response_mapper(move |mut response| {
        secure(response.headers_mut(), transport);
        cors.mark(origin.as_ref(), false, response.headers_mut());
        response
    });
}

fn secure(headers: &mut HeaderMap, transport: Transport) {
    if transport == Transport::Https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, ONLY_HTTPS);
    }
    for (name, value) in SECURITY {
        if !headers.contains_key(&name) {
            headers.insert(name, value);
        }
    }
}
