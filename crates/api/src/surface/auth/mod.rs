//! Is this token good: the routes that gateways and jobs call all the time.

mod forward;
pub mod validate;
mod validate_batch;

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use authority::validate::Validator;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::error::ApiResult;
use crate::http::hot::{AtOnce, Hot};

/// The routes that take the short way through the edge, and what of them is answered at once.
pub(crate) fn hot(validator: &Arc<Validator>) -> Arc<[Hot]> {
    let at_once = |answer: fn(&Validator, &HttpRequest, &[u8]) -> Option<ApiResult<HttpResponse>>| -> Option<AtOnce> {
        let validator = Arc::clone(validator);
        Some(Arc::new(move |request, body| answer(&validator, request, body)))
    };
    Arc::new([
        Hot { path: "/v1/auth/validate", at_once: at_once(validate::at_once) },
        Hot { path: "/v1/auth/forward", at_once: at_once(forward::at_once) },
    ])
}

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(validate::validate)
        .service(validate_batch::validate_batch)
        .service(forward::forward)
        .route("/v1/auth/forward", web::to(forward::decide));
}
