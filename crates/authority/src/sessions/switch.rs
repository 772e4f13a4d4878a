//! Going over to another organisation: a session is for one, so this is another session.

use storage::model::Principal;

use super::{Basis, OrganizationRef, Sessions, SignInError, SignedIn, is_welcome};
use crate::origin::{Caller, Origin, Via};

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
    /// A caller without a session, an organisation the person is not let into.
    pub async fn switch(
        &self,
        caller: &Caller,
        organization: OrganizationRef,
        origin: &Origin,
    ) -> Result<SignedIn, SwitchError> {
        let Via::Session { session_id, user_id } = caller.via else { return Err(SwitchError::NotASession) };
        let standing = self.standing(user_id, Some(organization)).await.map_err(SignInError::from)?;
        let standing = standing.filter(is_welcome).ok_or(SwitchError::NotFound)?;
        let live = self.list(user_id).await.map_err(SignInError::from)?;
        let current = live.into_iter().find(|session| session.id == session_id).ok_or(SwitchError::NotASession)?;
        let basis = Basis { spend: None, not_after: Some(current.expires_at) };
        Ok(self.open(standing, Principal::User(user_id), basis, origin).await?)
    }
}
