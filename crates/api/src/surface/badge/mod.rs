//! Badges: public pictures of a repository's coverage.

mod get_badge;
mod svg;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config.service(get_badge::get_badge);
}
