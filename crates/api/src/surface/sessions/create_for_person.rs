//! `POST /v1/sessions/create`: creates a session for a person whom a front end has signed in itself.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse, post};
use authority::Origin;
use authority::sessions::{PersonRef, Sessions};
use serde::Deserialize;
use subtle::ConstantTimeEq;
use token_domain::id::UserId;
use token_domain::text::Email;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::organization;
use super::view::NewSession;
use crate::surface::{failing, origin};
use edge::codes::Code;
use edge::error::{ApiError, ApiResult};
use edge::extract::turn::Turn;
use edge::extract::{Json, credentials};

/// The service token of this deployment, if it has one. Clones share it.
#[derive(Clone, Default)]
pub struct ServiceToken(Arc<RwLock<Option<Zeroizing<String>>>>);

impl ServiceToken {
    /// Takes the configured token.
    pub fn new(token: Option<Zeroizing<String>>) -> Self {
        Self(Arc::new(RwLock::new(token)))
    }

    /// Replaces the token; the old one is invalid from now on.
    pub fn replace(&self, token: Option<Zeroizing<String>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = token;
    }

    /// Whether a text is the configured token; false without one.
    fn matches(&self, given: &str) -> bool {
        let token = self.0.read().unwrap_or_else(PoisonError::into_inner);
        token.as_ref().is_some_and(|token| token.as_bytes().ct_eq(given.as_bytes()).into())
    }
}

/// A caller with the service token: the operator, or a front end.
#[derive(Debug)]
pub(in crate::surface) struct Operator(pub(super) Origin);

impl FromRequest for Operator {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let turn = Turn::take(request);
        let request = request.clone();
        Box::pin(async move {
            let origin = recognise(&request).await?;
            drop(turn);
            Ok(Self(origin))
        })
    }
}

/// Whether a request has the right service token. Nothing is counted.
pub(super) fn is_service_token(request: &HttpRequest) -> bool {
    let token = request.app_data::<Data<ServiceToken>>();
    let presented = credentials::bearer_text(request.headers()).ok().flatten();
    token.zip(presented).is_some_and(|(token, presented)| token.matches(&presented))
}

/// Checks the service token. The right one is never rate-limited; a wrong one is counted, logged and recorded.
async fn recognise(request: &HttpRequest) -> ApiResult<Origin> {
    let presented = credentials::bearer_text(request.headers())?.ok_or(Code::Unauthenticated)?;
    let built = |what: &str| ApiError::internal(format!("the application was built without its {what}"));
    let token = request.app_data::<Data<ServiceToken>>().ok_or_else(|| built("service token"))?;
    let origin = origin::of(request);
    if token.matches(&presented) {
        return Ok(origin);
    }
    let sessions = request.app_data::<Data<Sessions>>().ok_or_else(|| built("sessions"))?;
    sessions.refuse_front_end(&origin).await.map_err(failing::sign_in)?;
    Err(Code::InvalidToken.into())
}

/// The person, by either `email` or `user_id`, and the organisation to sign in to.
#[derive(Deserialize, ToSchema)]
struct SignInFor {
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    user_id: Option<String>,
    /// The id or slug of the organisation.
    organization: String,
}

/// Create a session for a person who signed in elsewhere.
#[utoipa::path(
    tag = "sessions",
    security(("bearer" = [])),
    request_body = SignInFor,
    responses(
        (status = 201, description = "Signed in.", body = NewSession),
        (status = 429, description = "There were too many wrong service tokens.", body = crate::error_body::Error),
    )
)]
#[post("/v1/sessions/create")]
pub(super) async fn create_for_person(
    Operator(origin): Operator,
    sessions: Data<Sessions>,
    Json(body): Json<SignInFor>,
) -> ApiResult<HttpResponse> {
    let organization = organization(&body.organization)?;
    let signed_in = sessions.sign_in_for(body.person()?, organization, &origin).await;
    Ok(HttpResponse::Created().json(NewSession::from(signed_in.map_err(unknown_person)?)))
}

impl SignInFor {
    fn person(&self) -> ApiResult<PersonRef> {
        match (&self.email, &self.user_id) {
            (Some(email), None) => Email::parse_stored(email)
                .map(PersonRef::Email)
                .map_err(|error| ApiError::invalid("email", error.to_string())),
            (None, Some(id)) => {
                UserId::parse(id).map(PersonRef::Id).map_err(|error| ApiError::invalid("user_id", error.to_string()))
            }
            (Some(_), Some(_)) => Err(ApiError::invalid("user_id", "must not be sent together with email")),
            (None, None) => Err(ApiError::invalid("email", "is required, unless user_id is sent")),
        }
    }
}

/// A person who does not exist is 404 here, not 401, because the caller's credential is valid.
fn unknown_person(error: authority::sessions::SignInError) -> ApiError {
    match error {
        authority::sessions::SignInError::Denied => ApiError::from(Code::NotFound)
            .message("Check the person and the organisation: the person is not a member, or is disabled."),
        other @ (authority::sessions::SignInError::SecondFactorRequired
        | authority::sessions::SignInError::WrongCode
        | authority::sessions::SignInError::SsoRequired
        | authority::sessions::SignInError::TooMany(_)
        | authority::sessions::SignInError::Refused(_)
        | authority::sessions::SignInError::Failed(_)) => failing::sign_in(other),
    }
}
