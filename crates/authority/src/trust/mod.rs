//! Trust policies: an organisation says which workloads of an identity provider get short-lived tokens for their identity
//! tokens, so that nothing has to be stored where they run.
//!
//! A policy belongs to the organisation, like its tokens, and stays when its author leaves. It never has more scopes than
//! its author, or the last person or token to change it, had.

mod edit;
mod exchange;
mod explain;
mod issuers;
pub mod jwt;
mod static_tokens;

use std::sync::Arc;

use storage::StoreError;
use token_domain::Timestamp;
use token_domain::id::{OrganizationId, TrustPolicyId};
use token_domain::record::{TrustAttempt, TrustPolicy};
use token_domain::trust::InvalidTrust;

pub use edit::{NewTrustPolicy, TrustPolicyEdit};
pub use exchange::{Asked, ExchangeError, Exchanged, Target};
pub use explain::{Evidence, Explained, ExplainedPolicy, Look};
pub use issuers::{FindingKeys, Issuers};
pub use static_tokens::StaticToken;

use crate::change::Change;
use crate::context::Context;
use crate::error::Failure;
use crate::leaks::limiter::ReportLimiter;
use crate::limits::SharedLimit;
use crate::origin::Caller;
use crate::rights::Refused;
use crate::tokens::TokenError;

/// How many policies an organisation may have.
pub const MOST_POLICIES: u32 = 100;
/// How many attempts under a policy are kept.
pub const KEPT_ATTEMPTS: u32 = 100;

/// Up to how many static tokens are counted.
pub const MOST_COUNTED: u32 = 1_000;

/// The trust policies of organisations, and exchanges under them.
pub struct Trust {
    context: Arc<Context>,
    /// What `aud` must be where a policy does not say: the public address of the deployment.
    audience: Option<String>,
    exchanges: ReportLimiter,
}

