//! A caller with the permission `P`, or the deployment's service token.

use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, ResponseError as _};
use authority::{Caller, Origin};

use super::Operator;
use super::create_for_person::is_service_token;
use crate::surface::authorized::{Permission, admit};
use crate::surface::origin;
use edge::error::{ApiError, ApiResult};
use edge::extract::credentials::{self, Presented};
use edge::extract::turn::Turn;

/// Who sent a request that both may send.
pub(in crate::surface) enum OrService<P> {
    /// A caller who may do `P`.
    Caller(Caller, Origin, PhantomData<fn() -> P>),
    /// The operator, or a front end.
    Service(Origin),
}

impl<P: Permission> FromRequest for OrService<P> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        match credentials::presented(request.headers()) {
            Ok(presented @ (Presented::Token(_) | Presented::Session(_))) => {
                let turn = Turn::take(request);
                let request = request.clone();
                Box::pin(async move {
                    let caller = admit::<P>(&request, presented).await?;
                    drop(turn);
                    Ok(Self::Caller(caller, origin::of(&request), PhantomData))
                })
            }
            // This may be an imported key. It counts as a wrong service token only if no such key exists.
            Ok(presented @ Presented::Foreign(_)) if !is_service_token(request) => {
                let turn = Turn::take(request);
                let (request, mut payload) = (request.clone(), payload.take());
                Box::pin(async move {
                    let admitted = admit::<P>(&request, presented).await;
                    drop(turn);
                    match admitted {
                        Ok(caller) => Ok(Self::Caller(caller, origin::of(&request), PhantomData)),
                        Err(error) if error.status_code() == StatusCode::UNAUTHORIZED => {
                            let operator = Operator::from_request(&request, &mut payload);
                            operator.await.map(|Operator(origin)| Self::Service(origin))
                        }
                        Err(error) => Err(error),
                    }
                })
            }
            // The service token is in neither format: it arrives here as foreign, malformed or an error.
            Ok(Presented::None | Presented::Malformed | Presented::Foreign(_)) | Err(_) => {
                let operator = Operator::from_request(request, payload);
                Box::pin(async move { operator.await.map(|Operator(origin)| Self::Service(origin)) })
            }
        }
    }
}
