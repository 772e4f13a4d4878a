//! Maps all errors of projects, access scopes and actors to errors of the API.

use authority::projects::TenancyError;
use token_domain::tenant::ActorStatus;

use crate::surface::failing;
use edge::codes::Code;
use edge::error::ApiError;

/// An error of this family.
pub(in crate::surface) fn tenancy(error: TenancyError) -> ApiError {
    match error {
        TenancyError::NotFound => Code::NotFound.into(),
        TenancyError::NotBound => Code::NotBound.into(),
        TenancyError::Confined => ApiError::from(Code::Forbidden)
            .message("Use a credential that is not bound to one project or access scope."),
        TenancyError::SlugTaken => ApiError::from(Code::SlugTaken).with("field", "slug"),
        TenancyError::SlugFixed => ApiError::from(Code::SlugFixed).with("field", "slug"),
        TenancyError::Assigned { actors } => ApiError::from(Code::ActorsAssigned).with("actors", actors),
        TenancyError::NoSuchAccessScope => {
            ApiError::invalid("accessScopeId", "must be an access scope of this project, or null")
        }
        TenancyError::NoSuchActors(ids) => ApiError::invalid("actorIds", "must be actors of this project")
            .with("unknown", ids.iter().map(ToString::to_string).collect::<Vec<_>>()),
        TenancyError::ExpiryPassed => ApiError::invalid("expiresAt", "must be in the future"),
        TenancyError::NotActive(status) => ApiError::from(match status {
            ActorStatus::Disabled => Code::ActorDisabled,
            ActorStatus::Expired => Code::ActorExpired,
            ActorStatus::Active => Code::Conflict,
        })
        .with("status", status.as_str()),
        TenancyError::Topic(error) => ApiError::invalid("topic", error.to_string()),
        TenancyError::Token(error) => failing::token(error),
        TenancyError::Refused(refused) => failing::refused(&refused),
        TenancyError::Failed(failure) => failing::failed(&failure),
    }
}
