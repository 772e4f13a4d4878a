//! Rows of people, their second factors, memberships, roles and sessions.

use super::{OrganizationRow, inconsistent, split_scopes};
use crate::error::StoreError;
use crate::schema::{invitations, memberships, roles, second_factors, session_uses, sessions, users};
use diesel::prelude::{Queryable, Selectable};
use std::fmt::Debug;
use token_domain::Timestamp;
use token_domain::id::{InvitationId, OrganizationId, RoleId, SessionId, UserId};
use token_domain::person::{BuiltInRole, RoleRef};
use token_domain::record::{
    CustomRole, Invitation, Membership, MembershipStanding, Principal, SecondFactor, Session, SessionUse, User,
    Verified,
};
use token_domain::text::{Email, Name};

/// A row of `users`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
pub(crate) struct UserRow {
    id: UserId,
    email: String,
    email_key: String,
    name: String,
    disabled_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
    email_verified_at: Option<Timestamp>,
    email_verified_by: Option<OrganizationId>,
    pending_email: Option<String>,
}

impl TryFrom<UserRow> for User {
    type Error = StoreError;

    fn try_from(row: UserRow) -> Result<Self, StoreError> {
        let bad = |column| inconsistent("user", row.id, column);
        let email = Email::parse_stored(&row.email).map_err(|_| bad("email"))?;
        if email.key() != row.email_key {
            return Err(bad("email_key"));
        }
        let pending = row.pending_email.map(|pending| Email::parse_stored(&pending)).transpose();
        Ok(Self {
            id: row.id,
            email,
            verified: row.email_verified_at.map(|at| Verified { at, by: row.email_verified_by }),
            pending_email: pending.map_err(|_| bad("pending_email"))?,
            name: Name::parse_stored(&row.name).map_err(|_| bad("name"))?,
            disabled_at: row.disabled_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// A row of `memberships`.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = memberships)]
pub(crate) struct MembershipRow {
    organization_id: OrganizationId,
    user_id: UserId,
    built_in_role: Option<String>,
    role_id: Option<RoleId>,
    created_at: Timestamp,
    disabled_at: Option<Timestamp>,
}

impl TryFrom<MembershipRow> for Membership {
    type Error = StoreError;

    fn try_from(row: MembershipRow) -> Result<Self, StoreError> {
        Ok(Self {
            role: role_ref(row.user_id, row.built_in_role.as_deref(), row.role_id)?,
            organization_id: row.organization_id,
            user_id: row.user_id,
            disabled_at: row.disabled_at,
            created_at: row.created_at,
        })
    }
}

/// A role as the two columns of a membership, of which exactly one is set.
pub(crate) const fn role_columns(role: RoleRef) -> (Option<&'static str>, Option<RoleId>) {
    match role {
        RoleRef::BuiltIn(built_in) => (Some(built_in.as_str()), None),
        RoleRef::Custom(id) => (None, Some(id)),
    }
}

/// Reads the two columns back.
pub(crate) fn role_ref(user_id: UserId, built_in: Option<&str>, custom: Option<RoleId>) -> Result<RoleRef, StoreError> {
    built_in_or_custom(built_in, custom).ok_or_else(|| inconsistent("membership of", user_id, "built_in_role, role_id"))
}

fn built_in_or_custom(built_in: Option<&str>, custom: Option<RoleId>) -> Option<RoleRef> {
    match (built_in, custom) {
        (Some(name), None) => BuiltInRole::parse(name).map(RoleRef::BuiltIn),
        (None, Some(id)) => Some(RoleRef::Custom(id)),
        (None, None) | (Some(_), Some(_)) => None,
    }
}

/// A row of `roles`.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = roles)]
pub(crate) struct RoleRow {
    id: RoleId,
    organization_id: OrganizationId,
    name: String,
    name_key: String,
    scopes: String,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl TryFrom<RoleRow> for CustomRole {
    type Error = StoreError;

    fn try_from(row: RoleRow) -> Result<Self, StoreError> {
        let name = Name::parse_stored(&row.name).map_err(|_| inconsistent("role", row.id, "name"))?;
        if name.key() != row.name_key {
            return Err(inconsistent("role", row.id, "name_key"));
        }
        Ok(Self {
            id: row.id,
            organization_id: row.organization_id,
            name,
            scopes: split_scopes(&row.scopes),
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// The name of a custom role that a row is joined with.
pub(crate) fn parse_name(table: &str, id: impl Debug, name: Option<String>) -> Result<Option<Name>, StoreError> {
    name.map(|name| Name::parse_stored(&name)).transpose().map_err(|_| inconsistent(table, id, "name"))
}

/// A membership joined with its organisation, person, custom role (its scopes, its name) and second factor (since when).
pub(crate) type StandingRow =
    (OrganizationRow, UserRow, MembershipRow, Option<String>, Option<String>, Option<Timestamp>);

/// Reads the joined row.
pub(crate) fn standing(row: StandingRow) -> Result<MembershipStanding, StoreError> {
    let (organization, user, membership, scopes, name, second_factor_since) = row;
    let user = User::try_from(user)?;
    let membership = Membership::try_from(membership)?;
    Ok(MembershipStanding {
        organization: organization.try_into()?,
        role: membership.role,
        custom_scopes: scopes.map(|scopes| split_scopes(&scopes)),
        custom_name: parse_name("role of", user.id, name)?,
        disabled_at: membership.disabled_at,
        joined_at: membership.created_at,
        second_factor_since,
        user,
    })
}

/// A row of `invitations`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = invitations)]
pub(crate) struct InvitationRow {
    pub(crate) id: InvitationId,
    organization_id: OrganizationId,
    email: String,
    email_key: String,
    built_in_role: Option<String>,
    role_id: Option<RoleId>,
    created_by: String,
    sponsor_id: Option<UserId>,
    created_at: Timestamp,
    expires_at: Timestamp,
}

impl TryFrom<InvitationRow> for Invitation {
    type Error = StoreError;

    fn try_from(row: InvitationRow) -> Result<Self, StoreError> {
        let bad = |column| inconsistent("invitation", row.id, column);
        let email = Email::parse_stored(&row.email).map_err(|_| bad("email"))?;
        if email.key() != row.email_key {
            return Err(bad("email_key"));
        }
        Ok(Self {
            id: row.id,
            organization_id: row.organization_id,
            email,
            role: built_in_or_custom(row.built_in_role.as_deref(), row.role_id)
                .ok_or_else(|| bad("built_in_role, role_id"))?,
            created_by: Principal::parse(&row.created_by).ok_or_else(|| bad("created_by"))?,
            sponsor: row.sponsor_id,
            created_at: row.created_at,
            expires_at: row.expires_at,
        })
    }
}

/// A row of `second_factors`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = second_factors)]
pub(crate) struct SecondFactorRow {
    user_id: UserId,
    sealed_secret: Vec<u8>,
    created_at: Timestamp,
    confirmed_at: Option<Timestamp>,
    last_step: i64,
}

impl From<SecondFactorRow> for SecondFactor {
    fn from(row: SecondFactorRow) -> Self {
        Self {
            user_id: row.user_id,
            sealed_secret: row.sealed_secret,
            created_at: row.created_at,
            confirmed_at: row.confirmed_at,
            last_step: row.last_step,
        }
    }
}

/// A row of `session_uses`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = session_uses)]
pub(crate) struct SessionUseRow {
    session_id: SessionId,
    last_used_at: Timestamp,
    address: Option<String>,
}

impl From<SessionUseRow> for SessionUse {
    fn from(row: SessionUseRow) -> Self {
        Self { session_id: row.session_id, last_used_at: row.last_used_at, address: row.address }
    }
}

/// A row of `sessions`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub(crate) struct SessionRow {
    id: SessionId,
    user_id: UserId,
    organization_id: OrganizationId,
    user_agent: Option<String>,
    created_at: Timestamp,
    expires_at: Timestamp,
    proven_at: Option<Timestamp>,
    provider: Option<String>,
}

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        Self {
            id: row.id,
            user_id: row.user_id,
            organization_id: row.organization_id,
            user_agent: row.user_agent,
            created_at: row.created_at,
            expires_at: row.expires_at,
            proven_at: row.proven_at,
            provider: row.provider,
        }
    }
}
