//! `PATCH …/scopes/{scope_id}`: everything but the slug.

use actix_web::routes;
use actix_web::web::{self, Data};
use authority::access_scopes::{AccessScopeChange, AccessScopes};
use authority::records::AccessScopeEdit;
use serde::Deserialize;
use token_domain::access::{Description, Metadata, ScopeDisplayName};
use token_domain::id::AccessScopeId;
use token_domain::text::Slug;
use utoipa::ToSchema;

use super::view::ScopeView;
use crate::surface::permission::ManageAccessScopes;
use crate::surface::projects::errors;
use crate::surface::projects::patch::Patch;
use crate::surface::projects::place::At;
use edge::error::ApiResult;
use edge::extract::Json;

/// The changes. Fields that are left out stay unchanged.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EditScope {
    /// The current slug, if sent at all; it cannot be changed.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    slug: Patch<String>,
    /// 1–255 characters; `null` removes it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    name: Patch<String>,
    /// 1–500 characters; `null` removes it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Patch<String>,
    /// A JSON object of at most 4 KiB and 8 levels; `null` removes it.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    metadata: Patch<Metadata>,
    /// Whether the access scope is active. Its actors are refused while it is not.
    #[serde(default)]
    is_active: Option<bool>,
}

/// Update an access scope.
#[utoipa::path(
    tag = "access scopes",
    security(("bearer" = ["access-scopes:manage"]), ("api_key" = ["access-scopes:manage"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("project_id" = String, Path, description = "The id of the project."),
        ("scope_id" = String, Path, description = "The id of the access scope."),
    ),
    request_body = EditScope,
    responses(
        (status = 200, body = ScopeView),
    )
)]
#[routes]
#[patch("/v1/organizations/{org_id}/projects/{project_id}/scopes/{scope_id}")]
#[patch("/v1/scopes/{scope_id}")]
pub(super) async fn edit_scope(
    at: At<ManageAccessScopes, AccessScopeId>,
    scopes: Data<AccessScopes>,
    Json(body): Json<EditScope>,
) -> ApiResult<web::Json<ScopeView>> {
    let changed = scopes.edit(at.ground, at.id, body.read()?, &at.origin).await.map_err(errors::tenancy)?;
    Ok(web::Json(changed.into()))
}

impl EditScope {
    fn read(self) -> ApiResult<AccessScopeChange> {
        let edit = AccessScopeEdit {
            name: self.name.change("name", |text| ScopeDisplayName::parse(text))?,
            description: self.description.change("description", |text| Description::parse(text))?,
            metadata: self.metadata.change("metadata", |metadata| Ok::<_, &str>(metadata.clone()))?,
            is_active: self.is_active,
        };
        Ok(AccessScopeChange { slug: self.slug.value("slug", |text| Slug::parse(text))?, edit })
    }
}
