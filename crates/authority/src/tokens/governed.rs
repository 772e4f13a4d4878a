//! The organisation's policy where tokens are made, rotated and refused.
//!
//! The policy is read in the very transaction that makes the token, with the organisation's trail held: a policy that was
//! set before cannot be missed, and one that is set after finds the token there.

use std::sync::Arc;

use storage::model::{Revocation, Touched};
use token_domain::Timestamp;
use token_domain::decide::Credential;
use token_domain::policy::{Breach, Idle, KindRule};
use token_domain::record::{Principal, StoredRule, Token, TokenOwner, TokenTerms};
use token_domain::scope::Grants;
use token_domain::token::{Lifetime, RevokeReason, TokenFacts};

use super::TokenError;
use crate::change::{Ask, Change};
use crate::context::Context;
use crate::origin::Origin;
use crate::policies::{PolicyBreach, restored, rule};

/// Refuses a token that is written down where a workload runs, in an organisation whose workloads get theirs under trust policies
/// alone. Those it has go on to their end; keys of people and tokens of actors are no workload's.
pub(crate) fn check_static(context: &Context, terms: &TokenTerms, owner: TokenOwner) -> Result<(), TokenError> {
    match owner {
        TokenOwner::Organization if terms.trust_only => {
            Err(PolicyBreach::new(&context.catalogue, owner.kind(), Breach::TrustOnly).into())
        }
        TokenOwner::Organization | TokenOwner::Person(_) | TokenOwner::Actor(_) => Ok(()),
    }
}

/// Judges a token about to be made by the organisation's terms, and gives it its end.
pub(crate) fn govern_new(
    context: &Context,
    terms: &TokenTerms,
    token: &mut Token,
    grants: &Grants,
    asked: Lifetime,
) -> Result<(), TokenError> {
    let Some(rule) = restored_rule(context, terms.rule.as_ref())? else { return Ok(()) };
    let breach = |breach| PolicyBreach::new(&context.catalogue, token.owner.kind(), breach);
    rule.check(&context.catalogue, grants).map_err(breach)?;
    let lifetime = rule.lifetime_of_new(asked, token.facts.created_at).map_err(breach)?;
    end(token, lifetime);
    Ok(())
}

/// Judges a successor about to be made, and cuts its life to what is allowed.
pub(super) fn govern_successor(change: &Change<'_>, token: &mut Token, carried: Lifetime) -> Result<(), TokenError> {
    let context = change.context();
    check_static(&context, change.terms(), token.owner)?;
    let Some(rule) = restored_rule(&context, change.terms().rule.as_ref())? else { return Ok(()) };
    check(&context, &rule, token)?;
    let lifetime = rule.lifetime_of_successor(carried, token.facts.created_at);
    end(token, lifetime);
    Ok(())
}

/// Judges an actor's token about to be made. It ends when its actor does: no rule speaks of that.
pub(super) fn govern_actor(context: &Context, terms: &TokenTerms, token: &Token) -> Result<(), TokenError> {
    match restored_rule(context, terms.rule.as_ref())? {
        Some(rule) => check(context, &rule, token),
        None => Ok(()),
    }
}

/// A token was presented that fell idle: it is revoked for good, unless it was used meanwhile or the policy was lifted.
pub(crate) async fn fallen_idle(
    context: &Arc<Context>,
    credential: &Credential,
    now: Timestamp,
    origin: &Origin,
) -> Result<(), TokenError> {
    let (id, organization, kind) = (credential.token_id, credential.organization_id, credential.kind());
    let ask = Ask::of(Principal::System, Some(organization), origin).making(kind);
    context
        .change(ask, move |change| {
            Box::pin(async move {
                let context = change.context();
                change.touch(Touched::Token(id));
                let Some(token) = change.tx.token(organization, id).await? else { return Ok(()) };
                let Some(after) = change.terms().rule.as_ref().and_then(|rule| rule.idle_after) else { return Ok(()) };
                let idle = Idle { after, since: token.facts.created_at };
                if now < idle.ends_at(token.last_used_at.max(context.uses.last_used(id))) {
                    return Ok(());
                }
                let revocation = Revocation { at: change.now, reason: RevokeReason::Policy, by: change.by() };
                if change.tx.revoke_token(organization, id, &revocation).await?.is_some() {
                    let event = change.event("token.revoke").on("token", id).with("reason", revocation.reason.as_str());
                    change.record(event).await?;
                }
                Ok::<_, TokenError>(())
            })
        })
        .await
}

fn restored_rule(context: &Context, stored: Option<&StoredRule>) -> Result<Option<KindRule>, TokenError> {
    Ok(stored.map(|stored| rule(&context.catalogue, stored)).transpose()?)
}

fn check(context: &Context, rule: &KindRule, token: &Token) -> Result<(), TokenError> {
    let listed = restored(&context.catalogue, &token.scopes)?;
    let judged = rule.check(&context.catalogue, &listed);
    Ok(judged.map_err(|breach| PolicyBreach::new(&context.catalogue, token.owner.kind(), breach))?)
}

fn end(token: &mut Token, lifetime: Lifetime) {
    let created_at = token.facts.created_at;
    token.facts = TokenFacts::new(created_at, lifetime.expires_at(created_at));
    token.lifetime = lifetime.span();
}
