//! Reading a request body: bounded in size and in time.

use std::future::Future;
use std::time::{Duration, Instant};

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{HttpMessage as _, HttpRequest};
use futures::StreamExt as _;

use crate::http::codes::Code;
use crate::http::edge::Edge;
use crate::http::error::{ApiError, ApiResult};

/// The most a body may have unless a route says less.
pub const MAX_BODY: usize = 64 * 1024;
/// The most a body of validation may have: a token and a few scopes.
pub const MAX_VALIDATE_BODY: usize = 4 * 1024;

/// When the request began, in the extensions of every request but those on hot routes.
#[derive(Clone, Copy, Debug)]
pub struct Started(pub Instant);

/// Reads the whole body.
///
/// 413 as soon as it is known to exceed `limit` bytes, 408 when it is not complete at the request's deadline; both close
/// the connection, whose rest cannot be told from the next request. 400 when the client breaks off or its framing is wrong.
///
/// The request is only borrowed until this returns: nothing of it is held while the body arrives.
pub fn read(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: usize,
) -> impl Future<Output = ApiResult<Bytes>> + use<> {
    let declared = declared_length(request);
    let deadline = Edge::of(request).body_deadline();
    let elapsed = request.extensions().get::<Started>().map_or(Duration::ZERO, |Started(at)| at.elapsed());
    let payload = payload.take();
    async move {
        if declared.is_some_and(|length| length > u64::try_from(limit).unwrap_or(u64::MAX)) {
            return Err(too_large(limit));
        }
        let mut reading = std::pin::pin!(gather(payload, limit));
        // Nearly every body is here by now: only one that is not costs a timer.
        if let std::task::Poll::Ready(body) = futures::poll!(reading.as_mut()) {
            return body;
        }
        match tokio::time::timeout(deadline.saturating_sub(elapsed), reading).await {
            Ok(body) => body,
            Err(_) => Err(ApiError::from(Code::RequestTimeout).closing()),
        }
    }
}

async fn gather(mut payload: Payload, limit: usize) -> ApiResult<Bytes> {
    let Some(first) = next(&mut payload).await? else { return Ok(Bytes::new()) };
    if first.len() > limit {
        return Err(too_large(limit));
    }
    let Some(second) = next(&mut payload).await? else { return Ok(first) };
    let mut body = BytesMut::with_capacity((first.len() + second.len()).min(limit));
    body.extend_from_slice(&first);
    let mut chunk = second;
    loop {
        if body.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        body.extend_from_slice(&chunk);
        match next(&mut payload).await? {
            Some(more) => chunk = more,
            None => return Ok(body.freeze()),
        }
    }
}

async fn next(payload: &mut Payload) -> ApiResult<Option<Bytes>> {
    let broken = |error| {
        ApiError::from(Code::MalformedRequest)
            .message("Send the whole body, framed as its headers say.")
            .because(error)
            .closing()
    };
    payload.next().await.transpose().map_err(broken)
}

fn declared_length(request: &HttpRequest) -> Option<u64> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(limit: usize) -> ApiError {
    ApiError::from(Code::PayloadTooLarge).message(format!("Send a shorter body: at most {limit} bytes here.")).closing()
}
