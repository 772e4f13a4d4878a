//! People's places in organisations.

use super::dialect::older;
use super::{Conn, dialect};
use crate::error::StoreError;
use crate::rows::{MembershipRow, OrganizationRow, StandingRow, UserRow, parse_name, role_columns, standing};
use crate::schema::{memberships, organizations, roles, second_factors, users};
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;
use token_domain::id::{OrganizationId, RoleId, UserId};
use token_domain::person::RoleRef;
use token_domain::record::{Home, Member, Membership, MembershipStanding, User};
use token_domain::text::Slug;

pub(crate) async fn insert_membership(conn: &mut Conn<'_>, record: &Membership) -> Result<(), StoreError> {
    let (built_in, custom) = role_columns(record.role);
    diesel::insert_into(memberships::table)
        .values((
            memberships::organization_id.eq(record.organization_id.bind()),
            memberships::user_id.eq(record.user_id.bind()),
            memberships::built_in_role.eq(built_in),
            memberships::role_id.eq(custom.bind()),
            memberships::created_at.eq(record.created_at.bind()),
            memberships::disabled_at.eq(record.disabled_at.bind()),
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
            MembershipRow::as_select(),
            roles::scopes.nullable(),
            roles::name.nullable(),
            second_factors::confirmed_at.nullable(),
        ))
        .first(conn)
        .await
        .optional()?;
    row.map(standing).transpose()
}

pub(crate) async fn organizations_of_user(
    conn: &mut Conn<'_>,
    user: UserId,
    after: Option<&Slug>,
    limit: u32,
) -> Result<Vec<Home>, StoreError> {
    let mut page = memberships::table
        .inner_join(organizations::table)
        .left_join(roles::table)
        .filter(memberships::user_id.eq(user.bind()))
        .order(organizations::slug)
        .limit(i64::from(limit))
        .select((OrganizationRow::as_select(), MembershipRow::as_select(), roles::name.nullable()))
        .into_boxed();
    if let Some(slug) = after {
        page = page.filter(organizations::slug.gt(slug.as_str()));
    }
    let rows: Vec<(OrganizationRow, MembershipRow, Option<String>)> = page.load(conn).await?;
    rows.into_iter()
        .map(|(organization, membership, name)| {
            let custom_name = parse_name("role of", user, name)?;
            Ok(Home { organization: organization.try_into()?, membership: membership.try_into()?, custom_name })
        })
        .collect()
}

pub(crate) async fn first_organization(
    conn: &mut Conn<'_>,
    user: UserId,
) -> Result<Option<OrganizationId>, StoreError> {
    let open = memberships::disabled_at.is_null().and(organizations::disabled_at.is_null());
    Ok(memberships::table
        .inner_join(organizations::table)
        .filter(memberships::user_id.eq(user.bind()).and(open))
        .order((memberships::created_at, memberships::organization_id))
        .select(memberships::organization_id)
        .first(conn)
        .await
        .optional()?)
}

pub(crate) async fn share_organization(conn: &mut Conn<'_>, one: UserId, other: UserId) -> Result<bool, StoreError> {
    let theirs = diesel::alias!(memberships as theirs);
    let shared: Option<OrganizationId> = memberships::table
        .inner_join(theirs.on(theirs.field(memberships::organization_id).eq(memberships::organization_id)))
        .filter(memberships::user_id.eq(one.bind()).and(theirs.field(memberships::user_id).eq(other.bind())))
        .select(memberships::organization_id)
        .first(conn)
        .await
        .optional()?;
    Ok(shared.is_some())
}

pub(crate) async fn list_members(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    after: Option<(Timestamp, UserId)>,
    limit: u32,
) -> Result<Vec<Member>, StoreError> {
    let mut page = memberships::table
        .inner_join(users::table)
        .left_join(roles::table)
        .filter(memberships::organization_id.eq(organization.bind()))
        .order((memberships::created_at.desc(), memberships::user_id.desc()))
        .limit(i64::from(limit))
        .select((UserRow::as_select(), MembershipRow::as_select(), roles::name.nullable()))
        .into_boxed();
    if let Some(place) = after {
        page = page.filter(older!("memberships.created_at", "memberships.user_id", place));
    }
    let rows: Vec<(UserRow, MembershipRow, Option<String>)> = page.load(conn).await?;
    rows.into_iter()
        .map(|(user, membership, name)| {
            let user = User::try_from(user)?;
            let custom_name = parse_name("role of", user.id, name)?;
            Ok(Member { user, membership: membership.try_into()?, custom_name })
        })
        .collect()
}

pub(crate) async fn members_of_role(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    role: RoleId,
    limit: u32,
) -> Result<Vec<UserId>, StoreError> {
    let of_role = memberships::organization_id.eq(organization.bind()).and(memberships::role_id.eq(Some(role.bind())));
    // In no order: to sort them, all would have to be read.
    let members = memberships::table.filter(of_role).limit(i64::from(limit)).select(memberships::user_id);
    Ok(members.load(conn).await?)
}

pub(crate) async fn count_members_of_role(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    role: RoleId,
) -> Result<usize, StoreError> {
    let of_role = memberships::organization_id.eq(organization.bind()).and(memberships::role_id.eq(Some(role.bind())));
    let count: i64 = memberships::table.filter(of_role).count().get_result(conn).await?;
    Ok(usize::try_from(count).unwrap_or_default())
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

pub(crate) async fn set_membership_disabled(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    user: UserId,
    disabled_at: Option<Timestamp>,
) -> Result<bool, StoreError> {
    let changed = diesel::update(memberships::table.find((organization.bind(), user.bind())))
        .set(memberships::disabled_at.eq(disabled_at.bind()))
        .execute(conn)
        .await?;
    Ok(changed == 1)
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
