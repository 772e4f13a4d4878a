//! People as an organisation sees them: its members, and whom it invited.

use token_domain::Timestamp;
use token_domain::id::{InvitationId, OrganizationId, UserId};
use token_domain::person::RoleRef;
use token_domain::text::{Email, Name};

use super::{Membership, Organization, Principal, User};

/// A member of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The person.
    pub user: User,
    /// Their place.
    pub membership: Membership,
    /// The name of a custom role; nothing for a built-in one.
    pub custom_name: Option<Name>,
}

/// An organisation, as one of its members sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The organisation.
    pub organization: Organization,
    /// The member's place in it.
    pub membership: Membership,
    /// The name of a custom role; nothing for a built-in one.
    pub custom_name: Option<Name>,
}

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
    /// SHA-256 of the code. Opaque here.
    pub code_digest: [u8; 32],
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
