//! `POST /v1/invitations/accept`: accepts an invitation.

use actix_web::web::Data;
use actix_web::{HttpResponse, post};
use authority::invitations::{Acceptance, Accepted, InvitationCode, Invitations};
use authority::organizations::OrganizationError;
use authority::standing::name_of_role;
use serde::{Deserialize, Serialize};
use token_domain::text::Name;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::surface::authorized::Perhaps;
use crate::surface::organizations::errors;
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The invitation code and the person who accepts it.
#[derive(Deserialize, ToSchema)]
struct AcceptInvitation {
    #[schema(value_type = String)]
    code: Zeroizing<String>,
    /// The name of a person without an account. Defaults to the e-mail address.
    #[serde(default)]
    name: Option<String>,
    /// The password of the existing account, or the password for the new account: 12–1024 characters. Not needed if
    /// `Authorization` carries a session of the account.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    password: Option<Zeroizing<String>>,
}

/// The new member.
#[derive(Serialize, ToSchema)]
struct AcceptedInvitation {
    user_id: String,
    org_id: String,
    role: String,
    /// Whether the request created the account.
    new_account: bool,
}

/// Accept an invitation.
///
/// Creates an account for a person who has none.
#[utoipa::path(
    tag = "invitations",
    security(),
    request_body = AcceptInvitation,
    responses(
        (status = 201, description = "The person is a member and can sign in now.", body = AcceptedInvitation),
        (status = 401, description = "The invitation is not valid, or the password is wrong.", body = crate::error_body::Error),
        (status = 403, description = "The session belongs to another person.", body = crate::error_body::Error),
        (status = 409, description = "The person is already a member.", body = crate::error_body::Error),
        (status = 429, description = "There were too many attempts.", body = crate::error_body::Error),
    )
)]
#[post("/v1/invitations/accept")]
pub(super) async fn accept_invitation(
    who: Perhaps,
    invitations: Data<Invitations>,
    Json(body): Json<AcceptInvitation>,
) -> ApiResult<HttpResponse> {
    let name = body.name.as_deref().map(Name::parse).transpose();
    let name = name.map_err(|error| ApiError::invalid("name", error.to_string()))?;
    let code =
        InvitationCode::parse(&body.code).ok_or_else(|| errors::organization(OrganizationError::InvalidInvitation))?;
    let acceptance = Acceptance { code, name, password: body.password, caller: who.caller };
    let accepted = invitations.accept(acceptance, &who.origin).await.map_err(errors::organization)?;
    Ok(HttpResponse::Created().json(AcceptedInvitation::from(accepted)))
}

impl From<Accepted> for AcceptedInvitation {
    fn from(accepted: Accepted) -> Self {
        let Accepted { standing, is_new_person } = accepted;
        Self {
            user_id: standing.user.id.to_string(),
            org_id: standing.organization.id.to_string(),
            role: name_of_role(standing.role, standing.custom_name.as_ref()),
            new_account: is_new_person,
        }
    }
}
