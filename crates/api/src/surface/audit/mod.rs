//! The audit trail of the caller's organisation: listed, exported, verified.

mod export_audit;
mod list_audit;
mod verify_audit;
mod view;

use authority::Caller;
use authority::audit::chain::Place;
use token_domain::id::OrganizationId;
use utoipa_actix_web::service_config::ServiceConfig;

use edge::codes::Code;
use edge::error::{ApiError, ApiResult};

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config.service(list_audit::list_audit).service(export_audit::export_audit).service(verify_audit::verify_audit);
}

/// The organisation whose trail a caller may see. A credential that is bound to a project is refused, because a trail
/// cut down to a project could not be verified.
fn organization(caller: &Caller) -> ApiResult<OrganizationId> {
    match caller.bound_project() {
        None => Ok(caller.organization_id),
        Some(_) => Err(ApiError::from(Code::Forbidden).message("Use a credential that is not bound to one project.")),
    }
}

/// Parses a place in the trail, in the form that an earlier answer showed.
fn trail_place(parameter: &'static str, text: Option<&str>) -> ApiResult<Option<Place>> {
    text.map(Place::parse).transpose().map_err(|error| ApiError::invalid(parameter, error.to_string()))
}

/// Parses the number of an event.
fn number(parameter: &'static str, text: Option<&str>) -> ApiResult<Option<i64>> {
    let read = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse()
            .ok()
            .filter(|_| digits)
            .ok_or_else(|| ApiError::invalid(parameter, "must be the sequence number of an event"))
    };
    text.map(read).transpose()
}
