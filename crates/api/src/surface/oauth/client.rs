//! The caller of the OAuth endpoints, and their form. Libraries present the credential, which is a token, in different
//! ways: in `Authorization` as `Bearer` or `Basic` (RFC 6749 §2.3.1), or in the form as `client_secret`.
//!
//! **Invariant:** the caller is authorised before the form is validated: a caller without the right gets no errors
//! about the form.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use authority::{Caller, Origin};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::errors;
use crate::surface::authorized::{Permission, admit, permission};
use crate::surface::origin;
use edge::codes::Code;
use edge::error::{ApiError, ApiResult};
use edge::extract::body::{self, MAX_BODY};
use edge::extract::credentials::{self, Presented};
use edge::extract::query;

/// A caller who may do `P`, with the fields of their form.
pub(super) struct Client<P, F> {
    pub(super) caller: Caller,
    pub(super) form: F,
    permission: PhantomData<fn() -> P>,
}

/// An optional caller with the fields of their form. A presented credential must be valid, unless it is the form's own
/// token.
pub(super) struct MaybeClient<F> {
    /// The caller; `None` without a credential.
    pub(super) caller: Option<Caller>,
    pub(super) origin: Origin,
    pub(super) form: F,
}

/// A form about a token.
pub(super) trait NamesToken {
    fn token(&self) -> &str;
}

/// The form's field with the credential. `client_id` is ignored: the token identifies the caller.
#[derive(Deserialize)]
struct Secret {
    client_secret: Option<Zeroizing<String>>,
}

impl<P: Permission, F: DeserializeOwned + 'static> FromRequest for Client<P, F> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reading = body::read(request, payload, MAX_BODY);
        let request = request.clone();
        Box::pin(async move {
            let client = async {
                let body = reading.await;
                let caller = admit::<P>(&request, presented(&request, body.as_ref().ok())?).await?;
                Ok(Self { caller, form: parse(&body?)?, permission: PhantomData })
            };
            client.await.map_err(|error| errors::of(error, request.headers()))
        })
    }
}

impl<F: NamesToken + DeserializeOwned + 'static> FromRequest for MaybeClient<F> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reading = body::read(request, payload, MAX_BODY);
        let request = request.clone();
        Box::pin(async move {
            let client = async {
                let body = reading.await;
                let presented = presented(&request, body.as_ref().ok())?;
                let form: ApiResult<F> = body.and_then(|body| parse(&body));
                let caller = match presented {
                    Presented::None => None,
                    // A token that revokes itself is its own credential. It need not be valid: a retry finds it
                    // revoked.
                    Presented::Token(token) if form.as_ref().is_ok_and(|form| form.token() == token.expose()) => None,
                    presented => Some(admit::<permission::Anyone>(&request, presented).await?),
                };
                Ok(Self { caller, origin: origin::of(&request), form: form? })
            };
            client.await.map_err(|error| errors::of(error, request.headers()))
        })
    }
}

/// The credential in the headers or in the form. A malformed form has none.
fn presented(request: &HttpRequest, body: Option<&Bytes>) -> ApiResult<Presented> {
    let form = body.and_then(|body| parse::<Secret>(body).ok());
    credentials::presented_beside(request.headers(), form.and_then(|form| form.client_secret))
}

fn parse<F: DeserializeOwned>(body: &[u8]) -> ApiResult<F> {
    let text = std::str::from_utf8(body).map_err(|_| {
        ApiError::from(Code::MalformedRequest).message("Send the fields as application/x-www-form-urlencoded.")
    })?;
    query::parse(text)
}
