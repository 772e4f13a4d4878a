//! `DELETE /v1/sessions…`: ends the current session, another one or all of them.

use actix_web::web::Data;
use actix_web::{HttpResponse, delete};
use authority::Via;
use authority::sessions::Sessions;
use token_domain::id::SessionId;

use super::{OrService, person};
use crate::surface::path::PathParam;
use crate::surface::permission::{Enrolling, WriteSelf};
use crate::surface::{Authorized, failing};
use edge::codes::Code;
use edge::error::{ApiError, ApiResult};

/// End the current session.
#[utoipa::path(
    tag = "sessions",
    security(("bearer" = [])),
    responses((status = 204, description = "Signed out."))
)]
#[delete("/v1/sessions/current")]
pub(super) async fn delete_current(who: Authorized<Enrolling>, sessions: Data<Sessions>) -> ApiResult<HttpResponse> {
    let Via::Session { session_id, user_id, .. } = who.caller.via else {
        return Err(ApiError::from(Code::Forbidden).message("Use a session token: this credential is not a session."));
    };
    let ended = sessions.end(&who.caller, user_id, session_id, &who.origin).await;
    ended.map_err(failing::end)?;
    Ok(HttpResponse::NoContent().finish())
}

/// End one of your sessions.
///
/// Ending a session other than the current one requires a recent proof: `POST /v1/sessions/current/proof`. A front end that signs
/// people in itself ends their sessions with the service token of the deployment.
#[utoipa::path(
    tag = "sessions",
    security(("bearer" = ["user:write"]), ("api_key" = ["user:write"])),
    params(("session_id" = String, Path, description = "The id of the session.")),
    responses(
        (status = 204, description = "Ended."),
        (status = 429, description = "There were too many wrong service tokens.", body = crate::error_body::Error),
    )
)]
#[delete("/v1/sessions/{session_id}")]
pub(super) async fn delete_session(
    who: OrService<WriteSelf>,
    PathParam(id): PathParam<SessionId>,
    sessions: Data<Sessions>,
) -> ApiResult<HttpResponse> {
    let ended = match who {
        OrService::Caller(caller, origin, _) => sessions.end(&caller, person(&caller)?, id, &origin).await,
        OrService::Service(origin) => sessions.end_for(id, &origin).await,
    };
    if ended.map_err(failing::end)? { Ok(HttpResponse::NoContent().finish()) } else { Err(Code::NotFound.into()) }
}

/// End all your sessions, including this one.
///
/// Requires a session with a recent proof: `POST /v1/sessions/current/proof`.
#[utoipa::path(
    tag = "sessions",
    security(("bearer" = ["user:write"]), ("api_key" = ["user:write"])),
    responses((status = 204, description = "Ended."))
)]
#[delete("/v1/sessions")]
pub(super) async fn delete_all(who: Authorized<WriteSelf>, sessions: Data<Sessions>) -> ApiResult<HttpResponse> {
    let user = person(&who.caller)?;
    let ended = sessions.end_all(&who.caller, user, None, &who.origin).await;
    ended.map_err(failing::end)?;
    Ok(HttpResponse::NoContent().finish())
}
