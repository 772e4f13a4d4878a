//! Reading a request body: bounded in size and in time.

use std::future::{Future, poll_fn};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{HttpMessage as _, HttpRequest};
use futures::Stream as _;

use crate::codes::Code;
use crate::error::{ApiError, ApiResult};
use crate::parts::Edge;
use crate::within::within;

/// The longest body in bytes, unless a route sets a lower limit.
pub const MAX_BODY: usize = 64 * 1024;
/// The longest body of a validation in bytes: a token and a few scopes.
pub const MAX_VALIDATE_BODY: usize = 4 * 1024;

/// When the request began. In the extensions of all requests but those on hot routes.
#[derive(Clone, Copy, Debug)]
pub struct Started(pub Instant);

/// Reads the whole body.
///
/// 413 as soon as the body is known to exceed `limit` bytes, 408 when it is not complete at the request's deadline.
/// Both close the connection, because its remaining bytes cannot be told from the next request. 400 when the client
/// breaks off or its framing is wrong.
///
/// The request is borrowed only until this returns: the future does not hold it while the body arrives.
pub fn read(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: usize,
) -> impl Future<Output = ApiResult<Bytes>> + use<> {
    let declared = declared_length(request);
    let deadline = Edge::of(request).body_deadline();
    let elapsed = request.extensions().get::<Started>().map_or(Duration::ZERO, |Started(at)| at.elapsed());
    let mut arriving = Arriving { payload: payload.take(), limit, first: Bytes::new(), rest: BytesMut::new() };
    async move {
        if declared.is_some_and(|length| length > u64::try_from(limit).unwrap_or(u64::MAX)) {
            return Err(too_large(limit));
        }
        let whole = within(deadline.saturating_sub(elapsed), poll_fn(|cx| arriving.poll(cx))).await;
        whole.unwrap_or_else(|| Err(ApiError::from(Code::RequestTimeout).closing()))
    }
}

/// A body that is being received. Nearly all arrive in one piece, which is handed on without a copy.
struct Arriving {
    payload: Payload,
    limit: usize,
    first: Bytes,
    /// The whole body so far, once a second piece has arrived.
    rest: BytesMut,
}

impl Arriving {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ApiResult<Bytes>> {
        while let Some(piece) = ready!(Pin::new(&mut self.payload).poll_next(cx)) {
            self.add(piece.map_err(broken)?)?;
        }
        let whole = if self.rest.is_empty() { mem::take(&mut self.first) } else { mem::take(&mut self.rest).freeze() };
        Poll::Ready(Ok(whole))
    }

    fn add(&mut self, piece: Bytes) -> ApiResult<()> {
        if self.first.len().max(self.rest.len()) + piece.len() > self.limit {
            return Err(too_large(self.limit));
        }
        if self.first.is_empty() {
            self.first = piece;
        } else {
            if self.rest.is_empty() {
                self.rest.extend_from_slice(&self.first);
            }
            self.rest.extend_from_slice(&piece);
        }
        Ok(())
    }
}

fn broken(error: PayloadError) -> ApiError {
    ApiError::from(Code::MalformedRequest)
        .message("Send the whole body, with the length or the chunks that its headers announce.")
        .because(error)
        .closing()
}

fn declared_length(request: &HttpRequest) -> Option<u64> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(limit: usize) -> ApiError {
    ApiError::from(Code::PayloadTooLarge).message(format!("Send a shorter body: at most {limit} bytes here.")).closing()
}
