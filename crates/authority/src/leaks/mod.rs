//! Tokens that are presented to be ended: by somebody who holds them, or who found them where they leaked.
//!
//! **Invariant:** looking a token up here does not count as a use, and the answer never says whether the token exists.

pub(crate) mod limiter;
pub mod partner;

use std::collections::HashSet;
use std::sync::Arc;

use storage::model::{Revocation, Touched};
use token_domain::record::Principal;
use token_domain::token::RevokeReason;

use crate::attempts;
use crate::audit::Refusal;
use crate::change::Ask;
use crate::context::Context;
use crate::error::Failure;
use crate::limits::TooManyAttempts;
use crate::notices::{self, Occasion};
use crate::origin::{Caller, Origin};
use crate::rights::Refused;
use crate::validate::{Entry, Validator};

use self::limiter::ReportLimiter;

/// Ends tokens by their secrets.
pub struct Leaks {
    context: Arc<Context>,
    validator: Arc<Validator>,
    reports: ReportLimiter,
}

/// Who found a token that leaked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Somebody who holds it.
    Holder,
    /// GitHub's secret scanning.
    GitHub,
    /// GitLab's secret detection.
    GitLab,
}

impl Source {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Holder => "holder",
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
        }
    }
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
    /// It was found where it should not be.
    Leaked(Source),
}

impl Leaks {
    /// Nobody has reported anything yet; each address may so often an hour.
    pub fn new(context: &Arc<Context>, validator: &Arc<Validator>, reports_an_hour: u32) -> Self {
        Self {
            context: Arc::clone(context),
            validator: Arc::clone(validator),
            reports: ReportLimiter::new(reports_an_hour),
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
        self.end(entry, ending, origin).await.map(drop)
    }

    /// Revokes every token among texts that somebody found. What is no token of ours, or mistyped, costs no look-up. Says
    /// how many it ended.
    ///
    /// # Errors
    /// Too many reports from this address lately; the store's.
    pub async fn revoke_found(&self, texts: &[String], origin: &Origin) -> Result<usize, LeakError> {
        if let Err(wait) = self.reports.admit(origin.client_ip, self.context.steady()) {
            attempts::limited(&self.context, Refusal::ReportsLimited, None, wait, origin).await?;
            return Err(wait.into());
        }
        let different: HashSet<&str> = texts.iter().map(String::as_str).collect();
        let mut ended = 0;
        for text in different {
            if let Some(entry) = self.validator.look_up(text).await?.entry() {
                ended += usize::from(self.end(entry, Ending::Leaked(Source::Holder), origin).await?);
            }
        }
        Ok(ended)
    }

    /// Revokes a token that a code host found and signed for. Whether there is such a token, good or revoked before.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn report(&self, text: &str, source: Source, origin: &Origin) -> Result<bool, LeakError> {
        let recalled = self.validator.look_up(text).await?;
        let Some(entry) = recalled.entry() else { return Ok(false) };
        self.end(entry, Ending::Leaked(source), origin).await?;
        Ok(true)
    }

    /// Ends a token; whether it was not ended before.
    async fn end(&self, entry: &Entry, ending: Ending, origin: &Origin) -> Result<bool, LeakError> {
        // Where there are other nodes, somebody may have ended it a moment ago and still wait until it holds on all of them.
        if entry.credential().facts.revoked.is_some() && !self.context.lease.has_others() {
            return Ok(false);
        }
        let (organization, id) = (entry.organization_id(), entry.token_id());
        let (ask, reason, source) = match ending {
            Ending::Asked(caller) => (Ask::by(&caller, origin), RevokeReason::Requested, None),
            // The holder of a token may revoke it, so the token itself is recorded as the principal.
            Ending::Held => (Ask::of(Principal::Token(id), Some(organization), origin), RevokeReason::Requested, None),
            Ending::Leaked(source) => {
                (Ask::of(Principal::Anonymous, Some(organization), origin), RevokeReason::Leaked, Some(source))
            }
        };
        self.context
            .change(ask, move |change| {
                Box::pin(async move {
                    change.touch(Touched::Token(id));
                    let revocation = Revocation { at: change.now, reason, by: change.by() };
                    let revoked = change.tx.revoke_token(organization, id, &revocation).await.map_err(Failure::from)?;
                    let Some(token) = revoked else { return Ok(false) };
                    if let Some(source) = source {
                        let leaked = change.event("token.leaked").on("token", id);
                        change.record(leaked.with("source", source.as_str())).await?;
                        notices::tell(change, organization, &[token], Occasion::Leaked).await?;
                    }
                    let event = change.event("token.revoke").on("token", id);
                    change.record(event.with("reason", reason.as_str())).await?;
                    Ok(true)
                })
            })
            .await
    }
}
