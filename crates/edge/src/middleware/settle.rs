//! Makes sure that every answer has this service's format: at the deadline, after a panic, and for the framework's
//! errors.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, ResponseError as _};
use futures::FutureExt as _;

use super::finish::Finish;
use crate::codes::Code;
use crate::error::ApiError;
use crate::hot::Hot;
use crate::parts::Edge;
use crate::within::{soon, within};

/// Runs the rest of the stack. `Err` is an answer too, for a request that was dropped on the way.
pub(super) async fn settle<B: MessageBody + 'static>(
    edge: &Edge,
    finish: &Finish,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    // Unwind-safe: state that outlives a handler is in the database or behind locks that are poisoned by a panic.
    let mut work = std::pin::pin!(AssertUnwindSafe(next.call(request)).catch_unwind());
    let Some(outcome) = within(edge.parts.limits.deadline, work.as_mut()).await else {
        edge.parts.metrics.overdue();
        tracing::error!(request_id = finish.id(), "request cancelled at its deadline");
        return Err(ApiError::from(Code::Unavailable).closing().into());
    };
    match outcome {
        Ok(Ok(response)) => Ok(ours(edge, finish, response)),
        Ok(Err(error)) => {
            let error = error.as_error::<ApiError>().is_none().then(|| foreign(&error)).map_or(error, Error::from);
            report(edge, finish, &error);
            Err(error)
        }
        Err(_) => Err(panicked(edge, finish)),
    }
}

/// The answer of a hot route's fast path, if it has one.
pub(super) async fn at_once(
    edge: &Edge,
    finish: &Finish,
    hot: &Hot,
    request: &mut ServiceRequest,
) -> Option<Result<HttpResponse, Error>> {
    let mut answering = AssertUnwindSafe(poll_fn(|cx| hot.answer(request, cx))).catch_unwind();
    match soon(&mut answering).await? {
        Ok(None) => None,
        Ok(Some(Ok(response))) => Some(Ok(response)),
        Ok(Some(Err(error))) => {
            let error = Error::from(error);
            report(edge, finish, &error);
            Some(Err(error))
        }
        Err(_) => Some(Err(panicked(edge, finish))),
    }
}

/// The answer after a panic. The panic hook has logged its message and place.
fn panicked(edge: &Edge, finish: &Finish) -> Error {
    edge.parts.metrics.panicked();
    tracing::error!(request_id = finish.id(), "a handler panicked");
    ApiError::from(Code::Internal).into()
}

/// Leaves answers of handlers as they are and replaces the framework's errors, which are plain text or empty.
fn ours<B: MessageBody>(edge: &Edge, finish: &Finish, response: ServiceResponse<B>) -> ServiceResponse<EitherBody<B>> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response.map_into_left_body();
    }
    let replacement = match response.response().error() {
        Some(error) if error.as_error::<ApiError>().is_some() => {
            report(edge, finish, error);
            None
        }
        Some(error) => Some(foreign(error)),
        None if response.headers().contains_key(header::CONTENT_TYPE) => None,
        None => Some(Code::of_status(status).into()),
    };
    match replacement {
        None => response.map_into_left_body(),
        Some(error) => {
            let (request, _) = response.into_parts();
            ServiceResponse::new(request, error.error_response()).map_into_right_body()
        }
    }
}

/// Converts an error of the framework. Its text may repeat input, so it goes to the log only.
fn foreign(error: &Error) -> ApiError {
    ApiError::from(Code::of_status(error.as_response_error().status_code())).because(error)
}

fn report(edge: &Edge, finish: &Finish, error: &Error) {
    let Some((error, cause)) = error.as_error::<ApiError>().and_then(|error| Some((error, error.cause()?))) else {
        return;
    };
    let (code, request_id) = (error.code().entry().error, finish.id());
    if error.code() == Code::Unavailable {
        if let Some(others_before) = edge.failures.note(Instant::now()) {
            tracing::error!(request_id, error = code, cause, others_before, "the request failed");
        }
    } else if error.status_code().is_server_error() {
        tracing::error!(request_id, error = code, cause, "the request failed");
    } else {
        tracing::debug!(request_id, error = code, cause, "the request was refused");
    }
}
