//! Revoking many tokens at once: looked at first, counted, then done in units of bounded size.
//!
//! Each unit is one transaction with one audit row that names its tokens, and one fence: up to 128 tokens are fenced one by
//! one, more as their organisation. When a unit fails, those before it stay done, and the answer says how many they are.

use std::collections::HashMap;

use storage::model::{Revocation, TokenFilter};
use token_domain::id::TokenId;
use token_domain::record::Token;
use token_domain::token::Explanation;
use token_domain::usage::Hour;
use token_domain::{Span, Timestamp};

use super::reach::reaches;
use super::read::filter;
use super::revoke::explained;
use super::{ListRequest, TokenError, Tokens};
use crate::change::Ask;
use crate::origin::{Caller, Origin};

/// Tokens of one unit of work: on PostgreSQL, others of the organisation wait for about as long as one takes.
const AT_ONCE: usize = 500;
/// The most tokens that one request may be about, so that it ends within a request's deadline.
const MOST: usize = 10_000;
/// The most ids that may be named.
pub const MOST_NAMED: usize = 1_000;
/// How many tokens are shown, the busiest first.
const SHOWN: usize = 10;

/// Which tokens to revoke.
#[derive(Clone, Debug)]
pub enum Chosen {
    /// These.
    Named(Vec<TokenId>),
    /// All that a list of this request would show, on every page.
    Listed(Box<ListRequest>),
}

/// Whether to do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Only say what would happen.
    DryRun,
    /// Do it.
    Carry,
}

/// Many tokens to revoke.
#[derive(Clone, Debug)]
pub struct BulkRequest {
    /// Which.
    pub chosen: Chosen,
    /// Why.
    pub explanation: Explanation,
    /// Whether to do it.
    pub mode: Mode,
    /// How many the caller thinks there are; another number means that the caller looked at something else.
    pub expected: Option<usize>,
}

/// What became of them, or would.
#[derive(Clone, Debug)]
pub struct BulkRevoked {
    /// Live tokens that were chosen.
    pub matched: usize,
    /// Of those, how many were revoked now.
    pub revoked: usize,
    /// Those with the most uses since a day ago, with how many that is; unused ones are not among them.
    pub busiest: Vec<(Token, u64)>,
    /// The newest of the others, so that with the busiest there are as many tokens as are shown.
    pub others: Vec<Token>,
}

impl Tokens {
    /// Revokes many tokens of the caller's organisation, or says what that would do. Tokens that are dead already, absent or
    /// out of the caller's reach are not counted.
    ///
    /// # Errors
    /// More tokens than one request may be about; another number of them than the caller expects; the store's.
    pub async fn revoke_many(
        &self,
        caller: &Caller,
        request: BulkRequest,
        origin: &Origin,
    ) -> Result<BulkRevoked, TokenError> {
        let now = self.context.now();
        let ids = match request.chosen {
            Chosen::Named(ids) => {
                let mut tokens = self.named(caller, ids).await?;
                tokens.retain(|token| token.facts.status(now).is_live());
                tokens.iter().map(|token| token.id).collect()
            }
            Chosen::Listed(listed) => match filter(caller, *listed, now) {
                Some(filter) => self.listed(filter).await?,
                None => Vec::new(),
            },
        };
        let matched = ids.len();
        if request.expected.is_some_and(|expected| expected != matched) {
            return Err(TokenError::OtherCount { matched });
        }
        let (busiest, others) = self.shown(caller, &ids, now).await?;
        let mut revoked = 0;
        if request.mode == Mode::Carry {
            for part in ids.chunks(AT_ONCE) {
                match self.revoke_part(caller, part.to_vec(), request.explanation.clone(), origin).await {
                    Ok(done) => revoked += done,
                    Err(error) if revoked == 0 => return Err(error),
                    Err(error) => {
                        tracing::warn!(%error, revoked, matched, "a bulk revocation stopped after some of its tokens");
                        break;
                    }
                }
            }
        }
        Ok(BulkRevoked { matched, revoked, busiest, others })
    }

