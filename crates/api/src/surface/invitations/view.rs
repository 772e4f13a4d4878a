//! An invitation as the wire shows it.

use authority::invitations::InvitationCode;
use authority::records::{Invitation, Invited};
use authority::standing::name_of_role;
use serde::Serialize;
use token_domain::Timestamp;
use utoipa::ToSchema;

use crate::surface::organizations::role_id;

/// An open invitation.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation)]
pub(in crate::surface) struct InvitationView {
    id: String,
    email: String,
    /// The name of the role.
    #[schema(example = "member")]
    role: String,
    /// The id of the role; `null` for a built-in role.
    role_id: Option<String>,
    /// `pending` or `expired`.
    status: &'static str,
    /// Who created the invitation: `user:<id>` or `token:<id>`.
    created_by: String,
    created_at: String,
    expires_at: String,
}

/// The invitation that was created.
#[derive(Serialize, ToSchema)]
pub(in crate::surface) struct NewInvitation {
    #[serde(flatten)]
    invitation: InvitationView,
    /// The invitation code: `nli_` and 64 hexadecimal digits. Shown only once. Hand it to the invited person. Where mail is
    /// configured, the person is also sent another code of the same invitation.
    code: String,
}

impl InvitationView {
    pub(super) fn new(invited: Invited, now: Timestamp) -> Self {
        let Invited { invitation: Invitation { id, email, role, created_by, created_at, expires_at, .. }, custom_name } =
            invited;
        Self {
            id: id.to_string(),
            email: email.to_string(),
            role: name_of_role(role, custom_name.as_ref()),
            role_id: role_id(role),
            status: if expires_at > now { "pending" } else { "expired" },
            created_by: created_by.to_string(),
            created_at: created_at.rfc3339_seconds(),
            expires_at: expires_at.rfc3339_seconds(),
        }
    }
}

impl NewInvitation {
    pub(in crate::surface) fn new(invited: Invited, code: &InvitationCode) -> Self {
        let made_at = invited.invitation.created_at;
        Self { invitation: InvitationView::new(invited, made_at), code: code.expose().to_owned() }
    }
}
