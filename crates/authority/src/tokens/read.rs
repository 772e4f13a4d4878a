//! Reading and renaming tokens.

use std::fmt;

use storage::model::{Token, TokenEdit, TokenFilter, TokenOwner};
use token_domain::Timestamp;
use token_domain::id::{TokenId, Uuid};
use token_domain::token::Status;

use super::{TokenError, Tokens};
use crate::audit::{Event, Trail};
use crate::origin::{Caller, Origin};

/// Where a page begins: after this token, going back in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    created_at: Timestamp,
    id: TokenId,
}

/// A text that no page ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: pass next_cursor of the page before, unchanged")]
pub struct InvalidCursor;

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

impl Cursor {
    /// Reads a cursor back.
    ///
    /// # Errors
    /// Any text that [`Cursor`]'s display did not write.
    pub fn parse(text: &str) -> Result<Self, InvalidCursor> {
        let (micros, id) = text.split_once('.').ok_or(InvalidCursor)?;
        let micros: i64 = micros.parse().map_err(|_| InvalidCursor)?;
        let id = Uuid::try_parse(id).map_err(|_| InvalidCursor)?;
        let cursor = Self { created_at: Timestamp::from_micros(micros), id: TokenId::from_uuid(id) };
        let moments = Timestamp::EPOCH..=Timestamp::MAX;
        if moments.contains(&cursor.created_at) && cursor.to_string() == text { Ok(cursor) } else { Err(InvalidCursor) }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.created_at.as_micros(), self.id.uuid().simple())
    }
}

impl Tokens {
    /// The tokens of the caller's organisation.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self, caller: &Caller, request: ListRequest) -> Result<Page, TokenError> {
        let now = self.context.now();
        let limit = request.limit;
        let filter = TokenFilter {
            organization_id: caller.organization_id,
            owner: TokenOwner::Organization,
            status: request.status,
            name_contains: request.name,
            now,
            after: request.after.map(|cursor| (cursor.created_at, cursor.id)),
            // One more than asked tells whether there is another page.
            limit: limit + 1,
        };
        let mut tokens =
            self.context.store.read(move |reads| Box::pin(async move { reads.list_tokens(&filter).await })).await?;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = tokens.len() > wanted;
        tokens.truncate(wanted);
        let last = tokens.last().filter(|_| more);
        let next = last.map(|token| Cursor { created_at: token.facts.created_at, id: token.id });
        Ok(Page { tokens, next, now })
    }

    /// A token of the caller's organisation.
    ///
    /// # Errors
    /// No such token.
    pub async fn get(&self, caller: &Caller, id: TokenId) -> Result<Token, TokenError> {
        let organization = caller.organization_id;
        let found = self.context.store.read(move |reads| Box::pin(reads.token(organization, id))).await?;
        found.ok_or(TokenError::NotFound)
    }

    /// Renames or relabels a token.
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
        let now = self.context.now();
        let (organization, by, origin) = (caller.organization_id, caller.principal(), origin.clone());
        let touching = self.context.units.touching();
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
                    let token = tx.edit_token(organization, id, &edit).await?.ok_or(TokenError::NotFound)?;
                    trail.append(tx, event).await?;
                    Ok(token)
                })
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        let cursor = Cursor {
            created_at: Timestamp::from_micros(1_768_469_531_000_001),
            id: TokenId::from_uuid(Uuid::from_u128(7)),
        };
        assert_eq!(Cursor::parse(&cursor.to_string()), Ok(cursor));
        let id = "00000000000000000000000000000007";
        for text in ["", ".", "1", "1.", "-1.x", &format!("-1.{id}"), &format!("+1.{id}"), &format!("01.{id}"), "9e9.7"]
        {
            assert_eq!(Cursor::parse(text), Err(InvalidCursor), "{text}");
        }
    }
}
