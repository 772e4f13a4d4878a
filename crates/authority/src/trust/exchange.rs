//! The exchange itself (RFC 8693): an identity token in, a token of ours out.
//!
//! Cheap checks come before expensive ones: a text that is no token, or a token of an issuer that no policy trusts, costs
//! neither a request to another server nor the verification of a signature. One change makes the new token, under the policy
//! as it is at that moment, and spends the identity token: of two concurrent requests with it, one gets a token.

use storage::{Constraint, StoreError};
use token_domain::Timestamp;
use token_domain::id::{OrganizationId, TrustPolicyId};
use token_domain::record::{Principal, TrustAttempt, TrustOutcome, TrustPolicy};
use token_domain::scope::{GrantError, Grants};
use token_domain::tenant::ActorStatus;
use token_domain::text::Slug;
use token_format::PlainToken;

use super::Trust;
use super::edit::{granted, kind_of};
use super::jwt::{Jwt, JwtError, KeySet};
use crate::change::{Ask, Change};
use crate::context::Context;
use crate::error::Failure;
use crate::limits::TooManyAttempts;
use crate::origin::Origin;
use crate::records::{Actor, Token};
use crate::rights::Refused;
use crate::tokens::{ExchangedToken, Terms, TokenError};

/// How many policies are looked at for a request that names neither a policy nor an organisation.
const MOST_CANDIDATES: u32 = 1_000;
/// How many policies an attempt that failed is recorded under.
const MOST_NOTED: usize = 10;

/// The parameters of a request besides the identity token.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Under this policy.
    pub policy: Option<TrustPolicyId>,
    /// In this organisation.
    pub target: Option<Target>,
    /// With these scopes; nothing for all of the policy.
    pub scopes: Option<Vec<String>>,
}

/// The organisation the token is to be of.
#[derive(Clone, Debug)]
pub enum Target {
    /// By its id.
    Id(OrganizationId),
    /// By its slug.
    Slug(Slug),
}

/// The result of an exchange. The secret exists nowhere else.
#[derive(Debug)]
pub struct Exchanged {
    /// The token.
    pub token: Token,
    /// Its secret.
    pub secret: PlainToken,
    /// The policy it was made under.
    pub policy: TrustPolicyId,
}

/// Why nothing was exchanged.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// Too many from this address.
    #[error(transparent)]
    TooMany(#[from] TooManyAttempts),
    /// The identity token cannot be accepted.
    #[error("the identity token {0}")]
    Jwt(#[from] JwtError),
    /// No policy speaks of the issuer.
    #[error("no trust policy for the issuer")]
    UnknownIssuer,
    /// No such organisation.
    #[error("no such organisation")]
    UnknownTarget,
    /// The identity token is for somebody else.
    #[error("the identity token is for another audience")]
    Audience,
    /// No policy fits, or the one that was named does not.
    #[error("no trust policy fits")]
    NoPolicy,
    /// A policy fits, and does not name this sort of job.
    #[error("{0}")]
    RefusedByDefault(&'static str),
    /// Several policies fit, none of them better than the others, or of several organisations.
    #[error("several trust policies fit")]
    Ambiguous,
    /// It was exchanged before.
    #[error("the identity token was exchanged before")]
    Replayed,
    /// Scopes beyond those of the policy, or none that there are.
    #[error("beyond the scopes of the trust policy")]
    Scopes,
    /// The project or the actor of the policy is gone or switched off, or the organisation is.
    #[error("what the trust policy makes tokens for is gone")]
    Gone,
    /// The organisation's cap or its token policy.
    #[error("{0}")]
    Token(TokenError),
    /// The service itself failed.
    #[error("{0}")]
    Failed(#[from] Failure),
}

impl From<StoreError> for ExchangeError {
    fn from(error: StoreError) -> Self {
        Self::Failed(Failure::Store(error))
    }
}

impl From<Refused> for ExchangeError {
    fn from(_: Refused) -> Self {
        Self::NoPolicy
    }
}

impl From<TokenError> for ExchangeError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Failed(Failure::Store(StoreError::Conflict(Constraint::Reference(_)))) => Self::Gone,
            TokenError::Failed(failure) => Self::Failed(failure),
            TokenError::Scopes(_) => Self::Scopes,
            other => Self::Token(other),
        }
    }
}

