//! The JSON API: one folder per family of resources, one file per operation. A handler extracts its arguments, calls
//! the authority once and maps the answer; the authority makes all decisions.

pub mod access_scopes;
pub mod actors;
pub mod audit;
pub mod auth;
pub mod badge;
pub mod brokers;
pub mod executions;
pub mod invitations;
pub mod leaks;
pub mod me;
pub mod members;
pub mod nodes;
pub mod oauth;
pub mod organizations;
pub mod password_resets;
pub mod projects;
pub mod public_url;
pub mod roles;
pub mod scopes;
pub mod second_factors;
pub mod sessions;
pub mod setup;
pub mod token_policy;
pub mod tokens;
pub mod trust;
pub mod webhooks;

mod authorized;
mod documented;
mod ending;
mod failing;
mod freshness;
pub(crate) mod hot;
mod origin;
mod page;
mod path;

pub(crate) use documented::failures;
pub(crate) use path::told_of_segment;

pub use authorized::{Authorized, PERMISSIONS, permission};

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers every handler. Hot routes come first, because the router tries routes in order.
pub fn register(config: &mut ServiceConfig<'_>) {
    auth::register(config);
    oauth::register(config);
    leaks::register(config);
    tokens::register(config);
    executions::register(config);
    badge::register(config);
    // Register before access scopes, or `/v1/scopes/catalog` would match `/v1/scopes/{scope_id}`.
    scopes::register(config);
    token_policy::register(config);
    trust::register(config);
    webhooks::register(config);
    projects::register(config);
    access_scopes::register(config);
    actors::register(config);
    brokers::register(config);
    audit::register(config);
    sessions::register(config);
    password_resets::register(config);
    organizations::register(config);
    members::register(config);
    nodes::register(config);
    roles::register(config);
    invitations::register(config);
    me::register(config);
    second_factors::register(config);
    setup::register(config);
}
