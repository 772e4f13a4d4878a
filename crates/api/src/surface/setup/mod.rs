//! Setting up an empty deployment from a browser: a page, and the call it makes.

mod page;
mod run_setup;

use edge::app::Pages;
use utoipa_actix_web::service_config::ServiceConfig;

pub use run_setup::PendingSetup;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config.service(run_setup::run_setup);
}

/// The paths that work before the deployment is set up: those of setting it up, and the pages that lead a person there.
pub const WAYS_IN: [&str; 6] = ["/setup", "/setup.js", "/setup.css", "/v1/setup", "/", "/sign-in"];

/// The page and what it loads.
pub const PAGES: Pages = Pages {
    paths: &page::PATHS,
    register: |config| {
        config.service(page::page).service(page::script).service(page::style);
    },
};
