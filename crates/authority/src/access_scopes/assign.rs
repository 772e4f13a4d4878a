//! Putting many actors into an access scope at once, or taking them out of it: all of them or none.

use storage::model::Change;
use token_domain::id::{AccessScopeId, ActorId};

use super::AccessScopes;
use crate::origin::Origin;
use crate::projects::{Ground, TenancyError};

/// What became of the actors named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// Those that are somewhere else than before.
    pub changed: usize,
    /// Those that already were as asked.
    pub unchanged: usize,
}

impl AccessScopes {
    /// Puts actors into an access scope, out of whichever they were in. Naming one twice is naming it once.
    ///
    /// # Errors
    /// No such access scope; actors the project does not have.
    pub async fn assign(
        &self,
        ground: Ground,
        id: AccessScopeId,
        actors: Vec<ActorId>,
        origin: &Origin,
    ) -> Result<Assigned, TenancyError> {
        self.reassign(ground, id, actors, Change::Set(id), origin).await
    }

    /// Takes actors out of an access scope; those that are not in it stay where they are.
    ///
    /// # Errors
    /// No such access scope; actors the project does not have.
    pub async fn unassign(
        &self,
        ground: Ground,
        id: AccessScopeId,
        actors: Vec<ActorId>,
        origin: &Origin,
    ) -> Result<Assigned, TenancyError> {
        self.reassign(ground, id, actors, Change::Clear, origin).await
    }

    async fn reassign(
        &self,
        ground: Ground,
        id: AccessScopeId,
        mut actors: Vec<ActorId>,
        to: Change<AccessScopeId>,
        origin: &Origin,
    ) -> Result<Assigned, TenancyError> {
        actors.sort_unstable();
        actors.dedup();
        let unit = Reassignment { ground, id, actors, to };
        self.context.change(ground.ask(origin), move |change| Box::pin(unit.run(change))).await
    }
}

struct Reassignment {
    ground: Ground,
    id: AccessScopeId,
    actors: Vec<ActorId>,
    to: Change<AccessScopeId>,
}

impl Reassignment {
    async fn run(self, change: &mut crate::change::Change<'_>) -> Result<Assigned, TenancyError> {
        let Self { ground, id, actors, to } = self;
        let project = ground.open(change).await?;
        change.tx.access_scope(project.id, id).await?.ok_or(TenancyError::NotFound)?;
        let places = change.tx.places_of_actors(project.id, &actors).await?;
        if places.len() != actors.len() {
            let known: Vec<ActorId> = places.into_iter().map(|(actor, _)| actor).collect();
            return Err(TenancyError::NoSuchActors(actors.into_iter().filter(|id| !known.contains(id)).collect()));
        }
        let (target, action) = match to {
            Change::Set(id) => (Some(id), "access_scope.assign"),
            Change::Clear | Change::Keep => (None, "access_scope.unassign"),
        };
        let changes = |place: Option<AccessScopeId>| match target {
            Some(target) => place != Some(target),
            None => place == Some(id),
        };
        let moved: Vec<ActorId> =
            places.into_iter().filter(|(_, place)| changes(*place)).map(|(actor, _)| actor).collect();
        let assigned = Assigned { changed: moved.len(), unchanged: actors.len() - moved.len() };
        if moved.is_empty() {
            return Ok(assigned);
        }
        change.tx.move_actors(project.id, &moved, target, change.now).await?;
        ground.fence(change, &moved).await?;
        let event = change.event(action).on("access_scope", id).with_ids("actors", &moved);
        change.record(event).await?;
        Ok(assigned)
    }
}
