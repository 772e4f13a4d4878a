//! Revoking a token.

use storage::model::{LogPlace, Revocation, Touched};
use token_domain::id::TokenId;
use token_domain::token::Explanation;

use super::reach::{Whose, reaches};
use super::{TokenError, Tokens};
use crate::audit::Event;
use crate::change::Ask;
use crate::origin::{Caller, Origin};

impl Tokens {
    /// As [`Tokens::revoke_saying`], with nothing said about it.
    ///
    /// # Errors
    /// No such token.
    pub async fn revoke(&self, caller: &Caller, id: TokenId, origin: &Origin) -> Result<Option<LogPlace>, TokenError> {
        self.revoke_saying(caller, id, Explanation::default(), origin).await
    }

    /// Revokes a token of the caller's organisation. When this returns, no validation that starts from now on says
    /// it is good. Revoking a dead token changes nothing and succeeds. The place of the revocation in the log, where
    /// other nodes may not have applied it yet.
    ///
    /// # Errors
    /// No such token.
    pub async fn revoke_saying(
        &self,
        caller: &Caller,
        id: TokenId,
        explanation: Explanation,
        origin: &Origin,
    ) -> Result<Option<LogPlace>, TokenError> {
        if !caller.reaches_whole_organization() {
            self.reached(caller, id, Whose::Anybody).await?;
        }
        self.revoke_reached(caller, id, explanation, origin).await
    }

    /// Revokes a token that the caller is known to reach, or that is not there.
    pub(super) async fn revoke_reached(
        &self,
        caller: &Caller,
        id: TokenId,
        explanation: Explanation,
        origin: &Origin,
    ) -> Result<Option<LogPlace>, TokenError> {
        self.context
            .change_placed(Ask::by(caller, origin), move |change| {
                Box::pin(async move {
                    let caller = *change.caller()?;
                    let organization = caller.organization_id;
                    change.touch(Touched::Token(id));
                    let revocation = Revocation { at: change.now, reason: explanation.reason(), by: change.by() };
                    // Dead before, or not there: only a look tells.
                    let (token, was_live) = match change.tx.revoke_token(organization, id, &revocation).await? {
                        Some(token) => (Some(token), true),
                        None => (change.tx.token(organization, id).await?, false),
                    };
                    token.filter(|token| reaches(&caller, token)).ok_or(TokenError::NotFound)?;
                    if was_live {
                        if !explanation.is_empty() {
                            change.tx.explain_revocations(organization, &[id], &explanation).await?;
                        }
                        let event =
                            change.event("token.revoke").on("token", id).with("reason", revocation.reason.as_str());
                        change.record(explained(event, &explanation)).await?;
                    }
                    Ok(())
                })
            })
            .await
            // Of use only to a caller who is answered before the change holds everywhere.
            .map(|((), place)| place.filter(|_| self.context.lease.is_relaxed()))
    }
}

/// An event with what was said about the revocation.
pub(super) fn explained(mut event: Event, explanation: &Explanation) -> Event {
    if let Some(cause) = explanation.cause {
        event = event.with("cause", cause.as_str());
    }
    match &explanation.note {
        Some(note) => event.with("note", note.as_str()),
        None => event,
    }
}
