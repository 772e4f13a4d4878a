//! The client's request, as the gateway describes it.
//!
//! **Invariant:** a repeated header is refused. Gateways must overwrite these headers; one that appends to the client's
//! would let the client choose the value.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap};

use edge::error::{ApiError, ApiResult};

const METHOD: &str = "X-Forwarded-Method";
const URI: &str = "X-Forwarded-Uri";
const HOST: &str = "X-Forwarded-Host";

/// The client's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Original<'r> {
    /// The method in capitals; `HEAD` becomes `GET`.
    pub(super) method: &'r str,
    /// The path as sent, without the query.
    pub(super) path: &'r str,
    /// The host with its port, if it had one; `None` if the gateway does not send it.
    pub(super) host: Option<&'r str>,
}

impl<'r> Original<'r> {
    /// Reads the headers that the gateway sets.
    pub(super) fn forwarded(request: &'r HttpRequest) -> ApiResult<Self> {
        let headers = request.headers();
        let uri = required(headers, URI)?;
        Ok(Self {
            method: method(headers)?,
            path: uri.split_once('?').map_or(uri, |(path, _)| path),
            host: single(headers, HOST)?,
        })
    }

    /// Takes this request itself, which is the client's with a prefix before its path.
    pub(super) fn prefixed(request: &'r HttpRequest, path: &'r str) -> ApiResult<Self> {
        Ok(Self { method: request.method().as_str(), path, host: single(request.headers(), header::HOST.as_str())? })
    }
}

/// The method of the client's request, from the gateway's header.
pub(super) fn method(headers: &HeaderMap) -> ApiResult<&str> {
    let method = required(headers, METHOD)?;
    Ok(if method == Method::HEAD.as_str() { Method::GET.as_str() } else { method })
}

/// Whether these are the headers of a CORS preflight.
pub(super) fn is_preflight(headers: &HeaderMap) -> ApiResult<bool> {
    let is_options = method(headers)? == Method::OPTIONS.as_str();
    Ok(is_options
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD))
}

fn required<'r>(headers: &'r HeaderMap, name: &'static str) -> ApiResult<&'r str> {
    single(headers, name)?
        .ok_or_else(|| ApiError::invalid(name, format!("{name} is required: configure the gateway to set it")))
}

fn single<'r>(headers: &'r HeaderMap, name: &str) -> ApiResult<Option<&'r str>> {
    let mut values = headers.get_all(name);
    let Some(first) = values.next() else { return Ok(None) };
    match first.to_str() {
        Ok(text) if values.next().is_none() => Ok(Some(text)),
        Ok(_) => Err(ApiError::invalid(name, format!("{name} must be given once"))),
        Err(_) => Err(ApiError::invalid(name, format!("{name} must be visible ASCII"))),
    }
}
