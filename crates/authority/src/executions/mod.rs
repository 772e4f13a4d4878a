//! Coverage executions: what a build submits, what it is measured against, and what it is told.
//!
//! Everything belongs to the caller's organisation. Submissions are facts about source code and take no rights from
//! anybody, so they leave no row in the audit trail; a baseline set by hand decides what later builds are told, and does.

mod baselines;
mod forget;
mod read;
mod submit;

use std::sync::Arc;

use storage::StoreError;
use token_domain::id::OrganizationId;
use token_domain::text::Slug;

pub use baselines::{BaselinePage, NewBaseline};
pub use read::{Cursor, ListRequest, Page, RepositoryPage};
pub use submit::{Measurement, Submission, Submitted};

use crate::context::Context;
use crate::env::EntropyError;
use crate::error::Failure;
use crate::origin::Caller;
use crate::rights::Refused;

/// Why something asked of executions was not done.
#[derive(Debug, thiserror::Error)]
pub enum ExecutionError {
    /// The organisation named is not the caller's, whether it exists or not.
    #[error("not the caller's organisation")]
    ForeignOrganization,
    /// No such execution, repository or baseline in the caller's organisation.
    #[error("no such execution or repository")]
    NotFound,
    /// The idempotency key was used before for another submission.
    #[error("the idempotency key was used for another submission")]
    KeyReused,
    /// The caller lost the right during the request.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The service itself failed.
    #[error("{0}")]
    Failed(#[from] Failure),
}

impl From<StoreError> for ExecutionError {
    fn from(error: StoreError) -> Self {
        Self::Failed(Failure::Store(error))
    }
}

impl From<EntropyError> for ExecutionError {
    fn from(error: EntropyError) -> Self {
        Self::Failed(Failure::Entropy(error))
    }
}

/// Executions, repositories and baselines.
pub struct Executions {
    context: Arc<Context>,
}

/// An organisation as a caller names their own: by slug, or by its id, which is what a token's validation shows.
#[derive(Clone, Debug)]
pub struct Named(String);

impl Named {
    /// Takes the name as sent.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Whether this names the organisation of that slug and id.
    fn is(&self, slug: &Slug, id: OrganizationId) -> bool {
        self.0 == slug.as_str() || OrganizationId::parse(&self.0) == Ok(id)
    }
}

impl Executions {
    /// Over a context.
    pub fn new(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context) }
    }

    /// Refuses a name that is not the caller's own organisation's. Nothing else is looked up, so nothing can be learned
    /// about other organisations.
    async fn check_own(&self, caller: &Caller, named: &Named) -> Result<(), ExecutionError> {
        let id = caller.organization_id;
        let own = self.context.store.read(move |reads| Box::pin(reads.organization(id))).await?;
        match own {
            Some(own) if named.is(&own.slug, own.id) => Ok(()),
            Some(_) | None => Err(ExecutionError::ForeignOrganization),
        }
    }
}
