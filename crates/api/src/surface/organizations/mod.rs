//! Organisations, and functions shared with members, roles and invitations.

mod create_organization;
mod edit_organization;
mod get_organization;
mod get_organization_usage;
mod list_organizations;
mod view;

pub(in crate::surface) mod errors;
pub(in crate::surface) mod place;

use token_domain::id::RoleId;
use token_domain::person::{BuiltInRole, RoleRef};
use utoipa_actix_web::service_config::ServiceConfig;

use edge::error::{ApiError, ApiResult};

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(create_organization::create_organization)
        .service(list_organizations::list_organizations)
        .service(get_organization::get_organization)
        .service(get_organization_usage::get_organization_usage)
        .service(edit_organization::edit_organization);
}

/// Parses a role: a built-in one by its name, a custom one by its id.
fn parse_role(text: &str) -> Option<RoleRef> {
    BuiltInRole::parse(text).map(RoleRef::BuiltIn).or_else(|| RoleId::parse(text).ok().map(RoleRef::Custom))
}

/// The role in a body.
pub(super) fn role(text: &str) -> ApiResult<RoleRef> {
    parse_role(text).ok_or_else(unknown_role)
}

fn unknown_role() -> ApiError {
    ApiError::invalid("role", "must be owner, admin, member, viewer or the id of a role of this organisation")
}

/// The id of a custom role.
pub(super) fn role_id(role: RoleRef) -> Option<String> {
    match role {
        RoleRef::BuiltIn(_) => None,
        RoleRef::Custom(id) => Some(id.to_string()),
    }
}
