//! Rotation: a successor takes over while the old token still counts for its grace.

use std::sync::Arc;

use storage::Tx;
use storage::model::{Kill, Principal, Token, Touched};
use token_domain::decide::Credential;
use token_domain::id::{OrganizationId, TokenId};
use token_domain::token::{Explanation, GraceMode, Lifetime, RevokeReason, Status, TokenFacts};
use token_domain::{ScopeSet, Span, Timestamp};
use token_format::PlainToken;

use super::governed::govern_successor;
use super::reach::Whose;
use super::{Idempotency, TokenError, Tokens, remember, replayed, secret, within};
use crate::audit::{Event, Trail};
use crate::context::Context;
use crate::error::Failure;
use crate::origin::{Caller, Origin};

/// A rotation asked for.
#[derive(Clone, Debug, Default)]
pub struct RotateRequest {
    /// The grace; nothing for the deployment's default.
    pub grace: Option<Span>,
    /// When the old token dies.
    pub mode: GraceMode,
    /// The caller's key against carrying this out twice.
    pub idempotency: Option<Idempotency>,
}

/// A rotation just made.
#[derive(Debug)]
pub struct Rotated {
    /// The successor.
    pub token: Token,
    /// Its secret, shown once.
    pub secret: PlainToken,
    /// The token it takes over from.
    pub old_token_id: TokenId,
    /// When the old token dies.
    pub grace_ends_at: Timestamp,
    /// What the old token is now: rotating, or revoked when there was no grace.
    pub old_status: Status,
}

impl Tokens {
    /// Rotates a token of the caller's organisation. Its successor's secret is shown, so the caller must have every scope
    /// of it. The cap does not count here: the old token makes room.
    ///
    /// # Errors
    /// No such token; one whose scopes go beyond the caller's; one that is not active; a replayed idempotency key.
    pub async fn rotate(
        &self,
        caller: &Caller,
        id: TokenId,
        request: RotateRequest,
        origin: &Origin,
    ) -> Result<Rotated, TokenError> {
        let old = self.reached(caller, id, Whose::Organization).await?;
        self.succeed_covered(caller, old, request, origin).await
    }

    /// Makes the successor of another's token, if the caller has every scope of it.
    pub(super) async fn succeed_covered(
        &self,
        caller: &Caller,
        old: Token,
        request: RotateRequest,
        origin: &Origin,
    ) -> Result<Rotated, TokenError> {
        within(&self.context.catalogue, granted(&self.context, &old)?, caller.effective)?;
        self.succeed(caller, old, request, origin).await
    }

    /// Makes the successor of a token whose secret the caller may be shown.
    pub(super) async fn succeed(
        &self,
        caller: &Caller,
        old: Token,
        request: RotateRequest,
        origin: &Origin,
    ) -> Result<Rotated, TokenError> {
        let context = &self.context;
        // Looked at before the expensive hash; decided for good by the guarded update below.
        if request.idempotency.is_none() {
            check_active(&old, context.now())?;
        }
        let (secret, stored) = secret::make(context).await?;
        let now = context.now();
        let token = Token {
            id: context.id(now)?,
            facts: TokenFacts::new(now, lifetime(&old).expires_at(now)),
            created_by: caller.principal(),
            revoked_by: None,
            rotated_from: Some(old.id),
            first_used_at: None,
            last_used_at: None,
            reuse_detected_at: None,
            explanation: Explanation::default(),
            secret: stored,
            ..old.clone()
        };
        let grace = request.grace.unwrap_or(context.policy.rotation.default_grace);
        let unit = Rotation { old, token, grace, mode: request.mode, idempotency: request.idempotency };
        self.carry_out(unit, secret, now, origin).await
    }

