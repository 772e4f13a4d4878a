//! `DELETE /v1/organizations/{org_id}/members/{user_id}`.

use actix_web::web::Data;
use actix_web::{HttpResponse, delete};
use authority::members::Members;
use token_domain::id::UserId;

use crate::surface::organizations::errors;
use crate::surface::organizations::place::Seated;
use crate::surface::permission::ManageMembers;
use edge::error::ApiResult;

/// Remove a member.
///
/// The member's sessions in the organisation end and the member's keys are revoked.
#[utoipa::path(
    tag = "members",
    security(("bearer" = ["org.memberships:manage"]), ("api_key" = ["org.memberships:manage"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("user_id" = String, Path, description = "The id of the member."),
    ),
    responses(
        (status = 204, description = "Removed."),
        (status = 409, description = "This is the last owner.", body = crate::error_body::Error),
    )
)]
#[delete("/v1/organizations/{org_id}/members/{user_id}")]
pub(super) async fn remove_member(
    at: Seated<ManageMembers, UserId>,
    members: Data<Members>,
) -> ApiResult<HttpResponse> {
    members.remove(&at.seat, at.id, &at.origin).await.map_err(errors::organization)?;
    Ok(HttpResponse::NoContent().finish())
}
