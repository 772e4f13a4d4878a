//! Reading and renaming tokens.

use std::collections::HashMap;

use storage::model::{Change, Narrowing, OwnerFilter, SEARCHED_ROWS, StatusCounts, TokenEdit, TokenFilter};
use token_domain::Timestamp;
use token_domain::id::{ProjectId, TokenId, kind};
use token_domain::record::{Principal, Token, TokenLeak, TokenOrigin};
use token_domain::token::{Kind, Status};

use super::reach::{Whose, is_confined, reaches};
use super::{TokenError, Tokens};
use crate::change::Ask;
use crate::cursor::cut;
use crate::origin::{Caller, Origin};

/// Addresses shown of a token: the store may have more for a moment, while two nodes write.
const SHOWN_ORIGINS: usize = 5;

/// Where a page of tokens begins.
pub type Cursor = crate::cursor::Cursor<kind::Token>;

/// Which tokens to list.
#[derive(Clone, Debug)]
pub struct ListRequest {
    /// Whose.
    pub owner: OwnerFilter,
    /// Only those bound to this project.
    pub project_id: Option<ProjectId>,
    /// Only of this status.
    pub status: Option<Status>,
    /// Only with this in their name.
    pub name: Option<String>,
    /// What else is asked of them.
    pub narrowed: Narrowing,
    /// At most this many; 1 to 1000.
    pub limit: u32,
    /// Where the page begins.
    pub after: Option<Cursor>,
}

impl Default for ListRequest {
    /// All of the organisation's own, a hundred to a page.
    fn default() -> Self {
        Self {
            owner: OwnerFilter::Kind(Kind::Organization),
            project_id: None,
            status: None,
            name: None,
            narrowed: Narrowing::default(),
            limit: 100,
            after: None,
        }
    }
}

/// A page of tokens, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The tokens.
    pub tokens: Vec<Token>,
    /// Where the next page begins; nothing when this is the last. A page of a search may be short, or empty, and have a
    /// next one all the same: a search looks at [`SEARCHED_ROWS`] tokens at a time.
    pub next: Option<Cursor>,
    /// The moment their statuses are to be derived for.
    pub now: Timestamp,
}

