//! `POST /v1/organizations/{org_id}/projects`.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use authority::projects::{NewProject, Projects};
use serde::Deserialize;
use token_domain::text::{Name, Slug};
use utoipa::ToSchema;

use super::place::InOrganization;
use super::view::ProjectView;
use super::{errors, patch};
use crate::surface::permission::ManageProjects;
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// A project to make.
#[derive(Deserialize, ToSchema)]
struct CreateProject {
    /// 1–100 lower-case letters, digits and inner hyphens; unique in the organisation, for good.
    #[schema(example = "fleet")]
    slug: String,
    /// 1–100 characters; the slug if left out.
    #[serde(default)]
    name: Option<String>,
}

/// Make a project.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = ["projects:manage"]), ("api_key" = ["projects:manage"])),
    params(("org_id" = String, Path, description = "the organisation's id")),
    request_body = CreateProject,
    responses(
        (status = 201, description = "made", body = ProjectView),
        (status = 409, description = "the slug is taken", body = crate::error_body::Error),
    )
)]
#[post("/v1/organizations/{org_id}/projects")]
pub(super) async fn create_project(
    at: InOrganization<ManageProjects>,
    projects: Data<Projects>,
    Json(body): Json<CreateProject>,
) -> ApiResult<HttpResponse> {
    let slug = Slug::parse(&body.slug).map_err(|error| ApiError::invalid("slug", error.to_string()))?;
    let asked = NewProject { slug, name: patch::read("name", body.name.as_ref(), Name::parse)? };
    let made = projects.create(&at.caller, at.organization, asked, &at.origin).await.map_err(errors::tenancy)?;
    Ok(HttpResponse::Created().json(ProjectView::from(made)))
}
