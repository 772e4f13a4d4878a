//! An offer to join an organisation.

use crate::Timestamp;
use crate::id::{InvitationId, OrganizationId, UserId};
use crate::person::RoleRef;
use crate::text::{Email, Name};

use super::Principal;

/// An offer to join an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Where to.
    pub organization_id: OrganizationId,
    /// Whose; one in an organisation for an address.
    pub email: Email,
    /// What they become there.
    pub role: RoleRef,
    /// Who made it.
    pub created_by: Principal,
    /// The person who answers for it; nobody when a token of the organisation made it.
    pub sponsor: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops counting.
    pub expires_at: Timestamp,
}

/// An invitation in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invited {
    /// The invitation.
    pub invitation: Invitation,
    /// The name of a custom role; nothing for a built-in one.
    pub custom_name: Option<Name>,
}
