//! Many access scopes, actors and audit events at once, for benchmarks of lists. Tokens have
//! [`Tokens::seed`](crate::tokens::Tokens::seed).

use std::sync::Arc;

use token_domain::Timestamp;
use token_domain::access::{ActorName, ActorType};
use token_domain::record::{AccessScope, Actor, Principal};
use token_domain::text::Slug;

use crate::change::Ask;
use crate::context::Context;
use crate::error::Failure;
use crate::origin::Origin;
use crate::projects::{Ground, TenancyError};

/// Records written in one unit of work: long enough that commits do not count, short enough that others get a turn.
const AT_ONCE: usize = 5_000;

/// Fills a project. Every record is made a microsecond after the one before it, so that lists by time have an order.
pub struct Seed {
    context: Arc<Context>,
    ground: Ground,
    origin: Origin,
}

impl Seed {
    /// Into a project, with a request's id in the trail.
    pub fn new(context: &Arc<Context>, ground: Ground, origin: &Origin) -> Self {
        Self { context: Arc::clone(context), ground, origin: origin.clone() }
    }

    /// Makes access scopes `s-0`, `s-1`, …, with one event in the trail for every five thousand of them.
    ///
    /// # Errors
    /// The store's; no such project; slugs in use.
    pub async fn access_scopes(&self, count: usize) -> Result<(), TenancyError> {
        for first in (0..count).step_by(AT_ONCE) {
            let numbers = first..count.min(first + AT_ONCE);
            let made: Vec<AccessScope> = numbers.map(|number| self.access_scope(number)).collect::<Result<_, _>>()?;
            self.unit("access_scope.seed", move |tx| {
                Box::pin(async move {
                    for access_scope in &made {
                        tx.insert_access_scope(access_scope).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        }
        Ok(())
    }

    /// Makes actors `Actor 0`, `Actor 1`, … of no access scope and without tokens.
    ///
    /// # Errors
    /// The store's; no such project.
    pub async fn actors(&self, count: usize) -> Result<(), TenancyError> {
        for first in (0..count).step_by(AT_ONCE) {
            let numbers = first..count.min(first + AT_ONCE);
            let made: Vec<Actor> = numbers.map(|number| self.actor(number)).collect::<Result<_, _>>()?;
            self.unit("actor.seed", move |tx| {
                Box::pin(async move {
                    for actor in &made {
                        tx.insert_actor(actor).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        }
        Ok(())
    }

    /// Appends so many events to the trail.
    ///
    /// # Errors
    /// The store's; no such project.
    pub async fn events(&self, count: usize) -> Result<(), TenancyError> {
        let ground = self.ground;
        for first in (0..count).step_by(AT_ONCE) {
            let numbers = first..count.min(first + AT_ONCE);
            self.context
                .change(self.ask(), move |change| {
                    Box::pin(async move {
                        for number in numbers {
                            let event =
                                change.event("event.seed").on("project", ground.project()).with("number", number);
                            change.record(event).await?;
                        }
                        Ok::<_, TenancyError>(())
                    })
                })
                .await?;
        }
        Ok(())
    }

    async fn unit<F>(&self, action: &'static str, work: F) -> Result<(), TenancyError>
    where
        F: for<'c> FnOnce(&'c mut storage::Tx) -> futures::future::BoxFuture<'c, Result<(), storage::StoreError>>
            + Send
            + 'static,
    {
        let ground = self.ground;
        self.context
            .change(self.ask(), move |change| {
                Box::pin(async move {
                    let event = change.event(action).on("project", ground.project());
                    change.record(event).await?;
                    Ok::<_, TenancyError>(work(change.tx).await?)
                })
            })
            .await
    }

    /// The process itself does this, whoever's project it is.
    fn ask(&self) -> Ask {
        Ask::of(Principal::System, Some(self.ground.organization()), &self.origin)
    }

    fn access_scope(&self, number: usize) -> Result<AccessScope, TenancyError> {
        let at = self.moment(number);
        Ok(AccessScope {
            id: self.context.id(at)?,
            project_id: self.ground.project(),
            slug: Slug::parse(&format!("s-{number}")).map_err(misnamed)?,
            name: None,
            description: None,
            metadata: None,
            is_active: true,
            created_at: at,
            updated_at: at,
        })
    }

    fn actor(&self, number: usize) -> Result<Actor, TenancyError> {
        let at = self.moment(number);
        Ok(Actor {
            id: self.context.id(at)?,
            project_id: self.ground.project(),
            access_scope_id: None,
            name: ActorName::parse(&format!("Actor {number}")).map_err(misnamed)?,
            actor_type: ActorType::Device,
            description: None,
            external_id: None,
            metadata: None,
            disabled_at: None,
            expires_at: None,
            last_used_at: None,
            created_at: at,
            updated_at: at,
        })
    }

    fn moment(&self, number: usize) -> Timestamp {
        Timestamp::from_micros(self.context.now().as_micros().saturating_add(i64::try_from(number).unwrap_or(i64::MAX)))
    }
}

fn misnamed(error: impl std::fmt::Display) -> TenancyError {
    Failure::Inconsistent(error.to_string()).into()
}
