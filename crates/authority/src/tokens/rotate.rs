//! Rotation: a successor takes over while the old token still counts for its grace.

use std::sync::Arc;

use storage::model::{Revocation, Touched};
use token_domain::decide::Credential;
use token_domain::id::{OrganizationId, TokenId};
use token_domain::record::{NewToken, Principal, Token, TokenOwner};
use token_domain::token::{GraceMode, Lifetime, RevokeReason, Status, TokenFacts};
use token_domain::{ScopeSet, Span, Timestamp};
use token_format::PlainToken;

use super::governed::govern_successor;
use super::reach::{Whose, check_key_maker, reaches};
use super::{Idempotency, TokenError, Tokens, remember, replayed, secret, within};
use crate::audit::{Event, Trail};
use crate::change::{Ask, Change};
use crate::context::Context;
use crate::error::Failure;
use crate::notices::{self, Occasion};
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
        self.succeed(caller, old, Reach::Covering, request, origin).await
    }

    /// Makes the successor of a token whose secret the caller may be shown.
    pub(super) async fn succeed(
        &self,
        caller: &Caller,
        old: Token,
        reach: Reach,
        request: RotateRequest,
        origin: &Origin,
    ) -> Result<Rotated, TokenError> {
        let context = &self.context;
        // Looked at before the expensive hash; decided for good by the guarded update below.
        if request.idempotency.is_none() {
            check_active(&old, context.now())?;
        }
        let (secret, stored) = secret::make_for(context, caller, origin).await?;
        let hint = secret.hint();
        let grace = request.grace.unwrap_or(context.policy.rotation.default_grace);
        let ask = Ask::by(caller, origin).making(old.owner.kind());
        let made = context.change(ask, move |change| {
            Box::pin(async move {
                let now = change.now;
                let caller = *change.caller()?;
                reach.check(change, &old, &caller)?;
                let facts = TokenFacts::new(now, lifetime(&old).expires_at(now));
                let token = old.successor(change.context().id(now)?, facts, change.by(), hint);
                let new = NewToken { token, secret: stored };
                let unit = Rotation { old, new, grace, mode: request.mode, idempotency: request.idempotency };
                let (token, facts) = unit.run(change).await?;
                Ok::<_, TokenError>((token, facts, now))
            })
        });
        let (token, facts, now) = made.await?;
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

    /// Takes the rotation of a token back that the caller is known to reach. It revives a token, so it asks for every scope
    /// of it, as rotating does.
    pub(super) async fn cancel(&self, caller: &Caller, old: &Token, origin: &Origin) -> Result<Token, TokenError> {
        let (id, granted) = (old.id, granted(&self.context, old)?);
        within(&self.context.catalogue, granted, caller.effective)?;
        let (_, successor) = old
            .facts
            .cancel_rotation(self.context.now())
            .map_err(|not_possible| TokenError::WrongStatus(not_possible.status))?;
        let taken_back = self.context.change(Ask::by(caller, origin), move |change| {
            Box::pin(async move {
                change.check_not_superseded()?;
                let caller = *change.caller()?;
                within(&change.context().catalogue, granted, caller.effective)?;
                let token = take_back(change, caller.organization_id, (id, successor)).await?;
                if reaches(&caller, &token) { Ok(token) } else { Err(TokenError::NotFound) }
            })
        });
        let mut token = taken_back.await?;
        self.context.uses.add_to([&mut token]);
        Ok(token)
    }
}

/// Why the caller may be shown the secret of a successor.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reach {
    /// They have every scope of it.
    Covering,
    /// It is their own.
    Own,
}

impl Reach {
    /// Checks that the reason still holds.
    fn check(self, change: &Change<'_>, old: &Token, caller: &Caller) -> Result<(), TokenError> {
        if !reaches(caller, old) {
            return Err(TokenError::NotFound);
        }
        match self {
            Self::Covering => {
                let context = change.context();
                match old.owner {
                    TokenOwner::Person(_) => check_key_maker(&context.catalogue, caller)?,
                    TokenOwner::Organization | TokenOwner::Actor(_) => {}
                }
                within(&context.catalogue, granted(&context, old)?, caller.effective)
            }
            Self::Own => Ok(()),
        }
    }
}

/// Everything a rotation writes.
pub(super) struct Rotation {
    pub(super) old: Token,
    pub(super) new: NewToken,
    pub(super) grace: Span,
    pub(super) mode: GraceMode,
    pub(super) idempotency: Option<Idempotency>,
}

