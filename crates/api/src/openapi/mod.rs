//! The API document: the declarations of the handlers, completed with what follows for all of them.
//!
//! A handler declares its own answers and, with `security(…)`, its credentials. This module adds the rest, so that no
//! handler can forget it: the errors that follow from its shape (401 and 403 where a credential is needed, 400 and 413
//! where there is a body, …) with their real bodies, the meaning of field names (`vocabulary`), and an example body
//! (`examples`). `cargo xtask check` refuses an incomplete document.

mod errors;
mod examples;
mod short;
mod vocabulary;

use std::collections::BTreeSet;

use actix_web::App;
use serde_json::{Map, Value, json};
use utoipa::PartialSchema as _;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, Info, OpenApi, OpenApiBuilder};
use utoipa_actix_web::AppExt as _;
use utoipa_actix_web::service_config::ServiceConfig;

pub use crate::error_body::Error;

use self::vocabulary::Way;

/// Methods a path item can have.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Collects the declarations of everything that `routes` registers.
pub fn collect(routes: impl FnOnce(&mut ServiceConfig<'_>)) -> OpenApi {
    let info = Info::builder()
        .title("nolapse tokens")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("A self-hosted authority for API tokens: issue, validate, rotate and revoke them."))
        .build();
    let base = OpenApiBuilder::new().info(info).components(Some(Components::new())).build();
    let mut collected = App::new().into_utoipa_app().openapi(base).configure(routes).split_for_parts().1;
    short::add(&mut collected);
    collected
}

/// Adds what follows for all declarations.
///
/// # Errors
/// The document cannot be written as JSON and read back, which is a fault of this program.
pub fn complete(mut document: OpenApi) -> Result<OpenApi, serde_json::Error> {
    declare(&mut document);
    let mut json = serde_json::to_value(&document)?;
    extend(&mut json);
    serde_json::from_value(json)
}

/// Adds the components that no handler declares: the body of errors and the ways to present a credential.
fn declare(document: &mut OpenApi) {
    let components = document.components.get_or_insert_with(Components::new);
    components.schemas.insert("Error".to_owned(), Error::schema());
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A session token (`nls_…`) or an API token (`nlp_…`)."))
        .build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let key = ApiKeyValue::with_description("X-API-Key", "An API token (`nlp_…`).");
    components.add_security_scheme("api_key", SecurityScheme::ApiKey(ApiKey::Header(key)));
}

fn extend(document: &mut Value) {
    name_list_entries(document);
    open_optional_parts(document);
    let schemas = document["components"]["schemas"].as_object().cloned().unwrap_or_default();
    let taken = taken(document, &schemas);
    if let Some(all) = document["components"]["schemas"].as_object_mut() {
        for (name, schema) in all.iter_mut() {
            describe(schema, if taken.contains(name) { Way::Taken } else { Way::Shown }, name, None);
        }
    }
    let schemas = document["components"]["schemas"].as_object().cloned().unwrap_or_default();
    errors::share(document);
    let Some(paths) = document["paths"].as_object_mut() else { return };
    for (path, item) in paths.iter_mut() {
        for method in METHODS {
            let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) else { continue };
            parameters(operation);
            examples::body(operation, &schemas);
            errors::add(operation, path.contains('{'), &schemas);
            succeed(operation, &schemas);
        }
    }
}

/// Replaces the entries of pages, which `utoipa` writes inline for generic types, by references to their schemas.
fn name_list_entries(document: &mut Value) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let names: BTreeSet<String> = schemas.keys().cloned().collect();
    for (name, schema) in schemas.iter_mut() {
        if let Some(entry) = name.strip_prefix("Page_").filter(|entry| names.contains(*entry)) {
            schema["properties"]["data"]["items"] = json!({"$ref": reference(entry)});
        }
    }
}

