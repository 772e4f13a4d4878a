//! `POST /v1/sessions/switch`: creates a session in another organisation of the person.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use authority::sessions::Sessions;
use serde::Deserialize;
use utoipa::ToSchema;

use super::organization;
use super::view::NewSession;
use crate::surface::permission::Anyone;
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;
use edge::extract::Json;

/// The organisation to open a session in.
#[derive(Deserialize, ToSchema)]
struct SwitchSession {
    /// The id or slug of the organisation.
    organization: String,
}

/// Open a session in another organisation.
///
/// The current session continues. The new session expires at the same time as the current one.
#[utoipa::path(
    tag = "sessions",
    security(("bearer" = [])),
    request_body = SwitchSession,
    responses(
        (status = 201, description = "Signed in to the other organisation.", body = NewSession),
        (status = 404, description = "The person is not a member of this organisation.", body = crate::error_body::Error),
    )
)]
#[post("/v1/sessions/switch")]
pub(super) async fn switch_session(
    who: Authorized<Anyone>,
    sessions: Data<Sessions>,
    Json(body): Json<SwitchSession>,
) -> ApiResult<HttpResponse> {
    let organization = organization(&body.organization)?;
    let signed_in = sessions.switch(&who.caller, organization, &who.origin).await.map_err(failing::switch)?;
    Ok(HttpResponse::Created().json(NewSession::from(signed_in)))
}
