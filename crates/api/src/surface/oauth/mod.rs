//! Standard ways to ask and tell about tokens, for software that speaks OAuth 2.0 already.

mod client;
mod errors;
pub mod introspect;
mod metadata;
mod revoke_presented;

/// Where the metadata of this API as a protected resource is (RFC 9728 §3).
pub const RESOURCE_METADATA: &str = "/.well-known/oauth-protected-resource";

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(introspect::introspect)
        .service(revoke_presented::revoke_presented)
        .service(metadata::get_authorization_server)
        .service(metadata::get_protected_resource);
}
