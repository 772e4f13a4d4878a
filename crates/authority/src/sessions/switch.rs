//! Going over to another organisation: a session is for one, so this is another session.

use super::{Basis, OrganizationRef, Sessions, SignInError, SignedIn};
use crate::origin::{Caller, Origin, Proven, Via};
use crate::rights::Refused;
use crate::standing::is_welcome;

/// Why nobody was let over.
#[derive(Debug, thiserror::Error)]
pub enum SwitchError {
    /// The caller is no signed-in person.
    #[error("not a session")]
    NotASession,
    /// Not an organisation the person is let into: absent, foreign, switched off.
    #[error("no such organisation")]
    NotFound,
    /// The service itself failed.
    #[error(transparent)]
    Failed(#[from] SignInError),
}

impl Sessions {
    /// Opens a session of the same person in another organisation. It ends when the one it was made from does: going back
    /// and forth makes no session last longer than a password did.
    ///
    /// # Errors
    /// A caller without a session, or with one by an identity provider; an organisation the person is not let into.
    pub async fn switch(
        &self,
        caller: &Caller,
        organization: OrganizationRef,
        origin: &Origin,
    ) -> Result<SignedIn, SwitchError> {
        let Via::Session { user_id, proven, .. } = caller.via else { return Err(SwitchError::NotASession) };
        if proven == Proven::AtProvider {
            // Before the organisation is looked for: the provider's people learn nothing about others.
            return Err(SignInError::from(Refused::OfProvider).into());
        }
        let standing = self.standing(user_id, Some(organization)).await.map_err(SignInError::from)?;
        let standing = standing.filter(is_welcome).ok_or(SwitchError::NotFound)?;
        Ok(self.open(standing, Basis::Session(*caller), origin).await?)
    }
}
