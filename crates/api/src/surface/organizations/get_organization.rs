//! `GET /v1/organizations/{org_id}`.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::organizations::Organizations;

use super::errors;
use super::place::Seated;
use super::view::OrganizationView;
use crate::surface::permission::ReadOrganization;
use edge::error::ApiResult;

/// Get an organisation.
#[utoipa::path(
    tag = "organizations",
    security(("bearer" = ["org:read"]), ("api_key" = ["org:read"])),
    params(("org_id" = String, Path, description = "The id of the organisation.")),
    responses((status = 200, body = OrganizationView))
)]
#[get("/v1/organizations/{org_id}")]
pub(super) async fn get_organization(
    at: Seated<ReadOrganization>,
    organizations: Data<Organizations>,
) -> ApiResult<web::Json<OrganizationView>> {
    let seen = organizations.get(&at.seat).await.map_err(errors::organization)?;
    Ok(web::Json(seen.into()))
}
