//! Wraps every request: request id, HEAD as GET, deadline, catching of panics, count of answers.

use std::rc::Rc;

use actix_web::Error;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;

use super::chunked::Held;
use super::finish::Finish;
use super::settle::{at_once, settle};
use super::watched::{dressed, watched};
use crate::error::ApiError;
use crate::hot::{Extras, Hot};
use crate::parts::Edge;
use crate::request_id;

/// The middleware; the app's data must hold an `Rc<Edge>`.
pub async fn guard<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let Some(edge) = request.app_data::<Rc<Edge>>().cloned() else {
        return Err(ApiError::internal("the app was built without its edge").into());
    };
    let id = edge.ids.choose(request.headers().get(request_id::HEADER));
    let finish = Finish::new(id, edge.parts.drain.has_begun());
    if request.method() == Method::HEAD {
        // Handlers see a GET; the connection remembers HEAD and sends no body (RFC 9110 §9.3.2).
        request.head_mut().method = Method::GET;
    }
    let held = Held::of(&mut request);
    let hot = edge.hot(request.path(), request.headers());
    let measured = hot.and_then(|hot| Some((hot.path, edge.measured()?)));
    let answered = match hot {
        // Not for a chunked body, which has to be held.
        Some(hot) if held.is_none() => at_once(&edge, &finish, hot, &mut request).await,
        Some(_) | None => None,
    };
    let settled = match (answered, hot) {
        (Some(answered), hot) => {
            let is_bare = hot.is_none_or(|hot| hot.extras == Extras::None);
            let answered = if is_bare { answered } else { dressed(&edge, answered) };
            answered.map(|response| request.into_response(response).map_into_right_body())
        }
        // Both boxed, so that the future of the fast path, which is moved, stays small.
        (None, Some(Hot { extras: Extras::None, .. })) => Box::pin(settle(&edge, &finish, request, next)).await,
        (None, Some(Hot { extras: Extras::Headers, .. })) => {
            dressed(&edge, Box::pin(settle(&edge, &finish, request, next)).await)
        }
        (None, Some(Hot { extras: Extras::Everything, .. }) | None) => {
            Box::pin(watched(&edge, &finish, request, next)).await
        }
    };
    if let Some((path, begun)) = measured {
        edge.parts.metrics.answered_hot(path, begun.elapsed());
    }
    match settled {
        Ok(mut response) => {
            finish.apply(response.response_mut());
            edge.complete_challenge(response.response_mut());
            edge.parts.metrics.responded(response.status());
            Ok(match held {
                None => response,
                Some(held) => {
                    let (request, response) = response.into_parts();
                    ServiceResponse::new(request, held.until_sent(response)).map_into_right_body()
                }
            })
        }
        Err(mut error) => {
            edge.parts.metrics.responded(error.as_response_error().status_code());
            error.add_response_mapper(move |mut response| {
                finish.apply(&mut response);
                edge.complete_challenge(&mut response);
                match held.clone() {
                    None => response,
                    Some(held) => held.until_sent(response),
                }
            });
            Err(error)
        }
    }
}
