//! Why something asked of a project, an access scope or an actor was not done.

use storage::{Constraint, StoreError};
use token_domain::access::InvalidTopic;
use token_domain::id::ActorId;

use crate::env::EntropyError;
use crate::error::Failure;
use crate::rights::Refused;
use crate::tokens::TokenError;
use token_domain::tenant::ActorStatus;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum TenancyError {
    /// Not there for this caller: absent, of another organisation or project, or outside the caller's own boundary.
    #[error("no such project or access scope")]
    NotFound,
    /// The credential belongs to no project, and the request names none.
    #[error("the credential is bound to no project")]
    NotBound,
    /// The credential is confined to a project or an access scope, and this reaches beyond it.
    #[error("the credential is confined")]
    Confined,
    /// The slug is in use.
    #[error("the slug is taken")]
    SlugTaken,
    /// A slug never changes.
    #[error("the slug cannot be changed")]
    SlugFixed,
    /// It still has actors, and the caller asked to be stopped in that case.
    #[error("{actors} actors are assigned")]
    Assigned {
        /// How many.
        actors: u64,
    },
    /// The project has no such access scope to put an actor in.
    #[error("no such access scope in the project")]
    NoSuchAccessScope,
    /// The project lacks some of the actors named.
    #[error("no such actors in the project")]
    NoSuchActors(Vec<ActorId>),
    /// The expiry asked for does not lie ahead.
    #[error("the expiry does not lie ahead")]
    ExpiryPassed,
    /// An actor that does not count gets no new token.
    #[error("the actor is {0}")]
    NotActive(ActorStatus),
    /// The topic is invalid once the slug is put in front of it.
    #[error("the topic {0}")]
    Topic(#[from] InvalidTopic),
    /// About the actor's token.
    #[error("{0}")]
    Token(#[from] TokenError),
    /// The caller lost the right during the request.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The service itself failed.
    #[error("{0}")]
    Failed(#[from] Failure),
}

impl From<StoreError> for TenancyError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(Constraint::ProjectSlug | Constraint::AccessScopeSlug) => Self::SlugTaken,
            other => Self::Failed(Failure::Store(other)),
        }
    }
}

impl From<EntropyError> for TenancyError {
    fn from(error: EntropyError) -> Self {
        Self::Failed(Failure::Entropy(error))
    }
}
