//! What is answered when no handler takes a request: 405 with the methods the path has, or 404.
//!
//! Handlers guard on their method, so a wrong one falls through to here. The paths come from the API document, which is
//! collected from those same handlers: a route cannot be forgotten.

use actix_web::dev::ResourceDef;
use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::openapi::{OpenApi, PathItem};
use utoipa_actix_web::service_config::ServiceConfig;

use super::codes::Code;
use super::error::{ApiError, ApiResult};

/// A path that is no part of the API document.
#[derive(Clone, Copy, Debug)]
pub struct PagePath {
    /// As the router has it: `/docs/{file:.*}`.
    pub pattern: &'static str,
    /// Its methods, as the header `Allow` names them: `GET, HEAD`.
    pub allow: &'static str,
}

impl PagePath {
    /// A path that is only read.
    pub const fn read(pattern: &'static str) -> Self {
        Self { pattern, allow: "GET, HEAD" }
    }
}

/// Every path pattern with its methods.
pub struct Routes(Vec<(ResourceDef, String)>);

/// Keeps a path from those with an id in the place of its word, for methods it does not have: `PATCH /v1/scopes/catalog` is
/// 405, not the access scope `catalog`. To be called after the path's own handlers and before the others.
pub fn closed(config: &mut ServiceConfig<'_>, path: &str) {
    config.route(path, web::to(unmatched));
}

impl Routes {
    /// Collects the documented paths, and the pages: patterns with their methods. A segment in `with_slashes` stands for
    /// several, which an API document cannot say.
    pub fn new<'a>(document: &OpenApi, with_slashes: &[&str], pages: impl IntoIterator<Item = &'a PagePath>) -> Self {
        let documented = document
            .paths
            .paths
            .iter()
            .map(|(path, item)| (ResourceDef::new(pattern(path, with_slashes)), allow(item)));
        let pages = pages.into_iter().map(|page| (ResourceDef::new(page.pattern), page.allow.to_owned()));
        Self(documented.chain(pages).collect())
    }

    /// The `Allow` header of a path, if any route has it. Of several patterns that match it counts the one with the most
    /// words of its own: `/v1/tokens/self` before `/v1/tokens/{token_id}`.
    fn allow(&self, path: &str) -> Option<&str> {
        let matching = self.0.iter().filter(|(pattern, _)| pattern.is_match(path));
        matching.max_by_key(|(pattern, _)| words(pattern)).map(|(_, allow)| allow.as_str())
    }
}

/// How many segments of a pattern stand for themselves.
fn words(pattern: &ResourceDef) -> usize {
    pattern.pattern().into_iter().flat_map(|text| text.split('/')).filter(|part| !part.contains('{')).count()
}

/// The default service.
pub async fn unmatched(request: HttpRequest, routes: web::Data<Routes>) -> ApiResult<HttpResponse> {
    Err(routes.allow(request.path()).map_or_else(|| Code::NotFound.into(), ApiError::method_not_allowed))
}

/// A documented path as the router has it.
fn pattern(path: &str, with_slashes: &[&str]) -> String {
    with_slashes
        .iter()
        .fold(path.to_owned(), |path, name| path.replace(&format!("{{{name}}}"), &format!("{{{name}:.+}}")))
}

fn allow(item: &PathItem) -> String {
    let operations = [
        (Method::GET, &item.get),
        (Method::PUT, &item.put),
        (Method::POST, &item.post),
        (Method::DELETE, &item.delete),
        (Method::PATCH, &item.patch),
        (Method::OPTIONS, &item.options),
        (Method::HEAD, &item.head),
        (Method::TRACE, &item.trace),
    ];
    let mut methods: Vec<String> = Vec::new();
    for (method, operation) in operations {
        if operation.is_some() {
            methods.push(method.to_string());
            // HEAD is answered as GET without the body, see `middleware::guard`.
            if method == Method::GET {
                methods.push(Method::HEAD.to_string());
            }
        }
    }
    methods.join(", ")
}
