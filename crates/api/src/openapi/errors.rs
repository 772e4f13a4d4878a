//! Adds to the API document the errors that an operation can always answer with, and the bodies of all errors.
//!
//! The code that makes error bodies for requests makes the documented ones too, so the two are the same.

use serde_json::{Map, Value, json};

use super::reference;
use crate::surface;
use edge::codes::Code;
use edge::error::ApiError;
use edge::extract::must_be;

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

/// Adds the responses that many operations refer to.
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

/// Adds the errors that follow from the operation's shape, and the bodies of all its errors.
pub(super) fn add(operation: &mut Map<String, Value>, has_segment: bool, schemas: &Map<String, Value>) {
    let wrong = wrong(operation, schemas);
    let follows = follows(operation, has_segment, wrong.as_ref());
    let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default().to_owned();
    let scope = scope(operation);
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
        let general = general.map(|code| body(*code, wrong.as_ref(), scope.as_deref()));
        // What a handler says of a conflict or a limit is more exact than the table.
        let mut errors: Vec<ApiError> = own.into_iter().chain(general).collect();
        if errors.is_empty() {
            errors.push(of_status(number));
        }
        fill(response, errors.into_iter().map(in_words).collect());
    }
}

/// The general error of a status.
fn of_status(status: u16) -> ApiError {
    actix_web::http::StatusCode::from_u16(status).map_or(Code::Internal, Code::of_status).into()
}

/// Adds the errors to a response. A body that is not the usual error is left as it is.
fn fill(response: &mut Value, errors: Vec<ApiError>) {
    if response["description"].as_str().is_none_or(str::is_empty) {
        let mut texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        texts.dedup();
        response["description"] = json!(format!("Error `{}`.", texts.join("` or `")));
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
fn follows(operation: &Map<String, Value>, has_segment: bool, wrong: Option<&Wrong>) -> Vec<Code> {
    let has = |key: &str| operation.get(key).is_some();
    let is_guarded = operation.get("security").and_then(Value::as_array).is_some_and(|ways| !ways.is_empty());
    let mut codes = Vec::new();
    if has("requestBody") {
        codes.extend([Code::MalformedRequest, Code::RequestTimeout, Code::PayloadTooLarge]);
    }
    if wrong.is_some() {
        codes.push(Code::InvalidRequest);
    }
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

/// The scope that an operation requires, if any.
fn scope(operation: &Map<String, Value>) -> Option<String> {
    let ways = operation.get("security")?.as_array()?;
    let mut scopes = ways.iter().filter_map(Value::as_object).flat_map(Map::values);
    scopes.find_map(|scopes| scopes[0].as_str()).map(str::to_owned)
}

/// A field or parameter that a request can have wrong.
enum Wrong {
    /// It is there, and this is what it must be.
    Field(String, String),
    /// A parameter that is absent.
    Absent(String),
}

/// What a request of this operation can have wrong, if anything.
fn wrong(operation: &Map<String, Value>, schemas: &Map<String, Value>) -> Option<Wrong> {
    let body = operation
        .get("requestBody")
        .and_then(|body| body["content"].as_object())
        .and_then(|content| content.values().next());
    let schema = body.map(|content| &content["schema"]);
    let schema = schema.and_then(|schema| {
        super::referred(schema).or_else(|| schema["oneOf"].as_array()?.iter().find_map(super::referred))
    });
    if let Some(schema) = schema.and_then(|name| schemas.get(name)) {
        if let Some(required) = schema["required"][0].as_str() {
            return Some(Wrong::Field(required.to_owned(), "is required".to_owned()));
        }
        if let Some((name, property)) = schema["properties"].as_object().and_then(|all| all.iter().next()) {
            return Some(Wrong::Field(name.clone(), in_a_body(property)));
        }
    }
    let parameters = operation.get("parameters").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let query = |parameter: &&Value| parameter["in"] == "query";
    let name = |parameter: &Value| parameter["name"].as_str().unwrap_or_default().to_owned();
    if let Some(required) = parameters.iter().filter(query).find(|parameter| parameter["required"] == true) {
        return Some(Wrong::Absent(name(required)));
    }
    if let Some(parameter) = parameters.iter().find(query) {
        return Some(Wrong::Field(name(parameter), "must be given once".to_owned()));
    }
    let found = parameters.iter().find_map(|parameter| {
        let name = name(parameter);
        let advice = surface::told_of_segment(&name)?;
        Some(Wrong::Field(name, advice.to_owned()))
    });
    // A body that is no object of ours still has fields.
    found.or_else(|| body.map(|_| Wrong::Field("query".to_owned(), "must have at most 64 parameters".to_owned())))
}

/// What a field of a body is told to be that is of another type.
fn in_a_body(property: &Value) -> String {
    let is = |kind: &str| {
        property["type"] == kind || property["type"].as_array().is_some_and(|kinds| kinds.contains(&json!(kind)))
    };
    let named = [("boolean", "a boolean"), ("integer", "u64"), ("array", "a sequence"), ("object", "a map")];
    must_be(named.into_iter().find(|(kind, _)| is(kind)).map_or("a string", |(_, expected)| expected))
}

fn body(code: Code, wrong: Option<&Wrong>, scope: Option<&str>) -> ApiError {
    match (code, scope) {
        (Code::InvalidRequest, _) => match wrong {
            Some(Wrong::Field(field, advice)) => ApiError::invalid(field.clone(), advice.clone()),
            Some(Wrong::Absent(name)) => ApiError::missing_parameter(name),
            None => code.into(),
        },
        (Code::InsufficientScope, Some(scope)) => ApiError::insufficient_scope(&[scope]),
        (code, _) => code.into(),
    }
}
