//! `POST /v1/organizations/{org_id}/roles`.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use authority::roles::{NewRole, Roles};
use serde::Deserialize;
use token_domain::role::RoleName;
use utoipa::ToSchema;

use super::view::RoleView;
use crate::surface::organizations::errors;
use crate::surface::organizations::place::Seated;
use crate::surface::permission::WriteRoles;
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// A role to make.
#[derive(Deserialize, ToSchema)]
struct CreateRole {
    /// 1–100 characters that no other role's name looks like.
    #[schema(example = "Release managers")]
    name: String,
    /// 1–64 scopes of the catalogue, none beyond the caller's own.
    #[schema(example = json!(["execute", "tokens:read"]))]
    scopes: Vec<String>,
}

/// Make a role.
#[utoipa::path(
    tag = "roles",
    security(("bearer" = ["roles:write"]), ("api_key" = ["roles:write"])),
    params(("org_id" = String, Path, description = "the organisation's id")),
    request_body = CreateRole,
    responses(
        (status = 201, description = "made", body = RoleView),
        (status = 409, description = "the name is taken, or there are as many as there may be", body = crate::error_body::Error),
    )
)]
#[post("/v1/organizations/{org_id}/roles")]
pub(super) async fn create_role(
    at: Seated<WriteRoles>,
    roles: Data<Roles>,
    Json(body): Json<CreateRole>,
) -> ApiResult<HttpResponse> {
    let name = RoleName::parse(&body.name).map_err(|error| ApiError::invalid("name", error.to_string()))?;
    let asked = NewRole { name, scopes: body.scopes };
    let role = roles.create(&at.seat, asked, &at.origin).await.map_err(errors::organization)?;
    Ok(HttpResponse::Created().json(RoleView::from(role)))
}
