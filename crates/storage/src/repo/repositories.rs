//! Repositories that builds submit coverage of.

use super::Conn;
use crate::error::StoreError;
use crate::rows::RepositoryRow;
use crate::schema::{executions, organizations, repositories};
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;
use token_domain::execution::{BranchName, Coverage, RepositoryName};
use token_domain::id::{OrganizationId, RepositoryId};
use token_domain::record::Repository;
use token_domain::text::Slug;

pub(crate) async fn repository(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    name: &RepositoryName,
) -> Result<Option<Repository>, StoreError> {
    let row = repositories::table
        .filter(repositories::organization_id.eq(organization.bind()).and(repositories::name.eq(name.as_str())))
        .select(RepositoryRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(Repository::try_from).transpose()
}

pub(crate) async fn list_repositories(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    after: Option<&RepositoryName>,
    limit: u32,
) -> Result<Vec<Repository>, StoreError> {
    let mut page = repositories::table
        .filter(repositories::organization_id.eq(organization.bind()))
        .order(repositories::name)
        .limit(i64::from(limit))
        .select(RepositoryRow::as_select())
        .into_boxed();
    if let Some(name) = after {
        page = page.filter(repositories::name.gt(name.as_str()));
    }
    let rows: Vec<RepositoryRow> = page.load(conn).await?;
    rows.into_iter().map(Repository::try_from).collect()
}

pub(crate) async fn published_coverage(
    conn: &mut Conn<'_>,
    organization: &Slug,
    name: &RepositoryName,
    branch: Option<&BranchName>,
) -> Result<Option<Coverage>, StoreError> {
    let published = organizations::slug
        .eq(organization.as_str())
        .and(organizations::disabled_at.is_null())
        .and(repositories::name.eq(name.as_str()));
    let units: Option<i32> = match branch {
        None => repositories::table
            .inner_join(organizations::table)
            .filter(published)
            .select(repositories::last_coverage)
            .first::<Option<i32>>(conn)
            .await
            .optional()?
            .flatten(),
        Some(branch) => {
            // Its repository first, by itself: joined, PostgreSQL reads every execution there is and sorts what is left.
            let one = repositories::table.inner_join(organizations::table).filter(published).select(repositories::id);
            executions::table
                .filter(executions::repository_id.nullable().eq(one.single_value()))
                .filter(executions::branch.eq(branch.as_str()))
                .order((executions::created_at.desc(), executions::id.desc()))
                .select(executions::coverage)
                .first(conn)
                .await
                .optional()?
        }
    };
    let inconsistent = |_| StoreError::Inconsistent(format!("repository {name}: last_coverage"));
    units.map(Coverage::from_ten_thousandths).transpose().map_err(inconsistent)
}

pub(crate) async fn register_repository(
    conn: &mut Conn<'_>,
    id: RepositoryId,
    organization: OrganizationId,
    name: &RepositoryName,
    at: Timestamp,
) -> Result<Repository, StoreError> {
    // An update that changes nothing locks the row, so that of two who register at once the second sees the first.
    let row = diesel::insert_into(repositories::table)
        .values((
            repositories::id.eq(id.bind()),
            repositories::organization_id.eq(organization.bind()),
            repositories::name.eq(name.as_str()),
            repositories::execution_count.eq(0),
            repositories::created_at.eq(at.bind()),
        ))
        .on_conflict((repositories::organization_id, repositories::name))
        .do_update()
        .set(repositories::execution_count.eq(repositories::execution_count))
        .returning(RepositoryRow::as_returning())
        .get_result(conn)
        .await?;
    row.try_into()
}

pub(crate) async fn note_submission(
    conn: &mut Conn<'_>,
    id: RepositoryId,
    coverage: Coverage,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let changed = diesel::update(repositories::table.find(id.bind()))
        .set((
            repositories::execution_count.eq(repositories::execution_count + 1),
            repositories::last_coverage.eq(Some(coverage.ten_thousandths())),
            repositories::last_submitted_at.eq(Some(at.bind())),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}
