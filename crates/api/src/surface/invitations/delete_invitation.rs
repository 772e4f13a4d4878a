//! `DELETE /v1/organizations/{org_id}/invitations/{invitation_id}`: withdraws an invitation.

use actix_web::web::Data;
use actix_web::{HttpResponse, delete};
use authority::invitations::Invitations;
use token_domain::id::InvitationId;

use crate::surface::organizations::errors;
use crate::surface::organizations::place::Seated;
use crate::surface::permission::ManageMembers;
use edge::error::ApiResult;

/// Withdraw an invitation.
#[utoipa::path(
    tag = "invitations",
    security(("bearer" = ["org.memberships:manage"]), ("api_key" = ["org.memberships:manage"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("invitation_id" = String, Path, description = "The id of the invitation."),
    ),
    responses((status = 204, description = "Withdrawn."))
)]
#[delete("/v1/organizations/{org_id}/invitations/{invitation_id}")]
pub(super) async fn delete_invitation(
    at: Seated<ManageMembers, InvitationId>,
    invitations: Data<Invitations>,
) -> ApiResult<HttpResponse> {
    invitations.withdraw(&at.seat, at.id, &at.origin).await.map_err(errors::organization)?;
    Ok(HttpResponse::NoContent().finish())
}
