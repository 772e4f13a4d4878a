//! Looking back: executions, repositories, and what a badge may say.

use storage::model::ExecutionFilter;
use token_domain::execution::{BranchName, Coverage, RepositoryName};
use token_domain::id::{ExecutionId, kind};
use token_domain::record::{Execution, Repository};
use token_domain::text::Slug;

use super::{ExecutionError, Executions, Named};
use crate::cursor::{self, cut};
use crate::error::Failure;
use crate::origin::Caller;

/// Where a page of executions begins.
pub type Cursor = cursor::Cursor<kind::Execution>;

/// Which executions to list.
#[derive(Clone, Debug)]
pub struct ListRequest {
    /// The caller's organisation, as they name it.
    pub organization: Named,
    /// The repository.
    pub repository: RepositoryName,
    /// At most this many.
    pub limit: u32,
    /// Where the page begins.
    pub after: Option<Cursor>,
}

/// A page of executions, newest first.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The executions.
    pub executions: Vec<Execution>,
    /// How many the repository has in all.
    pub total: u64,
    /// Where the next page begins; nothing when this is the last.
    pub next: Option<Cursor>,
}

/// A page of repositories, by name.
#[derive(Clone, Debug)]
pub struct RepositoryPage {
    /// The repositories.
    pub repositories: Vec<Repository>,
    /// The name the next page begins after; nothing when this is the last.
    pub next: Option<RepositoryName>,
}

impl Executions {
    /// A repository's executions. A repository nobody submitted has none.
    ///
    /// # Errors
    /// Another organisation's name.
    pub async fn list(&self, caller: &Caller, request: ListRequest) -> Result<Page, ExecutionError> {
        self.check_own(caller, &request.organization).await?;
        let ListRequest { organization: _, repository, limit, after } = request;
        let organization = caller.organization_id;
        let read = self.context.store.read(move |reads| {
            Box::pin(async move {
                let Some(repository) = reads.repository(organization, &repository).await? else { return Ok(None) };
                let filter = ExecutionFilter {
                    repository_id: repository.id,
                    after: after.map(|cursor| (cursor.created_at, cursor.id)),
                    // One more than asked tells whether there is another page.
                    limit: limit + 1,
                };
                Ok(Some((repository.execution_count, reads.list_executions(&filter).await?)))
            })
        });
        let Some((total, mut executions)) = read.await? else { return Ok(Page::default()) };
        let place = |execution: &Execution| Cursor { created_at: execution.created_at, id: execution.id };
        let next = cut(&mut executions, limit, place);
        Ok(Page { executions, total, next })
    }

    /// An execution of the caller's organisation.
    ///
    /// # Errors
    /// No such execution.
    pub async fn get(&self, caller: &Caller, id: ExecutionId) -> Result<Execution, ExecutionError> {
        let organization = caller.organization_id;
        let found = self.context.store.read(move |reads| Box::pin(reads.execution(organization, id))).await?;
        found.ok_or(ExecutionError::NotFound)
    }

    /// The repositories of the caller's organisation.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn repositories(
        &self,
        caller: &Caller,
        after: Option<RepositoryName>,
        limit: u32,
    ) -> Result<RepositoryPage, ExecutionError> {
        let organization = caller.organization_id;
        let read = self.context.store.read(move |reads| {
            Box::pin(async move { reads.list_repositories(organization, after.as_ref(), limit + 1).await })
        });
        let mut repositories = read.await?;
        let next = cut(&mut repositories, limit, |last| last.name.clone());
        Ok(RepositoryPage { repositories, next })
    }

    /// The public facts of a repository: the coverage of its last submission, over all branches or on one. Nothing if there is
    /// none, without a reason.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn published(
        &self,
        organization: Slug,
        repository: RepositoryName,
        branch: Option<BranchName>,
    ) -> Result<Option<Coverage>, Failure> {
        let read = self.context.store.read(move |reads| {
            Box::pin(async move { reads.published_coverage(&organization, &repository, branch.as_ref()).await })
        });
        Ok(read.await?)
    }
}
