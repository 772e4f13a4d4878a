//! Tokens that are presented to be ended: by somebody who holds them, or who found them where they leaked.
//!
//! A holder's word always ends a token. What a code host reports is acted on as the organisation chose: the token is revoked, or
//! rotated with an hour of grace, or people are told. A token that does not count any more is revoked in any case, because nothing
//! depends on it. What was done is kept for each token, so that the same report again does nothing more, and a later report does
//! more only where the organisation has chosen to since.
//!
//! **Invariant:** looking a token up here does not count as a use, and the answer never says whether the token exists.

pub mod alerts;
pub(crate) mod limiter;
pub mod partner;

use std::collections::HashSet;
use std::sync::Arc;

use storage::model::{Revocation, Touched};
use token_domain::id::{OrganizationId, TokenId};
use token_domain::leak::{LeakAction, LeakSource};
use token_domain::record::{Principal, Token, TokenLeak};
use token_domain::token::{RevokeReason, Status};

use crate::attempts;
use crate::audit::{Event, Refusal};
use crate::change::{Ask, Change};
use crate::context::Context;
use crate::error::Failure;
use crate::limits::{SharedLimit, TooManyAttempts};
use crate::notices::{self, LeakEnd, Occasion};
use crate::origin::{Caller, Origin};
use crate::rights::Refused;
use crate::tokens::{TokenError, UnseenSecret};
use crate::validate::{Entry, Validator};

use self::limiter::ReportLimiter;

/// Ends tokens by their secrets.
pub struct Leaks {
    context: Arc<Context>,
    validator: Arc<Validator>,
    reports: ReportLimiter,
}

/// What a reported text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    /// No token of this deployment.
    Foreign,
    /// A token that goes on, for the hour of its grace or as long as before.
    Goes,
    /// A token that is revoked, by this report or before.
    Revoked,
}