impl Tokens {
    /// What was done about the leak of a token that the caller was given, if one was reported.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn leak(&self, token: &Token) -> Result<Option<TokenLeak>, TokenError> {
        let id = token.id;
        Ok(self.context.store.read(move |reads| Box::pin(reads.token_leak(id))).await?)
    }

    /// Whether nobody has seen the token's secret, because the token took over from one that leaked.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn is_unseen(&self, token: &Token) -> Result<bool, TokenError> {
        let Some(leaked) = token.rotated_from.filter(|_| token.created_by == Principal::System) else {
            return Ok(false);
        };
        Ok(self.context.store.read(move |reads| Box::pin(reads.token_leak(leaked))).await?.is_some())
    }

    /// The tokens of the caller's organisation, as far as the caller reaches.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn list(&self, caller: &Caller, request: ListRequest) -> Result<Page, TokenError> {
        let (now, limit) = (self.context.now(), request.limit);
        let Some(filter) = filter(caller, request, now) else {
            return Ok(Page { tokens: Vec::new(), next: None, now });
        };
        // One more than asked tells whether there is another page.
        let mut filter = TokenFilter { limit: limit + 1, ..filter };
        let read = self.context.store.read(move |reads| {
            Box::pin(async move {
                if filter.is_search() {
                    filter.until = reads.search_end_of_tokens(&filter, SEARCHED_ROWS).await?;
                }
                Ok((reads.list_tokens(&filter).await?, filter.until))
            })
        });
        let (mut tokens, searched_to) = read.await?;
        let place = |token: &Token| Cursor { created_at: token.facts.created_at, id: token.id };
        let next = cut(&mut tokens, limit, place).or(searched_to.map(|(created_at, id)| Cursor { created_at, id }));
        self.context.uses.add_to(&mut tokens);
        self.add_origins(&mut tokens).await?;
        Ok(Page { tokens, next, now })
    }

    /// How many of these tokens have each status, as far as the caller reaches; the page asked for is not looked at.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn count(&self, caller: &Caller, request: ListRequest) -> Result<StatusCounts, TokenError> {
        let Some(filter) = filter(caller, request, self.context.now()) else { return Ok(StatusCounts::default()) };
        let counted =
            self.context.store.read(move |reads| Box::pin(async move { reads.count_tokens(&filter).await })).await;
        Ok(counted?)
    }

    /// A token of the caller's organisation, of any kind.
    ///
    /// # Errors
    /// No such token.
    pub async fn get(&self, caller: &Caller, id: TokenId) -> Result<Token, TokenError> {
        self.seen(self.reached(caller, id, Whose::Anybody).await?).await
    }

    /// A token with the addresses it was used from.
    pub(super) async fn seen(&self, mut token: Token) -> Result<Token, TokenError> {
        self.add_origins(std::slice::from_mut(&mut token)).await?;
        Ok(token)
    }

    /// Adds the addresses that tokens were used from.
    async fn add_origins(&self, tokens: &mut [Token]) -> Result<(), TokenError> {
        if tokens.is_empty() {
            return Ok(());
        }
        let ids: Vec<TokenId> = tokens.iter().map(|token| token.id).collect();
        let origins =
            self.context.store.read(move |reads| Box::pin(async move { reads.origins_of(&ids).await })).await?;
        let mut by_token: HashMap<TokenId, Vec<TokenOrigin>> = HashMap::new();
        for origin in origins {
            let of_token = by_token.entry(origin.token_id).or_default();
            if of_token.len() < SHOWN_ORIGINS {
                of_token.push(origin);
            }
        }
        for token in tokens {
            token.used_from = by_token.remove(&token.id).unwrap_or_default();
        }
        Ok(())
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
        let before = self.seen(self.reached(caller, id, Whose::Shared).await?).await?;
        self.relabel(caller, before, edit, origin).await
    }

    /// Renames or relabels a token that the caller is known to reach. The addresses it was used from come with `before`:
    /// a read after the commit could fail, and the answer would deny a change that was made.
    pub(super) async fn relabel(
        &self,
        caller: &Caller,
        before: Token,
        edit: TokenEdit,
        origin: &Origin,
    ) -> Result<Token, TokenError> {
        let Token { id, used_from, .. } = before;
        let edited = self
            .context
            .change(Ask::by(caller, origin), move |change| {
                Box::pin(async move {
                    let caller = *change.caller()?;
                    let mut event = change.event("token.update").on("token", id);
                    if let Some(name) = &edit.name {
                        event = event.with("name", name.as_str());
                    }
                    if let Some(agent_type) = &edit.agent_type {
                        event = event.with("agent_type", agent_type.as_str());
                    }
                    let described = [
                        ("description", edit.description != Change::Keep),
                        ("external_id", edit.external_id != Change::Keep),
                        ("metadata", edit.metadata != Change::Keep),
                    ];
                    // That they changed, not to what: such text may be anything.
                    let described: Vec<&str> =
                        described.into_iter().filter_map(|(field, is_changed)| is_changed.then_some(field)).collect();
                    if !described.is_empty() {
                        event = event.with("changed", described);
                    }
                    let edited = change.tx.edit_token(caller.organization_id, id, &edit).await?;
                    let edited = edited.filter(|token| reaches(&caller, token));
                    let mut token = edited.ok_or(TokenError::NotFound)?;
                    change.record(event).await?;
                    change.context().uses.add_to([&mut token]);
                    Ok::<_, TokenError>(token)
                })
            })
            .await?;
        Ok(Token { used_from, ..edited })
    }
}

/// The store's filter for a caller's request, cut to the caller's reach; `None` if the caller reaches no such token.
pub(super) fn filter(caller: &Caller, request: ListRequest, now: Timestamp) -> Option<TokenFilter> {
    if is_confined(caller) {
        return None;
    }
    let project_id = match (caller.bound_project(), request.project_id) {
        (Some(bound), Some(asked)) if bound != asked => return None,
        (bound, asked) => bound.or(asked),
    };
    Some(TokenFilter {
        organization_id: caller.organization_id,
        owner: request.owner,
        project_id,
        status: request.status,
        name_contains: request.name,
        narrowed: request.narrowed,
        now,
        after: request.after.map(|cursor| (cursor.created_at, cursor.id)),
        until: None,
        limit: request.limit,
    })
}
