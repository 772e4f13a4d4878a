//! The operation that sets up an empty deployment. Its page belongs to the dashboard.

mod run_setup;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config.service(run_setup::run_setup);
}

/// The paths that work before the deployment is set up: those of the set-up, and the pages that redirect there.
pub const WAYS_IN: [&str; 4] = ["/setup", "/v1/setup", "/", "/sign-in"];
