//! Setting up an empty deployment from a browser: a page, and the call it makes.

mod page;
mod run_setup;

use utoipa_actix_web::service_config::ServiceConfig;

pub use page::PATHS;
pub use run_setup::PendingSetup;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config.service(run_setup::run_setup);
}

/// The page and what it loads; no part of the API document.
pub fn pages(config: &mut actix_web::web::ServiceConfig) {
    config.service(page::page).service(page::script).service(page::style);
}
