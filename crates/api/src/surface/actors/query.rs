//! The query parameters for actors.

use authority::records::ScopedTo;
use serde::Deserialize;
use token_domain::access::Topic;
use token_domain::id::AccessScopeId;
use utoipa::IntoParams;

use edge::error::{ApiError, ApiResult};

/// The topic asked about.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::surface) struct TopicQuery {
    /// One topic without wildcards, at most 1024 bytes.
    #[param(required = true, value_type = String, example = "room/topic")]
    topic: Option<String>,
}

impl TopicQuery {
    pub(in crate::surface) fn read(&self) -> ApiResult<Topic> {
        let text = self.topic.as_deref().ok_or_else(|| ApiError::missing_parameter("topic"))?;
        Topic::parse(text).map_err(|error| ApiError::invalid("topic", error.to_string()))
    }
}

/// Which actors to list.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Only actors in this access scope; `null` for actors outside every access scope.
    access_scope_id: Option<String>,
}

impl Filter {
    pub(super) fn read(&self) -> ApiResult<ScopedTo> {
        match self.access_scope_id.as_deref() {
            None => Ok(ScopedTo::Anything),
            Some("null") => Ok(ScopedTo::Nothing),
            Some(text) => AccessScopeId::parse(text)
                .map(ScopedTo::This)
                .map_err(|_| ApiError::invalid("accessScopeId", "must be an access scope id or null")),
        }
    }
}
