//! `DELETE /v1/organizations/{org_id}/roles/{role_id}`.

use actix_web::web::Data;
use actix_web::{HttpResponse, delete};
use authority::roles::Roles;
use token_domain::person::RoleRef;

use crate::surface::organizations::errors;
use crate::surface::organizations::place::Seated;
use crate::surface::permission::WriteRoles;
use edge::error::ApiResult;

/// Delete a role.
///
/// Members with this role become viewers.
#[utoipa::path(
    tag = "roles",
    security(("bearer" = ["roles:write"]), ("api_key" = ["roles:write"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("role_id" = String, Path, description = "The id of the role."),
    ),
    responses(
        (status = 204, description = "Deleted."),
        (status = 409, description = "The role is built in.", body = crate::error_body::Error),
    )
)]
#[delete("/v1/organizations/{org_id}/roles/{role_id}")]
pub(super) async fn delete_role(at: Seated<WriteRoles, RoleRef>, roles: Data<Roles>) -> ApiResult<HttpResponse> {
    roles.delete(&at.seat, at.id, &at.origin).await.map_err(errors::organization)?;
    Ok(HttpResponse::NoContent().finish())
}
