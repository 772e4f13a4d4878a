//! `GET /v1/organizations/{org_id}/members`: the members, newest first.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::members::{Cursor, Members};
use serde::Serialize;
use utoipa::ToSchema;

use super::view::MemberView;
use crate::surface::organizations::errors;
use crate::surface::organizations::place::Seated;
use crate::surface::page::PageQuery;
use crate::surface::permission::ReadMembers;
use edge::error::ApiResult;
use edge::extract::Query;

/// A page of members.
#[derive(Serialize, ToSchema)]
struct MemberList {
    members: Vec<MemberView>,
    /// Send this as `cursor` to get the next page; `null` on the last page.
    next_cursor: Option<String>,
}

/// List the members of an organisation.
#[utoipa::path(
    tag = "members",
    security(("bearer" = ["org.memberships:read"]), ("api_key" = ["org.memberships:read"])),
    params(("org_id" = String, Path, description = "The id of the organisation."), PageQuery),
    responses((status = 200, body = MemberList))
)]
#[get("/v1/organizations/{org_id}/members")]
pub(super) async fn list_members(
    at: Seated<ReadMembers>,
    members: Data<Members>,
    Query(page): Query<PageQuery>,
) -> ApiResult<web::Json<MemberList>> {
    let after = page.after(Cursor::parse)?;
    let page = members.list(&at.seat, after, page.limit.0).await.map_err(errors::organization)?;
    Ok(web::Json(MemberList {
        members: page.members.into_iter().map(MemberView::from).collect(),
        next_cursor: page.next.map(|cursor| cursor.to_string()),
    }))
}
