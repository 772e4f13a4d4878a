//! The caller of operations for operators: the service token, or an operator's own credential.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use authority::Context;

use crate::surface::authorized::admit;
use crate::surface::failing;
use crate::surface::permission::Anyone;
use crate::surface::sessions::Operator;
use edge::codes::Code;
use edge::error::{ApiError, ApiResult};
use edge::extract::credentials::{self, Presented};
use edge::extract::turn::Turn;

/// A caller who may list the servers.
#[derive(Debug)]
pub(super) struct Overseer;

impl FromRequest for Overseer {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        match credentials::presented(request.headers()) {
            Ok(presented @ (Presented::Token(_) | Presented::Session(_))) => {
                let turn = Turn::take(request);
                let request = request.clone();
                Box::pin(async move {
                    let caller = admit::<Anyone>(&request, presented).await?;
                    drop(turn);
                    let context = request.app_data::<Data<Context>>();
                    let context =
                        context.ok_or_else(|| ApiError::internal("the application was built without its context"))?;
                    let is_operator =
                        context.is_operator(&caller).await.map_err(|failure| failing::failed(&failure))?;
                    if is_operator { Ok(Self) } else { Err(Code::NotFound.into()) }
                })
            }
            // The service token is in neither format: it arrives here as foreign, malformed or an error.
            Ok(Presented::None | Presented::Malformed | Presented::Foreign(_)) | Err(_) => {
                let operator = Operator::from_request(request, payload);
                Box::pin(async move { operator.await.map(|_| Self) })
            }
        }
    }
}
