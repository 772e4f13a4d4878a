//! `PATCH /v1/organizations/{org_id}/roles/{role_id}`: changes a role's name and scopes.

use actix_web::patch;
use actix_web::web::{self, Data};
use authority::roles::{RoleChange, Roles};
use serde::Deserialize;
use token_domain::person::RoleRef;
use token_domain::role::RoleName;
use utoipa::ToSchema;

use super::view::RoleView;
use crate::surface::organizations::errors;
use crate::surface::organizations::place::Seated;
use crate::surface::permission::WriteRoles;
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The changes. Fields that are left out stay unchanged.
#[derive(Deserialize, ToSchema)]
struct EditRole {
    /// 1–100 characters. Must not be the same as, or look like, the name of another role.
    #[serde(default)]
    name: Option<String>,
    /// 1–64 scopes of the catalogue, which the caller must have as well. They replace the current scopes.
    #[serde(default)]
    scopes: Option<Vec<String>>,
}

/// Update a role.
///
/// The change applies at once to everybody with this role.
#[utoipa::path(
    tag = "roles",
    security(("bearer" = ["roles:write"]), ("api_key" = ["roles:write"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("role_id" = String, Path, description = "The id of the role."),
    ),
    request_body = EditRole,
    responses(
        (status = 200, body = RoleView),
        (status = 409, description = "The role is built in, or the name is taken.", body = crate::error_body::Error),
    )
)]
#[patch("/v1/organizations/{org_id}/roles/{role_id}")]
pub(super) async fn edit_role(
    at: Seated<WriteRoles, RoleRef>,
    roles: Data<Roles>,
    Json(body): Json<EditRole>,
) -> ApiResult<web::Json<RoleView>> {
    let name = body.name.as_deref().map(RoleName::parse).transpose();
    let name = name.map_err(|error| ApiError::invalid("name", error.to_string()))?;
    let change = RoleChange { name, scopes: body.scopes };
    let role = roles.edit(&at.seat, at.id, change, &at.origin).await.map_err(errors::organization)?;
    Ok(web::Json(role.into()))
}