/// Corrects flattened `Option`s: `utoipa` writes "this object or null" within `allOf`, which an object without the
/// fields does not satisfy. The fields become optional instead.
fn open_optional_parts(document: &mut Value) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let before = schemas.clone();
    let mut opened = Vec::new();
    for schema in schemas.values_mut() {
        for part in schema["allOf"].as_array_mut().into_iter().flatten() {
            if let Some(name) = optional(part).map(str::to_owned)
                && let Some(named) = before.get(&name)
            {
                *part = json!({"type": "object", "properties": named["properties"]});
                opened.push(name);
            }
        }
    }
    let mut used = Vec::new();
    references(document, &mut used);
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.retain(|name, _| !opened.contains(name) || used.contains(name));
    }
}

/// The name of the component in a schema "this component or null".
fn optional(schema: &Value) -> Option<&str> {
    match schema["oneOf"].as_array()?.as_slice() {
        [one, other] if other["type"] == "null" => referred(one),
        [one, other] if one["type"] == "null" => referred(other),
        _ => None,
    }
}

fn reference(name: &str) -> String {
    format!("#/components/schemas/{name}")
}

/// The name of the component that a schema refers to.
fn referred(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

/// The names of all schemas that request bodies refer to, directly or not.
fn taken(document: &Value, schemas: &Map<String, Value>) -> BTreeSet<String> {
    let mut open = Vec::new();
    for item in document["paths"].as_object().into_iter().flatten().map(|(_, item)| item) {
        for method in METHODS {
            references(&item[method]["requestBody"], &mut open);
        }
    }
    let mut found = BTreeSet::new();
    while let Some(name) = open.pop() {
        if let (true, Some(schema)) = (found.insert(name.clone()), schemas.get(&name)) {
            references(schema, &mut open);
        }
    }
    found
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(referred(value).map(str::to_owned));
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(entries) => entries.iter().for_each(|entry| references(entry, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Adds the meaning of field names to a schema and to all schemas inside it.
fn describe(schema: &mut Value, way: Way, owner: &str, field: Option<&str>) {
    let Some(says) = schema.as_object_mut() else { return };
    if let Some(meaning) = field.and_then(|field| vocabulary::meaning(way, owner, field)) {
        vocabulary::apply(&meaning, says);
    }
    for (name, property) in says.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        describe(property, way, owner, Some(name));
    }
    for keyword in ["allOf", "oneOf", "anyOf"] {
        for part in says.get_mut(keyword).and_then(Value::as_array_mut).into_iter().flatten() {
            describe(part, way, owner, field);
        }
    }
}

/// Adds the meaning of names to the parameters of an operation.
fn parameters(operation: &mut Map<String, Value>) {
    let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default().to_owned();
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        let in_path = parameter["in"] == "path";
        describe(&mut parameter["schema"], Way::Taken, &id, Some(&name));
        // Headers and query parameters cannot be `null`, only fields of bodies.
        if let Some(types) = parameter["schema"]["type"].as_array().filter(|_| !in_path) {
            let kept: Vec<Value> = types.iter().filter(|kind| *kind != "null").cloned().collect();
            if let [one] = kept.as_slice() {
                parameter["schema"]["type"] = one.clone();
            }
            if let Some(values) = parameter["schema"]["enum"].as_array_mut() {
                values.retain(|value| !value.is_null());
            }
        }
        if parameter["description"].as_str().is_none_or(str::is_empty) {
            parameter["description"] = json!(name.replace(['_', '-'], " "));
        }
    }
}

/// Copies a body's description to a successful response whose handler gave none.
fn succeed(operation: &mut Map<String, Value>, schemas: &Map<String, Value>) {
    for (status, response) in operation.get_mut("responses").and_then(Value::as_object_mut).into_iter().flatten() {
        // A reference has the description of the response it refers to.
        if response["$ref"].is_null() && response["description"].as_str().is_none_or(str::is_empty) {
            let body = response["content"].as_object().and_then(|content| content.values().next());
            let body = body.and_then(|content| referred(&content["schema"])).and_then(|name| schemas.get(name));
            let says = body.and_then(|schema| schema["description"].as_str()).and_then(|text| text.split(". ").next());
            let says =
                says.map_or_else(|| format!("Status {status}."), |text| format!("{}.", text.trim_end_matches('.')));
            response["description"] = json!(says);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use actix_web::{HttpResponse, get, post};

    use edge::codes::Code;

    use super::*;
    use crate::compose;

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
        let collected = collect(|routes| {
            routes.service(open).service(private).service(body).service(segment);
        });
        let document: Value = serde_json::to_value(complete(collected).unwrap()).unwrap();
        let statuses = |path: &str, method: &str| -> Vec<String> {
            document["paths"][path][method]["responses"].as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(statuses("/open", "get"), ["200", "405", "500", "503"], "it reads nothing of a request");
        assert_eq!(statuses("/private", "get"), ["200", "400", "401", "403", "405", "500", "503"]);
        assert_eq!(statuses("/body", "post"), ["200", "400", "405", "408", "413", "500", "503"]);
        assert_eq!(statuses("/things/{thing}", "get"), ["200", "404", "405", "500", "503"]);
        let reference = &document["paths"]["/open"]["get"]["responses"]["500"]["$ref"];
        assert_eq!(reference, "#/components/responses/Internal");
        let shared = &document["components"]["responses"]["Internal"]["content"]["application/json"];
        assert_eq!(shared["schema"]["$ref"], "#/components/schemas/Error");
        assert_eq!(shared["examples"]["internal error"]["value"]["statusCode"], 500);
        assert!(document["components"]["schemas"]["Error"]["properties"]["statusCode"].is_object());
        assert!(document["components"]["securitySchemes"]["bearer"].is_object());
    }

    fn written() -> Value {
        serde_json::to_value(edge::app::document(&compose::surfaces(), &compose::DESCRIPTION).unwrap()).unwrap()
    }

    #[test]
    fn an_error_with_a_body_of_its_own_shows_that_body() {
        let document = written();
        let general = Code::NotFound.entry().message;
        let mut shown = 0;
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            let properties = &schema["properties"];
            if name == "Error" || !properties["statusCode"].is_object() {
                continue;
            }
            for field in ["error", "statusCode"] {
                assert!(properties[field]["enum"].is_array(), "{name}.{field} has its values");
            }
            assert_ne!(properties["message"]["example"], general, "{name}.message is that of another error");
            shown += 1;
        }
        assert!(shown >= 3, "{shown}");
    }

    #[test]
    fn the_document_survives_being_read_back() {
        let document = edge::app::document(&compose::surfaces(), &compose::DESCRIPTION).unwrap();
        let text = edge::docs::text(&document).unwrap();
        let again: OpenApi = serde_json::from_str(&text).unwrap();
        assert!(edge::docs::text(&again).unwrap() == text);
    }

    #[test]
    fn every_row_of_the_vocabulary_is_about_a_name_there_is() {
        let document = written();
        let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut note = |owner: &str, name: &str| {
            names.entry(owner.to_owned()).or_default().insert(name.to_owned());
        };
        for (owner, schema) in document["components"]["schemas"].as_object().unwrap() {
            let mut waiting = vec![schema];
            while let Some(schema) = waiting.pop() {
                schema["properties"].as_object().into_iter().flatten().for_each(|(name, _)| note(owner, name));
                for keyword in ["allOf", "oneOf", "anyOf"] {
                    waiting.extend(schema[keyword].as_array().into_iter().flatten());
                }
            }
        }
        for item in document["paths"].as_object().unwrap().values() {
            for operation in METHODS.iter().map(|method| &item[*method]).filter(|operation| operation.is_object()) {
                let id = operation["operationId"].as_str().unwrap();
                for parameter in operation["parameters"].as_array().into_iter().flatten() {
                    note(id, parameter["name"].as_str().unwrap());
                }
            }
        }
        for place in vocabulary::places() {
            let is_known = match place.split_once('.') {
                Some((owner, name)) => names.get(owner).is_some_and(|all| all.contains(name)),
                None => names.values().any(|all| all.contains(place)),
            };
            assert!(is_known, "{place}: no schema and no operation has it; take it out of the vocabulary");
        }
    }
}
