//! A member as the wire shows them.

use authority::records::{Member, MembershipStanding};
use authority::standing::name_of_role;
use serde::Serialize;
use token_domain::Timestamp;
use utoipa::ToSchema;

use crate::surface::organizations::role_id;

/// A member of an organisation.
#[derive(Serialize, ToSchema)]
#[schema(as = Member)]
pub(in crate::surface) struct MemberView {
    user_id: String,
    email: String,
    name: String,
    /// The name of the role.
    #[schema(example = "member")]
    role: String,
    /// The id of the role; `null` for a built-in role.
    role_id: Option<String>,
    /// `active`, or `disabled` while the member's sessions and keys are refused.
    status: &'static str,
    /// When the person became a member.
    joined_at: String,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        let Member { user, membership, custom_name } = member;
        Self {
            user_id: user.id.to_string(),
            email: user.email.to_string(),
            name: user.name.to_string(),
            role: name_of_role(membership.role, custom_name.as_ref()),
            role_id: role_id(membership.role),
            status: status(user.disabled_at.or(membership.disabled_at)),
            joined_at: membership.created_at.rfc3339_seconds(),
        }
    }
}

impl From<MembershipStanding> for MemberView {
    fn from(standing: MembershipStanding) -> Self {
        Self {
            user_id: standing.user.id.to_string(),
            email: standing.user.email.to_string(),
            name: standing.user.name.to_string(),
            role: name_of_role(standing.role, standing.custom_name.as_ref()),
            role_id: role_id(standing.role),
            status: status(standing.user.disabled_at.or(standing.disabled_at)),
            joined_at: standing.joined_at.rfc3339_seconds(),
        }
    }
}

const fn status(disabled_at: Option<Timestamp>) -> &'static str {
    if disabled_at.is_some() { "disabled" } else { "active" }
}
