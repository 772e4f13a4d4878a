//! `GET /v1/organizations/{org_id}/members`: those who joined last first.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::members::{Cursor, Members};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::view::MemberView;
use crate::surface::organizations::errors;
use crate::surface::organizations::place::Seated;
use crate::surface::permission::ReadMembers;
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

/// A page of members.
#[derive(Serialize, ToSchema)]
struct MemberList {
    members: Vec<MemberView>,
    /// Send it as `cursor` for the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// List the members of an organisation.
#[utoipa::path(
    tag = "members",
    security(("bearer" = ["org.memberships:read"]), ("api_key" = ["org.memberships:read"])),
    params(("org_id" = String, Path, description = "the organisation's id"), Wanted),
    responses((status = 200, body = MemberList))
)]
#[get("/v1/organizations/{org_id}/members")]
pub(super) async fn list_members(
    at: Seated<ReadMembers>,
    members: Data<Members>,
    Query(wanted): Query<Wanted>,
) -> ApiResult<web::Json<MemberList>> {
    let after = wanted.cursor.as_deref().map(Cursor::parse).transpose();
    let after = after.map_err(|error| ApiError::invalid("cursor", error.to_string()))?;
    let page = members.list(&at.seat, after, wanted.limit.0).await.map_err(errors::organization)?;
    Ok(web::Json(MemberList {
        members: page.members.into_iter().map(MemberView::from).collect(),
        next_cursor: page.next.map(|cursor| cursor.to_string()),
    }))
}
