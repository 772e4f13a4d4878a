//! The body of a form (`application/x-www-form-urlencoded`), for the endpoints whose standards require one. Parsed as
//! strictly as a query string. As for JSON, the `Content-Type` is ignored.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;

use super::body::{self, MAX_BODY};
use super::query;
use super::turn::After;
use crate::codes::Code;
use crate::error::{ApiError, ApiResult};

/// The fields, parsed into `T`. Fields that `T` does not have are ignored; a repeated field is 400.
#[derive(Clone, Debug)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reading = body::read(request, payload, MAX_BODY);
        let after = After::caller(request);
        Box::pin(async move { after.settle(reading.await.and_then(|body| parse(&body).map(Self))).await })
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> ApiResult<T> {
    let text = std::str::from_utf8(body).map_err(|_| {
        ApiError::from(Code::MalformedRequest).message("Send the fields as application/x-www-form-urlencoded.")
    })?;
    query::parse(text)
}
