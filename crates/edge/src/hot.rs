//! Hot routes, which are called thousands of times a second, and their fast path without routing.
//!
//! Most requests about a token arrive in one piece and concern a token in this node's cache. The guard answers such a
//! request itself, because routing, a boxed future and extractors cost as much as the answer. Any other request (a body
//! that is still arriving, a database read, an error to explain) is routed unchanged, so the fast path only ever sends
//! the bytes that the handler would send.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use futures::{Stream, StreamExt as _, stream};

use super::error::ApiResult;

/// Answers a request with this body as its handler would, or returns `None` to have it routed. Must not wait, and must
/// have no side effects when it returns `None`.
pub type AtOnce = Arc<dyn Fn(&HttpRequest, &[u8]) -> Option<ApiResult<HttpResponse>> + Send + Sync>;

/// A route with little more than a request id and counters, or with a fast path before the rest.
#[derive(Clone)]
pub struct Hot {
    /// The paths of its requests.
    pub path: HotPath,
    /// The fast path, which answers before the request is routed.
    pub at_once: Option<AtOnce>,
    /// What its requests and answers get in addition.
    pub extras: Extras,
}

/// Paths of a hot route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HotPath {
    /// This path only.
    Whole(&'static str),
    /// Every path with this prefix.
    Below(&'static str),
}

impl HotPath {
    #[inline]
    pub(super) fn has(self, path: &str) -> bool {
        match self {
            Self::Whole(whole) => whole == path,
            Self::Below(start) => path.starts_with(start),
        }
    }

    /// Its name in metrics.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Whole(path) | Self::Below(path) => path,
        }
    }
}

/// What requests to a hot route, and their answers, get in addition to an id and counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extras {
    /// Nothing.
    None,
    /// The headers that answers of other routes have.
    Headers,
    /// Those headers; requests that are routed also get a log line, metrics by route and CORS, like those of other
    /// routes.
    Everything,
}

impl Hot {
    /// A hot route without a fast path.
    pub const fn routed(path: &'static str) -> Self {
        Self { path: HotPath::Whole(path), at_once: None, extras: Extras::None }
    }

    /// The answer of the fast path, if it has one; otherwise the request is left unchanged. Pending until the first
    /// piece of the body has arrived; a caller that does not want to wait polls once.
    pub(super) fn answer(
        &self,
        request: &mut ServiceRequest,
        cx: &mut Context<'_>,
    ) -> Poll<Option<ApiResult<HttpResponse>>> {
        let Some(at_once) = &self.at_once else { return Poll::Ready(None) };
        let mut payload = request.take_payload();
        match read(&mut payload, cx) {
            Read::Whole(body) => {
                let answer = at_once(request.request(), &body);
                if answer.is_none() {
                    request.set_payload(replayed(Ok(body), None, Payload::None));
                }
                Poll::Ready(answer)
            }
            Read::Nothing => {
                request.set_payload(payload);
                Poll::Pending
            }
            Read::Part(first, second) => {
                request.set_payload(replayed(first, second, payload));
                Poll::Ready(None)
            }
        }
    }
}

type Piece = Result<Bytes, PayloadError>;

/// The part of a body that has arrived.
enum Read {
    /// The whole body, which came in one piece or is empty.
    Whole(Bytes),
    /// One or two pieces; more may follow.
    Part(Piece, Option<Piece>),
    Nothing,
}

fn read(payload: &mut Payload, cx: &mut Context<'_>) -> Read {
    match Pin::new(&mut *payload).poll_next(cx) {
        Poll::Pending => Read::Nothing,
        Poll::Ready(None) => Read::Whole(Bytes::new()),
        Poll::Ready(Some(Err(error))) => Read::Part(Err(error), None),
        Poll::Ready(Some(Ok(first))) => match Pin::new(payload).poll_next(cx) {
            Poll::Ready(None) => Read::Whole(first),
            Poll::Ready(Some(second)) => Read::Part(Ok(first), Some(second)),
            Poll::Pending => Read::Part(Ok(first), None),
        },
    }
}

