//! `POST /v1/organizations/{org_id}/members`: adds a person who shares an organisation with the caller, or invites one.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use authority::members::{Added, Members, Whom};
use serde::{Deserialize, Serialize};
use token_domain::id::UserId;
use token_domain::text::Email;
use utoipa::ToSchema;

use super::view::MemberView;
use crate::surface::invitations::view::NewInvitation;
use crate::surface::organizations::place::Seated;
use crate::surface::organizations::{errors, role};
use crate::surface::permission::ManageMembers;
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The person to add, by either `email` or `user_id`.
#[derive(Deserialize, ToSchema)]
struct AddMember {
    #[serde(default)]
    #[schema(example = "ada@example.org")]
    email: Option<String>,
    /// A person who shares an organisation with you.
    #[serde(default)]
    user_id: Option<String>,
    /// `owner`, `admin`, `member`, `viewer`, or the id of a role of this organisation.
    role: String,
}

/// The new member, or the invitation.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum Outcome {
    /// A person who shares an organisation with you becomes a member at once.
    Member(MemberView),
    /// Anybody else is invited.
    Invited(NewInvitation),
}

/// Add a member.
///
/// A person who shares an organisation with you becomes a member at once. Anybody else is invited, and the response is
/// the invitation.
#[utoipa::path(
    tag = "members",
    security(("bearer" = ["org.memberships:manage"]), ("api_key" = ["org.memberships:manage"])),
    params(("org_id" = String, Path, description = "The id of the organisation.")),
    request_body = AddMember,
    responses(
        (status = 201, description = "Added or invited, according to `status`.", body = Outcome),
        (status = 409, description = "The person is already a member or already invited.", body = crate::error_body::Error),
        (status = 429, description = "The organisation had too many invitations mailed.", body = crate::error_body::Error),
    )
)]
#[post("/v1/organizations/{org_id}/members")]
pub(super) async fn add_member(
    at: Seated<ManageMembers>,
    members: Data<Members>,
    Json(body): Json<AddMember>,
) -> ApiResult<HttpResponse> {
    let (whom, role) = (body.whom()?, role(&body.role)?);
    let outcome = match members.add(&at.seat, whom, role, &at.origin).await.map_err(errors::organization)? {
        Added::Member(standing) => Outcome::Member((*standing).into()),
        Added::Invited(invited, code) => Outcome::Invited(NewInvitation::new(*invited, &code)),
    };
    Ok(HttpResponse::Created().json(outcome))
}

impl AddMember {
    fn whom(&self) -> ApiResult<Whom> {
        match (&self.email, &self.user_id) {
            (Some(email), None) => {
                Email::parse(email).map(Whom::Email).map_err(|error| ApiError::invalid("email", error.to_string()))
            }
            (None, Some(id)) => {
                UserId::parse(id).map(Whom::Person).map_err(|error| ApiError::invalid("user_id", error.to_string()))
            }
            (None, None) => Err(ApiError::invalid("email", "is required, unless user_id is sent")),
            (Some(_), Some(_)) => Err(ApiError::invalid("user_id", "must not be sent together with email")),
        }
    }
}
