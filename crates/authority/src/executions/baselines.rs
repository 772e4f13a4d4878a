//! Baselines: what is in force, what was, and setting one by hand.

use token_domain::Timestamp;
use token_domain::execution::{CommitHash, Coverage, RepositoryName};
use token_domain::record::Baseline;

use super::{ExecutionError, Executions, Named};
use crate::change::Ask;
use crate::cursor::cut;
use crate::origin::{Caller, Origin};

/// A baseline to put in force.
#[derive(Clone, Debug)]
pub struct NewBaseline {
    /// The coverage.
    pub coverage: Coverage,
    /// The commit it was measured on.
    pub commit: Option<CommitHash>,
    /// When it was measured; now, if not said.
    pub measured_at: Option<Timestamp>,
}

/// A page of baselines, newest first.
#[derive(Clone, Debug)]
pub struct BaselinePage {
    /// The baselines.
    pub baselines: Vec<Baseline>,
    /// The number the next page begins before; nothing when this is the last.
    pub next: Option<i64>,
}

impl NewBaseline {
    /// Whether setting it would change nothing.
    fn is_in_force(&self, current: &Baseline) -> bool {
        self.coverage == current.coverage
            && self.commit == current.commit
            && self.measured_at.is_none_or(|at| at == current.measured_at)
    }
}

impl Executions {
    /// The baseline in force.
    ///
    /// # Errors
    /// Another organisation's name; a repository without a baseline.
    pub async fn baseline(
        &self,
        caller: &Caller,
        organization: Named,
        repository: RepositoryName,
    ) -> Result<Baseline, ExecutionError> {
        self.check_own(caller, &organization).await?;
        let organization = caller.organization_id;
        let read = self.context.store.read(move |reads| {
            Box::pin(async move {
                match reads.repository(organization, &repository).await? {
                    Some(repository) => reads.baseline(repository.id).await,
                    None => Ok(None),
                }
            })
        });
        read.await?.ok_or(ExecutionError::NotFound)
    }

    /// Puts a baseline in force, in a repository that is registered if it was not. What is in force already stays as it is,
    /// so that a repeated request changes nothing and leaves no second row in the history and the audit trail.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn set_baseline(
        &self,
        caller: &Caller,
        repository: RepositoryName,
        new: NewBaseline,
        origin: &Origin,
    ) -> Result<Baseline, ExecutionError> {
        let organization = caller.organization_id;
        self.context
            .change(Ask::by(caller, origin), move |change| {
                Box::pin(async move {
                    let (now, by) = (change.now, change.by());
                    let id = change.context().id(now)?;
                    let repository = change.tx.register_repository(id, organization, &repository, now).await?;
                    let current = change.tx.baseline(repository.id).await?;
                    if let Some(current) = current.as_ref().filter(|current| new.is_in_force(current)) {
                        return Ok::<_, ExecutionError>(current.clone());
                    }
                    let baseline = Baseline {
                        repository_id: repository.id,
                        seq: current.as_ref().map_or(1, |current| current.seq + 1),
                        coverage: new.coverage,
                        commit: new.commit,
                        measured_at: new.measured_at.unwrap_or(now),
                        set_at: now,
                        set_by: by,
                    };
                    change.tx.append_baseline(&baseline).await?;
                    let event = change
                        .event("baseline.set")
                        .on("repository", repository.id)
                        .with("repo", repository.name.as_str())
                        .with("coverage", baseline.coverage.to_string())
                        .with("commit", baseline.commit.as_ref().map(CommitHash::as_str))
                        .with("previous", current.map(|current| current.coverage.to_string()));
                    change.record(event).await?;
                    Ok(baseline)
                })
            })
            .await
    }

    /// The baselines a repository had, newest first.
    ///
    /// # Errors
    /// No such repository.
    pub async fn baseline_history(
        &self,
        caller: &Caller,
        repository: RepositoryName,
        before: Option<i64>,
        limit: u32,
    ) -> Result<BaselinePage, ExecutionError> {
        let organization = caller.organization_id;
        let read = self.context.store.read(move |reads| {
            Box::pin(async move {
                match reads.repository(organization, &repository).await? {
                    Some(repository) => reads.baseline_history(repository.id, before, limit + 1).await.map(Some),
                    None => Ok(None),
                }
            })
        });
        let mut baselines = read.await?.ok_or(ExecutionError::NotFound)?;
        let next = cut(&mut baselines, limit, |last| last.seq);
        Ok(BaselinePage { baselines, next })
    }
}
