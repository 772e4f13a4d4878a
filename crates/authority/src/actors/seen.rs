//! When actors were last seen: the latest use of any of their tokens, written down or not.

use std::collections::HashMap;

use storage::{Reads, StoreError};
use token_domain::id::{ActorId, TokenId};
use token_domain::record::Actor;

use crate::usage::Uses;

/// The most tokens that are read. The last use that is shown of an actor with more may be ten seconds old.
const MOST_TOKENS: u32 = 10_000;

/// Brings actors as they were read up to date with what is not written down. Costs a read only while something waits.
pub(crate) async fn bring_up_to_date(reads: &mut Reads, uses: &Uses, actors: &mut [Actor]) -> Result<(), StoreError> {
    if actors.is_empty() || uses.is_empty() {
        return Ok(());
    }
    let ids: Vec<ActorId> = actors.iter().map(|actor| actor.id).collect();
    let tokens = reads.tokens_by_actor(&ids, MOST_TOKENS).await?;
    add_to(actors, tokens, uses);
    Ok(())
}

/// The tokens of one actor, for [`add_to`]: none where nothing waits.
pub(super) async fn tokens_of(
    reads: &mut Reads,
    uses: &Uses,
    actor: ActorId,
) -> Result<Vec<(ActorId, TokenId)>, StoreError> {
    if uses.is_empty() { Ok(Vec::new()) } else { reads.tokens_by_actor(&[actor], MOST_TOKENS).await }
}

/// Brings actors up to date, given their tokens.
pub(super) fn add_to(actors: &mut [Actor], tokens: Vec<(ActorId, TokenId)>, uses: &Uses) {
    let mut latest = HashMap::new();
    for (actor, used) in uses.last_used_of(tokens) {
        let known = latest.entry(actor).or_insert(used);
        *known = used.max(*known);
    }
    for actor in actors {
        actor.last_used_at = actor.last_used_at.max(latest.get(&actor.id).copied());
    }
}