/// Why something asked of a trust policy was not done.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// No such policy in the caller's organisation, or another organisation.
    #[error("no such trust policy")]
    NotFound,
    /// The caller is bound to a project, and policies are the organisation's.
    #[error("the caller is bound to a project")]
    Confined,
    /// The organisation has as many as it may.
    #[error("the organisation has {MOST_POLICIES} trust policies")]
    TooMany,
    /// Issuer, preset and conditions do not fit together.
    #[error("{0}")]
    Invalid(#[from] InvalidTrust),
    /// No audience in the policy, and none of the deployment.
    #[error("no audience")]
    AudienceNeeded,
    /// No such actor in the project of the policy.
    #[error("no such actor")]
    NoSuchActor,
    /// The text to be tested is no identity token.
    #[error("the token {0}")]
    NotAJwt(#[from] jwt::JwtError),
    /// Scopes that cannot be granted, or not by this caller; no such project.
    #[error("{0}")]
    Token(#[from] TokenError),
    /// The caller lost the right during the request.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The service itself failed.
    #[error("{0}")]
    Failed(#[from] Failure),
}

impl From<StoreError> for TrustError {
    fn from(error: StoreError) -> Self {
        Self::Failed(Failure::Store(error))
    }
}

impl Trust {
    /// Over a context. Each address may exchange so often an hour.
    pub fn new(context: &Arc<Context>, audience: Option<&str>, exchanges_an_hour: u32) -> Self {
        Self {
            context: Arc::clone(context),
            audience: audience.map(str::to_owned),
            exchanges: ReportLimiter::shared(exchanges_an_hour, SharedLimit::TokenExchanges, &context.shared_tally),
        }
    }

    /// What `aud` must be under a policy.
    pub fn audience_of<'p>(&'p self, policy: &'p TrustPolicy) -> Option<&'p str> {
        policy.audience.as_deref().or(self.audience.as_deref())
    }

    /// All policies of the caller's organisation, oldest first.
    ///
    /// # Errors
    /// Another organisation.
    pub async fn list(&self, caller: &Caller, organization: OrganizationId) -> Result<Vec<TrustPolicy>, TrustError> {
        check_place(caller, organization)?;
        self.all(organization).await
    }

    async fn all(&self, organization: OrganizationId) -> Result<Vec<TrustPolicy>, TrustError> {
        let read = self
            .context
            .store
            .read(move |reads| Box::pin(async move { reads.list_trust_policies(organization, MOST_POLICIES).await }));
        Ok(read.await?)
    }

    /// One of them.
    ///
    /// # Errors
    /// No such policy.
    pub async fn get(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        id: TrustPolicyId,
    ) -> Result<TrustPolicy, TrustError> {
        check_place(caller, organization)?;
        let read = self.context.store.read(move |reads| Box::pin(reads.trust_policy(organization, id)));
        read.await?.ok_or(TrustError::NotFound)
    }

    /// How many live tokens of the organisation are static: not made under a trust policy. Not counted beyond
    /// [`MOST_COUNTED`].
    ///
    /// # Errors
    /// Another organisation.
    pub async fn static_tokens(&self, caller: &Caller, organization: OrganizationId) -> Result<usize, TrustError> {
        check_place(caller, organization)?;
        let now = self.context.now();
        let read = self.context.store.read(move |reads| {
            Box::pin(async move { reads.count_static_tokens(organization, now, MOST_COUNTED + 1).await })
        });
        Ok(read.await?)
    }

    /// The last attempts under a policy, newest first.
    ///
    /// # Errors
    /// No such policy.
    pub async fn attempts(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        id: TrustPolicyId,
    ) -> Result<Vec<TrustAttempt>, TrustError> {
        self.get(caller, organization, id).await?;
        let read = self
            .context
            .store
            .read(move |reads| Box::pin(async move { reads.list_trust_attempts(id, KEPT_ATTEMPTS).await }));
        Ok(read.await?)
    }
}

/// A policy in force under which exchanges failed lately.
#[derive(Clone, Debug)]
pub struct FailingPolicy {
    /// The policy.
    pub policy: TrustPolicy,
    /// The last attempt that failed.
    pub last: TrustAttempt,
    /// How many failed, of the last [`KEPT_ATTEMPTS`] of the organisation that did.
    pub failures: usize,
}

impl Trust {
    /// The policies in force under which exchanges failed since a moment, the latest failure first.
    ///
    /// # Errors
    /// Another organisation.
    pub async fn failing(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        since: Timestamp,
    ) -> Result<Vec<FailingPolicy>, TrustError> {
        check_place(caller, organization)?;
        let read = self.context.store.read(move |reads| {
            Box::pin(async move { reads.failed_trust_attempts(organization, since, KEPT_ATTEMPTS).await })
        });
        let mut failing: Vec<FailingPolicy> = Vec::new();
        let attempts = read.await?;
        let policies = if attempts.is_empty() { Vec::new() } else { self.all(organization).await? };
        for attempt in attempts {
            match failing.iter_mut().find(|one| one.policy.id == attempt.policy_id) {
                Some(known) => known.failures += 1,
                None => failing.extend(
                    policies.iter().find(|policy| policy.id == attempt.policy_id).map(|policy| FailingPolicy {
                        policy: policy.clone(),
                        last: attempt.clone(),
                        failures: 1,
                    }),
                ),
            }
        }
        Ok(failing)
    }
}

/// A policy is about the whole organisation.
fn check_place(caller: &Caller, organization: OrganizationId) -> Result<(), TrustError> {
    if caller.organization_id != organization {
        return Err(TrustError::NotFound);
    }
    if caller.reaches_whole_organization() { Ok(()) } else { Err(TrustError::Confined) }
}

/// Looks again, within the change.
fn check_still(change: &Change<'_>, organization: OrganizationId) -> Result<(), TrustError> {
    change.check_not_superseded()?;
    check_place(change.caller()?, organization)
}
