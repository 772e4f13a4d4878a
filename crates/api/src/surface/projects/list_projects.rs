//! `GET /v1/organizations/{org_id}/projects`.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::projects::Projects;

use super::errors;
use super::paging::{ListQuery, PageView};
use super::place::InOrganization;
use super::view::ProjectView;
use crate::surface::permission::ReadProjects;
use edge::error::ApiResult;
use edge::extract::Query;

/// List the projects of the organisation.
///
/// A credential that is bound to one project lists only that one.
#[utoipa::path(
    tag = "projects",
    security(("bearer" = ["projects:read"]), ("api_key" = ["projects:read"])),
    params(("org_id" = String, Path, description = "The id of the organisation."), ListQuery),
    responses((status = 200, body = PageView<ProjectView>))
)]
#[get("/v1/organizations/{org_id}/projects")]
pub(super) async fn list_projects(
    at: InOrganization<ReadProjects>,
    projects: Data<Projects>,
    Query(wanted): Query<ListQuery>,
) -> ApiResult<web::Json<PageView<ProjectView>>> {
    let listing = wanted.read()?;
    let paging = listing.paging;
    let page = projects.list(&at.caller, at.organization, listing).await.map_err(errors::tenancy)?;
    Ok(web::Json(PageView::new(page, paging, ProjectView::from)))
}
