//! `POST /v1/sessions`: sign in with a password.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use authority::sessions::Sessions;
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::organization;
use super::view::NewSession;
use crate::surface::second_factors::proof;
use crate::surface::{failing, origin};
use edge::error::ApiResult;
use edge::extract::Json;

/// The person and the organisation to sign in to.
#[derive(Deserialize, ToSchema)]
struct SignIn {
    #[schema(example = "ada@example.org")]
    email: String,
    #[schema(value_type = String)]
    password: Zeroizing<String>,
    /// The id or slug of the organisation. Defaults to the one that the person joined first.
    #[serde(default)]
    organization: Option<String>,
    /// A six-digit code of the authenticator app, if the person has a second factor.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "123456")]
    code: Option<Zeroizing<String>>,
    /// A recovery code instead of `code`. Each can be used once.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    recovery_code: Option<Zeroizing<String>>,
}

/// Sign in.
#[utoipa::path(
    tag = "sessions",
    security(),
    request_body = SignIn,
    responses(
        (status = 201, description = "Signed in.", body = NewSession),
        (status = 401, description = "The e-mail address or the password is wrong (the response does not say which), or error `second factor required` or `wrong code`.", body = crate::error_body::Error),
        (status = 429, description = "There were too many attempts.", body = crate::error_body::Error),
    )
)]
#[post("/v1/sessions")]
pub(super) async fn create_session(
    from: origin::From,
    sessions: Data<Sessions>,
    Json(body): Json<SignIn>,
) -> ApiResult<HttpResponse> {
    let organization = body.organization.as_deref().map(organization).transpose()?;
    let proof = proof(body.code.as_ref(), body.recovery_code.as_ref())?;
    let signed_in = sessions.sign_in_with(&body.email, body.password, organization, proof.as_ref(), &from.0).await;
    Ok(HttpResponse::Created().json(NewSession::from(signed_in.map_err(failing::sign_in)?)))
}
