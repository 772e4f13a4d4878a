//! `GET /v1/sessions`: the caller's live sessions.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::sessions::{SeenSession, Sessions};
use serde::Serialize;
use utoipa::ToSchema;

use super::view::SessionView;
use super::{is_current, person};
use crate::surface::permission::ReadSelf;
use crate::surface::{Authorized, failing};
use edge::error::ApiResult;

/// The active sessions.
#[derive(Serialize, ToSchema)]
struct SessionList {
    sessions: Vec<SessionView>,
}

/// List your sessions.
///
/// Returns the newest thousand. A personal key lists only the sessions in its organisation.
#[utoipa::path(
    tag = "sessions",
    security(("bearer" = ["user:read"]), ("api_key" = ["user:read"])),
    responses((status = 200, body = SessionList))
)]
#[get("/v1/sessions")]
pub(super) async fn list_sessions(
    who: Authorized<ReadSelf>,
    sessions: Data<Sessions>,
) -> ApiResult<web::Json<SessionList>> {
    person(&who.caller)?;
    let live = sessions.list(&who.caller).await.map_err(|failure| failing::failed(&failure))?;
    let view = |seen: SeenSession| {
        let current = is_current(&who.caller, &seen.0);
        SessionView::new(seen, current)
    };
    Ok(web::Json(SessionList { sessions: live.into_iter().map(view).collect() }))
}
