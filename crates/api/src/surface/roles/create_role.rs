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

/// The role to create.
#[derive(Deserialize, ToSchema)]
struct CreateRole {
    /// 1–100 characters. Must not be the same as, or look like, the name of another role.
    #[schema(example = "Release managers")]
    name: String,
    /// 1–64 scopes of the catalogue, which the caller must have as well.
    #[schema(example = json!(["execute", "tokens:read"]))]
    scopes: Vec<String>,
}

/// Create a role.
#[utoipa::path(
    tag = "roles",
    security(("bearer" = ["roles:write"]), ("api_key" = ["roles:write"])),
    params(("org_id" = String, Path, description = "The id of the organisation.")),
    request_body = CreateRole,
    responses(
        (status = 201, description = "Created.", body = RoleView),
        (status = 409, description = "The name is taken, or the organisation has the maximum number of roles.", body = crate::error_body::Error),
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
