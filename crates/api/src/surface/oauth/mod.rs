//! Standard ways to ask and tell about tokens, for software that speaks OAuth 2.0 already.

pub mod introspect;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config.service(introspect::introspect);
}
