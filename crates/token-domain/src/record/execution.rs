//! Repositories, their baselines, and the coverage that builds submit.

use crate::Timestamp;
use crate::execution::{
    BranchName, CommitHash, Coverage, Delta, Evaluation, Outcome, RepositoryName, Strictness, Thresholds,
};
use crate::id::{ExecutionId, OrganizationId, RepositoryId};

use super::Principal;

/// A repository known through its submissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Its id.
    pub id: RepositoryId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// Unique in the organisation.
    pub name: RepositoryName,
    /// How many of its executions are kept.
    pub execution_count: u64,
    /// What the last submission said, and when; kept when the submission itself is forgotten.
    pub last: Option<(Coverage, Timestamp)>,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// What a repository is measured against, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// The repository.
    pub repository_id: RepositoryId,
    /// Its number in the repository, from 1, without gaps; the highest is in force.
    pub seq: i64,
    /// The coverage.
    pub coverage: Coverage,
    /// The commit it was measured on.
    pub commit: Option<CommitHash>,
    /// When it was measured, as the submission says.
    pub measured_at: Timestamp,
    /// When it was set here.
    pub set_at: Timestamp,
    /// By whom.
    pub set_by: Principal,
}

/// A recorded submission and what its build was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// Its id.
    pub id: ExecutionId,
    /// Whose it is.
    pub organization_id: OrganizationId,
    /// The repository.
    pub repository_id: RepositoryId,
    /// The repository's name.
    pub repository: RepositoryName,
    /// The branch that was built.
    pub branch: BranchName,
    /// The commit that was built.
    pub commit: CommitHash,
    /// What was measured.
    pub coverage: Coverage,
    /// What it was measured against; itself where there was nothing.
    pub baseline: Coverage,
    /// The drops that mattered.
    pub thresholds: Thresholds,
    /// Whether a warning stopped the build.
    pub strictness: Strictness,
    /// The verdict as given then.
    pub outcome: Outcome,
    /// When it was measured, if the build said.
    pub measured_at: Option<Timestamp>,
    /// Who submitted it.
    pub submitted_by: Principal,
    /// When.
    pub created_at: Timestamp,
}

impl Execution {
    /// How far it moved.
    pub const fn delta(&self) -> Delta {
        Delta::between(self.baseline, self.coverage)
    }

    /// The verdict, whole.
    pub const fn evaluation(&self) -> Evaluation {
        Evaluation {
            baseline: self.baseline,
            delta: self.delta(),
            outcome: self.outcome,
            exit_code: self.outcome.exit_code(self.strictness),
        }
    }
}
