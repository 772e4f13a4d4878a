//! Personal API keys: tokens of one person within one organisation, made, seen and changed by that person alone.
//!
//! A key can do what it was granted as far as its owner's role goes at that moment; that is decided at use. **Invariant:**
//! a key of somebody else is not found, for administrators too.

use storage::model::{OwnerFilter, TokenEdit};
use token_domain::id::{TokenId, UserId};
use token_domain::record::{Token, TokenOwner};
use token_domain::token::Explanation;

use super::reach::{Whose, check_key_maker};
use super::{IssueRequest, Issued, ListRequest, Page, RotateRequest, Rotated, TokenError, Tokens};
use crate::origin::{Caller, Origin};

/// A key asked for; without scopes, it gets the catalogue's defaults.
pub type KeyRequest = IssueRequest<Option<Vec<String>>>;

impl Tokens {
    /// Issues a key of the caller's own.
    ///
    /// # Errors
    /// A caller that is no person; a key without the right to make keys; as [`Tokens::issue`].
    pub async fn issue_key(&self, caller: &Caller, request: KeyRequest, origin: &Origin) -> Result<Issued, TokenError> {
        let user = self.key_maker(caller)?;
        let catalogue = &self.context.catalogue;
        let defaults = || catalogue.defaults().into_iter().map(|scope| catalogue.name(scope).to_string()).collect();
        let KeyRequest { name, scopes, agent_type, project_id, lifetime, details, idempotency } = request;
        let scopes = scopes.unwrap_or_else(defaults);
        let request = IssueRequest { name, scopes, agent_type, project_id, lifetime, details, idempotency };
        self.issue_for(caller, TokenOwner::Person(user), request, origin).await
    }

    /// The caller's own keys in the organisation.
    ///
    /// # Errors
    /// A caller that is no person.
    pub async fn list_keys(&self, caller: &Caller, request: ListRequest) -> Result<Page, TokenError> {
        let request = ListRequest { owner: OwnerFilter::Person(person(caller)?), ..request };
        self.list(caller, request).await
    }

    /// One of the caller's own keys.
    ///
    /// # Errors
    /// A caller that is no person; no such key.
    pub async fn key(&self, caller: &Caller, id: TokenId) -> Result<Token, TokenError> {
        self.seen(self.reached(caller, id, Whose::Person(person(caller)?)).await?).await
    }

    /// Renames or relabels one of the caller's own keys.
    ///
    /// # Errors
    /// As [`Tokens::key`].
    pub async fn edit_key(
        &self,
        caller: &Caller,
        id: TokenId,
        edit: TokenEdit,
        origin: &Origin,
    ) -> Result<Token, TokenError> {
        let before = self.key(caller, id).await?;
        self.relabel(caller, before, edit, origin).await
    }

    /// Rotates one of the caller's own keys.
    ///
    /// # Errors
    /// As [`Tokens::key`] and [`Tokens::rotate`]; a key without the right to make keys.
    pub async fn rotate_key(
        &self,
        caller: &Caller,
        id: TokenId,
        request: RotateRequest,
        origin: &Origin,
    ) -> Result<Rotated, TokenError> {
        self.key_maker(caller)?;
        let key = self.key(caller, id).await?;
        self.succeed_covered(caller, key, request, origin).await
    }

    /// Takes a running rotation of one of the caller's own keys back.
    ///
    /// # Errors
    /// As [`Tokens::key`]; a key that is not rotating.
    pub async fn cancel_key_rotation(
        &self,
        caller: &Caller,
        id: TokenId,
        origin: &Origin,
    ) -> Result<Token, TokenError> {
        let key = self.key(caller, id).await?;
        self.cancel(caller, &key, origin).await
    }

    /// As [`Tokens::revoke_key_saying`], with nothing said about it.
    ///
    /// # Errors
    /// As [`Tokens::key`].
    pub async fn revoke_key(&self, caller: &Caller, id: TokenId, origin: &Origin) -> Result<(), TokenError> {
        self.revoke_key_saying(caller, id, Explanation::default(), origin).await
    }

    /// Revokes one of the caller's own keys.
    ///
    /// # Errors
    /// As [`Tokens::key`].
    pub async fn revoke_key_saying(
        &self,
        caller: &Caller,
        id: TokenId,
        explanation: Explanation,
        origin: &Origin,
    ) -> Result<(), TokenError> {
        self.key(caller, id).await?;
        self.revoke_reached(caller, id, explanation, origin).await.map(drop)
    }

    /// The person behind a caller who may be shown the secret of a key.
    fn key_maker(&self, caller: &Caller) -> Result<UserId, TokenError> {
        let user = person(caller)?;
        check_key_maker(&self.context.catalogue, caller)?;
        Ok(user)
    }
}

fn person(caller: &Caller) -> Result<UserId, TokenError> {
    caller.user_id().ok_or(TokenError::NotAPerson)
}