    /// The tokens with these ids, as far as they exist and the caller reaches them, in any order.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn named(&self, caller: &Caller, ids: Vec<TokenId>) -> Result<Vec<Token>, TokenError> {
        let organization = caller.organization_id;
        let found = self
            .context
            .store
            .read(move |reads| Box::pin(async move { reads.tokens_by_id(organization, &ids).await }))
            .await?;
        Ok(found.into_iter().filter(|token| reaches(caller, token)).collect())
    }

    /// The live tokens of a list, newest first.
    async fn listed(&self, filter: TokenFilter) -> Result<Vec<TokenId>, TokenError> {
        let filter = TokenFilter { limit: u32::try_from(MOST + 1).unwrap_or(u32::MAX), ..filter };
        let ids =
            self.context.store.read(move |reads| Box::pin(async move { reads.live_token_ids(&filter).await })).await?;
        if ids.len() > MOST { Err(TokenError::TooMany { most: MOST }) } else { Ok(ids) }
    }

    /// The tokens that a person looks at before a revocation: the busiest with their uses, and if those are few, others.
    async fn shown(
        &self,
        caller: &Caller,
        ids: &[TokenId],
        now: Timestamp,
    ) -> Result<(Vec<(Token, u64)>, Vec<Token>), TokenError> {
        let first = Hour::of(now - Span::days(1));
        let still = self.context.uses.still().await;
        let asked = ids.to_vec();
        let counted = self
            .context
            .store
            .read(move |reads| Box::pin(async move { reads.uses_since(&asked, first).await }))
            .await?;
        let mut counted: HashMap<TokenId, u64> = counted.into_iter().collect();
        for id in ids {
            let waiting = self.context.uses.unwritten(*id).into_iter().filter(|usage| usage.hour >= first);
            let waiting: u64 = waiting.map(|usage| usage.counts.allowed + usage.counts.insufficient).sum();
            if waiting > 0 {
                *counted.entry(*id).or_default() += waiting;
            }
        }
        drop(still);
        let mut uses: Vec<(TokenId, u64)> = counted.iter().map(|(id, count)| (*id, *count)).collect();
        uses.sort_by_key(|(id, count)| (std::cmp::Reverse(*count), *id));
        let others = ids.iter().filter(|id| !counted.contains_key(id)).map(|id| (*id, 0));
        let chosen: Vec<(TokenId, u64)> = uses.into_iter().chain(others).take(SHOWN).collect();
        let mut tokens = self.named(caller, chosen.iter().map(|(id, _)| *id).collect()).await?;
        self.context.uses.add_to(&mut tokens);
        let token = |id: TokenId| tokens.iter().find(|token| token.id == id).cloned();
        let (busy, idle): (Vec<_>, Vec<_>) = chosen.into_iter().partition(|(_, count)| *count > 0);
        let busiest = busy.into_iter().filter_map(|(id, count)| token(id).map(|token| (token, count))).collect();
        Ok((busiest, idle.into_iter().filter_map(|(id, _)| token(id)).collect()))
    }

    /// One unit of work.
    async fn revoke_part(
        &self,
        caller: &Caller,
        ids: Vec<TokenId>,
        explanation: Explanation,
        origin: &Origin,
    ) -> Result<usize, TokenError> {
        self.context
            .change(Ask::by(caller, origin), move |change| {
                Box::pin(async move {
                    let organization = change.caller()?.organization_id;
                    change.touching().touch_tokens(organization, Some(ids.clone()));
                    let revocation = Revocation { at: change.now, reason: explanation.reason(), by: change.by() };
                    let revoked = change.tx.revoke_tokens(organization, &ids, &revocation).await?;
                    if revoked.is_empty() {
                        return Ok(0);
                    }
                    if !explanation.is_empty() {
                        change.tx.explain_revocations(organization, &revoked, &explanation).await?;
                    }
                    let named: Vec<String> = revoked.iter().map(ToString::to_string).collect();
                    let event = change
                        .event("token.bulk_revoke")
                        .with("count", named.len())
                        .with("tokens", named)
                        .with("reason", revocation.reason.as_str());
                    change.record(explained(event, &explanation)).await?;
                    Ok::<_, TokenError>(revoked.len())
                })
            })
            .await
    }
}
