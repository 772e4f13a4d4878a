//! The body that names several actors, and the answer that counts what changed.

use authority::access_scopes::Assigned;
use serde::{Deserialize, Serialize};
use token_domain::id::ActorId;
use utoipa::ToSchema;

use edge::error::{ApiError, ApiResult};

const MOST: usize = 1_000;

/// A list of actors of the project.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ActorIds)]
pub(super) struct Several {
    /// 1–1000 actor ids.
    actor_ids: Vec<String>,
}

/// The number of actors changed and unchanged.
#[derive(Serialize, ToSchema)]
#[schema(as = AssignedActors)]
pub(super) struct AssignedView {
    /// The number of actors that were moved.
    changed: usize,
    /// The number of actors that already were in the requested state.
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
