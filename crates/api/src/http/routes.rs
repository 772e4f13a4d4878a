//! What is answered when no handler takes a request: 405 with the methods the path has, or 404.
//!
//! Handlers guard on their method, so a wrong one falls through to here. The paths come from the API document, which is
//! collected from those same handlers: a route cannot be forgotten.

use actix_web::dev::ResourceDef;
use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::openapi::{OpenApi, PathItem};

use super::codes::Code;
use super::error::{ApiError, ApiResult};

/// Every path pattern with its methods.
pub struct Routes(Vec<(ResourceDef, String)>);

impl Routes {
    /// Collects the documented paths; `undocumented` are GET-only paths that are no part of the API document.
    pub fn new(document: &OpenApi, undocumented: &[&str]) -> Self {
        let documented = document.paths.paths.iter().map(|(path, item)| (ResourceDef::new(pattern(path)), allow(item)));
        let others = undocumented.iter().map(|path| (ResourceDef::new(*path), "GET, HEAD".to_owned()));
        Self(documented.chain(others).collect())
    }

    /// The `Allow` header of a path, if any route has it. Several patterns may match one path: their methods add up.
    fn allow(&self, path: &str) -> Option<String> {
        let mut methods: Vec<&str> = Vec::new();
        for (_, allow) in self.0.iter().filter(|(pattern, _)| pattern.is_match(path)) {
            methods.extend(allow.split(", ").filter(|method| !methods.contains(method)).collect::<Vec<_>>());
        }
        (!methods.is_empty()).then(|| methods.join(", "))
    }
}

/// The default service.
pub async fn unmatched(request: HttpRequest, routes: web::Data<Routes>) -> ApiResult<HttpResponse> {
    Err(routes
        .allow(request.path())
        .map_or_else(|| Code::NotFound.into(), |allow| ApiError::method_not_allowed(&allow)))
}

/// A documented path as the router has it: the name of a repository has slashes, which the document cannot say.
fn pattern(path: &str) -> String {
    path.replace("{repo}", "{repo:.+}")
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
