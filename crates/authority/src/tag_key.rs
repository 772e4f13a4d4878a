//! Notices that the deployment's tag key is another than before: a lost one is never replaced in silence.
//!
//! Tokens go on validating without it, by their slow hash, and get new tags. What was sealed under a lost key cannot be
//! opened again: people with a second factor sign in with recovery codes, or have their factor reset; secrets of webhooks are
//! rotated.

use secret_hash::{KeyId, VerifyTag, sealing_key};
use storage::{Store, StoreError};
use token_domain::Span;
use token_domain::record::Principal;

use crate::audit::{Event, record};
use crate::context::Context;
use crate::error::Failure;
use crate::origin::Origin;

/// The id of the key, among the named values of the deployment. It proves nothing.
const NAME: &str = "tag_key_id";

/// What became of the key since the last start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagKeyChange {
    /// It is the same, or this is the first start.
    None,
    /// Another is in use, and the one before is still at hand.
    Rotated,
    /// Another is in use, and the one before is gone.
    Lost,
    /// Another is in use here than on a server that runs beside this one. Nothing is lost, and the servers warn of each other.
    Different,
}

/// Where no key was noted, by an earlier version: one that tags or factors in the database were made with, and preferably one that
/// is not at hand.
async fn key_in_use(context: &Context) -> Result<Option<String>, Failure> {
    let tag = context.store.read(|reads| Box::pin(reads.some_verify_tag())).await?;
    let factor = context.store.read(|reads| Box::pin(reads.some_sealed_secret())).await?;
    let webhook = context.store.read(|reads| Box::pin(reads.some_webhook_secret())).await?;
    let of_tag = tag.and_then(|tag| VerifyTag::from_bytes(&tag).ok()).map(|tag| tag.key_id());
    let of_factor = factor.and_then(|sealed| sealing_key(&sealed));
    let of_webhook = webhook.and_then(|sealed| sealing_key(&sealed));
    let used = [of_factor, of_webhook, of_tag].into_iter().flatten();
    let at_hand = |id: &KeyId| context.keyring.ids().any(|known| known == *id);
    let lost = used.clone().find(|id| !at_hand(id));
    Ok(lost.or_else(|| used.into_iter().next()).map(|id| id.to_string()))
}

/// Whether a server that shares the database and reported lately makes its tags with that key. One that was killed stays on the
/// list for some seconds: its last report is too old by the time another has started.
async fn is_used_beside(context: &Context, key: &str) -> Result<bool, Failure> {
    const LATELY: Span = Span::seconds(1);
    let nodes = context.store.read(|reads| Box::pin(reads.list_nodes())).await?;
    let now = context.now();
    Ok(nodes.iter().any(|node| node.record.tag_key == key && node.seen_at + LATELY >= now))
}

/// The id of the key that the database was used with last; `None` before its first start.
///
/// # Errors
/// An error of the store.
pub async fn noted_tag_key(store: &Store) -> Result<Option<String>, StoreError> {
    store.read(|reads| Box::pin(async move { reads.meta_get(NAME).await })).await
}

/// Compares the key with the one of the last start, remembers it, and says in the log and in the deployment's trail when it is
/// another.
///
/// # Errors
/// An error of the store.
pub async fn note_tag_key(context: &Context) -> Result<TagKeyChange, Failure> {
    let id = context.keyring.current_id().to_string();
    let noted = noted_tag_key(&context.store).await?;
    if noted.as_ref() == Some(&id) {
        return Ok(TagKeyChange::None);
    }
    let before = match noted {
        None => key_in_use(context).await?,
        noted => noted,
    };
    let change = match &before {
        None => TagKeyChange::None,
        Some(before) if *before == id => TagKeyChange::None,
        Some(before) if context.keyring.ids().any(|known| known.to_string() == *before) => TagKeyChange::Rotated,
        Some(before) if is_used_beside(context, before).await? => TagKeyChange::Different,
        Some(_) => TagKeyChange::Lost,
    };
    let factors = context.store.read(|reads| Box::pin(reads.count_second_factors())).await?;
    match (change, before) {
        (TagKeyChange::None, _) | (_, None) => {}
        // Not noted either: the one that all others have is still the deployment's.
        (TagKeyChange::Different, Some(_)) => return Ok(change),
        (TagKeyChange::Rotated, Some(before)) => {
            tracing::info!(before, now = id, "the tag key was changed, and the one before is kept as a previous one");
            let event = Event::new(context.now(), "tag_key.rotate", Principal::System, &Origin::internal());
            record(context, None, event.with("before", before).with("now", id.as_str())).await?;
        }
        (TagKeyChange::Lost, Some(before)) => {
            tracing::error!(
                before,
                now = id,
                second_factors = factors,
                "the tag key has changed and the previous key is missing: each token costs one slow hash, and existing second factors cannot be verified. If this is a mistake, stop the server and restore the key (keys.tag_key_path or keys.previous_tag_key_files); otherwise reset the second factors"
            );
            let event = Event::new(context.now(), "tag_key.lost", Principal::System, &Origin::internal());
            let event = event.with("before", before).with("now", id.as_str()).with("second_factors", factors);
            record(context, None, event).await?;
        }
    }
    let write = context.store.write(move |tx| Box::pin(async move { Ok::<_, Failure>(tx.meta_set(NAME, &id).await?) }));
    write.await?;
    Ok(change)
}
