//! Giving an actor a new token.

use std::sync::Arc;

use token_domain::id::ActorId;
use token_domain::record::{Actor, Token};
use token_domain::token::{Kind, Status};
use token_domain::{ScopeSet, Span, Timestamp};
use token_format::PlainToken;

use super::{Actors, bring_up_to_date, find};
use crate::context::Context;
use crate::error::Failure;
use crate::origin::Origin;
use crate::projects::{Ground, TenancyError};
use crate::tokens::{ActorToken, TokenError};
use token_domain::tenant::ActorStatus;

/// A new token of an actor's.
#[derive(Debug)]
pub struct RotatedActor {
    /// The actor.
    pub actor: Actor,
    /// The new token's secret, shown once.
    pub secret: PlainToken,
    /// Until when the token before it counts too; nothing when there was none that counted.
    pub grace_ends_at: Option<Timestamp>,
}

impl Actors {
    /// Gives an actor a new token in place of the one it has, which counts until its grace ends. An actor whose token was
    /// revoked gets one as well: that is how it comes back after a leak.
    ///
    /// # Errors
    /// No such actor; one that is disabled or expired; of two rotations at once, one loses.
    pub async fn rotate(
        &self,
        ground: Ground,
        id: ActorId,
        grace: Option<Span>,
        origin: &Origin,
    ) -> Result<RotatedActor, TenancyError> {
        let context = &self.context;
        let (actor, old) = self.holder(ground, id).await?;
        let made = ActorToken::make(context, ground.caller(), origin).await?;
        check_active(&actor, context.now())?;
        // Looked at before the change as well, so that a plain refusal is told from one that came in between.
        Self::scopes_of_successor(context, old.as_ref(), ground.effective())?;
        let grace = grace.unwrap_or(context.policy.rotation.default_grace);
        context
            .change(ground.ask(origin).making(Kind::Actor), move |change| {
                Box::pin(async move {
                    let (context, now) = (change.context(), change.now);
                    let project = ground.open(change).await?;
                    // Whatever changed since the look above: the token is made for the actor as it is now, or not.
                    let current = change.tx.actor(project.id, id).await?.ok_or(TenancyError::NotFound)?;
                    check_active(&current, now)?;
                    let scopes = Self::scopes_of_successor(&context, old.as_ref(), change.effective())?;
                    let (secret, token) =
                        made.token(&context, ground.organization(), &current, scopes, change.by(), now)?;
                    if let Some(old) = old {
                        let grace_ends_at = Some(ActorToken::supersede(change, old, token, grace).await?);
                        return Ok(RotatedActor { actor, secret, grace_ends_at });
                    }
                    let current = ActorToken::current(ground.organization(), id, now);
                    if !change.tx.list_tokens(&current).await?.is_empty() {
                        // Somebody was faster.
                        return Err(TokenError::WrongStatus(Status::Rotating).into());
                    }
                    ActorToken::store(change, &token).await?;
                    Ok(RotatedActor { actor, secret, grace_ends_at: None })
                })
            })
            .await
    }

    /// The scopes of the new token, none beyond what the caller may do.
    fn scopes_of_successor(context: &Context, old: Option<&Token>, own: ScopeSet) -> Result<Vec<String>, TokenError> {
        match old {
            Some(old) => ActorToken::carried_over(context, old, own),
            None => ActorToken::scopes(context, None, own),
        }
    }

    /// The actor and the token it uses now.
    async fn holder(&self, ground: Ground, id: ActorId) -> Result<(Actor, Option<Token>), TenancyError> {
        let now = self.context.now();
        let context = Arc::clone(&self.context);
        let found = self.context.store.read(move |reads| {
            Box::pin(async move {
                let Some(mut actor) = find(reads, ground, id).await? else { return Ok(None) };
                let tokens = reads.list_tokens(&ActorToken::current(ground.organization(), actor.id, now)).await?;
                bring_up_to_date(reads, &context.uses, std::slice::from_mut(&mut actor)).await?;
                Ok(Some((actor, tokens.into_iter().next())))
            })
        });
        let (actor, token) = found.await.map_err(Failure::from)?.ok_or(TenancyError::NotFound)?;
        check_active(&actor, now)?;
        Ok((actor, token))
    }
}

fn check_active(actor: &Actor, now: Timestamp) -> Result<(), TenancyError> {
    match ActorStatus::at(actor.disabled_at, actor.expires_at, now) {
        ActorStatus::Active => Ok(()),
        status @ (ActorStatus::Disabled | ActorStatus::Expired) => Err(TenancyError::NotActive(status)),
    }
}
