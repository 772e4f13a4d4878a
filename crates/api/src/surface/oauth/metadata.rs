//! Discovery for standard clients: authorisation server metadata (RFC 8414) and protected resource metadata (RFC 9728),
//! which MCP clients look for.
//!
//! Both contain public URLs, which only the operator knows: without `server.public_url` they are 404.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use authority::Context;
use serde::Serialize;
use utoipa::ToSchema;

use super::exchange_token::GRANT;
use crate::surface::public_url::PublicUrl;
use edge::error::ApiResult;

/// The authentication methods of an endpoint that needs a credential; `Bearer` is a token type, which RFC 8414 §2
/// allows.
pub(crate) const METHODS: [&str; 3] = ["client_secret_basic", "client_secret_post", "Bearer"];
/// The authentication methods of an endpoint with an optional credential.
pub(crate) const METHODS_OR_NONE: [&str; 4] = ["none", "client_secret_basic", "client_secret_post", "Bearer"];

/// Authorisation server metadata (RFC 8414, section 2).
#[derive(Serialize, ToSchema)]
struct AuthorizationServer<'a> {
    issuer: &'a str,
    token_endpoint: String,
    token_endpoint_auth_methods_supported: [&'static str; 1],
    introspection_endpoint: String,
    introspection_endpoint_auth_methods_supported: &'static [&'static str],
    revocation_endpoint: String,
    revocation_endpoint_auth_methods_supported: &'static [&'static str],
    /// `none`, because there is no authorisation endpoint. The standard requires the field, and allows no empty list.
    response_types_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 1],
    scopes_supported: Vec<&'a str>,
    service_documentation: String,
}

/// Protected resource metadata (RFC 9728, section 2).
#[derive(Serialize, ToSchema)]
struct ProtectedResource<'a> {
    resource: &'a str,
    authorization_servers: [&'a str; 1],
    bearer_methods_supported: [&'static str; 1],
    scopes_supported: Vec<&'a str>,
    resource_name: &'static str,
    resource_documentation: String,
}

/// Get the OAuth authorisation server metadata (RFC 8414).
#[utoipa::path(
    tag = "OAuth 2.0",
    security(),
    responses(
        (status = 200, body = AuthorizationServer<'_>),
        (status = 404, description = "`server.public_url` is not set.", body = crate::error_body::Error),
    )
)]
#[get("/.well-known/oauth-authorization-server")]
pub(super) async fn get_authorization_server(url: Data<PublicUrl>, context: Data<Context>) -> ApiResult<HttpResponse> {
    let url = url.required()?;
    Ok(HttpResponse::Ok().json(AuthorizationServer {
        issuer: url,
        token_endpoint: format!("{url}/v1/oauth/token"),
        // The identity token is the credential.
        token_endpoint_auth_methods_supported: ["none"],
        introspection_endpoint: format!("{url}/v1/oauth/introspect"),
        introspection_endpoint_auth_methods_supported: &METHODS,
        revocation_endpoint: format!("{url}/v1/oauth/revoke"),
        revocation_endpoint_auth_methods_supported: &METHODS_OR_NONE,
        response_types_supported: ["none"],
        grant_types_supported: [GRANT],
        scopes_supported: scopes(&context),
        service_documentation: format!("{url}/docs"),
    }))
}

/// Get the OAuth protected resource metadata (RFC 9728).
#[utoipa::path(
    tag = "OAuth 2.0",
    security(),
    responses(
        (status = 200, body = ProtectedResource<'_>),
        (status = 404, description = "`server.public_url` is not set.", body = crate::error_body::Error),
    )
)]
#[get("/.well-known/oauth-protected-resource")]
pub(super) async fn get_protected_resource(url: Data<PublicUrl>, context: Data<Context>) -> ApiResult<HttpResponse> {
    let url = url.required()?;
    Ok(HttpResponse::Ok().json(ProtectedResource {
        resource: url,
        authorization_servers: [url],
        bearer_methods_supported: ["header"],
        scopes_supported: scopes(&context),
        resource_name: "nolapse tokens",
        resource_documentation: format!("{url}/docs"),
    }))
}

fn scopes(context: &Context) -> Vec<&str> {
    context.catalogue().entries().iter().map(|entry| entry.name.as_str()).collect()
}
