//! Keeps an unread chunked body from holding its connection open for ever.
//!
//! When an answer is sent before the request's body was read, the framework closes the connection after a moment,
//! unless the body is chunked and was dropped: then it waits for the rest without a limit of time or size, even after
//! `Connection: close`. A client that drips chunks could stay for ever. Therefore the body is held until the answer has
//! been sent: the framework then finds it unread but not dropped, and closes the connection.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpMessage as _, HttpResponse};
use futures::{Stream, StreamExt as _};

/// The body of a chunked request, shared between its reader and the answer.
#[derive(Clone)]
pub(super) struct Held(Rc<RefCell<Payload>>);

impl Held {
    /// Takes the body if it is chunked; the framework handles bodies with a length.
    pub(super) fn of(request: &mut ServiceRequest) -> Option<Self> {
        if !request.headers().contains_key(header::TRANSFER_ENCODING) {
            return None;
        }
        let held = Self(Rc::new(RefCell::new(request.take_payload())));
        request.set_payload(Payload::Stream { payload: Box::pin(Reader(held.clone())) });
        Some(held)
    }

    /// Makes the answer hold the request's body until the answer's own body has been sent.
    pub(super) fn until_sent<B: MessageBody + 'static>(self, response: HttpResponse<B>) -> HttpResponse<BoxBody> {
        response.map_body(|_, body| BoxBody::new(Holding { body: body.boxed(), _held: self }))
    }
}

struct Reader(Held);

impl Stream for Reader {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.0.borrow_mut().poll_next_unpin(cx)
    }
}

struct Holding {
    body: BoxBody,
    _held: Held,
}

impl MessageBody for Holding {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}
