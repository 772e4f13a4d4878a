//! `GET …/scopes`: the tenant boundaries of a project, by page.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::access_scopes::AccessScopes;
use serde::Serialize;
use utoipa::ToSchema;

use super::query::Shown;
use super::view::ScopeView;
use crate::surface::permission::ReadAccessScopes;
use crate::surface::projects::errors;
use crate::surface::projects::paging::{ListQuery, Meta, PageView};
use crate::surface::projects::place::At;
use edge::error::ApiResult;
use edge::extract::Query;

/// A page of access scopes, with the field names of earlier clients as well.
#[derive(Serialize, ToSchema)]
struct ScopeList {
    #[serde(flatten)]
    page: PageView<ScopeView>,
    pagination: Pagination,
    total: u64,
    #[serde(rename = "page")]
    number: u64,
    limit: u16,
    #[serde(rename = "totalPages")]
    total_pages: u64,
}

/// The position of the page, in another form.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    total: u64,
    page: u64,
    page_count: u64,
}

/// List the access scopes of the project.
#[utoipa::path(
    tag = "access scopes",
    security(("bearer" = ["access-scopes:read"]), ("api_key" = ["access-scopes:read"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("project_id" = String, Path, description = "The id of the project."),
        ListQuery,
        Shown,
    ),
    responses(
        (status = 200, body = PageView<ScopeView>),
    )
)]
#[get("/v1/organizations/{org_id}/projects/{project_id}/scopes")]
pub(super) async fn list_scopes(
    at: At<ReadAccessScopes>,
    scopes: Data<AccessScopes>,
    Query(wanted): Query<ListQuery>,
    Query(shown): Query<Shown>,
) -> ApiResult<web::Json<PageView<ScopeView>>> {
    list(at, &scopes, wanted, &shown).await.map(web::Json)
}

/// List the access scopes of the project.
///
/// This is the short path, for a token that is bound to one project.
#[utoipa::path(
    tag = "access scopes",
    security(("bearer" = ["access-scopes:read"]), ("api_key" = ["access-scopes:read"])),
    params(
        ListQuery,
        Shown,
    ),
    responses(
        (status = 200, body = ScopeList),
    )
)]
#[get("/v1/scopes")]
pub(super) async fn list_scopes_bound(
    at: At<ReadAccessScopes>,
    scopes: Data<AccessScopes>,
    Query(wanted): Query<ListQuery>,
    Query(shown): Query<Shown>,
) -> ApiResult<web::Json<ScopeList>> {
    let page = list(at, &scopes, wanted, &shown).await?;
    let Meta { page: number, limit, total, total_pages } = page.meta;
    let pagination = Pagination { total, page: number, page_count: total_pages };
    Ok(web::Json(ScopeList { page, pagination, total, number, limit, total_pages }))
}

async fn list(
    at: At<ReadAccessScopes>,
    scopes: &AccessScopes,
    wanted: ListQuery,
    shown: &Shown,
) -> ApiResult<PageView<ScopeView>> {
    let listing = wanted.read()?;
    let paging = listing.paging;
    let page = scopes.list(at.ground, listing, shown.read()?).await.map_err(errors::tenancy)?;
    Ok(PageView::new(page, paging, ScopeView::from))
}
