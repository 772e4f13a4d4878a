//! `DELETE /v1/organizations/{org_id}/members/{user_id}/sessions`: ends a member's sessions.

use actix_web::web::Data;
use actix_web::{HttpResponse, delete};
use authority::members::Members;
use token_domain::id::UserId;

use crate::surface::organizations::errors;
use crate::surface::organizations::place::Seated;
use crate::surface::permission::ManageMembers;
use edge::error::ApiResult;

/// End all sessions of a member in the organisation.
///
/// The member's keys, and sessions in other organisations, are not affected.
#[utoipa::path(
    tag = "members",
    security(("bearer" = ["org.memberships:manage"]), ("api_key" = ["org.memberships:manage"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("user_id" = String, Path, description = "The id of the member."),
    ),
    responses((status = 204, description = "Ended."))
)]
#[delete("/v1/organizations/{org_id}/members/{user_id}/sessions")]
pub(super) async fn end_member_sessions(
    at: Seated<ManageMembers, UserId>,
    members: Data<Members>,
) -> ApiResult<HttpResponse> {
    members.end_sessions(&at.seat, at.id, &at.origin).await.map_err(errors::organization)?;
    Ok(HttpResponse::NoContent().finish())
}