impl ExchangeError {
    /// What an attempt is recorded as; nothing where it is no fault of the one who asked.
    const fn outcome(&self) -> Option<TrustOutcome> {
        match self {
            Self::Audience => Some(TrustOutcome::Audience),
            Self::Jwt(JwtError::Expired | JwtError::TooEarly | JwtError::TooOld) => Some(TrustOutcome::Time),
            Self::NoPolicy => Some(TrustOutcome::Claims),
            Self::RefusedByDefault(_) => Some(TrustOutcome::Refused),
            Self::Ambiguous => Some(TrustOutcome::Ambiguous),
            Self::Replayed => Some(TrustOutcome::Replayed),
            Self::Scopes => Some(TrustOutcome::Scopes),
            Self::Gone | Self::Token(_) => Some(TrustOutcome::Limits),
            Self::TooMany(_) | Self::Jwt(_) | Self::UnknownIssuer | Self::UnknownTarget | Self::Failed(_) => None,
        }
    }
}

impl Trust {
    /// The policies that may apply to a token that was read, none of which is verified yet.
    ///
    /// # Errors
    /// Too many exchanges from this address; no policy for the issuer, or not the one that was named.
    pub async fn candidates(
        &self,
        jwt: &Jwt,
        asked: &Asked,
        origin: &Origin,
    ) -> Result<Vec<TrustPolicy>, ExchangeError> {
        self.exchanges.admit(origin.client_ip, self.context.steady()).await?;
        let issuer = jwt.issuer()?.to_owned();
        let organization = match &asked.target {
            None => None,
            Some(target) => Some(self.organization(target).await?),
        };
        if let Some(id) = asked.policy {
            let found = self.context.store.read(move |reads| Box::pin(reads.trust_policy_by_id(id))).await?;
            let fits = |policy: &TrustPolicy| {
                policy.issuer == issuer && organization.is_none_or(|asked| asked == policy.organization_id)
            };
            return found.filter(fits).map(|policy| vec![policy]).ok_or(ExchangeError::NoPolicy);
        }
        let read = self.context.store.read(move |reads| {
            Box::pin(async move { reads.trust_policies_of_issuer(&issuer, organization, MOST_CANDIDATES + 1).await })
        });
        let found: Vec<TrustPolicy> = read.await?;
        match found.len() {
            0 => Err(ExchangeError::UnknownIssuer),
            many if many > usize::try_from(MOST_CANDIDATES).unwrap_or(usize::MAX) => Err(ExchangeError::Ambiguous),
            _ => Ok(found),
        }
    }

    async fn organization(&self, target: &Target) -> Result<OrganizationId, ExchangeError> {
        let target = target.clone();
        let read = self.context.store.read(move |reads| {
            Box::pin(async move {
                match &target {
                    Target::Id(id) => reads.organization(*id).await,
                    Target::Slug(slug) => reads.organization_by_slug(slug).await,
                }
            })
        });
        Ok(read.await?.ok_or(ExchangeError::UnknownTarget)?.id)
    }

    /// Exchanges a token under one of its candidates, if a key of its issuer signed it.
    ///
    /// # Errors
    /// The reason for the refusal. A failure that concerns a policy which matches the workload is recorded with that policy.
    pub async fn exchange(
        &self,
        jwt: &Jwt,
        keys: &KeySet,
        candidates: &[TrustPolicy],
        asked: &Asked,
        origin: &Origin,
    ) -> Result<Exchanged, ExchangeError> {
        jwt.verify(keys)?;
        let ended = self.judged(jwt, candidates, asked, origin).await;
        if let Err(error) = &ended
            && let Some(outcome) = error.outcome()
        {
            let noted = self.note(jwt, candidates, asked, outcome, origin).await;
            if let Err(error) = noted {
                tracing::warn!(%error, "an attempt to exchange an identity token could not be recorded");
            }
        }
        ended
    }

