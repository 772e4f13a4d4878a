//! The caller of operations for operators: the service token, or an operator's own credential.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use authority::Context;

use crate::surface::failing;
use crate::surface::permission::Anyone;
use crate::surface::sessions::OrService;
use edge::codes::Code;
use edge::error::{ApiError, ApiResult};

/// A caller who may list the servers.
#[derive(Debug)]
pub(super) struct Overseer;

impl FromRequest for Overseer {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let who = OrService::<Anyone>::from_request(request, payload);
        let context = request.app_data::<Data<Context>>().cloned();
        Box::pin(async move {
            let caller = match who.await? {
                OrService::Service(_) => return Ok(Self),
                OrService::Caller(caller, ..) => caller,
            };
            let context = context.ok_or_else(|| ApiError::internal("the application was built without its context"))?;
            let is_operator = context.is_operator(&caller).await.map_err(|failure| failing::failed(&failure))?;
            if is_operator { Ok(Self) } else { Err(Code::NotFound.into()) }
        })
    }
}
