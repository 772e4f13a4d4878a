//! `POST …/scopes`: a tenant boundary.

use actix_web::web::Data;
use actix_web::{HttpResponse, routes};
use authority::access_scopes::{AccessScopes, NewAccessScope};
use serde::Deserialize;
use token_domain::access::{Description, Metadata, ScopeDisplayName};
use token_domain::text::Slug;
use utoipa::ToSchema;

use super::view::ScopeView;
use crate::surface::permission::ManageAccessScopes;
use crate::surface::projects::place::At;
use crate::surface::projects::{errors, patch};
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The access scope to create.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CreateScope {
    /// 1–100 lower-case letters, digits and inner hyphens; unique in the project. Cannot be changed later.
    #[schema(example = "acme")]
    slug: String,
    /// 1–255 characters.
    #[serde(default)]
    name: Option<String>,
    /// 1–500 characters.
    #[serde(default)]
    description: Option<String>,
    /// A JSON object of at most 4 KiB and 8 levels.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    metadata: Option<Metadata>,
    /// Whether the access scope is active. Its actors are refused while it is not. Defaults to `true`.
    #[serde(default)]
    is_active: Option<bool>,
}

/// Create an access scope.
#[utoipa::path(
    tag = "access scopes",
    security(("bearer" = ["access-scopes:manage"]), ("api_key" = ["access-scopes:manage"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("project_id" = String, Path, description = "The id of the project."),
    ),
    request_body = CreateScope,
    responses(
        (status = 201, description = "Created.", body = ScopeView),
        (status = 409, description = "The project already has an access scope with this slug.", body = crate::error_body::Error),
    )
)]
#[routes]
#[post("/v1/organizations/{org_id}/projects/{project_id}/scopes")]
#[post("/v1/scopes")]
pub(super) async fn create_scope(
    at: At<ManageAccessScopes>,
    scopes: Data<AccessScopes>,
    Json(body): Json<CreateScope>,
) -> ApiResult<HttpResponse> {
    let made = scopes.create(at.ground, body.read()?, &at.origin).await.map_err(errors::tenancy)?;
    Ok(HttpResponse::Created().json(ScopeView::from(made)))
}

impl CreateScope {
    fn read(&self) -> ApiResult<NewAccessScope> {
        Ok(NewAccessScope {
            slug: Slug::parse(&self.slug).map_err(|error| ApiError::invalid("slug", error.to_string()))?,
            name: patch::read("name", self.name.as_ref(), ScopeDisplayName::parse)?,
            description: patch::read("description", self.description.as_ref(), Description::parse)?,
            metadata: self.metadata.clone(),
            is_active: self.is_active.unwrap_or(true),
        })
    }
}
