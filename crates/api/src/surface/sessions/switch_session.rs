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

/// Where to.
#[derive(Deserialize, ToSchema)]
struct SwitchSession {
    /// The organisation's id or slug.
    organization: String,
}

/// Open a session in another organisation. The one this came with goes on, and both end when it would have.
#[utoipa::path(
    tag = "sessions",
    security(("bearer" = [])),
    request_body = SwitchSession,
    responses(
        (status = 201, description = "signed in there as well", body = NewSession),
        (status = 404, description = "none of one's organisations", body = crate::error_body::Error),
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
