//! The life of tokens: issue, read, rename, rotate, revoke.

mod actor;
mod bulk;
mod exchanged;
mod governed;
mod issue;
mod keys;
mod leaked;
mod lookup;
mod own;
mod reach;
mod read;
mod revoke;
mod rotate;
mod secret;
mod usage;

use std::sync::Arc;

use sha2::{Digest, Sha256};
use storage::StoreError;
use storage::model::IdempotencyRecord;
use token_domain::id::{OrganizationId, TokenId};
use token_domain::scope::GrantError;
use token_domain::token::Status;
use token_domain::{ScopeCatalogue, ScopeSet, Timestamp};

pub use bulk::{BulkRequest, BulkRevoked, Chosen, MOST_NAMED, Mode};
pub use issue::{IssueRequest, Issued};
pub use keys::KeyRequest;
pub use read::{Cursor, ListRequest, Page};
pub use rotate::{RotateRequest, Rotated};
pub use usage::GrantedScope;

pub(crate) use actor::ActorToken;
pub(crate) use exchanged::{ExchangedToken, Terms};
pub(crate) use governed::{check_static, fallen_idle, govern_new};
pub(crate) use issue::owned_names;
pub(crate) use leaked::UnseenSecret;
pub(crate) use rotate::{first_use, reuse};
pub(crate) use secret::upgrade;

use crate::change::Change;
use crate::context::Context;
use crate::env::EntropyError;
use crate::error::Failure;
use crate::policies::PolicyBreach;
use crate::rights::Refused;

/// Why something asked of a token was not done.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The scopes asked for cannot be granted to anybody.
    #[error("{0}")]
    Scopes(#[from] GrantError),
    /// What is asked for goes beyond the caller's own scopes.
    #[error("beyond the caller's own scopes: {}", .missing.join(", "))]
    Excess {
        /// The scopes the caller lacks.
        missing: Vec<String>,
        /// The smallest sets of scopes that would do.
        accepted: Vec<Vec<String>>,
    },
    /// The caller is no token, where one is asked about itself.
    #[error("the caller is no token")]
    NotAToken,
    /// The caller is no person of the organisation, where one is asked about their own keys.
    #[error("the caller is no person")]
    NotAPerson,
    /// The organisation's policy does not allow it.
    #[error("against the organisation's policy: {0}")]
    Policy(#[from] PolicyBreach),
    /// The expiry asked for does not lie ahead.
    #[error("the expiry does not lie ahead")]
    ExpiryPassed,
    /// No such project in the organisation.
    #[error("no such project")]
    NoSuchProject,
    /// No such token in the caller's organisation.
    #[error("no such token")]
    NotFound,
    /// Another number of tokens than the caller expects.
    #[error("{matched} tokens match")]
    OtherCount {
        /// How many there are.
        matched: usize,
    },
    /// More tokens than one request may be about.
    #[error("more than {most} tokens match")]
    TooMany {
        /// The most there may be.
        most: usize,
    },
    /// The token's status does not allow it.
    #[error("the token is {0}")]
    WrongStatus(Status),
    /// The organisation has as many live tokens as it may.
    #[error("{used} of {cap} tokens used")]
    CapReached {
        /// Live tokens now.
        used: u32,
        /// The most there may be.
        cap: u32,
    },
    /// The person has as many keys in the organisation as one may have.
    #[error("key limit reached ({used}/{cap} keys)")]
    KeyCapReached {
        /// Live keys of the person.
        used: u32,
        /// The cap.
        cap: u32,
    },
    /// The idempotency key was used before for the same request.
    #[error("this request was carried out before")]
    Replayed {
        /// The token that was made then.
        token_id: TokenId,
    },
    /// The idempotency key was used before for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The caller lost the right during the request.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The service itself failed.
    #[error("{0}")]
    Failed(#[from] Failure),
}

impl From<StoreError> for TokenError {
    fn from(error: StoreError) -> Self {
        Self::Failed(Failure::Store(error))
    }
}

impl From<EntropyError> for TokenError {
    fn from(error: EntropyError) -> Self {
        Self::Failed(Failure::Entropy(error))
    }
}

/// The tokens of organisations.
pub struct Tokens {
    context: Arc<Context>,
}

impl Tokens {
    /// Over a context.
    pub fn new(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context) }
    }

    /// The moment, by this deployment's clock: what spans in requests are counted from.
    pub fn now(&self) -> Timestamp {
        self.context.now()
    }
}

/// A caller's key for a request that must not be carried out twice, with the digest of what was asked.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// The caller's key.
    pub key: String,
    /// SHA-256 of what was asked.
    pub request_digest: [u8; 32],
}

impl Idempotency {
    /// A key, and what was asked with it.
    pub fn new(key: &str, asked: &[u8]) -> Self {
        Self { key: key.to_owned(), request_digest: Sha256::digest(asked).into() }
    }
}

/// Looks a key up inside the transaction that would act on it.
async fn replayed(
    change: &mut Change<'_>,
    organization_id: OrganizationId,
    operation: &str,
    idempotency: &Idempotency,
) -> Result<(), TokenError> {
    let (principal, window) = (change.by(), change.context().policy.idempotency_window);
    let found = change.tx.idempotency(organization_id, principal, operation, &idempotency.key).await?;
    match found {
        None => Ok(()),
        Some(record) if record.created_at + window <= change.now => {
            change.tx.delete_idempotency(organization_id, principal, operation, &idempotency.key).await?;
            Ok(())
        }
        Some(record) if record.request_digest == idempotency.request_digest => {
            Err(TokenError::Replayed { token_id: record.token_id })
        }
        Some(_) => Err(TokenError::KeyReused),
    }
}

async fn remember(
    change: &mut Change<'_>,
    organization_id: OrganizationId,
    operation: &str,
    idempotency: Idempotency,
    made: TokenId,
) -> Result<(), StoreError> {
    let record = IdempotencyRecord {
        organization_id,
        principal: change.by(),
        operation: operation.to_owned(),
        key: idempotency.key,
        request_digest: idempotency.request_digest,
        token_id: made,
        created_at: change.now,
    };
    change.tx.insert_idempotency(&record).await
}

/// Nobody gains through a token what they lack: neither by making one nor by being shown the secret of another.
pub(crate) fn within(catalogue: &ScopeCatalogue, asked: ScopeSet, own: ScopeSet) -> Result<(), TokenError> {
    let excess = asked.difference(own);
    if excess.is_empty() {
        return Ok(());
    }
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    Err(TokenError::Excess {
        missing: owned(catalogue.names(excess)),
        accepted: catalogue.sufficient_names(asked).into_iter().map(owned).collect(),
    })
}
