//! Roles that organisations make for themselves.

use super::Conn;
use crate::error::StoreError;
use crate::rows::{RoleRow, join_scopes};
use crate::schema::roles;
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;
use token_domain::id::{OrganizationId, RoleId};
use token_domain::record::CustomRole;
use token_domain::text::Name;

pub(crate) async fn insert_role(conn: &mut Conn<'_>, record: &CustomRole) -> Result<(), StoreError> {
    diesel::insert_into(roles::table)
        .values((
            roles::id.eq(record.id.bind()),
            roles::organization_id.eq(record.organization_id.bind()),
            roles::name.eq(record.name.as_str()),
            roles::name_key.eq(record.name.key()),
            roles::scopes.eq(join_scopes(&record.scopes)?),
            roles::created_at.eq(record.created_at.bind()),
            roles::updated_at.eq(record.updated_at.bind()),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn roles(conn: &mut Conn<'_>, organization: OrganizationId) -> Result<Vec<CustomRole>, StoreError> {
    let rows: Vec<RoleRow> = roles::table
        .filter(roles::organization_id.eq(organization.bind()))
        .order(roles::name_key)
        .select(RoleRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(CustomRole::try_from).collect()
}

pub(crate) async fn role(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    id: RoleId,
) -> Result<Option<CustomRole>, StoreError> {
    let row = roles::table
        .filter(roles::id.eq(id.bind()).and(roles::organization_id.eq(organization.bind())))
        .select(RoleRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(CustomRole::try_from).transpose()
}

pub(crate) async fn update_role(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    id: RoleId,
    name: Option<&Name>,
    scopes: Option<&[String]>,
    at: Timestamp,
) -> Result<Option<CustomRole>, StoreError> {
    let scopes = scopes.map(join_scopes).transpose()?;
    let key = name.map(Name::key);
    let row = diesel::update(
        roles::table.filter(roles::id.eq(id.bind()).and(roles::organization_id.eq(organization.bind()))),
    )
    .set((
        // `None` leaves a column as it is.
        name.map(|name| roles::name.eq(name.as_str())),
        key.map(|key| roles::name_key.eq(key)),
        scopes.map(|scopes| roles::scopes.eq(scopes)),
        roles::updated_at.eq(at.bind()),
    ))
    .returning(RoleRow::as_returning())
    .get_result(conn)
    .await
    .optional()?;
    row.map(CustomRole::try_from).transpose()
}

pub(crate) async fn delete_role(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    id: RoleId,
) -> Result<bool, StoreError> {
    let role = roles::table.filter(roles::id.eq(id.bind()).and(roles::organization_id.eq(organization.bind())));
    Ok(diesel::delete(role).execute(conn).await? == 1)
}
