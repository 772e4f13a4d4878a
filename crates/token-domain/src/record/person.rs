//! A person, their place in an organisation, and their second factor.

use crate::Timestamp;
use crate::id::{OrganizationId, UserId};
use crate::person::RoleRef;
use crate::text::{Email, Name};

use super::Organization;

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Unique in the deployment without regard to case.
    pub email: Email,
    /// Shown to others.
    pub name: Name,
    /// Since when and for whom the address counts; nothing while nobody has verified it.
    pub verified: Option<Verified>,
    /// An address that they asked for and nobody verified: it counts for nothing, and others may ask for the same.
    pub pending_email: Option<Email>,
    /// Set while they are switched off.
    pub disabled_at: Option<Timestamp>,
    /// When they were added.
    pub created_at: Timestamp,
    /// When they were last changed.
    pub updated_at: Timestamp,
}

/// A person with what proves who they are.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The person.
    pub user: User,
    /// The PHC string of their password; nothing when they cannot sign in with one. Opaque here.
    pub password_hash: Option<String>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("user", &self.user).finish_non_exhaustive()
    }
}

/// That an address is its person's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Since when.
    pub at: Timestamp,
    /// Who vouches for it: an organisation whose invitation was accepted with the address, and which vouches for itself alone;
    /// `None` stands for the deployment.
    pub by: Option<OrganizationId>,
}

impl Verified {
    /// Whether the deployment vouches for it, not one organisation for itself: its operator does, or its mailbox was read.
    pub const fn is_by_deployment(&self) -> bool {
        self.by.is_none()
    }
}

impl User {
    /// Whether the deployment vouches for the address, not one organisation for itself.
    pub fn is_verified_by_deployment(&self) -> bool {
        self.verified.is_some_and(|verified| verified.is_by_deployment())
    }

    /// The address that the person has still to verify: the one they requested, or their own if the deployment does not vouch
    /// for it.
    pub fn unverified_email(&self) -> Option<&Email> {
        self.pending_email.as_ref().or(Some(&self.email).filter(|_| !self.is_verified_by_deployment()))
    }

    /// Whether the address stands for the person in an organisation: somebody verified it for all, or for that one.
    pub fn has_address_in(&self, organization: OrganizationId) -> bool {
        self.verified.is_some_and(|verified| verified.by.is_none_or(|by| by == organization))
    }
}

/// A person's place in an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The organisation.
    pub organization_id: OrganizationId,
    /// The person.
    pub user_id: UserId,
    /// What they are there.
    pub role: RoleRef,
    /// Set while they are switched off there.
    pub disabled_at: Option<Timestamp>,
    /// Since when.
    pub created_at: Timestamp,
}

/// A membership with everything that decides what the person may do in the organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MembershipStanding {
    /// The organisation.
    pub organization: Organization,
    /// The person.
    pub user: User,
    /// What they are there.
    pub role: RoleRef,
    /// The scopes of a custom role; nothing for a built-in one.
    pub custom_scopes: Option<Vec<String>>,
    /// The name of a custom role; nothing for a built-in one.
    pub custom_name: Option<Name>,
    /// Set while they are switched off there.
    pub disabled_at: Option<Timestamp>,
    /// Since when they have been a member.
    pub joined_at: Timestamp,
    /// Since when the person has a second factor that counts.
    pub second_factor_since: Option<Timestamp>,
}

impl MembershipStanding {
    /// Whether the organisation asks for a second factor that the person does not have: they may set one up, and nothing
    /// else.
    pub const fn lacks_second_factor(&self) -> bool {
        self.organization.second_factor.is_required() && self.second_factor_since.is_none()
    }
}

/// Whom an organisation's identity provider knows a person as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The organisation that trusts the provider.
    pub organization_id: OrganizationId,
    /// The provider, as its tokens name it.
    pub issuer: String,
    /// The person there: never another one's.
    pub subject: String,
    /// The person here.
    pub user_id: UserId,
    /// When they were linked.
    pub created_at: Timestamp,
}

/// A person's second factor.
#[derive(Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// Whose.
    pub user_id: UserId,
    /// Its secret, sealed. Opaque here.
    pub sealed_secret: Vec<u8>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When a first code proved it; nothing until then, and it does not count.
    pub confirmed_at: Option<Timestamp>,
    /// The time step of the last code that was accepted.
    pub last_step: i64,
}

impl std::fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecondFactor")
            .field("user_id", &self.user_id)
            .field("confirmed_at", &self.confirmed_at)
            .finish_non_exhaustive()
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Id;
    use uuid::Uuid;

    #[test]
    fn an_address_counts_where_somebody_verified_it() {
        let [here, there] = [1, 2].map(|number| Id::from_uuid(Uuid::from_u128(number)));
        let at = Timestamp::from_micros(1);
        let rows = [
            (None, [false, false]),
            (Some(Verified { at, by: None }), [true, true]),
            (Some(Verified { at, by: Some(here) }), [true, false]),
            (Some(Verified { at, by: Some(there) }), [false, true]),
        ];
        for (verified, expected) in rows {
            let user = User {
                id: Id::from_uuid(Uuid::from_u128(3)),
                email: Email::parse("ada@example.org").unwrap(),
                name: Name::parse("Ada").unwrap(),
                verified,
                pending_email: None,
                disabled_at: None,
                created_at: at,
                updated_at: at,
            };
            assert_eq!([here, there].map(|organization| user.has_address_in(organization)), expected, "{verified:?}");
        }
    }
}
