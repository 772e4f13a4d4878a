//! Telling who a presented credential belongs to.

use token_domain::{Requirement, Timestamp};
use token_format::PlainToken;

use super::{SessionToken, Sessions};
use crate::error::Failure;
use crate::legacy::ForeignKey;
use crate::origin::{Admission, Caller, Origin, Via};
use crate::rights::{session_caller, token_caller};
use crate::validate::{Entry, Outcome};

/// A credential as presented, read but not yet believed.
#[derive(Clone, Debug)]
pub enum Presented {
    /// An `nlp_` token.
    Token(PlainToken),
    /// A key of another system.
    Foreign(ForeignKey),
    /// A session token.
    Session(SessionToken),
}

/// Why a credential does not count.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Unknown, expired, revoked: one answer for all.
    #[error("the credential is not valid")]
    Invalid,
    /// A good session of a person whose organisation asks for a second factor they do not have: good for setting one up,
    /// and for nothing else ([`Sessions::authenticate_to_enrol`]).
    #[error("a second factor is required")]
    SecondFactorRequired,
    /// A good token, presented from where it may not be used.
    #[error("the address is not allowed")]
    Elsewhere,
    /// It cannot be known.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// The operations that a valid session may be used for.
#[derive(Clone, Copy)]
enum Reach {
    /// All that its person may do.
    Full,
    /// Setting up a second factor.
    Enrolment,
}

impl Sessions {
    /// The caller a credential belongs to, as of now.
    ///
    /// # Errors
    /// A credential that does not count; a store that does not answer.
    pub async fn authenticate(&self, presented: &Presented, origin: &Origin) -> Result<Caller, AuthError> {
        match presented {
            Presented::Session(token) => match self.by_session(token).await? {
                (_, Reach::Enrolment) => Err(AuthError::SecondFactorRequired),
                (caller, Reach::Full) => {
                    if let Via::Session { session_id, .. } = caller.via {
                        self.note_use(session_id, origin);
                    }
                    Ok(caller)
                }
            },
            Presented::Token(token) => {
                self.by_outcome(self.validator.validate_token(token, &Requirement::NOTHING, origin).await?)
            }
            Presented::Foreign(key) => {
                self.by_outcome(self.validator.validate_foreign(key, &Requirement::NOTHING, origin).await?)
            }
        }
    }

    /// The caller a credential belongs to, also when it is good for setting up a second factor only.
    ///
    /// # Errors
    /// As [`Sessions::authenticate`], except [`AuthError::SecondFactorRequired`].
    pub async fn authenticate_to_enrol(&self, presented: &Presented, origin: &Origin) -> Result<Caller, AuthError> {
        match presented {
            Presented::Session(token) => {
                let admission = Admission { is_enrolling: true, ..Admission::default() };
                Ok(self.by_session(token).await?.0.admitted(admission))
            }
            Presented::Token(token) => {
                self.by_outcome(self.validator.validate_token(token, &Requirement::NOTHING, origin).await?)
            }
            Presented::Foreign(key) => {
                self.by_outcome(self.validator.validate_foreign(key, &Requirement::NOTHING, origin).await?)
            }
        }
    }

    async fn by_session(&self, token: &SessionToken) -> Result<(Caller, Reach), AuthError> {
        let digest = token.digest();
        let begun = self.context.comparisons.begun();
        let found =
            self.context.store.read(move |reads| Box::pin(async move { reads.session_by_digest(&digest).await })).await;
        let found = found.map_err(Failure::from)?;
        self.context.comparisons.check(begun)?;
        let found = found.ok_or(AuthError::Invalid)?;
        let caller = session_caller(&self.context, &found, self.context.now())?.ok_or(AuthError::Invalid)?;
        // Looked at on each request: it is enough that the organisation changes its mind, or the person removes theirs.
        let reach = if found.lacks_second_factor() { Reach::Enrolment } else { Reach::Full };
        Ok((caller, reach))
    }

    fn by_outcome(&self, outcome: Outcome) -> Result<Caller, AuthError> {
        let entry = match outcome {
            Outcome::Live(entry) | Outcome::Insufficient { entry, .. } => entry,
            Outcome::Elsewhere(_) => return Err(AuthError::Elsewhere),
            Outcome::Invalid => return Err(AuthError::Invalid),
        };
        entry.caller(self.context.now()).ok_or(AuthError::Invalid)
    }
}

impl Entry {
    /// The caller who presents the token, if it is valid at that moment.
    pub fn caller(&self, now: Timestamp) -> Option<Caller> {
        token_caller(&self.credential(), self.project_id(), self.last_used(), now).map(|(caller, _)| caller)
    }
}
