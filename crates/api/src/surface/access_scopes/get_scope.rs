//! `GET …/scopes/{scope_id}`.

use actix_web::routes;
use actix_web::web::{self, Data};
use authority::access_scopes::AccessScopes;
use token_domain::id::AccessScopeId;

use super::view::ScopeView;
use crate::surface::permission::ReadAccessScopes;
use crate::surface::projects::errors;
use crate::surface::projects::place::At;
use edge::error::ApiResult;

/// Get an access scope.
#[utoipa::path(
    tag = "access scopes",
    security(("bearer" = ["access-scopes:read"]), ("api_key" = ["access-scopes:read"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("project_id" = String, Path, description = "The id of the project."),
        ("scope_id" = String, Path, description = "The id of the access scope."),
    ),
    responses(
        (status = 200, body = ScopeView),
    )
)]
#[routes]
#[get("/v1/organizations/{org_id}/projects/{project_id}/scopes/{scope_id}")]
#[get("/v1/scopes/{scope_id}")]
pub(super) async fn get_scope(
    at: At<ReadAccessScopes, AccessScopeId>,
    scopes: Data<AccessScopes>,
) -> ApiResult<web::Json<ScopeView>> {
    let access_scope = scopes.get(at.ground, at.id).await.map_err(errors::tenancy)?;
    Ok(web::Json(access_scope.into()))
}
