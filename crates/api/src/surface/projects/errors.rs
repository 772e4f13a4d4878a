//! Errors of projects, access scopes and actors as errors of the wire, exhaustively.

use authority::projects::TenancyError;

use crate::surface::failing;
use edge::codes::Code;
use edge::error::ApiError;

/// An error of this family.
pub(in crate::surface) fn tenancy(error: TenancyError) -> ApiError {
    match error {
        TenancyError::NotFound => Code::NotFound.into(),
        TenancyError::NotBound => ApiError::from(Code::InvalidRequest).saying("credential bound to no project").message(
            "Use a token that was made with a project_id, or name the project: /v1/organizations/{org}/projects/{project}/….",
        ),
        TenancyError::Confined => ApiError::from(Code::Forbidden)
            .message("Use a credential that is not confined to one project or access scope."),
        TenancyError::SlugTaken => {
            ApiError::from(Code::Conflict).saying("slug taken").message("Choose another slug.").with("field", "slug")
        }
        TenancyError::SlugFixed => ApiError::invalid("slug", "Leave the slug as it is, or make another one.")
            .saying("slug cannot be changed"),
        TenancyError::Assigned { actors } => ApiError::from(Code::Conflict)
            .saying("actors assigned")
            .message("Move its actors away first, or leave out ifAssigned=reject.")
            .with("actors", actors),
        TenancyError::NoSuchAccessScope => {
            ApiError::invalid("accessScopeId", "must be an access scope of this project, or null")
        }
        TenancyError::NoSuchActors(ids) => ApiError::invalid("actorIds", "must be actors of this project")
            .with("unknown", ids.iter().map(ToString::to_string).collect::<Vec<_>>()),
        TenancyError::ExpiryPassed => ApiError::invalid("expiresAt", "must lie ahead"),
        TenancyError::NotActive(status) => ApiError::from(Code::Conflict)
            .saying(format!("actor is {status}"))
            .message("Switch the actor on, or give it a later end, before it gets a token.")
            .with("status", status.as_str()),
        TenancyError::Topic(error) => ApiError::invalid("topic", error.to_string()),
        TenancyError::Token(error) => failing::token(error),
        TenancyError::Refused(refused) => failing::refused(&refused),
        TenancyError::Failed(failure) => failing::failed(&failure),
    }
}
