//! Tokens that workloads get for their identity tokens, under a trust policy. Each unit of work that uses these functions is
//! the exchange's own; what they add to it is the token, its place under the cap and its audit row.

use storage::model::Touched;
use token_domain::Span;
use token_domain::access::Metadata;
use token_domain::id::TrustPolicyId;
use token_domain::record::{Actor, NewToken, Principal, StoredSecret, Token, TokenDetails, TokenOwner, TrustPolicy};
use token_domain::scope::Grants;
use token_domain::token::{Lifetime, TokenFacts};
use token_format::PlainToken;

use super::governed::{govern_actor, govern_new};
use super::issue::{created, owned_names, within_cap};
use super::{TokenError, secret};
use crate::change::Change;
use crate::context::Context;
use crate::error::Failure;

/// The secret of a workload's token that is not stored yet. Its slow hash is already computed.
pub(crate) struct ExchangedToken {
    secret: PlainToken,
    stored: StoredSecret,
}

/// The owner and the scopes of the new token.
pub(crate) struct Terms<'t> {
    pub(crate) policy: &'t TrustPolicy,
    /// The actor of the policy, if it names one.
    pub(crate) actor: Option<&'t Actor>,
    pub(crate) grants: &'t Grants,
    /// The workload's `sub`, as its issuer states it.
    pub(crate) subject: Option<&'t str>,
}

impl ExchangedToken {
    /// Makes the secret.
    pub(crate) async fn make(context: &Context, policy: TrustPolicyId) -> Result<Self, Failure> {
        let (secret, stored) = secret::make(context, Principal::Policy(policy)).await?;
        Ok(Self { secret, stored })
    }

    /// Stores the token, in a change that said it makes one of the policy's kind. It has a fixed end: a token that may renew
    /// itself would otherwise outlive the policy.
    pub(crate) async fn store(
        self,
        change: &mut Change<'_>,
        terms: Terms<'_>,
    ) -> Result<(PlainToken, Token), TokenError> {
        let Terms { policy, actor, grants, subject } = terms;
        let (context, now) = (change.context(), change.now);
        let wanted = now + Span::seconds(policy.ttl_seconds);
        let ends_at = actor.and_then(|actor| actor.expires_at).map_or(wanted, |end| end.min(wanted));
        let owner = actor.map_or(TokenOwner::Organization, |actor| TokenOwner::Actor(actor.id));
        let (id, organization, name) = (context.id(now)?, policy.organization_id, policy.name.clone());
        let facts = TokenFacts::new(now, Some(ends_at));
        let mut token = Token {
            scopes: owned_names(&context, grants),
            project_id: actor.map_or(policy.project_id, |actor| Some(actor.project_id)),
            details: TokenDetails { metadata: about(policy, subject), ..TokenDetails::default() },
            ..Token::new(id, organization, owner, name, facts, change.by(), self.secret.hint())
        };
        match actor {
            Some(_) => govern_actor(&context, change.terms(), &token)?,
            None => govern_new(&context, change.terms(), &mut token, grants, Lifetime::Until(ends_at))?,
        }
        within_cap(change, &token).await?;
        change.touch(Touched::Created(token.id));
        let new = NewToken { token, secret: self.stored };
        change.tx.insert_token(&new).await?;
        let token = new.token;
        let event = created(change, &token).with("trust_policy", policy.id.to_string());
        let event = match subject {
            Some(subject) => event.with("subject", subject),
            None => event,
        };
        change.record(event).await?;
        Ok((self.secret, token))
    }
}

/// Metadata that tells a gateway about the workload; nothing if it would be too long.
fn about(policy: &TrustPolicy, subject: Option<&str>) -> Option<Metadata> {
    let about = serde_json::json!({"trust_policy": policy.id.to_string(), "issuer": policy.issuer, "subject": subject});
    Metadata::parse(&about.to_string()).ok()
}
