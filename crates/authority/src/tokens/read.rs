//! Reading and renaming tokens.

use std::sync::Arc;

use storage::model::{Token, TokenEdit, TokenFilter, TokenOwner};
use token_domain::Timestamp;
use token_domain::id::{TokenId, kind};
use token_domain::token::Status;

use super::reach::{Whose, bound_project, is_confined};
use super::{TokenError, Tokens};
use crate::audit::{Event, Trail};
use crate::cursor::cut;
use crate::origin::{Caller, Origin};

/// Where a page of tokens begins.
pub type Cursor = crate::cursor::Cursor<kind::Token>;

/// Which tokens to list.
#[derive(Clone, Debug, Default)]
pub struct ListRequest {
    /// Only of this status.
    pub status: Option<Status>,
    /// Only with this in their name.
    pub name: Option<String>,
    /// At most this many; 1 to 1000.
    pub limit: u32,
    /// Where the page begins.
    pub after: Option<Cursor>,
}

/// A page of tokens, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The tokens.
    pub tokens: Vec<Token>,
    /// Where the next page begins; nothing when this is the last.
    pub next: Option<Cursor>,
    /// The moment their statuses are to be derived for.
    pub now: Timestamp,
}

impl Tokens {
    /// The tokens of the caller's organisation, as far as the caller reaches.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self, caller: &Caller, request: ListRequest) -> Result<Page, TokenError> {
        self.list_of(caller, TokenOwner::Organization, request).await
    }

    /// The tokens of an owner, as far as the caller reaches.
    pub(super) async fn list_of(
        &self,
        caller: &Caller,
        owner: TokenOwner,
        request: ListRequest,
    ) -> Result<Page, TokenError> {
        let now = self.context.now();
        if is_confined(caller) {
            return Ok(Page { tokens: Vec::new(), next: None, now });
        }
        let limit = request.limit;
        let filter = TokenFilter {
            organization_id: caller.organization_id,
            owner,
            project_id: bound_project(caller),
            status: request.status,
            name_contains: request.name,
            now,
            after: request.after.map(|cursor| (cursor.created_at, cursor.id)),
            // One more than asked tells whether there is another page.
            limit: limit + 1,
        };
        let mut tokens =
            self.context.store.read(move |reads| Box::pin(async move { reads.list_tokens(&filter).await })).await?;
        let place = |token: &Token| Cursor { created_at: token.facts.created_at, id: token.id };
        let next = cut(&mut tokens, limit, place);
        self.context.uses.add_to(&mut tokens);
        Ok(Page { tokens, next, now })
    }

    /// A token of the caller's organisation, of any kind.
    ///
    /// # Errors
    /// No such token.
    pub async fn get(&self, caller: &Caller, id: TokenId) -> Result<Token, TokenError> {
        self.reached(caller, id, Whose::Anybody).await
    }

    /// Renames or relabels a token. A person's key is for that person to change.
    ///
    /// # Errors
    /// No such token.
    pub async fn edit(
        &self,
        caller: &Caller,
        id: TokenId,
        edit: TokenEdit,
        origin: &Origin,
    ) -> Result<Token, TokenError> {
        self.reached(caller, id, Whose::Shared).await?;
        self.relabel(caller, id, edit, origin).await
    }

    /// Renames or relabels a token that the caller is known to reach.
    pub(super) async fn relabel(
        &self,
        caller: &Caller,
        id: TokenId,
        edit: TokenEdit,
        origin: &Origin,
    ) -> Result<Token, TokenError> {
        let now = self.context.now();
        let (organization, by, origin) = (caller.organization_id, caller.principal(), origin.clone());
        let (touching, context) = (self.context.units.touching(), Arc::clone(&self.context));
        self.context
            .units
            .run(now, touching, move |tx| {
                Box::pin(async move {
                    let mut trail = Trail::open(tx, Some(organization)).await?;
                    let mut event = Event::new(now, "token.update", by, &origin).on("token", id);
                    if let Some(name) = &edit.name {
                        event = event.with("name", name.as_str());
                    }
                    if let Some(agent_type) = &edit.agent_type {
                        event = event.with("agent_type", agent_type.as_str());
                    }
                    let mut token = tx.edit_token(organization, id, &edit).await?.ok_or(TokenError::NotFound)?;
                    trail.append(tx, event).await?;
                    context.uses.add_to([&mut token]);
                    Ok(token)
                })
            })
            .await
    }
}
