//! The scope catalogue, for whoever makes tokens.

pub mod reference;

mod get_catalog;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config.service(get_catalog::get_catalog);
}
