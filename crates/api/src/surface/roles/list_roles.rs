//! `GET /v1/organizations/{org_id}/roles`: all roles on one page, because their number is capped.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::Context;
use authority::roles::Roles;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::RoleView;
use crate::surface::organizations::errors;
use crate::surface::organizations::place::Seated;
use crate::surface::permission::ReadRoles;
use edge::error::ApiResult;

/// All roles of an organisation.
#[derive(Serialize, ToSchema)]
struct RoleList {
    /// The built-in roles, strongest first, then the organisation's own roles by name.
    roles: Vec<RoleView>,
}

/// List the roles of an organisation.
#[utoipa::path(
    tag = "roles",
    security(("bearer" = ["roles:read"]), ("api_key" = ["roles:read"])),
    params(("org_id" = String, Path, description = "The id of the organisation.")),
    responses((status = 200, body = RoleList))
)]
#[get("/v1/organizations/{org_id}/roles")]
pub(super) async fn list_roles(
    at: Seated<ReadRoles>,
    roles: Data<Roles>,
    context: Data<Context>,
) -> ApiResult<web::Json<RoleList>> {
    let all = roles.list(&at.seat).await.map_err(errors::organization)?;
    Ok(web::Json(RoleList { roles: all.into_iter().map(|role| RoleView::new(role, &context)).collect() }))
}
