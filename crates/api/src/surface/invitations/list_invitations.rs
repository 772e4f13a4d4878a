//! `GET /v1/organizations/{org_id}/invitations`: newest first.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::invitations::{Cursor, Invitations};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::view::InvitationView;
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

/// A page of invitations.
#[derive(Serialize, ToSchema)]
struct InvitationList {
    invitations: Vec<InvitationView>,
    /// Send it as `cursor` for the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// List the invitations that nobody has accepted.
#[utoipa::path(
    tag = "invitations",
    security(("bearer" = ["org.memberships:read"]), ("api_key" = ["org.memberships:read"])),
    params(("org_id" = String, Path, description = "the organisation's id"), Wanted),
    responses((status = 200, body = InvitationList))
)]
#[get("/v1/organizations/{org_id}/invitations")]
pub(super) async fn list_invitations(
    at: Seated<ReadMembers>,
    invitations: Data<Invitations>,
    Query(wanted): Query<Wanted>,
) -> ApiResult<web::Json<InvitationList>> {
    let after = wanted.cursor.as_deref().map(Cursor::parse).transpose();
    let after = after.map_err(|error| ApiError::invalid("cursor", error.to_string()))?;
    let page = invitations.list(&at.seat, after, wanted.limit.0).await.map_err(errors::organization)?;
    let view = |invited| InvitationView::new(invited, page.now);
    Ok(web::Json(InvitationList {
        invitations: page.invitations.into_iter().map(view).collect(),
        next_cursor: page.next.map(|cursor| cursor.to_string()),
    }))
}
