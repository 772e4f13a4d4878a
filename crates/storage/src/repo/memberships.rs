//! People's places in organisations.

use super::{Conn, dialect};
use crate::error::StoreError;
use crate::model::{Membership, MembershipStanding, Organization, User};
use crate::rows::{MembershipRow, OrganizationRow, StandingRow, UserRow, role_columns, standing};
use crate::schema::{memberships, organizations, roles, second_factors, users};
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::id::{OrganizationId, RoleId, UserId};
use token_domain::person::RoleRef;

pub(crate) async fn insert_membership(conn: &mut Conn<'_>, record: &Membership) -> Result<(), StoreError> {
    let (built_in, custom) = role_columns(record.role);
    diesel::insert_into(memberships::table)
        .values((
            memberships::organization_id.eq(record.organization_id.bind()),
            memberships::user_id.eq(record.user_id.bind()),
            memberships::built_in_role.eq(built_in),
            memberships::role_id.eq(custom.bind()),
            memberships::created_at.eq(record.created_at.bind()),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn membership_standing(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    user: UserId,
) -> Result<Option<MembershipStanding>, StoreError> {
    let row: Option<StandingRow> = memberships::table
        .find((organization.bind(), user.bind()))
        .inner_join(organizations::table)
        .inner_join(users::table)
        .left_join(roles::table)
        .left_join(second_factors::table.on(second_factors::user_id.eq(memberships::user_id)))
        .select((
            OrganizationRow::as_select(),
            UserRow::as_select(),
            memberships::built_in_role,
            memberships::role_id,
            roles::scopes.nullable(),
            roles::name.nullable(),
            second_factors::confirmed_at.nullable(),
        ))
        .first(conn)
        .await
        .optional()?;
    row.map(standing).transpose()
}

pub(crate) async fn memberships_of_user(
    conn: &mut Conn<'_>,
    user: UserId,
) -> Result<Vec<(Organization, RoleRef)>, StoreError> {
    let rows: Vec<(OrganizationRow, MembershipRow)> = memberships::table
        .inner_join(organizations::table)
        .filter(memberships::user_id.eq(user.bind()))
        .order((organizations::slug, organizations::id))
        .select((OrganizationRow::as_select(), MembershipRow::as_select()))
        .load(conn)
        .await?;
    rows.into_iter()
        .map(|(organization, membership)| {
            Ok((Organization::try_from(organization)?, Membership::try_from(membership)?.role))
        })
        .collect()
}

pub(crate) async fn members(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
) -> Result<Vec<(User, Membership)>, StoreError> {
    let rows: Vec<(UserRow, MembershipRow)> = memberships::table
        .inner_join(users::table)
        .filter(memberships::organization_id.eq(organization.bind()))
        .order((users::email_key, users::id))
        .select((UserRow::as_select(), MembershipRow::as_select()))
        .load(conn)
        .await?;
    rows.into_iter().map(|(user, membership)| Ok((user.try_into()?, membership.try_into()?))).collect()
}

pub(crate) async fn members_of_role(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    role: RoleId,
) -> Result<Vec<UserId>, StoreError> {
    let of_role = memberships::organization_id.eq(organization.bind()).and(memberships::role_id.eq(Some(role.bind())));
    let members = memberships::table.filter(of_role).order(memberships::user_id).select(memberships::user_id);
    Ok(members.load(conn).await?)
}

pub(crate) async fn set_membership_role(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    user: UserId,
    role: RoleRef,
) -> Result<Option<Membership>, StoreError> {
    let (built_in, custom) = role_columns(role);
    let row = diesel::update(memberships::table.find((organization.bind(), user.bind())))
        .set((memberships::built_in_role.eq(built_in), memberships::role_id.eq(custom.bind())))
        .returning(MembershipRow::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    row.map(Membership::try_from).transpose()
}

pub(crate) async fn delete_membership(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    user: UserId,
) -> Result<bool, StoreError> {
    Ok(diesel::delete(memberships::table.find((organization.bind(), user.bind()))).execute(conn).await? == 1)
}

pub(crate) async fn move_members(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    from: RoleId,
    to: RoleRef,
) -> Result<Vec<UserId>, StoreError> {
    let (built_in, custom) = role_columns(to);
    let of_role = memberships::organization_id.eq(organization.bind()).and(memberships::role_id.eq(Some(from.bind())));
    let moved = diesel::update(memberships::table.filter(of_role))
        .set((memberships::built_in_role.eq(built_in), memberships::role_id.eq(custom.bind())))
        .returning(memberships::user_id)
        .get_results(conn)
        .await?;
    Ok(moved)
}

pub(crate) async fn count_owners(conn: &mut Conn<'_>, organization: OrganizationId) -> Result<i64, StoreError> {
    let owners = dialect::lock_owners(conn, organization).await?;
    i64::try_from(owners.len()).map_err(|_| StoreError::Broken("more owners than can be counted".to_owned()))
}
