//! Submitting a coverage, and judging one without recording it.

use std::sync::Arc;

use futures::future::BoxFuture;
use storage::model::ExecutionKey;
use storage::{Constraint, StoreError, Tx};
use token_domain::Timestamp;
use token_domain::execution::{
    BranchName, CommitHash, Coverage, Evaluation, RepositoryName, Strictness, Thresholds, evaluate,
};
use token_domain::id::{ExecutionId, OrganizationId, RepositoryId};
use token_domain::record::{Baseline, Execution, Principal};

use super::{ExecutionError, Executions};
use crate::change::Ask;
use crate::context::Context;
use crate::error::Failure;
use crate::origin::{Caller, Origin};
use crate::tokens::Idempotency;

/// A coverage to judge.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// The repository.
    pub repository: RepositoryName,
    /// What was measured.
    pub coverage: Coverage,
    /// What to measure it against instead of the repository's own baseline.
    pub baseline: Option<Coverage>,
    /// The drops that matter.
    pub thresholds: Thresholds,
    /// Whether a warning stops the build.
    pub strictness: Strictness,
}

/// A coverage to judge and record.
#[derive(Clone, Debug)]
pub struct Submission {
    /// What was measured.
    pub measurement: Measurement,
    /// The branch that was built.
    pub branch: BranchName,
    /// The commit that was built.
    pub commit: CommitHash,
    /// When it was measured, if the build says.
    pub measured_at: Option<Timestamp>,
    /// The caller's key against recording it twice.
    pub idempotency: Option<Idempotency>,
}

/// What became of a submission.
#[derive(Clone, Debug)]
pub enum Submitted {
    /// It was recorded now.
    Recorded(Execution),
    /// It was recorded by an earlier request with the same key.
    Replayed(Execution),
}

/// Why a unit of work ends without a new execution.
enum End {
    Replayed(Box<Execution>),
    Refused(ExecutionError),
}

/// The parts of an execution that are drawn before its unit begins.
struct Drawn {
    ask: Ask,
    now: Timestamp,
    id: ExecutionId,
    /// The repository's, should this be its first submission.
    repository_id: RepositoryId,
    organization_id: OrganizationId,
    by: Principal,
}

impl Executions {
    /// Records a coverage and what it means for its build. The first one of a repository registers the repository; while
    /// a repository has no baseline, a submission that brings none becomes it. Of two first submissions at once, one does,
    /// and the other is measured against it.
    ///
    /// # Errors
    /// A key that was used for another submission.
    pub async fn submit(
        &self,
        caller: &Caller,
        submission: Submission,
        origin: &Origin,
    ) -> Result<Submitted, ExecutionError> {
        let context = Arc::clone(&self.context);
        let now = context.now();
        let drawn = Drawn {
            ask: Ask::by(caller, origin),
            now,
            id: context.id(now)?,
            repository_id: context.id(now)?,
            organization_id: caller.organization_id,
            by: caller.principal(),
        };
        let units = &self.context.units;
        let recorded = units.run(now, units.touching(), move |tx| -> BoxFuture<'_, Result<Execution, End>> {
            Box::pin(async move { record(&context, tx, drawn, submission).await })
        });
        match recorded.await {
            Ok(execution) => Ok(Submitted::Recorded(execution)),
            Err(End::Replayed(execution)) => Ok(Submitted::Replayed(*execution)),
            Err(End::Refused(error)) => Err(error),
        }
    }

    /// Judges a coverage as [`submit`](Self::submit) would, and records nothing.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn enforce(&self, caller: &Caller, measurement: &Measurement) -> Result<Evaluation, ExecutionError> {
        let (organization, repository) = (caller.organization_id, measurement.repository.clone());
        let read = self.context.store.read(move |reads| {
            Box::pin(async move {
                match reads.repository(organization, &repository).await? {
                    Some(repository) => reads.baseline(repository.id).await,
                    None => Ok(None),
                }
            })
        });
        let stored = read.await?;
        Ok(judge(measurement, stored.as_ref()))
    }
}

