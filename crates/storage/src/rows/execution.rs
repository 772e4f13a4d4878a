//! Rows of repositories, baselines, executions and the keys of submissions.

use super::inconsistent;
use crate::error::StoreError;
use crate::model::ExecutionKey;
use crate::schema::{baselines, execution_keys, executions, repositories};
use crate::sql_types::Digest32;
use diesel::prelude::{Queryable, Selectable};
use token_domain::Timestamp;
use token_domain::execution::{
    BranchName, CommitHash, Coverage, Outcome, RepositoryName, Strictness, Threshold, Thresholds,
};
use token_domain::id::{ExecutionId, OrganizationId, RepositoryId};
use token_domain::record::{Baseline, Execution, Principal, Repository};

/// A row of `repositories`.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = repositories)]
pub(crate) struct RepositoryRow {
    id: RepositoryId,
    organization_id: OrganizationId,
    name: String,
    execution_count: i64,
    last_coverage: Option<i32>,
    last_submitted_at: Option<Timestamp>,
    created_at: Timestamp,
}

impl TryFrom<RepositoryRow> for Repository {
    type Error = StoreError;

    fn try_from(row: RepositoryRow) -> Result<Self, StoreError> {
        let bad = |column| inconsistent("repository", row.id, column);
        let last = match (row.last_coverage, row.last_submitted_at) {
            (None, None) => None,
            (Some(coverage), Some(at)) => {
                Some((Coverage::from_ten_thousandths(coverage).map_err(|_| bad("last_coverage"))?, at))
            }
            (Some(_), None) | (None, Some(_)) => return Err(bad("last_coverage, last_submitted_at")),
        };
        Ok(Self {
            id: row.id,
            organization_id: row.organization_id,
            name: RepositoryName::parse_stored(&row.name).map_err(|_| bad("name"))?,
            execution_count: u64::try_from(row.execution_count).map_err(|_| bad("execution_count"))?,
            last,
            created_at: row.created_at,
        })
    }
}

/// A row of `baselines`.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = baselines)]
pub(crate) struct BaselineRow {
    repository_id: RepositoryId,
    seq: i64,
    coverage: i32,
    commit_hash: Option<String>,
    measured_at: Timestamp,
    set_at: Timestamp,
    set_by: String,
}

impl TryFrom<BaselineRow> for Baseline {
    type Error = StoreError;

    fn try_from(row: BaselineRow) -> Result<Self, StoreError> {
        let bad = |column| inconsistent("baseline of repository", row.repository_id, column);
        let commit = row.commit_hash.as_deref().map(CommitHash::parse).transpose();
        Ok(Self {
            repository_id: row.repository_id,
            seq: row.seq,
            coverage: Coverage::from_ten_thousandths(row.coverage).map_err(|_| bad("coverage"))?,
            commit: commit.map_err(|_| bad("commit_hash"))?,
            measured_at: row.measured_at,
            set_at: row.set_at,
            set_by: Principal::parse(&row.set_by).ok_or_else(|| bad("set_by"))?,
        })
    }
}

/// A row of `executions`.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = executions)]
pub(crate) struct ExecutionRow {
    id: ExecutionId,
    organization_id: OrganizationId,
    repository_id: RepositoryId,
    branch: String,
    commit_hash: String,
    coverage: i32,
    baseline: i32,
    warn_threshold: i32,
    fail_threshold: i32,
    is_strict: bool,
    outcome: String,
    measured_at: Option<Timestamp>,
    submitted_by: String,
    created_at: Timestamp,
}

impl ExecutionRow {
    /// The record, with the name of its repository.
    pub(crate) fn named(self, repository: &str) -> Result<Execution, StoreError> {
        let bad = |column| inconsistent("execution", self.id, column);
        let threshold = |units, column| Threshold::from_ten_thousandths(units).map_err(|_| bad(column)).map(Some);
        let thresholds = Thresholds::new(
            threshold(self.warn_threshold, "warn_threshold")?,
            threshold(self.fail_threshold, "fail_threshold")?,
        );
        Ok(Execution {
            id: self.id,
            organization_id: self.organization_id,
            repository_id: self.repository_id,
            repository: RepositoryName::parse_stored(repository).map_err(|_| bad("repository_id"))?,
            branch: BranchName::parse_stored(&self.branch).map_err(|_| bad("branch"))?,
            commit: CommitHash::parse(&self.commit_hash).map_err(|_| bad("commit_hash"))?,
            coverage: Coverage::from_ten_thousandths(self.coverage).map_err(|_| bad("coverage"))?,
            baseline: Coverage::from_ten_thousandths(self.baseline).map_err(|_| bad("baseline"))?,
            thresholds: thresholds.map_err(|_| bad("warn_threshold, fail_threshold"))?,
            strictness: Strictness::from(self.is_strict),
            outcome: Outcome::parse(&self.outcome).ok_or_else(|| bad("outcome"))?,
            measured_at: self.measured_at,
            submitted_by: Principal::parse(&self.submitted_by).ok_or_else(|| bad("submitted_by"))?,
            created_at: self.created_at,
        })
    }
}

/// A row of `execution_keys`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = execution_keys)]
pub(crate) struct ExecutionKeyRow {
    organization_id: OrganizationId,
    principal: String,
    key: String,
    request_digest: Digest32,
    execution_id: ExecutionId,
    created_at: Timestamp,
}

impl TryFrom<ExecutionKeyRow> for ExecutionKey {
    type Error = StoreError;

    fn try_from(row: ExecutionKeyRow) -> Result<Self, StoreError> {
        let principal = Principal::parse(&row.principal)
            .ok_or_else(|| inconsistent("key for execution", row.execution_id, "principal"))?;
        Ok(Self {
            organization_id: row.organization_id,
            principal,
            key: row.key,
            request_digest: row.request_digest.0,
            execution_id: row.execution_id,
            created_at: row.created_at,
        })
    }
}