    async fn carry_out(
        &self,
        unit: Rotation,
        secret: PlainToken,
        now: Timestamp,
        origin: &Origin,
    ) -> Result<Rotated, TokenError> {
        let (context, origin) = (Arc::clone(&self.context), origin.clone());
        let touching = context.units.touching();
        touching.touch(Touched::Token(unit.old.id));
        touching.touch(Touched::Created(unit.token.id));
        let (token, facts) = self
            .context
            .units
            .run(now, touching, move |tx| Box::pin(async move { unit.run(&context, tx, now, &origin).await }))
            .await?;
        let grace_ends_at = facts.superseded.map_or(now, |superseded| superseded.grace_ends_at);
        let old_token_id = token.rotated_from.unwrap_or(token.id);
        Ok(Rotated { token, secret, old_token_id, grace_ends_at, old_status: facts.status(now) })
    }

    /// Takes a running rotation back: the old token is active again and its successor dead.
    ///
    /// # Errors
    /// No such token; a token that is not rotating.
    pub async fn cancel_rotation(&self, caller: &Caller, id: TokenId, origin: &Origin) -> Result<Token, TokenError> {
        let old = self.reached(caller, id, Whose::Shared).await?;
        self.cancel(caller, &old, origin).await
    }

    /// Takes the rotation of a token back that the caller is known to reach.
    pub(super) async fn cancel(&self, caller: &Caller, old: &Token, origin: &Origin) -> Result<Token, TokenError> {
        let context = Arc::clone(&self.context);
        let (now, id) = (context.now(), old.id);
        let (_, successor) =
            old.facts.cancel_rotation(now).map_err(|not_possible| TokenError::WrongStatus(not_possible.status))?;
        let touching = context.units.touching();
        touching.touch(Touched::Token(id));
        touching.touch(Touched::Token(successor));
        let (organization, by, origin) = (caller.organization_id, caller.principal(), origin.clone());
        let mut token = self
            .context
            .units
            .run(now, touching, move |tx| {
                Box::pin(async move { take_back(tx, organization, (id, successor), by, now, &origin).await })
            })
            .await?;
        self.context.uses.add_to([&mut token]);
        Ok(token)
    }
}

/// Everything a rotation writes.
pub(super) struct Rotation {
    pub(super) old: Token,
    pub(super) token: Token,
    pub(super) grace: Span,
    pub(super) mode: GraceMode,
    pub(super) idempotency: Option<Idempotency>,
}

impl Rotation {
    pub(super) async fn run(
        self,
        context: &Context,
        tx: &mut Tx,
        now: Timestamp,
        origin: &Origin,
    ) -> Result<(Token, TokenFacts), TokenError> {
        let (organization, by) = (self.token.organization_id, self.token.created_by);
        let operation = format!("tokens.rotate:{}", self.old.id);
        let mut trail = Trail::open(tx, Some(organization)).await?;
        if let Some(idempotency) = &self.idempotency {
            replayed(context, tx, organization, by, &operation, idempotency, now).await?;
        }
        // Read again with the trail's end locked: nothing of this organisation changes any more until the commit.
        let current = tx.token(organization, self.old.id).await?.ok_or(TokenError::NotFound)?;
        let facts = current
            .facts
            .supersede(now, self.token.id, self.grace, self.mode)
            .map_err(|not_possible| TokenError::WrongStatus(not_possible.status))?;
        let grace_ends_at = facts.superseded.map_or(now, |superseded| superseded.grace_ends_at);
        let mut token = heir(self.token, &current, now);
        govern_successor(context, tx, &mut token, lifetime(&current)).await?;
        tx.insert_token(&token).await?;
        let superseded =
            tx.supersede_active(organization, self.old.id, token.id, now, grace_ends_at, self.mode, now).await?;
        if superseded.is_none() {
            // Somebody was faster: this transaction, successor included, is undone.
            return Err(TokenError::WrongStatus(Status::Rotating));
        }
        if let Some(idempotency) = self.idempotency {
            remember(tx, organization, by, &operation, idempotency, (token.id, now)).await?;
        }
        let event = Event::new(now, "token.rotate", by, origin)
            .on("token", self.old.id)
            .with("successor", token.id.to_string())
            .with("grace_ends_at", grace_ends_at.rfc3339_seconds())
            .with("mode", self.mode.as_str());
        trail.append(tx, event).await?;
        Ok((token, facts))
    }
}