/// A body that yields the pieces already read, and then the rest.
fn replayed(first: Piece, second: Option<Piece>, rest: Payload) -> Payload {
    Payload::Stream { payload: Box::pin(stream::iter(std::iter::once(first).chain(second)).chain(rest)) }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use actix_web::test::TestRequest;

    use super::*;

    fn body(request: &mut ServiceRequest) -> Vec<Piece> {
        futures::executor::block_on(request.take_payload().collect())
    }

    fn request(pieces: Vec<Poll<Piece>>) -> ServiceRequest {
        let mut pieces = pieces.into_iter();
        let arriving = stream::poll_fn(move |cx| match pieces.next() {
            None => Poll::Ready(None),
            Some(Poll::Ready(piece)) => Poll::Ready(Some(piece)),
            Some(Poll::Pending) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        });
        let mut request = TestRequest::default().to_srv_request();
        request.set_payload(Payload::Stream { payload: Box::pin(arriving) });
        request
    }

    fn piece(text: &'static str) -> Poll<Piece> {
        Poll::Ready(Ok(Bytes::from_static(text.as_bytes())))
    }

    #[test]
    fn a_body_that_is_not_answered_at_once_is_there_as_it_came() {
        /// The pieces that arrive, whether the fast path answers, the body that is left.
        type Row = (Vec<Poll<Piece>>, Poll<bool>, &'static str);
        let only_yes: AtOnce = Arc::new(|_, body| (body == b"yes").then(|| Ok(HttpResponse::Ok().finish())));
        let hot = Hot { at_once: Some(only_yes), ..Hot::routed("/") };
        let (now, never) = (Poll::Ready(true), Poll::Ready(false));
        let rows: [Row; 9] = [
            (vec![piece("yes")], now, ""),
            (vec![piece("no")], never, "no"),
            (vec![], never, ""),
            (vec![Poll::Pending, piece("yes")], Poll::Pending, "yes"),
            (vec![piece("yes"), Poll::Pending], never, "yes"),
            (vec![piece("y"), piece("es")], never, "yes"),
            (vec![piece("y"), Poll::Pending, piece("es")], never, "yes"),
            (vec![piece("y"), piece("e"), Poll::Pending, piece("s")], never, "yes"),
            (vec![piece("y"), piece("e"), piece("s")], never, "yes"),
        ];
        for (at, (pieces, answered, left)) in rows.into_iter().enumerate() {
            let mut request = request(pieces);
            let answer = hot.answer(&mut request, &mut Context::from_waker(Waker::noop()));
            assert_eq!(answer.map(|answer| answer.is_some()), answered, "row {at}");
            let whole: Vec<u8> = body(&mut request).into_iter().flat_map(|piece| piece.unwrap().to_vec()).collect();
            assert_eq!(String::from_utf8(whole).unwrap(), left, "row {at}");
        }
    }

    #[test]
    fn a_body_that_breaks_off_still_does() {
        let never: AtOnce = Arc::new(|_, _| panic!("asked about a broken body"));
        let hot = Hot { at_once: Some(never), ..Hot::routed("/") };
        let broken = || Poll::Ready(Err(PayloadError::EncodingCorrupted));
        for pieces in [vec![broken()], vec![piece("y"), broken()], vec![piece("y"), Poll::Pending, broken()]] {
            let mut request = request(pieces);
            let answer = hot.answer(&mut request, &mut Context::from_waker(Waker::noop()));
            assert!(answer.map(|answer| answer.is_none()).is_ready());
            assert!(body(&mut request).pop().unwrap().is_err());
        }
    }

    #[test]
    fn a_routed_route_reads_nothing() {
        let mut request = request(vec![piece("yes")]);
        let answer = Hot::routed("/").answer(&mut request, &mut Context::from_waker(Waker::noop()));
        assert!(answer.map(|answer| answer.is_none()).is_ready());
        assert_eq!(body(&mut request).len(), 1);
    }
}
