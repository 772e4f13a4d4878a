//! A person's place in an organisation: whether it counts, and what its role is called.

use token_domain::person::RoleRef;
use token_domain::record::MembershipStanding;
use token_domain::text::Name;

/// The scope that changes to the places of others take.
pub(crate) const MANAGE: &str = "org.memberships:manage";

/// Whether a person is let into an organisation.
pub(crate) fn is_welcome(standing: &MembershipStanding) -> bool {
    standing.user.disabled_at.is_none() && standing.disabled_at.is_none() && standing.organization.disabled_at.is_none()
}

/// What a member's role is called.
pub(crate) fn role_name(standing: &MembershipStanding) -> String {
    name_of_role(standing.role, standing.custom_name.as_ref())
}

/// What a role is called: the built-in name or the organisation's own.
pub fn name_of_role(role: RoleRef, custom_name: Option<&Name>) -> String {
    match role {
        RoleRef::BuiltIn(role) => role.as_str().to_owned(),
        RoleRef::Custom(id) => custom_name.map_or_else(|| id.to_string(), ToString::to_string),
    }
}