/// The successor of the token as it is now: what it is called and how it ends may have changed since it was looked at.
fn heir(token: Token, current: &Token, now: Timestamp) -> Token {
    Token {
        name: current.name.clone(),
        agent_type: current.agent_type.clone(),
        details: current.details.clone(),
        facts: TokenFacts::new(now, lifetime(current).expires_at(now)),
        ..token
    }
}

/// How a token's end was chosen.
fn lifetime(token: &Token) -> Lifetime {
    match (token.lifetime, token.facts.expires_at) {
        (Some(span), _) => Lifetime::For(span),
        (None, Some(moment)) => Lifetime::Until(moment),
        (None, None) => Lifetime::Unlimited,
    }
}

/// What a token was granted, expanded.
pub(crate) fn granted(context: &Context, token: &Token) -> Result<ScopeSet, Failure> {
    let grants = context.catalogue.restore(&token.scopes);
    let grants =
        grants.map_err(|error| Failure::Inconsistent(format!("token {} cannot be read: {error}", token.id)))?;
    Ok(grants.effective())
}

async fn take_back(
    tx: &mut Tx,
    organization: OrganizationId,
    (id, successor): (TokenId, TokenId),
    by: Principal,
    now: Timestamp,
    origin: &Origin,
) -> Result<Token, TokenError> {
    let mut trail = Trail::open(tx, Some(organization)).await?;
    let Some((old, undone)) = tx.cancel_supersession(organization, id, now).await? else {
        let current = tx.token(organization, id).await?.ok_or(TokenError::NotFound)?;
        return Err(TokenError::WrongStatus(current.facts.status(now)));
    };
    if undone != successor {
        // Cancelled and rotated anew between the look and the lock: the caller did not mean that rotation.
        return Err(TokenError::WrongStatus(Status::Rotating));
    }
    let kill = Kill { at: now, reason: RevokeReason::RotationCancelled, by };
    tx.revoke_token(organization, successor, &kill).await?;
    let event =
        Event::new(now, "token.rotate.cancel", by, origin).on("token", id).with("successor", successor.to_string());
    trail.append(tx, event).await?;
    Ok(old)
}

/// The successor of a first-use rotation validated for the first time: the old token's grace shrinks.
pub(crate) async fn first_use(context: &Arc<Context>, credential: &Credential, now: Timestamp) -> Result<(), Failure> {
    let successor = credential.token_id;
    let ends = now + context.policy.rotation.first_use_remaining;
    let touching = context.units.touching();
    // The successor too, so that its entry is read again without the note that its first use is pending.
    touching.touch(Touched::Token(successor));
    let also = touching.clone();
    context
        .units
        .run(now, touching, move |tx| {
            Box::pin(async move {
                if let Some(old) = tx.shorten_grace(successor, now, ends).await? {
                    also.touch(Touched::Token(old));
                }
                Ok(())
            })
        })
        .await
}

/// A superseded token was presented after its grace: somebody still holds the old secret.
pub(crate) async fn reuse(
    context: &Arc<Context>,
    credential: &Credential,
    now: Timestamp,
    origin: &Origin,
) -> Result<(), Failure> {
    let (id, organization, origin) = (credential.token_id, credential.organization_id, origin.clone());
    let touching = context.units.touching();
    context
        .units
        .run(now, touching, move |tx| {
            Box::pin(async move {
                let mut trail = Trail::open(tx, Some(organization)).await?;
                if tx.mark_reuse(id, now).await? {
                    let mut event =
                        Event::new(now, "token.reuse_detected", Principal::Anonymous, &origin).on("token", id);
                    if let Some(ip) = origin.client_ip {
                        event = event.with("client_ip", ip.to_string());
                    }
                    trail.append(tx, event).await?;
                }
                Ok(())
            })
        })
        .await
}

fn check_active(token: &Token, now: Timestamp) -> Result<(), TokenError> {
    match token.facts.status(now) {
        Status::Active => Ok(()),
        status @ (Status::Rotating | Status::Revoked | Status::Expired) => Err(TokenError::WrongStatus(status)),
    }
}