impl Rotation {
    pub(super) async fn run(self, change: &mut Change<'_>) -> Result<(Token, TokenFacts), TokenError> {
        let NewToken { token, secret } = self.new;
        let (organization, now, by) = (token.organization_id, change.now, change.by());
        change.touch(Touched::Token(self.old.id));
        change.touch(Touched::Created(token.id));
        let operation = format!("tokens.rotate:{}", self.old.id);
        if let Some(idempotency) = &self.idempotency {
            replayed(change, organization, &operation, idempotency).await?;
        }
        // Read again with the trail's end locked: nothing of this organisation changes any more until the commit.
        let current = change.tx.token(organization, self.old.id).await?.ok_or(TokenError::NotFound)?;
        let facts = current
            .facts
            .supersede(now, token.id, self.grace, self.mode)
            .map_err(|not_possible| TokenError::WrongStatus(not_possible.status))?;
        // Check this last: for a token that renews itself, a retry and a second renewal have more precise errors above.
        change.check_not_superseded()?;
        change.check_present()?;
        let grace_ends_at = facts.superseded.map_or(now, |superseded| superseded.grace_ends_at);
        let mut token = heir(token, &current, now);
        govern_successor(change, &mut token, lifetime(&current))?;
        let new = NewToken { token, secret };
        change.tx.insert_token(&new).await?;
        let token = new.token;
        let superseded =
            change.tx.supersede_active(organization, self.old.id, token.id, now, grace_ends_at, self.mode, now).await?;
        if superseded.is_none() {
            // Somebody was faster: this transaction, successor included, is undone.
            return Err(TokenError::WrongStatus(Status::Rotating));
        }
        if let Some(revoked) = facts.revoked {
            // Without a grace it is a revocation, and stays one wherever the clock goes.
            let revocation = Revocation { at: revoked.at, reason: revoked.reason, by };
            change.tx.revoke_token(organization, self.old.id, &revocation).await?;
        }
        if let Some(idempotency) = self.idempotency {
            remember(change, organization, &operation, idempotency, token.id).await?;
        }
        let event = change
            .event("token.rotate")
            .on("token", self.old.id)
            .with("successor", token.id.to_string())
            .with("grace_ends_at", grace_ends_at.rfc3339_seconds())
            .with("mode", self.mode.as_str());
        change.record(event).await?;
        Ok((token, facts))
    }
}

/// Copies name, details and expiry from the token's current row: they may have changed since the first read.
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
pub(super) fn lifetime(token: &Token) -> Lifetime {
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
    change: &mut Change<'_>,
    organization: OrganizationId,
    (id, successor): (TokenId, TokenId),
) -> Result<Token, TokenError> {
    let now = change.now;
    change.touch(Touched::Token(id));
    change.touch(Touched::Token(successor));
    let Some((old, undone)) = change.tx.cancel_supersession(organization, id, now).await? else {
        let current = change.tx.token(organization, id).await?.ok_or(TokenError::NotFound)?;
        return Err(TokenError::WrongStatus(current.facts.status(now)));
    };
    if undone != successor {
        // Cancelled and rotated anew between the look and the lock: the caller did not mean that rotation.
        return Err(TokenError::WrongStatus(Status::Rotating));
    }
    let revocation = Revocation { at: now, reason: RevokeReason::RotationCancelled, by: change.by() };
    // Revoke the successor's own successors too: otherwise a holder could rotate the token and keep the rights that are
    // being taken back.
    let (mut next, mut ended) = (Some(successor), Vec::new());
    while let Some(heir) = next {
        change.touch(Touched::Token(heir));
        if change.tx.revoke_token(organization, heir, &revocation).await?.is_some() {
            ended.push(heir);
        }
        let found = change.tx.token(organization, heir).await?;
        next = found.and_then(|token| token.facts.superseded).map(|superseded| superseded.by);
    }
    let event = change.event("token.rotate.cancel").on("token", id).with("successor", successor.to_string());
    change.record(event.with_ids("revoked", &ended)).await?;
    Ok(old)
}

/// The successor of a first-use rotation validated for the first time: the old token's grace shrinks.
pub(crate) async fn first_use(context: &Arc<Context>, credential: &Credential, now: Timestamp) -> Result<(), Failure> {
    let (successor, organization) = (credential.token_id, credential.organization_id);
    let ends = now + context.policy.rotation.first_use_remaining;
    let touching = context.units.touching();
    // The successor too, so that its entry is read again without the note that its first use is pending.
    touching.touch(Touched::Token(successor));
    let also = touching.clone();
    context
        .units
        .run(now, touching, move |tx| {
            Box::pin(async move {
                // First in every change, so that two changes never wait for each other.
                let mut trail = Trail::open(tx, Some(organization)).await?;
                if let Some(old) = tx.shorten_grace(successor, now, ends).await? {
                    also.touch(Touched::Token(old));
                    let event =
                        Event::new(now, "token.grace_shortened", Principal::Token(successor), &Origin::internal())
                            .on("token", old)
                            .with("grace_period_ends_at", ends.rfc3339_seconds());
                    trail.append(tx, event).await?;
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
) -> Result<(), TokenError> {
    let (id, organization) = (credential.token_id, credential.organization_id);
    let ask = Ask::of(Principal::Anonymous, Some(organization), origin);
    context
        .change(ask, move |change| {
            Box::pin(async move {
                if change.tx.mark_reuse(id, now).await? {
                    let mut event = change.event("token.reuse_detected").on("token", id);
                    if let Some(ip) = change.origin.client_ip {
                        event = event.with("client_ip", ip.to_string());
                    }
                    change.record(event).await?;
                    if let Some(token) = change.tx.token(organization, id).await? {
                        notices::tell(change, organization, &[token], Occasion::Reused).await?;
                    }
                }
                Ok::<_, TokenError>(())
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
