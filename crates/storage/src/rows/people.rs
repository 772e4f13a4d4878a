//! Rows of people, their second factors, memberships, roles and sessions.

use super::{OrganizationRow, inconsistent, split_scopes};
use crate::error::StoreError;
use crate::model::{CustomRole, Membership, MembershipStanding, SecondFactor, Session, User};
use crate::schema::{memberships, roles, second_factors, sessions, users};
use crate::sql_types::Digest32;
use diesel::prelude::{Queryable, Selectable};
use token_domain::Timestamp;
use token_domain::id::{OrganizationId, RoleId, SessionId, UserId};
use token_domain::person::{BuiltInRole, RoleRef};
use token_domain::text::{Email, Name};

/// A row of `users`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
pub(crate) struct UserRow {
    id: UserId,
    email: String,
    email_key: String,
    name: String,
    password_hash: Option<String>,
    disabled_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl TryFrom<UserRow> for User {
    type Error = StoreError;

    fn try_from(row: UserRow) -> Result<Self, StoreError> {
        let bad = |column| inconsistent("user", row.id, column);
        let email = Email::parse(&row.email).map_err(|_| bad("email"))?;
        if email.key() != row.email_key {
            return Err(bad("email_key"));
        }
        Ok(Self {
            id: row.id,
            email,
            name: Name::parse(&row.name).map_err(|_| bad("name"))?,
            password_hash: row.password_hash,
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
}

impl TryFrom<MembershipRow> for Membership {
    type Error = StoreError;

    fn try_from(row: MembershipRow) -> Result<Self, StoreError> {
        Ok(Self {
            role: role_ref(row.user_id, row.built_in_role.as_deref(), row.role_id)?,
            organization_id: row.organization_id,
            user_id: row.user_id,
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
    let role = match (built_in, custom) {
        (Some(name), None) => BuiltInRole::parse(name).map(RoleRef::BuiltIn),
        (None, Some(id)) => Some(RoleRef::Custom(id)),
        (None, None) | (Some(_), Some(_)) => None,
    };
    role.ok_or_else(|| inconsistent("membership of", user_id, "built_in_role, role_id"))
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
        let name = Name::parse(&row.name).map_err(|_| inconsistent("role", row.id, "name"))?;
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

/// A membership joined with its organisation, person, custom role and second factor.
pub(crate) type StandingRow =
    (OrganizationRow, UserRow, Option<String>, Option<RoleId>, Option<String>, Option<String>, Option<Timestamp>);

/// Reads the joined row: organisation, person, built-in role, custom role's id, its scopes, its name, the second factor's
/// confirmation.
pub(crate) fn standing(row: StandingRow) -> Result<MembershipStanding, StoreError> {
    let (organization, user, built_in, custom, scopes, name, second_factor_since) = row;
    let user = User::try_from(user)?;
    let role = role_ref(user.id, built_in.as_deref(), custom)?;
    let custom_name =
        name.map(|name| Name::parse(&name)).transpose().map_err(|_| inconsistent("role of", user.id, "name"))?;
    Ok(MembershipStanding {
        organization: organization.try_into()?,
        user,
        role,
        custom_scopes: scopes.map(|scopes| split_scopes(&scopes)),
        custom_name,
        second_factor_since,
    })
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

/// A row of `sessions`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub(crate) struct SessionRow {
    id: SessionId,
    user_id: UserId,
    organization_id: OrganizationId,
    token_digest: Digest32,
    user_agent: Option<String>,
    created_at: Timestamp,
    expires_at: Timestamp,
}

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        Self {
            id: row.id,
            user_id: row.user_id,
            organization_id: row.organization_id,
            token_digest: row.token_digest.0,
            user_agent: row.user_agent,
            created_at: row.created_at,
            expires_at: row.expires_at,
        }
    }
}
