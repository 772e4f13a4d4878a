//! The answer when no handler matches a request: 405 with the methods of the path, or 404.
//!
//! Handlers guard on their method, so a request with a wrong method arrives here. The paths come from the API document,
//! which is collected from the same handlers, so no route can be missing.

use actix_web::dev::ResourceDef;
use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::openapi::{OpenApi, PathItem};
use utoipa_actix_web::service_config::ServiceConfig;

use super::codes::Code;
use super::error::{ApiError, ApiResult};

/// A path that is not in the API document.
#[derive(Clone, Copy, Debug)]
pub struct PagePath {
    /// The router's pattern, such as `/docs/{file:.*}`.
    pub pattern: &'static str,
    /// Its methods, as in the header `Allow`: `GET, HEAD`.
    pub allow: &'static str,
}

impl PagePath {
    /// A path that takes `GET` and `HEAD` only.
    pub const fn read(pattern: &'static str) -> Self {
        Self { pattern, allow: "GET, HEAD" }
    }
}

/// Every path pattern with its methods.
pub struct Routes(Vec<(ResourceDef, String)>);

/// Keeps requests to a fixed path from matching a pattern with an id: `PATCH /v1/scopes/catalog` is 405, not a change
/// to the access scope `catalog`. Call it after the handlers of the path and before those of the pattern.
pub fn closed(config: &mut ServiceConfig<'_>, path: &str) {
    config.route(path, web::to(unmatched));
}

impl Routes {
    /// Collects the patterns of documented paths and of pages, with their methods. A parameter in `with_slashes` spans
    /// several segments, which an API document cannot express.
    pub fn new<'a>(document: &OpenApi, with_slashes: &[&str], pages: impl IntoIterator<Item = &'a PagePath>) -> Self {
        let documented = document
            .paths
            .paths
            .iter()
            .map(|(path, item)| (ResourceDef::new(pattern(path, with_slashes)), allow(item)));
        let pages = pages.into_iter().map(|page| (ResourceDef::new(page.pattern), page.allow.to_owned()));
        Self(documented.chain(pages).collect())
    }

    /// The `Allow` header of a path, if any pattern matches it. Of several matching patterns, the one with the most
    /// fixed segments counts: `/v1/tokens/self` before `/v1/tokens/{token_id}`.
    fn allow(&self, path: &str) -> Option<&str> {
        let matching = self.0.iter().filter(|(pattern, _)| pattern.is_match(path));
        matching.max_by_key(|(pattern, _)| words(pattern)).map(|(_, allow)| allow.as_str())
    }
}

/// The number of fixed segments in a pattern.
fn words(pattern: &ResourceDef) -> usize {
    pattern.pattern().into_iter().flat_map(|text| text.split('/')).filter(|part| !part.contains('{')).count()
}

/// The default service.
pub async fn unmatched(request: HttpRequest, routes: web::Data<Routes>) -> ApiResult<HttpResponse> {
    Err(routes.allow(request.path()).map_or_else(|| Code::NotFound.into(), ApiError::method_not_allowed))
}

/// The router's pattern of a documented path.
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
            // HEAD is answered like GET, without the body: see `middleware::guard`.
            if method == Method::GET {
                methods.push(Method::HEAD.to_string());
            }
        }
    }
    methods.join(", ")
}