/// Why a request to end tokens was not carried out; what was revoked until then stays so.
#[derive(Debug, thiserror::Error)]
pub enum LeakError {
    /// Too many reports from this address.
    #[error(transparent)]
    TooMany(#[from] TooManyAttempts),
    /// The caller lost the right during the request.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The service itself failed.
    #[error("{0}")]
    Failed(#[from] Failure),
}

/// Why a token ends.
#[derive(Clone, Copy)]
enum Ending {
    /// A caller of its organisation asked for it.
    Asked(Caller),
    /// Somebody who showed nothing but the token asked for it.
    Held,
}

impl Leaks {
    /// Nobody has reported anything yet; each address may so often an hour.
    pub fn new(context: &Arc<Context>, validator: &Arc<Validator>, reports_an_hour: u32) -> Self {
        Self {
            context: Arc::clone(context),
            validator: Arc::clone(validator),
            reports: ReportLimiter::shared(reports_an_hour, SharedLimit::LeakReports, &context.shared_tally),
        }
    }

    /// Revokes the token with this secret (RFC 7009), if there is one that the caller reaches; without a caller, knowing the
    /// secret is enough. After this returns, no validation that starts says that the token is good.
    ///
    /// # Errors
    /// The caller's right is gone by now; the store's.
    pub async fn revoke(&self, text: &str, caller: Option<&Caller>, origin: &Origin) -> Result<(), LeakError> {
        let recalled = self.validator.look_up(text).await?;
        let Some(entry) = recalled.entry() else { return Ok(()) };
        let ending = match caller {
            Some(caller) if caller.organization_id != entry.organization_id() => return Ok(()),
            Some(caller) => Ending::Asked(*caller),
            None => Ending::Held,
        };
        self.end(entry, ending, origin).await
    }

    /// Revokes every token among texts that somebody found. What is no token of ours, or mistyped, costs no look-up. Says
    /// how many it ended.
    ///
    /// # Errors
    /// Too many reports from this address lately; the store's.
    pub async fn revoke_found(&self, texts: &[String], origin: &Origin) -> Result<usize, LeakError> {
        if let Err(wait) = self.reports.admit(origin.client_ip, self.context.steady()).await {
            attempts::limited(&self.context, Refusal::ReportsLimited, None, wait, origin).await?;
            return Err(wait.into());
        }
        let different: HashSet<&str> = texts.iter().map(String::as_str).collect();
        let mut ended = 0;
        for text in different {
            if let Some(entry) = self.validator.look_up(text).await?.entry() {
                ended += usize::from(self.leaked(entry, LeakSource::Holder, origin).await?.is_new);
            }
        }
        Ok(ended)
    }

    /// Does with a token that a code host found what its organisation chose.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn report(&self, text: &str, source: LeakSource, origin: &Origin) -> Result<Reported, LeakError> {
        let recalled = self.validator.look_up(text).await?;
        let Some(entry) = recalled.entry() else { return Ok(Reported::Foreign) };
        let done = self.leaked(entry, source, origin).await?;
        Ok(if done.is_revoked { Reported::Revoked } else { Reported::Goes })
    }

    /// Whether a token is known to be revoked on every node. Where there are other nodes, somebody may have ended it a moment
    /// ago and still wait until it holds on all of them.
    fn is_settled(&self, entry: &Entry) -> bool {
        entry.credential().facts.revoked.is_some() && !self.context.lease.has_others()
    }

    /// Ends a token that somebody asked to end.
    async fn end(&self, entry: &Entry, ending: Ending, origin: &Origin) -> Result<(), LeakError> {
        if self.is_settled(entry) {
            return Ok(());
        }
        let (organization, id) = (entry.organization_id(), entry.token_id());
        let ask = match ending {
            Ending::Asked(caller) => Ask::by(&caller, origin),
            // The holder of a token may revoke it, so the token itself is recorded as the principal.
            Ending::Held => Ask::of(Principal::Token(id), Some(organization), origin),
        };
        let work = self.context.change(ask, move |change| {
            Box::pin(async move { Ok(revoke(change, organization, id, RevokeReason::Requested).await?) })
        });
        work.await
    }

    /// Acts on the leak of a token.
    async fn leaked(&self, entry: &Entry, source: LeakSource, origin: &Origin) -> Result<Done, LeakError> {
        if self.is_settled(entry) {
            return Ok(Done { is_new: false, is_revoked: true });
        }
        let (organization, id) = (entry.organization_id(), entry.token_id());
        let unseen = UnseenSecret::make(&self.context)?;
        let ask = Ask::of(Principal::Anonymous, Some(organization), origin).making(entry.credential().kind());
        let work = self.context.change(ask, move |change| {
            Box::pin(async move {
                let whose = change.tx.organization(organization).await.map_err(Failure::from)?;
                let token = change.tx.token(organization, id).await.map_err(Failure::from)?;
                let (Some(whose), Some(token)) = (whose, token) else {
                    return Err(Failure::Inconsistent(format!("token {id} is not there")).into());
                };
                let known = change.tx.token_leak(id).await.map_err(Failure::from)?;
                let wanted = match token.facts.status(change.now) {
                    Status::Active | Status::Rotating => source.action(whose.leak_action),
                    // Nothing depends on it any more.
                    Status::Expired | Status::Revoked => LeakAction::Revoke,
                };
                if wanted == LeakAction::Revoke {
                    // A report that finds the token revoked waits, too, until that holds on every node.
                    change.touch(Touched::Token(id));
                    if token.facts.revoked.is_some() {
                        return Ok(Done { is_new: false, is_revoked: true });
                    }
                } else if known.is_some_and(|known| known.action >= wanted) {
                    return Ok(Done { is_new: false, is_revoked: false });
                }
                let end = match wanted {
                    LeakAction::Revoke => LeakEnd::Revoked,
                    LeakAction::RotateGrace1h => rotate(change, &token, unseen).await?,
                    LeakAction::Notify => LeakEnd::GoesOn,
                };
                act(change, token, source, end).await?;
                Ok(Done { is_new: true, is_revoked: matches!(end, LeakEnd::Revoked) })
            })
        });
        work.await
    }
}

/// What became of a report.
struct Done {
    /// Whether anything was done now.
    is_new: bool,
    /// Whether the token is revoked.
    is_revoked: bool,
}

/// Rotates a leaked token, or ends the grace it has within an hour. One that cannot be rotated is to be revoked.
async fn rotate(change: &mut Change<'_>, token: &Token, unseen: UnseenSecret) -> Result<LeakEnd, Failure> {
    let Some(superseded) = token.facts.superseded else {
        return match unseen.succeed(change, token.clone()).await {
            Ok(Some((successor, at))) => Ok(LeakEnd::Ends { at, successor: Some(successor) }),
            Ok(None) => Ok(LeakEnd::Revoked),
            Err(TokenError::Failed(failure)) => Err(failure),
            Err(refused) => {
                tracing::info!(token = %token.id, %refused, "a leaked token cannot be rotated and is revoked");
                Ok(LeakEnd::Revoked)
            }
        };
    };
    // Its owner rotated it, and has the successor's secret.
    let end = change.now + LeakAction::GRACE;
    if change.tx.end_grace_by(token.organization_id, token.id, end).await?.is_none() {
        return Ok(LeakEnd::Ends { at: superseded.grace_ends_at, successor: None });
    }
    change.touch(Touched::Token(token.id));
    let event = change.event("token.grace_shortened").on("token", token.id);
    change.record(event.with("grace_period_ends_at", end.rfc3339_seconds())).await?;
    Ok(LeakEnd::Ends { at: end, successor: None })
}

/// Revokes a token, unless that was done before. The caller waits in any case until it holds on every node.
async fn revoke(
    change: &mut Change<'_>,
    organization: OrganizationId,
    id: TokenId,
    reason: RevokeReason,
) -> Result<(), Failure> {
    change.touch(Touched::Token(id));
    let revocation = Revocation { at: change.now, reason, by: change.by() };
    if change.tx.revoke_token(organization, id, &revocation).await?.is_some() {
        let event = change.event("token.revoke").on("token", id);
        change.record(event.with("reason", reason.as_str())).await?;
    }
    Ok(())
}

/// Records a leak, revokes the token where that is what is done, and tells people.
async fn act(change: &mut Change<'_>, token: Token, source: LeakSource, end: LeakEnd) -> Result<(), Failure> {
    let (id, organization, now) = (token.id, token.organization_id, change.now);
    let action = end.action();
    let event = change.event("token.leaked").on("token", id).with("source", source.as_str());
    change.record(said(event.with("leak_action", action.as_str()), end)).await?;
    if end == LeakEnd::Revoked {
        revoke(change, organization, id, RevokeReason::Leaked).await?;
    }
    change.tx.set_token_leak(&TokenLeak { token_id: id, action, source, reported_at: now }).await?;
    notices::tell(change, organization, &[token], Occasion::Leaked(end)).await
}

/// The event with when the token ends, and what takes over from it.
fn said(event: Event, end: LeakEnd) -> Event {
    match end {
        LeakEnd::Ends { at, successor } => {
            let event = event.with("grace_period_ends_at", at.rfc3339_seconds());
            match successor {
                Some(successor) => event.with("successor", successor.to_string()),
                None => event,
            }
        }
        LeakEnd::Revoked | LeakEnd::GoesOn => event,
    }
}
