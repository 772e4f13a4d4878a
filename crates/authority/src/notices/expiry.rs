//! Warnings before tokens end: 30, 7 and 1 days before, each once for each token.
//!
//! A sweep reads tokens in the order of their ends, from where the last one stopped: a place for each stage, kept in the database.
//! So a round costs what has come due since, not what there is, and a token that is made with less time to live than a stage is
//! behind its place already. Of several nodes, and after a crash, a token may be read twice; what was told is noted in the
//! transaction that tells it, and told once.

use std::collections::BTreeMap;
use std::sync::Arc;

use token_domain::id::{OrganizationId, TokenId, Uuid};
use token_domain::record::{Principal, Token};
use token_domain::{Span, Timestamp};

use super::{Ended, Occasion, settled, tell};
use crate::change::Ask;
use crate::context::Context;
use crate::error::Failure;
use crate::origin::Origin;

/// Days before the end. The shortest first: a token that several stages come due for at once, after an outage, is told of the
/// shortest.
const STAGES: [i32; 3] = [1, 7, 30];
/// Tokens read at once.
const AT_ONCE: u32 = 200;
/// Reads in a round, so that a round ends.
const READS: usize = 10;
/// How far behind the moment a sweep stays, so that a token whose transaction began before is not overtaken.
const BEHIND: Span = Span::seconds(60);
/// How much longer than a stage a token's life must be: one made for 30 days is not warned of on its first day.
const MARGIN: Span = Span::days(1);

impl Context {
    /// Warns of tokens that end soon; of how many.
    ///
    /// # Errors
    /// The store's. What was told by then stays told.
    pub async fn warn_of_expiry(self: &Arc<Self>) -> Result<usize, Failure> {
        let mut warned = 0;
        for days in STAGES {
            warned += self.warn_at(days).await?;
        }
        Ok(warned)
    }

    async fn warn_at(self: &Arc<Self>, days: i32) -> Result<usize, Failure> {
        let (key, now) = (format!("expiry_notices_{days}"), self.now());
        let until = now + stage(days) - BEHIND;
        let kept = {
            let key = key.clone();
            self.store.read(move |reads| Box::pin(async move { reads.meta_get(&key).await })).await?
        };
        let Some(mut place) = kept.as_deref().and_then(read_place) else {
            // The first time: what is nearer than the stage already is left to the shorter ones.
            return self.keep_place(key, (until, last_id())).await.map(|()| 0);
        };
        // No warning is sent about tokens that expired while no node ran.
        place = place.max((now, first_id()));
        let mut warned = 0;
        for _ in 0..READS {
            let found = self
                .store
                .read(move |reads| Box::pin(async move { reads.expiring_tokens(place, until, AT_ONCE).await }))
                .await?;
            let is_last = found.len() < usize::try_from(AT_ONCE).unwrap_or(usize::MAX);
            place = match found.last().and_then(|last| Some((last.facts.expires_at?, last.id))) {
                Some(last) if !is_last => last,
                Some(_) | None => (until, last_id()),
            };
            let mut by_organization: BTreeMap<OrganizationId, Vec<Token>> = BTreeMap::new();
            for token in found.into_iter().filter(|token| is_due(token, days, now)) {
                by_organization.entry(token.organization_id).or_default().push(token);
            }
            for (organization, tokens) in by_organization {
                warned += self.warn_in(organization, tokens, days).await?;
            }
            self.keep_place(key.clone(), place).await?;
            if is_last {
                break;
            }
        }
        Ok(warned)
    }

    /// Warns of tokens of one organisation, in one transaction.
    async fn warn_in(
        self: &Arc<Self>,
        organization: OrganizationId,
        tokens: Vec<Token>,
        days: i32,
    ) -> Result<usize, Failure> {
        let ask = Ask::of(Principal::System, Some(organization), &Origin::internal());
        let warned = self.change(ask, move |change| {
            Box::pin(async move {
                let mut told = Vec::new();
                for token in tokens {
                    // Read again: it may be revoked or rotated by now.
                    let current = change.tx.token(organization, token.id).await.map_err(Failure::from)?;
                    let Some(token) = current.filter(|token| is_due(token, days, change.now)) else { continue };
                    if !change.tx.note_expiry(token.id, days).await.map_err(Failure::from)? {
                        continue;
                    }
                    let ends = token.facts.expires_at.map(Timestamp::rfc3339_seconds).unwrap_or_default();
                    let event = change.event("token.expiring").on("token", token.id);
                    change.record(event.with("days", days).with("expires_at", ends)).await?;
                    told.push(token);
                }
                tell(change, organization, &told, Occasion::Expiring(days)).await?;
                Ok::<_, Ended>(told.len())
            })
        });
        settled(warned.await)
    }

    async fn keep_place(&self, key: String, place: (Timestamp, TokenId)) -> Result<(), Failure> {
        let text = format!("{} {}", place.0.as_micros(), place.1);
        let write =
            self.store.write(move |tx| Box::pin(async move { Ok::<_, Failure>(tx.meta_set(&key, &text).await?) }));
        write.await
    }
}

fn stage(days: i32) -> Span {
    Span::days(u32::try_from(days).unwrap_or(0))
}

/// Whether a token is to be warned of now at a stage: it is in use until its own end, and no shorter stage has come.
fn is_due(token: &Token, days: i32, now: Timestamp) -> bool {
    let Some(ends) = token.facts.expires_at else { return false };
    let is_in_use = token.facts.revoked.is_none() && token.facts.superseded.is_none() && ends > now;
    let shorter = STAGES.into_iter().filter(|shorter| *shorter < days).max();
    let is_shorter_due = shorter.is_some_and(|shorter| ends <= now + stage(shorter) - BEHIND);
    is_in_use && !is_shorter_due && ends > token.facts.created_at + stage(days) + MARGIN
}

const fn first_id() -> TokenId {
    TokenId::from_uuid(Uuid::nil())
}

const fn last_id() -> TokenId {
    TokenId::from_uuid(Uuid::max())
}

fn read_place(text: &str) -> Option<(Timestamp, TokenId)> {
    let (moment, id) = text.split_once(' ')?;
    Some((Timestamp::from_micros(moment.parse().ok()?), TokenId::parse(id).ok()?))
}
