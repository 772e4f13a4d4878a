//! `GET /v1/organizations/{org_id}/roles/{role_id}`.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::Context;
use authority::roles::Roles;
use token_domain::person::RoleRef;

use super::view::RoleView;
use crate::surface::organizations::errors;
use crate::surface::organizations::place::Seated;
use crate::surface::permission::ReadRoles;
use edge::error::ApiResult;

/// Get a role.
#[utoipa::path(
    tag = "roles",
    security(("bearer" = ["roles:read"]), ("api_key" = ["roles:read"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("role_id" = String, Path, description = "The id of the role, or the name of a built-in role."),
    ),
    responses((status = 200, body = RoleView))
)]
#[get("/v1/organizations/{org_id}/roles/{role_id}")]
pub(super) async fn get_role(
    at: Seated<ReadRoles, RoleRef>,
    roles: Data<Roles>,
    context: Data<Context>,
) -> ApiResult<web::Json<RoleView>> {
    let role = roles.get(&at.seat, at.id).await.map_err(errors::organization)?;
    Ok(web::Json(RoleView::new(role, &context)))
}
