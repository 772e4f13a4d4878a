//! Executions, and the keys they were submitted with.

use std::collections::BTreeMap;

use super::Conn;
use super::dialect::older;
use crate::error::StoreError;
use crate::model::{ExecutionFilter, ExecutionKey};
use crate::rows::{ExecutionKeyRow, ExecutionRow};
use crate::schema::{execution_keys, executions, repositories};
use crate::sql_types::{Bind, UidParam};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;
use token_domain::execution::Strictness;
use token_domain::id::{ExecutionId, OrganizationId, RepositoryId};
use token_domain::record::{Execution, Principal};

pub(crate) async fn execution(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    id: ExecutionId,
) -> Result<Option<Execution>, StoreError> {
    let row: Option<(ExecutionRow, String)> = executions::table
        .inner_join(repositories::table)
        .filter(executions::id.eq(id.bind()).and(executions::organization_id.eq(organization.bind())))
        .select((ExecutionRow::as_select(), repositories::name))
        .first(conn)
        .await
        .optional()?;
    row.map(|(row, repository)| row.named(&repository)).transpose()
}

pub(crate) async fn list_executions(
    conn: &mut Conn<'_>,
    filter: &ExecutionFilter,
) -> Result<Vec<Execution>, StoreError> {
    let mut page = executions::table
        .inner_join(repositories::table)
        .filter(executions::repository_id.eq(filter.repository_id.bind()))
        .order((executions::created_at.desc(), executions::id.desc()))
        .limit(i64::from(filter.limit))
        .select((ExecutionRow::as_select(), repositories::name))
        .into_boxed();
    if let Some(place) = filter.after {
        page = page.filter(older!("executions.created_at", "executions.id", place));
    }
    let rows: Vec<(ExecutionRow, String)> = page.load(conn).await?;
    rows.into_iter().map(|(row, repository)| row.named(&repository)).collect()
}

pub(crate) async fn insert_execution(conn: &mut Conn<'_>, record: &Execution) -> Result<(), StoreError> {
    diesel::insert_into(executions::table)
        .values((
            executions::id.eq(record.id.bind()),
            executions::organization_id.eq(record.organization_id.bind()),
            executions::repository_id.eq(record.repository_id.bind()),
            executions::branch.eq(record.branch.as_str()),
            executions::commit_hash.eq(record.commit.as_str()),
            executions::coverage.eq(record.coverage.ten_thousandths()),
            executions::baseline.eq(record.baseline.ten_thousandths()),
            executions::warn_threshold.eq(record.thresholds.warn().ten_thousandths()),
            executions::fail_threshold.eq(record.thresholds.fail().ten_thousandths()),
            executions::is_strict.eq(record.strictness == Strictness::Strict),
            executions::outcome.eq(record.outcome.as_str()),
            executions::measured_at.eq(record.measured_at.bind()),
            executions::submitted_by.eq(record.submitted_by.to_string()),
            executions::created_at.eq(record.created_at.bind()),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn delete_executions_before(
    conn: &mut Conn<'_>,
    before: Timestamp,
    limit: u32,
) -> Result<usize, StoreError> {
    let oldest: Vec<ExecutionId> = executions::table
        .filter(executions::created_at.lt(before.bind()))
        .order(executions::created_at)
        .limit(i64::from(limit))
        .select(executions::id)
        .load(conn)
        .await?;
    let oldest: Vec<UidParam> = oldest.into_iter().map(Bind::bind).collect();
    // Another node may be at the same work: what is counted is what this statement removed.
    let removed: Vec<RepositoryId> = diesel::delete(executions::table.filter(executions::id.eq_any(oldest)))
        .returning(executions::repository_id)
        .get_results(conn)
        .await?;
    // In the order of their ids, so that two nodes wait for each other instead of deadlocking.
    let mut by_repository: BTreeMap<RepositoryId, i64> = BTreeMap::new();
    for repository in &removed {
        *by_repository.entry(*repository).or_default() += 1;
    }
    for (repository, count) in by_repository {
        diesel::update(repositories::table.find(repository.bind()))
            .set(repositories::execution_count.eq(repositories::execution_count - count))
            .execute(conn)
            .await?;
    }
    Ok(removed.len())
}

pub(crate) async fn execution_key(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    principal: Principal,
    key: &str,
) -> Result<Option<ExecutionKey>, StoreError> {
    let row = execution_keys::table
        .find((organization.bind(), principal.to_string(), key))
        .select(ExecutionKeyRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(ExecutionKey::try_from).transpose()
}

pub(crate) async fn insert_execution_key(conn: &mut Conn<'_>, record: &ExecutionKey) -> Result<(), StoreError> {
    diesel::insert_into(execution_keys::table)
        .values((
            execution_keys::organization_id.eq(record.organization_id.bind()),
            execution_keys::principal.eq(record.principal.to_string()),
            execution_keys::key.eq(record.key.as_str()),
            execution_keys::request_digest.eq(record.request_digest.as_slice()),
            execution_keys::execution_id.eq(record.execution_id.bind()),
            execution_keys::created_at.eq(record.created_at.bind()),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn delete_execution_key(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    principal: Principal,
    key: &str,
) -> Result<bool, StoreError> {
    let record = execution_keys::table.find((organization.bind(), principal.to_string(), key));
    Ok(diesel::delete(record).execute(conn).await? > 0)
}

pub(crate) async fn delete_execution_keys_before(
    conn: &mut Conn<'_>,
    before: Timestamp,
    limit: u32,
) -> Result<usize, StoreError> {
    // The moment of the newest of the oldest `limit` keys bounds one deletion; a tie may remove a few more.
    let newest: Option<Timestamp> = execution_keys::table
        .filter(execution_keys::created_at.lt(before.bind()))
        .order(execution_keys::created_at)
        .offset(i64::from(limit.saturating_sub(1)))
        .limit(1)
        .select(execution_keys::created_at)
        .first(conn)
        .await
        .optional()?;
    let old = execution_keys::table.filter(execution_keys::created_at.lt(before.bind()));
    let removed = match newest {
        Some(newest) => diesel::delete(old.filter(execution_keys::created_at.le(newest.bind()))).execute(conn).await?,
        None => diesel::delete(old).execute(conn).await?,
    };
    Ok(removed)
}
