//! The dashboard: pages for people, rendered on the server. Every action works without JavaScript; the script only
//! makes some of them more convenient.
//!
//! A page calls the same verbs of the authority that the JSON operations call. **Invariant:** the dashboard enforces no
//! rule that the API lacks, and only the dashboard accepts session cookies; `/v1` never does.

#![expect(clippy::result_large_err, reason = "the error is a page too, and a boxed one would be unboxed a line later")]

mod answer;
mod assets;
mod cookies;
mod form;
mod layout;
mod pages;
mod scopes;
mod services;
mod show;
mod visit;

use actix_web::web;
use edge::app::Pages;

pub use assets::paths as asset_paths;
pub use services::Place;

/// The pages, to be registered beside the JSON operations. They use the services that were registered for those.
pub const PAGES: Pages = Pages { paths: pages::PATHS, register };

fn register(config: &mut web::ServiceConfig) {
    pages::register(config);
}
