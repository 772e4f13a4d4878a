//! `GET /v1/organizations`: one's own organisations, by slug.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::organizations::Organizations;
use serde::{Deserialize, Serialize};
use token_domain::text::Slug;
use utoipa::ToSchema;

use super::errors;
use super::view::OrganizationView;
use crate::surface::Authorized;
use crate::surface::permission::ReadOrganization;
use edge::error::{ApiError, ApiResult};
use edge::extract::{Limit, Query};

/// How many, and where to begin.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// 1–1000; 100 if left out.
    #[serde(default)]
    #[param(value_type = Option<u32>)]
    limit: Limit<100, 1000>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of organisations.
#[derive(Serialize, ToSchema)]
struct OrganizationList {
    organizations: Vec<OrganizationView>,
    /// Send it as `cursor` for the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// List one's own organisations: all of a signed-in person, the one a token is for.
#[utoipa::path(
    tag = "organizations",
    security(("bearer" = ["org:read"]), ("api_key" = ["org:read"])),
    params(Wanted),
    responses((status = 200, body = OrganizationList))
)]
#[get("/v1/organizations")]
pub(super) async fn list_organizations(
    who: Authorized<ReadOrganization>,
    organizations: Data<Organizations>,
    Query(wanted): Query<Wanted>,
) -> ApiResult<web::Json<OrganizationList>> {
    let after = wanted.cursor.as_deref().map(Slug::parse).transpose();
    let after = after.map_err(|_| ApiError::invalid("cursor", "must be next_cursor of the page before, unchanged"))?;
    let page = organizations.list(&who.caller, after, wanted.limit.0).await.map_err(errors::organization)?;
    Ok(web::Json(OrganizationList {
        organizations: page.organizations.into_iter().map(OrganizationView::from).collect(),
        next_cursor: page.next.map(|slug| slug.to_string()),
    }))
}
