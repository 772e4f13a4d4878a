//! Organisations.

use super::Conn;
use crate::error::StoreError;
use crate::rows::OrganizationRow;
use crate::schema::organizations;
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;
use token_domain::id::OrganizationId;
use token_domain::leak::LeakAction;
use token_domain::person::SecondFactorRule;
use token_domain::record::Organization;
use token_domain::text::{Name, Slug};

/// Sets a column of an organisation, and the moment of its last change; the organisation afterwards.
macro_rules! changed {
    ($conn:expr, $id:expr, $at:expr, $change:expr) => {{
        let row = diesel::update(organizations::table.find($id.bind()))
            .set(($change, organizations::updated_at.eq($at.bind())))
            .returning(OrganizationRow::as_returning())
            .get_result($conn)
            .await
            .optional()?;
        row.map(Organization::try_from).transpose()
    }};
}

pub(crate) async fn insert_organization(conn: &mut Conn<'_>, record: &Organization) -> Result<(), StoreError> {
    diesel::insert_into(organizations::table)
        .values((
            organizations::id.eq(record.id.bind()),
            organizations::slug.eq(record.slug.as_str()),
            organizations::name.eq(record.name.as_str()),
            organizations::disabled_at.eq(record.disabled_at.bind()),
            organizations::token_cap.eq(record.token_cap.map(i64::from)),
            organizations::created_at.eq(record.created_at.bind()),
            organizations::updated_at.eq(record.updated_at.bind()),
            organizations::requires_second_factor.eq(record.second_factor.is_required()),
            organizations::leak_action.eq(record.leak_action.as_str()),
            organizations::trust_only.eq(record.trust_only),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn organization(conn: &mut Conn<'_>, id: OrganizationId) -> Result<Option<Organization>, StoreError> {
    let row = organizations::table.find(id.bind()).select(OrganizationRow::as_select()).first(conn).await.optional()?;
    row.map(Organization::try_from).transpose()
}

pub(crate) async fn organization_by_slug(conn: &mut Conn<'_>, slug: &Slug) -> Result<Option<Organization>, StoreError> {
    let row = organizations::table
        .filter(organizations::slug.eq(slug.as_str()))
        .select(OrganizationRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(Organization::try_from).transpose()
}

pub(crate) async fn list_organizations(
    conn: &mut Conn<'_>,
    after: Option<&Slug>,
    limit: u32,
) -> Result<Vec<Organization>, StoreError> {
    // No slug is empty: the first page is read like any other.
    let page = organizations::table
        .filter(organizations::slug.gt(after.map_or("", Slug::as_str)))
        .order(organizations::slug)
        .limit(i64::from(limit))
        .select(OrganizationRow::as_select());
    let rows: Vec<OrganizationRow> = page.load(conn).await?;
    rows.into_iter().map(Organization::try_from).collect()
}

pub(crate) async fn first_made_organization(conn: &mut Conn<'_>) -> Result<Option<OrganizationId>, StoreError> {
    // Ids begin with the moment they were made at.
    Ok(organizations::table.select(organizations::id).order(organizations::id).first(conn).await.optional()?)
}

pub(crate) async fn count_organizations(conn: &mut Conn<'_>) -> Result<i64, StoreError> {
    Ok(organizations::table.count().get_result(conn).await?)
}

pub(crate) async fn rename_organization(
    conn: &mut Conn<'_>,
    id: OrganizationId,
    name: &Name,
    at: Timestamp,
) -> Result<Option<Organization>, StoreError> {
    changed!(conn, id, at, organizations::name.eq(name.as_str()))
}

pub(crate) async fn set_organization_disabled(
    conn: &mut Conn<'_>,
    id: OrganizationId,
    disabled_at: Option<Timestamp>,
    at: Timestamp,
) -> Result<Option<Organization>, StoreError> {
    changed!(conn, id, at, organizations::disabled_at.eq(disabled_at.bind()))
}

pub(crate) async fn set_token_cap(
    conn: &mut Conn<'_>,
    id: OrganizationId,
    cap: Option<u32>,
    at: Timestamp,
) -> Result<Option<Organization>, StoreError> {
    changed!(conn, id, at, organizations::token_cap.eq(cap.map(i64::from)))
}

pub(crate) async fn set_second_factor_rule(
    conn: &mut Conn<'_>,
    id: OrganizationId,
    rule: SecondFactorRule,
    at: Timestamp,
) -> Result<Option<Organization>, StoreError> {
    changed!(conn, id, at, organizations::requires_second_factor.eq(rule.is_required()))
}

pub(crate) async fn set_leak_action(
    conn: &mut Conn<'_>,
    id: OrganizationId,
    action: LeakAction,
    at: Timestamp,
) -> Result<Option<Organization>, StoreError> {
    changed!(conn, id, at, organizations::leak_action.eq(action.as_str()))
}

pub(crate) async fn set_trust_only(
    conn: &mut Conn<'_>,
    id: OrganizationId,
    trust_only: bool,
    at: Timestamp,
) -> Result<Option<Organization>, StoreError> {
    changed!(conn, id, at, organizations::trust_only.eq(trust_only))
}
