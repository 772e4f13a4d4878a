//! Actors: devices, people of a tenant, servers, agents and services that act in a project, each with a token.

mod broker;
mod create;
mod edit;
mod end;
mod rotate;
mod seen;

use std::sync::Arc;

use storage::model::{ActorFilter, Listing, Page, ScopedTo};
use storage::{Reads, StoreError};
use token_domain::access::{Topic, may_use};
use token_domain::id::ActorId;
use token_domain::record::Actor;
use token_domain::tenant::{AccessScopeStanding, ActorStanding, ActorStatus};

pub use broker::{Connection, Disconnection};
pub use create::{MadeActor, NewActor};
pub use edit::ActorChange;
pub use rotate::RotatedActor;

pub(crate) use seen::bring_up_to_date;

use crate::context::Context;
use crate::projects::{Ground, TenancyError};

/// Whether an actor may use a topic, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicAnswer {
    /// It may.
    Allowed,
    /// It was switched off.
    ActorDisabled,
    /// Its time is over.
    ActorExpired,
    /// Its access scope was switched off.
    AccessScopeInactive,
    /// The topic is not under its access scope's slug.
    OutsideAccessScope,
}

impl TopicAnswer {
    /// Why not, as the wire says it.
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Allowed => None,
            Self::ActorDisabled => Some("actor_disabled"),
            Self::ActorExpired => Some("actor_expired"),
            Self::AccessScopeInactive => Some("access_scope_inactive"),
            Self::OutsideAccessScope => Some("outside_access_scope"),
        }
    }
}

/// Actors.
pub struct Actors {
    context: Arc<Context>,
}

impl Actors {
    /// Over a context.
    pub fn new(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context) }
    }

    /// A page of the project's actors; for an actor of an access scope, of those in it.
    ///
    /// # Errors
    /// No such project.
    pub async fn list(
        &self,
        ground: Ground,
        scoped_to: ScopedTo,
        listing: Listing,
    ) -> Result<Page<Actor>, TenancyError> {
        let context = Arc::clone(&self.context);
        let found = self.context.store.read(move |reads| {
            Box::pin(async move {
                if ground.look(reads).await?.is_none() {
                    return Ok(None);
                }
                let Some(scoped_to) = narrowed(ground, scoped_to) else {
                    return Ok(Some(Page { items: Vec::new(), total: 0 }));
                };
                let filter = ActorFilter { project_id: ground.project(), scoped_to };
                let mut page = reads.list_actors(&filter, &listing).await?;
                bring_up_to_date(reads, &context.uses, &mut page.items).await?;
                Ok(Some(page))
            })
        });
        found.await?.ok_or(TenancyError::NotFound)
    }

    /// An actor.
    ///
    /// # Errors
    /// No such actor.
    pub async fn get(&self, ground: Ground, id: ActorId) -> Result<Actor, TenancyError> {
        let context = Arc::clone(&self.context);
        let found = self.context.store.read(move |reads| {
            Box::pin(async move {
                let Some(mut actor) = find(reads, ground, id).await? else { return Ok(None) };
                bring_up_to_date(reads, &context.uses, std::slice::from_mut(&mut actor)).await?;
                Ok::<_, StoreError>(Some(actor))
            })
        });
        found.await?.ok_or(TenancyError::NotFound)
    }

    /// Whether an actor may use a topic, as it is on the wire, slug and all.
    ///
    /// # Errors
    /// No such actor.
    pub async fn check(&self, ground: Ground, id: ActorId, topic: &Topic) -> Result<TopicAnswer, TenancyError> {
        let found = self.context.store.read(move |reads| {
            Box::pin(async move {
                let Some(actor) = find(reads, ground, id).await? else { return Ok(None) };
                let access_scope = match actor.access_scope_id {
                    Some(id) => reads.access_scope(ground.project(), id).await?,
                    None => None,
                };
                if actor.access_scope_id.is_some() && access_scope.is_none() {
                    // Deleted between the two reads, which made the actor unscoped: look at it again.
                    let again = find(reads, ground, id).await?;
                    return Ok(again.map(|actor| (actor, None)));
                }
                Ok(Some((actor, access_scope)))
            })
        });
        let (actor, access_scope) = found.await?.ok_or(TenancyError::NotFound)?;
        match ActorStatus::at(actor.disabled_at, actor.expires_at, self.context.now()) {
            ActorStatus::Active => {}
            ActorStatus::Disabled => return Ok(TopicAnswer::ActorDisabled),
            ActorStatus::Expired => return Ok(TopicAnswer::ActorExpired),
        }
        let standing = ActorStanding {
            actor_id: actor.id,
            project_id: actor.project_id,
            disabled_at: actor.disabled_at,
            expires_at: actor.expires_at,
            access_scope: access_scope.map(|access_scope| AccessScopeStanding {
                id: access_scope.id,
                slug: access_scope.slug,
                active: access_scope.is_active,
            }),
        };
        Ok(match &standing.access_scope {
            Some(access_scope) if !access_scope.active => TopicAnswer::AccessScopeInactive,
            Some(_) | None if may_use(&standing, topic) => TopicAnswer::Allowed,
            Some(_) | None => TopicAnswer::OutsideAccessScope,
        })
    }
}

/// The actor, if its project is the caller's and it is not outside their boundary.
async fn find(reads: &mut Reads, ground: Ground, id: ActorId) -> Result<Option<Actor>, StoreError> {
    if ground.look(reads).await?.is_none() {
        return Ok(None);
    }
    let actor = reads.actor(ground.project(), id).await?;
    Ok(actor.filter(|actor| ground.sees(actor.access_scope_id)))
}

/// What is left of a filter inside the caller's boundary; nothing when they exclude each other.
fn narrowed(ground: Ground, asked: ScopedTo) -> Option<ScopedTo> {
    match (ground.boundary(), asked) {
        (None, asked) => Some(asked),
        (Some(own), ScopedTo::Anything) => Some(ScopedTo::This(own)),
        (Some(own), ScopedTo::This(asked)) => (own == asked).then_some(ScopedTo::This(own)),
        (Some(_), ScopedTo::Nothing) => None,
    }
}
