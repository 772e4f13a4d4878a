//! The body that names several actors, and the answer that counts what changed.

use authority::access_scopes::Assigned;
use serde::{Deserialize, Serialize};
use token_domain::id::ActorId;
use utoipa::ToSchema;

use edge::error::{ApiError, ApiResult};

const MOST: usize = 1_000;

/// Actors of the project.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ActorIds)]
pub(super) struct Several {
    /// 1–1000 ids.
    actor_ids: Vec<String>,
}

/// What became of them.
#[derive(Serialize, ToSchema)]
#[schema(as = AssignedActors)]
pub(super) struct AssignedView {
    /// Those that are somewhere else than before.
    changed: usize,
    /// Those that already were as asked.
    unchanged: usize,
}

impl Several {
    pub(super) fn read(&self) -> ApiResult<Vec<ActorId>> {
        if !(1..=MOST).contains(&self.actor_ids.len()) {
            return Err(ApiError::invalid("actorIds", format!("must name 1 to {MOST} actors")));
        }
        let id = |(index, text): (usize, &String)| {
            ActorId::parse(text)
                .map_err(|_| ApiError::invalid(format!("actorIds[{index}]"), "must be an actor id: a UUID"))
        };
        self.actor_ids.iter().enumerate().map(id).collect()
    }
}

impl From<Assigned> for AssignedView {
    fn from(assigned: Assigned) -> Self {
        Self { changed: assigned.changed, unchanged: assigned.unchanged }
    }
}
