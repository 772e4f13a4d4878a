//! `GET /v1/organizations`: the caller's organisations, by slug.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::organizations::Organizations;
use serde::Serialize;
use token_domain::text::Slug;
use utoipa::ToSchema;

use super::errors;
use super::view::OrganizationView;
use crate::surface::Authorized;
use crate::surface::page::PageQuery;
use crate::surface::permission::ReadOrganization;
use edge::error::ApiResult;
use edge::extract::Query;

/// A page of organisations.
#[derive(Serialize, ToSchema)]
struct OrganizationList {
    organizations: Vec<OrganizationView>,
    /// Send this as `cursor` to get the next page; `null` on the last page.
    next_cursor: Option<String>,
}

/// List your organisations.
///
/// A session lists every organisation of the person; a token lists its own.
#[utoipa::path(
    tag = "organizations",
    security(("bearer" = ["org:read"]), ("api_key" = ["org:read"])),
    params(PageQuery),
    responses((status = 200, body = OrganizationList))
)]
#[get("/v1/organizations")]
pub(super) async fn list_organizations(
    who: Authorized<ReadOrganization>,
    organizations: Data<Organizations>,
    Query(page): Query<PageQuery>,
) -> ApiResult<web::Json<OrganizationList>> {
    let after = page.after(Slug::parse)?;
    let page = organizations.list(&who.caller, after, page.limit.0).await.map_err(errors::organization)?;
    Ok(web::Json(OrganizationList {
        organizations: page.organizations.into_iter().map(OrganizationView::from).collect(),
        next_cursor: page.next.map(|slug| slug.to_string()),
    }))
}
