//! `GET /v1/organizations/{org_id}/invitations`: newest first.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::invitations::{Cursor, Invitations};
use serde::Serialize;
use utoipa::ToSchema;

use super::view::InvitationView;
use crate::surface::organizations::errors;
use crate::surface::organizations::place::Seated;
use crate::surface::page::PageQuery;
use crate::surface::permission::ReadMembers;
use edge::error::ApiResult;
use edge::extract::Query;

/// A page of invitations.
#[derive(Serialize, ToSchema)]
struct InvitationList {
    invitations: Vec<InvitationView>,
    /// Send this as `cursor` to get the next page; `null` on the last page.
    next_cursor: Option<String>,
}

/// List the open invitations.
#[utoipa::path(
    tag = "invitations",
    security(("bearer" = ["org.memberships:read"]), ("api_key" = ["org.memberships:read"])),
    params(("org_id" = String, Path, description = "The id of the organisation."), PageQuery),
    responses((status = 200, body = InvitationList))
)]
#[get("/v1/organizations/{org_id}/invitations")]
pub(super) async fn list_invitations(
    at: Seated<ReadMembers>,
    invitations: Data<Invitations>,
    Query(page): Query<PageQuery>,
) -> ApiResult<web::Json<InvitationList>> {
    let after = page.after(Cursor::parse)?;
    let page = invitations.list(&at.seat, after, page.limit.0).await.map_err(errors::organization)?;
    let view = |invited| InvitationView::new(invited, page.now);
    Ok(web::Json(InvitationList {
        invitations: page.invitations.into_iter().map(view).collect(),
        next_cursor: page.next.map(|cursor| cursor.to_string()),
    }))
}
