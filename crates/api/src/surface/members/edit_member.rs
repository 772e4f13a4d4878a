//! `PATCH /v1/organizations/{org_id}/members/{user_id}`: changes a member's role, or switches the member off or on.

use actix_web::patch;
use actix_web::web::{self, Data};
use authority::members::{MemberChange, Members};
use serde::Deserialize;
use token_domain::id::UserId;
use utoipa::ToSchema;

use super::view::MemberView;
use crate::surface::organizations::place::Seated;
use crate::surface::organizations::{errors, role};
use crate::surface::permission::ManageMembers;
use edge::error::ApiResult;
use edge::extract::Json;

/// The status of a member.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = MemberStatus)]
enum Status {
    /// They do.
    Active,
    /// They are signed out, and their keys count no more until they are active again.
    Disabled,
}

/// The changes. Fields that are left out stay unchanged.
#[derive(Deserialize, ToSchema)]
struct EditMember {
    /// `owner`, `admin`, `member`, `viewer`, or the id of a role of this organisation.
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    status: Option<Status>,
}

/// Change the role of a member, or disable or enable the member in this organisation.
#[utoipa::path(
    tag = "members",
    security(("bearer" = ["org.memberships:manage"]), ("api_key" = ["org.memberships:manage"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("user_id" = String, Path, description = "The id of the member."),
    ),
    request_body = EditMember,
    responses(
        (status = 200, body = MemberView),
        (status = 409, description = "This is the last owner.", body = crate::error_body::Error),
    )
)]
#[patch("/v1/organizations/{org_id}/members/{user_id}")]
pub(super) async fn edit_member(
    at: Seated<ManageMembers, UserId>,
    members: Data<Members>,
    Json(body): Json<EditMember>,
) -> ApiResult<web::Json<MemberView>> {
    let change = MemberChange {
        role: body.role.as_deref().map(role).transpose()?,
        enabled: body.status.map(|status| matches!(status, Status::Active)),
    };
    let standing = members.edit(&at.seat, at.id, change, &at.origin).await.map_err(errors::organization)?;
    Ok(web::Json(standing.into()))
}
