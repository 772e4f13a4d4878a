//! Sessions as they are listed: each with its last use.

use std::collections::HashMap;

use storage::StoreError;
use token_domain::Timestamp;
use token_domain::id::{OrganizationId, UserId};
use token_domain::record::{Session, SessionUse};

use crate::context::Context;

/// The most sessions that are listed. A program that signs in for each of its runs has more; they end by themselves.
pub(super) const MOST_LISTED: u32 = 1_000;

/// A session, and its last use if one is known.
pub type SeenSession = (Session, Option<SessionUse>);

/// The person's live sessions, newest first: those in one organisation, or all.
pub(crate) async fn seen(
    context: &Context,
    user: UserId,
    within: Option<OrganizationId>,
    now: Timestamp,
) -> Result<Vec<SeenSession>, StoreError> {
    let store = &context.store;
    let live = store.read(move |reads| Box::pin(reads.sessions_of_user(user, within, now, MOST_LISTED))).await?;
    if live.is_empty() {
        return Ok(Vec::new());
    }
    let noted = store.read(move |reads| Box::pin(reads.session_uses(user, MOST_LISTED))).await?;
    let mut noted: HashMap<_, _> = noted.into_iter().map(|used| (used.session_id, used)).collect();
    Ok(live
        .into_iter()
        .map(|session| {
            let last = noted.remove(&session.id);
            (session, last)
        })
        .collect())
}
