//! Giving an actor a new token.

use std::sync::Arc;

use storage::model::{Actor, Token, Touched};
use token_domain::id::ActorId;
use token_domain::token::Status;
use token_domain::{Span, Timestamp};
use token_format::PlainToken;

use super::{ActorStatus, Actors, bring_up_to_date, find};
use crate::error::Failure;
use crate::origin::Origin;
use crate::projects::{Ground, TenancyError};
use crate::tokens::{ActorToken, TokenError};

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
        let made = ActorToken::make(context).await?;
        let now = context.now();
        check_active(&actor, now)?;
        let scopes = match &old {
            Some(old) => ActorToken::carried_over(context, old, ground.effective())?,
            None => ActorToken::scopes(context, None, ground.effective())?,
        };
        let (secret, token) = made.token(context, ground.organization(), &actor, scopes, ground.by(), now)?;
        let touching = context.units.touching();
        touching.touch(Touched::Created(token.id));
        if let Some(old) = &old {
            touching.touch(Touched::Token(old.id));
        }
        let grace = grace.unwrap_or(context.policy.rotation.default_grace);
        let (unit, origin) = (Arc::clone(context), origin.clone());
        let grace_ends_at = context
            .units
            .run(now, touching, move |tx| {
                Box::pin(async move {
                    let (mut trail, project) = ground.open(tx).await?;
                    // Whatever changed since the look above: the token is made for the actor as it is now, or not.
                    let current = tx.actor(project.id, id).await?.ok_or(TenancyError::NotFound)?;
                    check_active(&current, now)?;
                    let token = Token { name: ActorToken::name(&current)?, ..token };
                    let token = with_expiry(token, current.expires_at);
                    if let Some(old) = old {
                        return Ok(Some(ActorToken::supersede(&unit, tx, old, token, grace, &origin).await?));
                    }
                    let current = ActorToken::current(ground.organization(), id, now);
                    if !tx.list_tokens(&current).await?.is_empty() {
                        // Somebody was faster.
                        return Err(TokenError::WrongStatus(Status::Rotating).into());
                    }
                    ActorToken::store(&unit, tx, &mut trail, &token, &origin).await?;
                    Ok::<_, TenancyError>(None)
                })
            })
            .await?;
        Ok(RotatedActor { actor, secret, grace_ends_at })
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

fn with_expiry(mut token: Token, expires_at: Option<Timestamp>) -> Token {
    token.facts.expires_at = expires_at;
    token
}

fn check_active(actor: &Actor, now: Timestamp) -> Result<(), TenancyError> {
    match ActorStatus::of(actor, now) {
        ActorStatus::Active => Ok(()),
        status @ (ActorStatus::Disabled | ActorStatus::Expired) => Err(TenancyError::NotActive(status)),
    }
}
