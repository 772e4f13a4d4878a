//! `DELETE /v1/organizations/{org_id}/members/me`: ends the caller's own membership.

use actix_web::web::Data;
use actix_web::{HttpResponse, delete};
use authority::members::Members;

use crate::surface::organizations::errors;
use crate::surface::organizations::place::Seated;
use crate::surface::permission::WriteSelf;
use edge::error::ApiResult;

/// Leave the organisation.
///
/// Every member may leave, whatever the role. Your sessions in the organisation end and your keys are revoked.
#[utoipa::path(
    tag = "members",
    security(("bearer" = ["user:write"])),
    params(("org_id" = String, Path, description = "The id of the organisation.")),
    responses(
        (status = 204, description = "Left."),
        (status = 409, description = "This is the last owner.", body = crate::error_body::Error),
    )
)]
#[delete("/v1/organizations/{org_id}/members/me")]
pub(super) async fn leave_organization(at: Seated<WriteSelf>, members: Data<Members>) -> ApiResult<HttpResponse> {
    members.leave(&at.seat, &at.origin).await.map_err(errors::organization)?;
    Ok(HttpResponse::NoContent().finish())
}
