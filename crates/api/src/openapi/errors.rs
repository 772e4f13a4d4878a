//! The errors an operation can always answer with, and the bodies that errors really have.
//!
//! Bodies are made by the code that makes them for requests, so that a documented error is one that is sent.

use serde_json::{Map, Value, json};

use super::reference;
use crate::surface;
use edge::codes::Code;
use edge::error::ApiError;

/// The codes whose answer is the same for every operation, with the names their responses have in the document.
const SHARED: [(Code, &str); 7] = [
    (Code::Unauthenticated, "Unauthorized"),
    (Code::NotFound, "NotFound"),
    (Code::MethodNotAllowed, "MethodNotAllowed"),
    (Code::RequestTimeout, "RequestTimeout"),
    (Code::PayloadTooLarge, "PayloadTooLarge"),
    (Code::Internal, "Internal"),
    (Code::Unavailable, "Unavailable"),
];

/// Describes once what many operations refer to.
pub(super) fn share(document: &mut Value) {
    for (code, name) in SHARED {
        let mut response = json!({"description": ""});
        let status = code.entry().status;
        let errors =
            Code::GENERAL.iter().copied().filter(|other| other.entry().status == status).map(ApiError::from).collect();
        fill(&mut response, errors);
        document["components"]["responses"][name] = response;
    }
}

/// Adds the errors that follow from the operation's shape, and to all its errors their bodies.
pub(super) fn add(operation: &mut Map<String, Value>, has_segment: bool, schemas: &Map<String, Value>) {
    let follows = follows(operation, has_segment);
    let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default().to_owned();
    let scope = scope(operation);
    let field = first_field(operation, schemas);
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    let in_words = |error: ApiError| if surface::oauth::has(&id) { surface::oauth::in_its_words(error) } else { error };
    let is_as_everywhere = |code: Code| in_words(code.into()).to_string() == ApiError::from(code).to_string();
    for code in &follows {
        let shared = SHARED.iter().find(|(shared, _)| shared == code && is_as_everywhere(*code));
        responses.entry(code.entry().status.as_u16().to_string()).or_insert_with(|| match shared {
            Some((_, name)) => json!({"$ref": format!("#/components/responses/{name}")}),
            None => json!({"description": ""}),
        });
    }
    for (status, response) in responses.iter_mut().filter(|(_, response)| response["$ref"].is_null()) {
        let Some(number) = status.parse::<u16>().ok().filter(|status| *status >= 400) else { continue };
        let own = surface::failures(&id, number);
        let general = follows.iter().filter(|code| code.entry().status.as_u16() == number);
        let general = general.map(|code| body(*code, &field, scope.as_deref()));
        // What a handler says of a conflict or a limit is more exact than the table.
        let mut errors: Vec<ApiError> = own.into_iter().chain(general).collect();
        if errors.is_empty() {
            errors.push(of_status(number));
        }
        fill(response, errors.into_iter().map(in_words).collect());
    }
}

/// What that status means everywhere.
fn of_status(status: u16) -> ApiError {
    actix_web::http::StatusCode::from_u16(status).map_or(Code::Internal, Code::of_status).into()
}

/// Describes an error response; a body of another kind than the usual one is left as it is.
fn fill(response: &mut Value, errors: Vec<ApiError>) {
    if response["description"].as_str().is_none_or(str::is_empty) {
        let mut texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        texts.dedup();
        response["description"] = json!(texts.join(", or "));
    }
    if response["content"].is_null() {
        response["content"] = json!({"application/json": {"schema": {"$ref": reference("Error")}}});
    }
    let Some(content) = response["content"].as_object_mut().and_then(|content| content.get_mut("application/json"))
    else {
        return;
    };
    let is_usual = super::referred(&content["schema"]) == Some("Error");
    if !is_usual || content.get("example").is_some() || content.get("examples").is_some() {
        return;
    }
    let mut examples = Map::new();
    for error in errors {
        let Ok(value) = serde_json::from_str::<Value>(&error.body()) else { continue };
        let name = error.to_string();
        examples.entry(name.clone()).or_insert_with(|| json!({"summary": name, "value": value}));
    }
    content["examples"] = Value::Object(examples);
}

/// The codes an operation can always answer with, given its shape.
fn follows(operation: &Map<String, Value>, has_segment: bool) -> Vec<Code> {
    let has = |key: &str| operation.get(key).is_some();
    let is_guarded = operation.get("security").and_then(Value::as_array).is_some_and(|ways| !ways.is_empty());
    let mut codes = Vec::new();
    if has("requestBody") {
        codes.extend([Code::MalformedRequest, Code::RequestTimeout, Code::PayloadTooLarge]);
    }
    codes.push(Code::InvalidRequest);
    if is_guarded {
        codes.extend([Code::ConflictingCredentials, Code::Unauthenticated, Code::InvalidToken]);
        codes.push(if scope(operation).is_some() { Code::InsufficientScope } else { Code::Forbidden });
    }
    if has_segment {
        codes.push(Code::NotFound);
    }
    codes.extend([Code::MethodNotAllowed, Code::Internal, Code::Unavailable]);
    codes
}

/// The scope an operation takes, if it takes one.
fn scope(operation: &Map<String, Value>) -> Option<String> {
    let ways = operation.get("security")?.as_array()?;
    let mut scopes = ways.iter().filter_map(Value::as_object).flat_map(Map::values);
    scopes.find_map(|scopes| scopes[0].as_str()).map(str::to_owned)
}

/// A field or parameter that a request can have wrong.
fn first_field(operation: &Map<String, Value>, schemas: &Map<String, Value>) -> String {
    let body = operation
        .get("requestBody")
        .and_then(|body| body["content"].as_object())
        .and_then(|content| content.values().next());
    let schema = body.map(|content| &content["schema"]);
    let schema = schema.and_then(|schema| {
        super::referred(schema).or_else(|| schema["oneOf"].as_array()?.iter().find_map(super::referred))
    });
    let properties = schema.and_then(|name| schemas.get(name)).and_then(|schema| {
        let required = schema["required"][0].as_str().map(str::to_owned);
        required.or_else(|| schema["properties"].as_object()?.keys().next().cloned())
    });
    let parameter = || operation.get("parameters")?.as_array()?.first()?["name"].as_str().map(str::to_owned);
    properties.or_else(parameter).unwrap_or_else(|| "query".to_owned())
}

fn body(code: Code, field: &str, scope: Option<&str>) -> ApiError {
    match (code, scope) {
        (Code::InvalidRequest, _) => ApiError::invalid(field.to_owned(), "has the wrong form"),
        (Code::InsufficientScope, Some(scope)) => ApiError::insufficient_scope(&[scope]),
        (code, _) => code.into(),
    }
}
