//! Telling who a presented credential belongs to.

use token_domain::Requirement;
use token_domain::decide::{Holder, Verdict, decide};
use token_format::PlainToken;

use super::{SessionToken, Sessions, caller_of};
use crate::error::Failure;
use crate::origin::{Caller, Origin, Via};
use crate::validate::Outcome;

/// A credential as presented, read but not yet believed.
#[derive(Clone, Debug)]
pub enum Presented {
    /// An `nlp_` token.
    Token(PlainToken),
    /// A session token.
    Session(SessionToken),
}

/// Why a credential does not count.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Unknown, expired, revoked: one answer for all.
    #[error("the credential is not valid")]
    Invalid,
    /// It cannot be known.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl Sessions {
    /// The caller a credential belongs to, as of now.
    ///
    /// # Errors
    /// A credential that does not count; a store that does not answer.
    pub async fn authenticate(&self, presented: &Presented, origin: &Origin) -> Result<Caller, AuthError> {
        match presented {
            Presented::Session(token) => self.by_session(token).await,
            Presented::Token(token) => self.by_token(token, origin).await,
        }
    }

    async fn by_session(&self, token: &SessionToken) -> Result<Caller, AuthError> {
        let digest = token.digest();
        let found =
            self.context.store.read(move |reads| Box::pin(async move { reads.session_by_digest(&digest).await })).await;
        let found = found.map_err(Failure::from)?.ok_or(AuthError::Invalid)?;
        caller_of(&self.context, &found, self.context.now())?.ok_or(AuthError::Invalid)
    }

    async fn by_token(&self, token: &PlainToken, origin: &Origin) -> Result<Caller, AuthError> {
        let outcome = self.validator.validate_token(token, &Requirement::NOTHING, &|| origin.clone()).await?;
        let (Outcome::Live(entry) | Outcome::Insufficient { entry, .. }) = outcome else {
            return Err(AuthError::Invalid);
        };
        let credential = entry.credential();
        let (Verdict::Allowed { effective, .. } | Verdict::Insufficient { effective, .. }) =
            decide(&credential, &Requirement::NOTHING, self.context.now())
        else {
            return Err(AuthError::Invalid);
        };
        let (user_id, project_id, boundary) = match &credential.holder {
            Holder::Organization => (None, entry.project_id(), None),
            Holder::Person(person) => (Some(person.user_id), entry.project_id(), None),
            Holder::Actor(actor) => (None, Some(actor.project_id), actor.access_scope.as_ref().map(|scope| scope.id)),
        };
        Ok(Caller {
            organization_id: credential.organization_id,
            via: Via::Token { token_id: credential.token_id, user_id, project_id, boundary },
            effective,
        })
    }
}
