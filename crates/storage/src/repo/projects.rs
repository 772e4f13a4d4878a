//! Projects of an organisation.

use super::dialect::contains;
use super::listing::{Columns, Window, rows_of, total};
use super::totals;
use super::{Conn, dialect};
use crate::error::StoreError;
use crate::model::{Listing, Page};
use crate::rows::ProjectRow;
use crate::schema::projects;
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;
use token_domain::id::{OrganizationId, ProjectId};
use token_domain::record::Project;
use token_domain::text::{Name, Slug, needle};

const COLUMNS: Columns = Columns { table: "projects", slug: Some("slug"), name: "name" };

/// The projects a list is of.
macro_rules! listed {
    ($organization:expr, $listing:expr) => {{
        let mut listed = projects::table
            .filter(projects::organization_id.eq($organization.bind()))
            .filter(dialect::in_time())
            .into_boxed();
        if let Some(text) = &$listing.search {
            listed =
                listed.filter(contains!("projects.slug", needle(text)).or(contains!("projects.name", needle(text))));
        }
        listed
    }};
}

pub(crate) async fn insert_project(conn: &mut Conn<'_>, record: &Project) -> Result<(), StoreError> {
    diesel::insert_into(projects::table)
        .values((
            projects::id.eq(record.id.bind()),
            projects::organization_id.eq(record.organization_id.bind()),
            projects::name.eq(record.name.as_str()),
            projects::slug.eq(record.slug.as_str()),
            projects::created_at.eq(record.created_at.bind()),
            projects::updated_at.eq(record.updated_at.bind()),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn project(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    id: ProjectId,
) -> Result<Option<Project>, StoreError> {
    let row = projects::table
        .filter(projects::id.eq(id.bind()).and(projects::organization_id.eq(organization.bind())))
        .select(ProjectRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(Project::try_from).transpose()
}

pub(crate) async fn list_projects(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    listing: &Listing,
) -> Result<Page<Project>, StoreError> {
    let total = match &listing.search {
        None => totals::projects(conn, organization).await?,
        Some(_) => total(listed!(organization, listing).count().get_result(conn).await?)?,
    };
    let window = Window::new(listing, total);
    if window.limit == 0 {
        return Ok(Page { items: Vec::new(), total });
    }
    let rows = rows_of!(conn, window, COLUMNS, listed!(organization, listing), projects, ProjectRow, ProjectId);
    let items = rows.into_iter().map(Project::try_from).collect::<Result<_, _>>()?;
    Ok(Page { items, total })
}

pub(crate) async fn update_project(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    id: ProjectId,
    name: Option<&Name>,
    slug: Option<&Slug>,
    at: Timestamp,
) -> Result<Option<Project>, StoreError> {
    let project = projects::id.eq(id.bind()).and(projects::organization_id.eq(organization.bind()));
    let row = diesel::update(projects::table.filter(project))
        .set((
            // `None` leaves a column as it is.
            name.map(|name| projects::name.eq(name.as_str())),
            slug.map(|slug| projects::slug.eq(slug.as_str())),
            projects::updated_at.eq(at.bind()),
        ))
        .returning(ProjectRow::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    row.map(Project::try_from).transpose()
}

pub(crate) async fn delete_project(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    id: ProjectId,
) -> Result<bool, StoreError> {
    let project = projects::id.eq(id.bind()).and(projects::organization_id.eq(organization.bind()));
    Ok(diesel::delete(projects::table.filter(project)).execute(conn).await? == 1)
}
