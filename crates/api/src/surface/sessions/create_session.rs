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

/// Who signs in, and where.
#[derive(Deserialize, ToSchema)]
struct SignIn {
    #[schema(example = "ada@example.org")]
    email: String,
    #[schema(value_type = String)]
    password: Zeroizing<String>,
    /// The organisation's id or slug; the first one joined if left out.
    #[serde(default)]
    organization: Option<String>,
    /// Six digits of the app, where the person has a second factor.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "123456")]
    code: Option<Zeroizing<String>>,
    /// One of the recovery codes instead, which is used up.
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
        (status = 201, description = "signed in", body = NewSession),
        (status = 401, description = "wrong e-mail or password, nothing says which; or `second factor required`, `wrong code`", body = crate::error_body::Error),
        (status = 429, description = "too many attempts lately", body = crate::error_body::Error),
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
