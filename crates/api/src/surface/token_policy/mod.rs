//! The token policy of an organisation.

mod get_policy;
mod object;
mod preview_policy;
mod set_policy;
mod view;

use authority::policies::PolicyError;
use utoipa_actix_web::service_config::ServiceConfig;

use super::failing;
use crate::surface::path::Organization;
use edge::codes::Code;
use edge::error::ApiError;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config.service(get_policy::get_policy).service(set_policy::set_policy).service(preview_policy::preview_policy);
}

/// An error of this family.
fn error(error: PolicyError) -> ApiError {
    match error {
        PolicyError::NotFound => Code::NotFound.into(),
        PolicyError::Confined => {
            ApiError::from(Code::Forbidden).message("Use a credential that is not bound to one project.")
        }
        PolicyError::Scopes(kind, error) => failing::scopes(&error, &format!("kinds.{kind}.allowed_scopes")),
        PolicyError::Refused(refused) => failing::refused(&refused),
        PolicyError::Failed(failure) => failing::failed(&failure),
    }
}
