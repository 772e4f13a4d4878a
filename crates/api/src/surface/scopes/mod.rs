//! The scope catalogue.

pub mod reference;

mod evaluate_scopes;
mod get_catalog;

use utoipa_actix_web::service_config::ServiceConfig;

use edge::routes::closed;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config.service(get_catalog::get_catalog).service(evaluate_scopes::evaluate_scopes);
    closed(config, "/v1/scopes/catalog");
    closed(config, "/v1/scopes/evaluate");
}
