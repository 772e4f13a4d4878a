//! `POST /v1/organizations/{org_id}/invitations`. Only this answer contains the code.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use authority::invitations::Invitations;
use serde::Deserialize;
use token_domain::text::Email;
use utoipa::ToSchema;

use super::view::NewInvitation;
use crate::surface::organizations::place::Seated;
use crate::surface::organizations::{errors, role};
use crate::surface::permission::ManageMembers;
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The person to invite.
#[derive(Deserialize, ToSchema)]
struct CreateInvitation {
    #[schema(example = "ada@example.org")]
    email: String,
    /// `owner`, `admin`, `member`, `viewer`, or the id of a role of this organisation.
    role: String,
}

/// Invite a person by e-mail address.
#[utoipa::path(
    tag = "invitations",
    security(("bearer" = ["org.memberships:manage"]), ("api_key" = ["org.memberships:manage"])),
    params(("org_id" = String, Path, description = "The id of the organisation.")),
    request_body = CreateInvitation,
    responses(
        (status = 201, description = "Invited.", body = NewInvitation),
        (status = 409, description = "The person is already a member or already invited.", body = crate::error_body::Error),
        (status = 429, description = "The organisation had too many invitations mailed.", body = crate::error_body::Error),
    )
)]
#[post("/v1/organizations/{org_id}/invitations")]
pub(super) async fn create_invitation(
    at: Seated<ManageMembers>,
    invitations: Data<Invitations>,
    Json(body): Json<CreateInvitation>,
) -> ApiResult<HttpResponse> {
    let email = Email::parse(&body.email).map_err(|error| ApiError::invalid("email", error.to_string()))?;
    let made = invitations.create(&at.seat, email, role(&body.role)?, &at.origin).await;
    let (invited, code) = made.map_err(errors::organization)?;
    Ok(HttpResponse::Created().json(NewInvitation::new(invited, &code)))
}
