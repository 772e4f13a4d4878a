//! Revoking a token.

use storage::model::{Kill, Touched};
use token_domain::id::TokenId;
use token_domain::token::Explanation;

use super::reach::{Whose, bound_project, is_confined};
use super::{TokenError, Tokens};
use crate::audit::{Event, Trail};
use crate::origin::{Caller, Origin};

impl Tokens {
    /// As [`Tokens::revoke_saying`], with nothing said about it.
    ///
    /// # Errors
    /// No such token.
    pub async fn revoke(&self, caller: &Caller, id: TokenId, origin: &Origin) -> Result<(), TokenError> {
        self.revoke_saying(caller, id, Explanation::default(), origin).await
    }

    /// Revokes a token of the caller's organisation. When this returns, no validation that starts from now on says
    /// it is good. Revoking a dead token changes nothing and succeeds.
    ///
    /// # Errors
    /// No such token.
    pub async fn revoke_saying(
        &self,
        caller: &Caller,
        id: TokenId,
        explanation: Explanation,
        origin: &Origin,
    ) -> Result<(), TokenError> {
        if bound_project(caller).is_some() || is_confined(caller) {
            self.reached(caller, id, Whose::Anybody).await?;
        }
        self.kill(caller, id, explanation, origin).await
    }

    /// Revokes a token that the caller is known to reach, or that is not there.
    pub(super) async fn kill(
        &self,
        caller: &Caller,
        id: TokenId,
        explanation: Explanation,
        origin: &Origin,
    ) -> Result<(), TokenError> {
        let now = self.context.now();
        let touching = self.context.units.touching();
        touching.touch(Touched::Token(id));
        let (organization, by, origin) = (caller.organization_id, caller.principal(), origin.clone());
        self.context
            .units
            .run(now, touching, move |tx| {
                Box::pin(async move {
                    let mut trail = Trail::open(tx, Some(organization)).await?;
                    let kill = Kill { at: now, reason: explanation.reason(), by };
                    match tx.revoke_token(organization, id, &kill).await? {
                        Some(_) => {
                            if !explanation.is_empty() {
                                tx.explain_revocations(organization, &[id], &explanation).await?;
                            }
                            let event = Event::new(now, "token.revoke", by, &origin)
                                .on("token", id)
                                .with("reason", kill.reason.as_str());
                            Ok(trail.append(tx, explained(event, &explanation)).await?)
                        }
                        // Dead before, or not there: only a look tells.
                        None => tx.token(organization, id).await?.map(|_| ()).ok_or(TokenError::NotFound),
                    }
                })
            })
            .await
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
