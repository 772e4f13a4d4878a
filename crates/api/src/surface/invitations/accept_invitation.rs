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

/// The code, and who accepts it.
#[derive(Deserialize, ToSchema)]
struct AcceptInvitation {
    #[schema(value_type = String)]
    code: Zeroizing<String>,
    /// The name of somebody without an account; their address if left out.
    #[serde(default)]
    name: Option<String>,
    /// The password of one's account, or, without an account, the one to have from now on: 12–1024 characters. Not needed
    /// with a session of the account in `Authorization`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    password: Option<Zeroizing<String>>,
}

/// A member just made.
#[derive(Serialize, ToSchema)]
struct AcceptedInvitation {
    user_id: String,
    org_id: String,
    role: String,
    /// Whether the account was made by this.
    new_account: bool,
}

/// Accept an invitation, and get an account if one has none.
#[utoipa::path(
    tag = "invitations",
    security(),
    request_body = AcceptInvitation,
    responses(
        (status = 201, description = "a member; sign in next", body = AcceptedInvitation),
        (status = 401, description = "an invitation that does not count, or a wrong password", body = crate::error_body::Error),
        (status = 403, description = "signed in as somebody else", body = crate::error_body::Error),
        (status = 409, description = "a member already", body = crate::error_body::Error),
        (status = 429, description = "too many attempts lately", body = crate::error_body::Error),
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
