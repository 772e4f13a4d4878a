//! Validation of tokens: the routes that gateways and jobs call for every request.

pub mod forward;
mod shown;
pub mod validate;
mod validate_batch;

use actix_web::web;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(validate::validate)
        .service(validate_batch::validate_batch)
        .service(forward::forward)
        .route("/v1/auth/forward", web::to(forward::decide))
        .route("/v1/auth/forward/{asked:.*}", web::to(forward::decide));
}
