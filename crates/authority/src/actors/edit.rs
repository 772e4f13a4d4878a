//! Changing an actor. Its tokens follow: what they are called, when they end, and, at the next validation, whether they
//! count and where they act.

use std::sync::Arc;

use storage::model::{ActorEdit, Change};
use token_domain::Timestamp;
use token_domain::access::{ActorName, ActorType, Description, ExternalId, Metadata};
use token_domain::id::{AccessScopeId, ActorId};
use token_domain::record::Actor;

use super::Actors;
use super::create::{check_expiry, placed};
use super::seen::{add_to, tokens_of};
use crate::origin::Origin;
use crate::projects::{Ground, TenancyError};
use crate::tokens::ActorToken;
use token_domain::tenant::ActorStatus;

/// A change to an actor.
#[derive(Clone, Debug, Default)]
pub struct ActorChange {
    /// A new name.
    pub name: Option<ActorName>,
    /// A new type.
    pub actor_type: Option<ActorType>,
    /// Its description.
    pub description: Change<Description>,
    /// What another system calls it.
    pub external_id: Change<ExternalId>,
    /// Its notes.
    pub metadata: Change<Metadata>,
    /// Its tenant boundary, of the same project; `Clear` for the whole project.
    pub access_scope_id: Change<AccessScopeId>,
    /// When it, and its tokens, end.
    pub expires_at: Change<Timestamp>,
    /// Whether it is switched on.
    pub enabled: Option<bool>,
}

impl Actors {
    /// Changes an actor.
    ///
    /// # Errors
    /// No such actor, an access scope of another project, a passed expiry.
    pub async fn edit(
        &self,
        ground: Ground,
        id: ActorId,
        asked: ActorChange,
        origin: &Origin,
    ) -> Result<Actor, TenancyError> {
        // Before the change: a read after its commit could fail, and the answer would deny a change that was made.
        let uses = Arc::clone(&self.context);
        let read =
            self.context.store.read(move |reads| Box::pin(async move { tokens_of(reads, &uses.uses, id).await }));
        let tokens = read.await?;
        let mut changed = self
            .context
            .change(ground.ask(origin), move |change| {
                Box::pin(async move {
                    let now = change.now;
                    let project = ground.open(change).await?;
                    if let Change::Set(moment) = asked.expires_at {
                        check_expiry(Some(moment), now)?;
                    }
                    let before = change.tx.actor(project.id, id).await?.ok_or(TenancyError::NotFound)?;
                    if asked.prolongs(&before) {
                        change.check_not_superseded()?;
                    }
                    let edit = asked.edit(&before, now);
                    let after = change.tx.update_actor(project.id, id, &edit, now).await.map_err(placed)?;
                    let after = after.ok_or(TenancyError::NotFound)?;
                    change.tx.update_tokens_of_actor(id, &ActorToken::name(&after)?, after.expires_at).await?;
                    ground.fence(change, &[id]).await?;
                    let mut event = change
                        .event("actor.update")
                        .on("actor", id)
                        .with("changed", changed(&edit))
                        .with("status", ActorStatus::at(after.disabled_at, after.expires_at, now).as_str());
                    if before.access_scope_id != after.access_scope_id {
                        event = event.with("access_scope_id", after.access_scope_id.map(|id| id.to_string()));
                    }
                    change.record(event).await?;
                    Ok::<_, TenancyError>(after)
                })
            })
            .await?;
        add_to(std::slice::from_mut(&mut changed), tokens, &self.context.uses);
        Ok(changed)
    }
}

impl ActorChange {
    /// Whether the actor's tokens count longer after it.
    fn prolongs(&self, before: &Actor) -> bool {
        let ends_later = match self.expires_at {
            Change::Keep => false,
            Change::Clear => before.expires_at.is_some(),
            Change::Set(moment) => before.expires_at.is_some_and(|end| moment > end),
        };
        ends_later || (self.enabled == Some(true) && before.disabled_at.is_some())
    }

    fn edit(self, before: &Actor, now: Timestamp) -> ActorEdit {
        ActorEdit {
            name: self.name,
            actor_type: self.actor_type,
            description: self.description,
            external_id: self.external_id,
            metadata: self.metadata,
            access_scope_id: self.access_scope_id,
            disabled_at: match (self.enabled, before.disabled_at) {
                (Some(false), None) => Change::Set(now),
                (Some(true), Some(_)) => Change::Clear,
                (Some(false), Some(_)) | (Some(true), None) | (None, _) => Change::Keep,
            },
            expires_at: self.expires_at,
        }
    }
}

/// The names of what a change sets, for the trail.
fn changed(edit: &ActorEdit) -> Vec<&'static str> {
    let ActorEdit { name, actor_type, description, external_id, metadata, access_scope_id, disabled_at, expires_at } =
        edit;
    let all = [
        ("name", name.is_some()),
        ("actor_type", actor_type.is_some()),
        ("description", *description != Change::Keep),
        ("external_id", *external_id != Change::Keep),
        ("metadata", *metadata != Change::Keep),
        ("access_scope_id", *access_scope_id != Change::Keep),
        ("disabled_at", *disabled_at != Change::Keep),
        ("expires_at", *expires_at != Change::Keep),
    ];
    all.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name).collect()
}