    /// Of a token that its issuer signed.
    async fn judged(
        &self,
        jwt: &Jwt,
        candidates: &[TrustPolicy],
        asked: &Asked,
        origin: &Origin,
    ) -> Result<Exchanged, ExchangeError> {
        let audience = jwt.audience()?;
        let ours: Vec<&TrustPolicy> =
            candidates.iter().filter(|policy| self.audience_of(policy) == Some(audience)).collect();
        if ours.is_empty() {
            return Err(ExchangeError::Audience);
        }
        let keep_until = jwt.check_time(self.context.wall())?;
        let policy = choose(jwt.claims(), &ours)?;
        // Before the slow hash: the scopes that are asked for may not be there.
        grants(&self.context, policy, asked.scopes.as_deref())?;
        let made = ExchangedToken::make(&self.context, policy.id).await?;
        let mint = Mint {
            policy: policy.clone(),
            claims: jwt.claims().clone(),
            identity: jwt.identity(),
            keep_until,
            subject: jwt.text("sub").map(|subject| cut(subject, 512)),
            scopes: asked.scopes.clone(),
            made,
        };
        let ask = Ask::of(Principal::Policy(policy.id), Some(policy.organization_id), origin).making(kind_of(policy));
        self.context.change(ask, move |change| Box::pin(mint.run(change))).await
    }

    /// Records an attempt that failed, under the policies it was meant for.
    async fn note(
        &self,
        jwt: &Jwt,
        candidates: &[TrustPolicy],
        asked: &Asked,
        outcome: TrustOutcome,
        origin: &Origin,
    ) -> Result<(), ExchangeError> {
        let is_meant = |policy: &&TrustPolicy| {
            asked.policy.is_some() && candidates.len() == 1 || policy.preset.is_about(&policy.conditions, jwt.claims())
        };
        let now = self.context.now();
        let mut attempts = Vec::new();
        for policy in candidates.iter().filter(is_meant).take(MOST_NOTED) {
            let differing = policy.conditions.judge(jwt.claims()).into_iter().find(|judged| !judged.is_met);
            let (outcome, claim) = match (outcome, policy.is_enabled) {
                (_, false) => (TrustOutcome::Disabled, None),
                (TrustOutcome::Claims, true) => (outcome, differing.map(|judged| judged.claim)),
                (other, true) => (other, None),
            };
            attempts.push(TrustAttempt {
                policy_id: policy.id,
                id: self.context.id(now)?,
                at: now,
                outcome,
                claim,
                subject: jwt.text("sub").map(|subject| cut(subject, 512)),
                address: origin.client_ip.map(|address| address.to_string()),
                token_id: None,
            });
        }
        if attempts.is_empty() {
            return Ok(());
        }
        let written = self.context.store.write(move |tx| {
            Box::pin(async move {
                for attempt in &attempts {
                    tx.insert_trust_attempt(attempt, super::KEPT_ATTEMPTS).await?;
                }
                Ok::<_, ExchangeError>(())
            })
        });
        written.await
    }
}

/// The policy to exchange under, of those whose audience the token has.
pub(super) fn choose<'p>(
    claims: &serde_json::Map<String, serde_json::Value>,
    candidates: &[&'p TrustPolicy],
) -> Result<&'p TrustPolicy, ExchangeError> {
    let meets = |policy: &&&TrustPolicy| policy.is_enabled && policy.conditions.are_met_by(claims);
    let met: Vec<&'p TrustPolicy> = candidates.iter().filter(meets).copied().collect();
    let refusal = |policy: &TrustPolicy| policy.preset.refusal(&policy.conditions, claims);
    let fitting: Vec<&'p TrustPolicy> = met.iter().filter(|policy| refusal(policy).is_none()).copied().collect();
    let Some(best) = fitting.iter().copied().max_by_key(|policy| policy.conditions.weight()) else {
        let refused = met.iter().find_map(|policy| refusal(policy));
        return Err(refused.map_or(ExchangeError::NoPolicy, |refusal| ExchangeError::RefusedByDefault(refusal.why)));
    };
    // Anybody may make a policy about the workloads of others: which organisation is meant, only the workload can say.
    let is_elsewhere = |policy: &&TrustPolicy| policy.organization_id != best.organization_id;
    let ties = fitting.iter().filter(|policy| policy.conditions.weight() == best.conditions.weight()).count();
    if ties > 1 || fitting.iter().any(is_elsewhere) {
        return Err(ExchangeError::Ambiguous);
    }
    Ok(best)
}

