//! `GET /v1/organizations/{org_id}/members/{user_id}/sessions`: a member's sessions.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::members::Members;
use authority::sessions::SeenSession;
use serde::Serialize;
use token_domain::id::UserId;
use utoipa::ToSchema;

use crate::surface::organizations::errors;
use crate::surface::organizations::place::Seated;
use crate::surface::permission::ManageMembers;
use crate::surface::sessions::SessionView;
use edge::error::ApiResult;

/// The active sessions of a member.
#[derive(Serialize, ToSchema)]
struct MemberSessionList {
    sessions: Vec<SessionView>,
}

/// List the sessions of a member in the organisation.
///
/// Sessions of the person in other organisations are not shown.
#[utoipa::path(
    tag = "members",
    security(("bearer" = ["org.memberships:manage"]), ("api_key" = ["org.memberships:manage"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("user_id" = String, Path, description = "The id of the member."),
    ),
    responses((status = 200, body = MemberSessionList))
)]
#[get("/v1/organizations/{org_id}/members/{user_id}/sessions")]
pub(super) async fn list_member_sessions(
    at: Seated<ManageMembers, UserId>,
    members: Data<Members>,
) -> ApiResult<web::Json<MemberSessionList>> {
    let live = members.sessions(&at.seat, at.id).await.map_err(errors::organization)?;
    let view = |seen: SeenSession| {
        let current = at.seat.is_session(seen.0.id);
        SessionView::new(seen, current)
    };
    Ok(web::Json(MemberSessionList { sessions: live.into_iter().map(view).collect() }))
}
