//! The query parameters for access scopes.

use authority::access_scopes::ActorCounts;
use serde::Deserialize;
use utoipa::IntoParams;

use edge::error::{ApiError, ApiResult};

/// What else to show.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct Shown {
    /// `true` adds the number of actors to each access scope as `actorCount`.
    #[param(value_type = Option<bool>)]
    with_actor_count: Option<String>,
}

impl Shown {
    pub(super) fn read(&self) -> ApiResult<ActorCounts> {
        match self.with_actor_count.as_deref() {
            None | Some("false") => Ok(ActorCounts::LeftOut),
            Some("true") => Ok(ActorCounts::Included),
            Some(_) => Err(ApiError::invalid("withActorCount", "must be true or false")),
        }
    }
}
