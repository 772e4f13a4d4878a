//! OAuth 2.0 endpoints, for software that uses its standards already.

mod client;
mod errors;
mod exchange_token;
pub mod introspect;
mod metadata;
mod revoke_presented;

use actix_web::http::header::HeaderMap;
use edge::error::ApiError;
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) use exchange_token::{GRANT, SUBJECT_TYPES};
pub(crate) use metadata::{METHODS, METHODS_OR_NONE};

/// The path of the protected resource metadata (RFC 9728 §3).
pub const RESOURCE_METADATA: &str = "/.well-known/oauth-protected-resource";

/// Whether the errors of this operation are in OAuth's format.
pub(crate) fn has(operation: &str) -> bool {
    matches!(operation, "introspect" | "revoke_presented" | "exchange_token")
}

/// The error in the format of these operations, for the API document.
pub(crate) fn in_its_words(error: ApiError) -> ApiError {
    errors::of(error, &HeaderMap::new())
}

/// The errors of an exchange, for the API document.
pub(in crate::surface) fn refusals() -> Vec<ApiError> {
    exchange_token::refusals()
}

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(introspect::introspect)
        .service(revoke_presented::revoke_presented)
        .service(exchange_token::exchange_token)
        .service(metadata::get_authorization_server)
        .service(metadata::get_protected_resource);
}
