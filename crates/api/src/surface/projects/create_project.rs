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

/// The project to create.
#[derive(Deserialize, ToSchema)]
struct CreateProject {
    /// 1–100 lower-case letters, digits and inner hyphens; unique in the organisation. Cannot be changed later.
    #[schema(example = "fleet")]
    slug: String,
    /// 1–100 characters. Defaults to the slug.
    #[serde(default)]
    name: Option<String>,
}

/// Create a project.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = ["projects:manage"]), ("api_key" = ["projects:manage"])),
    params(("org_id" = String, Path, description = "The id of the organisation.")),
    request_body = CreateProject,
    responses(
        (status = 201, description = "Created.", body = ProjectView),
        (status = 409, description = "The slug is taken.", body = crate::error_body::Error),
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
