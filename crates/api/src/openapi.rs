//! The API document: what the handlers say of themselves, completed by what is true of all of them.
//!
//! A handler declares its own answers and, with `security(…)`, how it is called; the errors that follow from those (401
//! and 403 where a credential is needed, 400 and 413 where there is a body, …) are added here, so that none is forgotten.

use actix_web::App;
use serde::Serialize;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, ContentBuilder, Info, OpenApi, OpenApiBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{PartialSchema as _, ToSchema};
use utoipa_actix_web::AppExt as _;
use utoipa_actix_web::service_config::ServiceConfig;

use edge::codes::Code;

/// Any error.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the name is the wire's")]
pub struct Error {
    /// Short and stable, for programs.
    error: String,
    /// What to do about it, for people; may change.
    message: String,
    /// The status once more.
    #[serde(rename = "statusCode")]
    status_code: u16,
    /// The field or parameter that was not acceptable.
    field: Option<String>,
    /// The scopes that were not there.
    missing: Option<Vec<String>>,
}

/// Collects the document of everything that `routes` registers.
pub fn document(routes: impl FnOnce(&mut ServiceConfig<'_>)) -> OpenApi {
    let info = Info::builder()
        .title("nolapse tokens")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("A self-hosted authority for API tokens: issue, validate, rotate and revoke them."))
        .build();
    let base = OpenApiBuilder::new().info(info).components(Some(Components::new())).build();
    let (_, mut document) = App::new().into_utoipa_app().openapi(base).configure(routes).split_for_parts();
    complete(&mut document);
    document
}

fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_with(Components::new);
    components.schemas.insert("Error".to_owned(), Error::schema());
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A session token (`nls_…`) or an API token (`nlp_…`)."))
        .build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let key = ApiKeyValue::with_description("X-API-Key", "An API token (`nlp_…`).");
    components.add_security_scheme("api_key", SecurityScheme::ApiKey(ApiKey::Header(key)));
    for (path, item) in &mut document.paths.paths {
        let has_segment = path.contains('{');
        for operation in operations(item) {
            for code in follows(operation, has_segment) {
                add(operation, code);
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let all = [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.patch,
        &mut item.options,
        &mut item.head,
        &mut item.trace,
    ];
    all.into_iter().filter_map(Option::as_mut)
}

/// The errors an operation can always answer with, given its shape.
fn follows(operation: &Operation, has_segment: bool) -> Vec<Code> {
    let mut codes = vec![Code::MalformedRequest, Code::MethodNotAllowed, Code::Internal, Code::Unavailable];
    if operation.security.as_ref().is_some_and(|needs| !needs.is_empty()) {
        codes.extend([Code::Unauthenticated, Code::Forbidden]);
    }
    if operation.request_body.is_some() {
        codes.extend([Code::RequestTimeout, Code::PayloadTooLarge]);
    }
    if has_segment {
        codes.push(Code::NotFound);
    }
    codes
}

/// Adds an error unless the handler has described that status itself.
fn add(operation: &mut Operation, code: Code) {
    let entry = code.entry();
    let content = ContentBuilder::new().schema(Some(RefOr::Ref(Ref::from_schema_name("Error")))).build();
    let response = ResponseBuilder::new().description(entry.error).content("application/json", content).build();
    operation.responses.responses.entry(entry.status.as_u16().to_string()).or_insert(RefOr::T(response));
}

#[cfg(test)]
mod tests {
    use actix_web::{HttpResponse, get, post};
    use serde_json::Value;

    use super::*;

    #[utoipa::path(security(), responses((status = 200)))]
    #[get("/open")]
    async fn open() -> HttpResponse {
        HttpResponse::Ok().finish()
    }

    #[utoipa::path(security(("bearer" = [])), responses((status = 200)))]
    #[get("/private")]
    async fn private() -> HttpResponse {
        HttpResponse::Ok().finish()
    }

    #[utoipa::path(request_body = String, responses((status = 200)))]
    #[post("/body")]
    async fn body() -> HttpResponse {
        HttpResponse::Ok().finish()
    }

    #[utoipa::path(responses((status = 200)))]
    #[get("/things/{thing}")]
    async fn segment() -> HttpResponse {
        HttpResponse::Ok().finish()
    }

    #[test]
    fn each_operation_lists_the_errors_that_follow_from_its_shape() {
        let document = document(|routes| {
            routes.service(open).service(private).service(body).service(segment);
        });
        let document: Value = serde_json::to_value(&document).unwrap();
        let statuses = |path: &str, method: &str| -> Vec<String> {
            document["paths"][path][method]["responses"].as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(statuses("/open", "get"), ["200", "400", "405", "500", "503"]);
        assert_eq!(statuses("/private", "get"), ["200", "400", "401", "403", "405", "500", "503"]);
        assert_eq!(statuses("/body", "post"), ["200", "400", "405", "408", "413", "500", "503"]);
        assert_eq!(statuses("/things/{thing}", "get"), ["200", "400", "404", "405", "500", "503"]);
        let reference =
            &document["paths"]["/open"]["get"]["responses"]["500"]["content"]["application/json"]["schema"]["$ref"];
        assert_eq!(reference, "#/components/schemas/Error");
        assert!(document["components"]["schemas"]["Error"]["properties"]["statusCode"].is_object());
        assert!(document["components"]["securitySchemes"]["bearer"].is_object());
    }
}