/// The scopes of the new token: the requested ones, which must lie within the policy's, or all of the policy's.
fn grants(context: &Context, policy: &TrustPolicy, asked: Option<&[String]>) -> Result<Grants, ExchangeError> {
    let all = granted(context, policy)?;
    let Some(asked) = asked else { return Ok(all) };
    let grants = context.catalogue.grant(asked, kind_of(policy)).map_err(|_: GrantError| ExchangeError::Scopes)?;
    let is_within = grants.effective().difference(all.effective()).is_empty();
    if is_within { Ok(grants) } else { Err(ExchangeError::Scopes) }
}

/// A token about to be made, with the secret that was hashed before its change began.
struct Mint {
    policy: TrustPolicy,
    claims: serde_json::Map<String, serde_json::Value>,
    identity: [u8; 32],
    keep_until: Timestamp,
    subject: Option<String>,
    scopes: Option<Vec<String>>,
    made: ExchangedToken,
}

impl Mint {
    async fn run(self, change: &mut Change<'_>) -> Result<Exchanged, ExchangeError> {
        let context = change.context();
        // Read the policy again: edits of policies take the lock that this change holds.
        let (organization, id) = (self.policy.organization_id, self.policy.id);
        let policy = change.tx.trust_policy(organization, id).await?.ok_or(ExchangeError::NoPolicy)?;
        let is_same = policy.is_enabled
            && policy.audience == self.policy.audience
            && kind_of(&policy) == kind_of(&self.policy)
            && policy.conditions.are_met_by(&self.claims)
            && policy.preset.refusal(&policy.conditions, &self.claims).is_none();
        if !is_same {
            return Err(ExchangeError::NoPolicy);
        }
        let home = change.tx.organization(organization).await?;
        if home.is_none_or(|organization| organization.disabled_at.is_some()) {
            return Err(ExchangeError::Gone);
        }
        let actor = actor_of(change, &policy).await?;
        let grants = grants(&context, &policy, self.scopes.as_deref())?;
        if !change.tx.spend_identity(&self.identity, self.keep_until).await? {
            return Err(ExchangeError::Replayed);
        }
        let terms = Terms { policy: &policy, actor: actor.as_ref(), grants: &grants, subject: self.subject.as_deref() };
        let (secret, token) = self.made.store(change, terms).await?;
        let attempt = TrustAttempt {
            policy_id: id,
            id: context.id(change.now)?,
            at: change.now,
            outcome: TrustOutcome::Exchanged,
            claim: None,
            subject: self.subject,
            address: change.origin.client_ip.map(|address| address.to_string()),
            token_id: Some(token.id),
        };
        change.tx.insert_trust_attempt(&attempt, super::KEPT_ATTEMPTS).await?;
        Ok(Exchanged { token, secret, policy: id })
    }
}

async fn actor_of(change: &mut Change<'_>, policy: &TrustPolicy) -> Result<Option<Actor>, ExchangeError> {
    let Some(id) = policy.actor_id else { return Ok(None) };
    let project = policy.project_id.ok_or(ExchangeError::Gone)?;
    if change.tx.project(policy.organization_id, project).await?.is_none() {
        return Err(ExchangeError::Gone);
    }
    let actor = change.tx.actor(project, id).await?.ok_or(ExchangeError::Gone)?;
    match ActorStatus::at(actor.disabled_at, actor.expires_at, change.now) {
        ActorStatus::Active => Ok(Some(actor)),
        ActorStatus::Disabled | ActorStatus::Expired => Err(ExchangeError::Gone),
    }
}

/// The beginning of a text.
fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
