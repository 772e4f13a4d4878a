//! Tenant boundaries inside a project.

use super::dialect::contains;
use super::listing::{Columns, Window, rows_of, total};
use super::totals;
use super::{Conn, dialect};
use crate::error::StoreError;
use crate::model::{AccessScopeEdit, Listing, Page};
use crate::rows::AccessScopeRow;
use crate::schema::access_scopes;
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;
use token_domain::access::{Description, Metadata, ScopeDisplayName};
use token_domain::id::{AccessScopeId, ProjectId};
use token_domain::record::AccessScope;
use token_domain::text::needle;

const COLUMNS: Columns = Columns { table: "access_scopes", slug: Some("slug"), name: "name" };

/// The access scopes a list is of.
macro_rules! listed {
    ($project:expr, $listing:expr) => {{
        let mut listed = access_scopes::table
            .filter(access_scopes::project_id.eq($project.bind()))
            .filter(dialect::in_time())
            .into_boxed();
        if let Some(text) = &$listing.search {
            listed = listed.filter(
                contains!("access_scopes.slug", needle(text)).or(contains!("access_scopes.name", needle(text))),
            );
        }
        listed
    }};
}

pub(crate) async fn insert_access_scope(conn: &mut Conn<'_>, record: &AccessScope) -> Result<(), StoreError> {
    diesel::insert_into(access_scopes::table)
        .values((
            access_scopes::id.eq(record.id.bind()),
            access_scopes::project_id.eq(record.project_id.bind()),
            access_scopes::slug.eq(record.slug.as_str()),
            access_scopes::name.eq(record.name.as_ref().map(ScopeDisplayName::as_str)),
            access_scopes::description.eq(record.description.as_ref().map(Description::as_str)),
            access_scopes::metadata.eq(record.metadata.as_ref().map(Metadata::as_json)),
            access_scopes::is_active.eq(record.is_active),
            access_scopes::created_at.eq(record.created_at.bind()),
            access_scopes::updated_at.eq(record.updated_at.bind()),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn access_scope(
    conn: &mut Conn<'_>,
    project: ProjectId,
    id: AccessScopeId,
) -> Result<Option<AccessScope>, StoreError> {
    let row = access_scopes::table
        .filter(access_scopes::id.eq(id.bind()).and(access_scopes::project_id.eq(project.bind())))
        .select(AccessScopeRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(AccessScope::try_from).transpose()
}

pub(crate) async fn list_access_scopes(
    conn: &mut Conn<'_>,
    project: ProjectId,
    listing: &Listing,
) -> Result<Page<AccessScope>, StoreError> {
    let total = match &listing.search {
        None => totals::access_scopes(conn, project).await?,
        Some(_) => total(listed!(project, listing).count().get_result(conn).await?)?,
    };
    let window = Window::new(listing, total);
    if window.limit == 0 {
        return Ok(Page { items: Vec::new(), total });
    }
    let rows = rows_of!(conn, window, COLUMNS, listed!(project, listing), access_scopes, AccessScopeRow, AccessScopeId);
    let items = rows.into_iter().map(AccessScope::try_from).collect::<Result<_, _>>()?;
    Ok(Page { items, total })
}

pub(crate) async fn update_access_scope(
    conn: &mut Conn<'_>,
    project: ProjectId,
    id: AccessScopeId,
    edit: &AccessScopeEdit,
    at: Timestamp,
) -> Result<Option<AccessScope>, StoreError> {
    let scope = access_scopes::id.eq(id.bind()).and(access_scopes::project_id.eq(project.bind()));
    let row = diesel::update(access_scopes::table.filter(scope))
        .set((
            edit.name.then(|name| access_scopes::name.eq(name.map(ScopeDisplayName::as_str))),
            edit.description.then(|text| access_scopes::description.eq(text.map(Description::as_str))),
            edit.metadata.then(|metadata| access_scopes::metadata.eq(metadata.map(Metadata::as_json))),
            edit.is_active.map(|is_active| access_scopes::is_active.eq(is_active)),
            access_scopes::updated_at.eq(at.bind()),
        ))
        .returning(AccessScopeRow::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    row.map(AccessScope::try_from).transpose()
}

pub(crate) async fn delete_access_scope(
    conn: &mut Conn<'_>,
    project: ProjectId,
    id: AccessScopeId,
) -> Result<bool, StoreError> {
    let scope = access_scopes::id.eq(id.bind()).and(access_scopes::project_id.eq(project.bind()));
    Ok(diesel::delete(access_scopes::table.filter(scope)).execute(conn).await? == 1)
}