async fn record(context: &Context, tx: &mut Tx, drawn: Drawn, submission: Submission) -> Result<Execution, End> {
    let Submission { measurement, branch, commit, measured_at, idempotency } = submission;
    let Drawn { ask, now, id, repository_id, organization_id, by } = drawn;
    let opening = ask.opening();
    let standing = tx.standing_to_submit(opening, organization_id, &measurement.repository).await?;
    ask.check(context, standing, now).map_err(End::from)?.map_err(ExecutionError::from)?;
    // Held until the unit ends: what follows happens to a repository one submission after the other.
    let repository = tx.register_repository(repository_id, organization_id, &measurement.repository, now).await?;
    if let Some(idempotency) = &idempotency {
        replayed(context, tx, organization_id, by, idempotency, now).await?;
    }
    let stored = tx.baseline(repository.id).await?;
    let Evaluation { baseline, delta: _, outcome, exit_code: _ } = judge(&measurement, stored.as_ref());
    let execution = Execution {
        id,
        organization_id,
        repository_id: repository.id,
        repository: repository.name,
        branch,
        commit,
        coverage: measurement.coverage,
        baseline,
        thresholds: measurement.thresholds,
        strictness: measurement.strictness,
        outcome,
        measured_at,
        submitted_by: by,
        created_at: now,
    };
    tx.note_submission(repository.id, execution.coverage, now).await?;
    tx.insert_execution(&execution).await?;
    if stored.is_none() && measurement.baseline.is_none() {
        tx.append_baseline(&first_baseline(&execution)).await?;
    }
    if let Some(Idempotency { key, request_digest }) = idempotency {
        let record =
            ExecutionKey { organization_id, principal: by, key, request_digest, execution_id: id, created_at: now };
        tx.insert_execution_key(&record).await?;
    }
    Ok(execution)
}

fn judge(measurement: &Measurement, stored: Option<&Baseline>) -> Evaluation {
    let baseline = measurement.baseline.or(stored.map(|stored| stored.coverage));
    evaluate(measurement.coverage, baseline, measurement.thresholds, measurement.strictness)
}

fn first_baseline(execution: &Execution) -> Baseline {
    Baseline {
        repository_id: execution.repository_id,
        seq: 1,
        coverage: execution.coverage,
        commit: Some(execution.commit.clone()),
        measured_at: execution.measured_at.unwrap_or(execution.created_at),
        set_at: execution.created_at,
        set_by: execution.submitted_by,
    }
}

/// Ends the unit if the key was used before.
async fn replayed(
    context: &Context,
    tx: &mut Tx,
    organization_id: OrganizationId,
    by: Principal,
    idempotency: &Idempotency,
    now: Timestamp,
) -> Result<(), End> {
    let Some(found) = tx.execution_key(organization_id, by, &idempotency.key).await? else { return Ok(()) };
    if found.created_at + context.policy.idempotency_window <= now {
        tx.delete_execution_key(organization_id, by, &idempotency.key).await?;
        return Ok(());
    }
    if found.request_digest != idempotency.request_digest {
        return Err(ExecutionError::KeyReused.into());
    }
    let execution = tx.execution(organization_id, found.execution_id).await?;
    // A key goes with its execution, so there is one.
    let execution =
        execution.ok_or_else(|| Failure::Inconsistent("a submission's key without execution".to_owned()))?;
    Err(End::Replayed(Box::new(execution)))
}

impl From<ExecutionError> for End {
    fn from(error: ExecutionError) -> Self {
        Self::Refused(error)
    }
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure.into())
    }
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        match error {
            // Two submissions of different repositories at once with one key: only one of them can have it.
            StoreError::Conflict(Constraint::Submission) => Self::Refused(ExecutionError::KeyReused),
            other => Self::Refused(other.into()),
        }
    }
}
