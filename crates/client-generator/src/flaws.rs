//! Checks that the API document is complete: every answer described, every text and number typed, every body with an
//! example.
//!
//! Clients are generated from the document and people learn the API from it. Third-party validators check its structure
//! as well (`cargo xtask test --full`); this check needs nothing but the file.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Methods a path item can have.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The end of every finding about a type.
const HELP: &str =
    "say it with #[schema(…)] or #[param(…)], or in crates/api/src/openapi/vocabulary.rs for every field of that name";

/// All findings about a document.
#[must_use]
pub fn flaws(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let schemas = document["components"]["schemas"].as_object().cloned().unwrap_or_default();
    let mut ids = BTreeSet::new();
    let mut used = BTreeSet::new();
    references(&document["paths"], &mut used);
    references(&document["components"]["responses"], &mut used);
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            let Some(operation) = item[method].as_object() else { continue };
            let place = format!("{} {path}", method.to_uppercase());
            if !operation.get("operationId").and_then(Value::as_str).is_some_and(|id| ids.insert(id.to_owned())) {
                found.push(format!("{place} has no operationId of its own"));
            }
            let mut flaws = Vec::new();
            about(operation, &mut flaws);
            parameters(path, operation, &mut flaws);
            request(operation, &schemas, &mut flaws);
            responses(operation, &document["components"]["responses"], &mut flaws);
            found.extend(flaws.into_iter().map(|flaw| format!("{place} {flaw}")));
        }
    }
    for (name, schema) in &schemas {
        references(schema, &mut used);
        typed(schema, name, &mut found);
    }
    for name in used.iter().filter(|name| !schemas.contains_key(*name)) {
        found.push(format!("schema {name} is referred to and not there"));
    }
    for name in schemas.keys().filter(|name| !used.contains(*name)) {
        found.push(format!("schema {name} is there and nothing refers to it"));
    }
    found
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value[key].as_str().filter(|text| !text.trim().is_empty())
}

fn about(operation: &Map<String, Value>, flaws: &mut Vec<String>) {
    if operation.get("summary").and_then(Value::as_str).is_none_or(str::is_empty) {
        flaws.push("has no summary: begin the handler's comment with one".to_owned());
    }
    if operation.get("tags").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        flaws.push("has no tag: #[utoipa::path(tag = \"…\")]".to_owned());
    }
    if !operation.contains_key("security") {
        flaws.push("says nothing of security: security() for an operation that takes no credential".to_owned());
    }
}

fn parameters(path: &str, operation: &Map<String, Value>, flaws: &mut Vec<String>) {
    let all: Vec<&Value> = operation.get("parameters").and_then(Value::as_array).into_iter().flatten().collect();
    let in_path: BTreeSet<&str> =
        all.iter().filter(|one| one["in"] == "path").filter_map(|one| one["name"].as_str()).collect();
    let segments: BTreeSet<&str> =
        path.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name).collect();
    if in_path != segments {
        flaws.push(format!("declares {in_path:?} and has {segments:?} in its path"));
    }
    for one in all {
        let name = one["name"].as_str().unwrap_or_default();
        if one["in"] == "path" && one["required"] != true {
            flaws.push(format!("does not require its segment {name}"));
        }
        if text(one, "description").is_none() {
            flaws.push(format!("does not describe its parameter {name}"));
        }
        typed(&one["schema"], name, flaws);
    }
}

fn request(operation: &Map<String, Value>, schemas: &Map<String, Value>, flaws: &mut Vec<String>) {
    let contents = operation.get("requestBody").and_then(|body| body["content"].as_object());
    for (kind, content) in contents.into_iter().flatten() {
        let several = content["examples"].as_object().into_iter().flatten().map(|(_, example)| &example["value"]);
        let examples: Vec<&Value> = content.get("example").into_iter().chain(several).collect();
        if examples.is_empty() {
            flaws.push(format!("has no example of a {kind} body: example = json!({{…}}) in request_body, or a row in crates/api/src/openapi/examples.rs"));
        }
        for example in examples {
            if let Err(why) = fits(example, &content["schema"], schemas) {
                flaws.push(format!("has an example of a {kind} body that its schema refuses: {why}"));
            }
        }
    }
}

fn responses(operation: &Map<String, Value>, shared: &Value, flaws: &mut Vec<String>) {
    let all: Vec<_> = operation.get("responses").and_then(Value::as_object).into_iter().flatten().collect();
    if !all.iter().any(|(status, _)| status.starts_with('2')) {
        flaws.push("says nothing of how it succeeds".to_owned());
    }
    for (status, response) in all {
        let name = response["$ref"].as_str().and_then(|name| name.strip_prefix("#/components/responses/"));
        let response = name.map_or(response, |name| &shared[name]);
        if text(response, "description").is_none() {
            flaws.push(format!("does not describe its {status}"));
        }
        let Some(number) = status.parse::<u16>().ok().filter(|number| *number >= 400) else { continue };
        let Some(content) = response["content"].get("application/json") else {
            flaws.push(format!("does not say what the body of its {status} is"));
            continue;
        };
        if !content["schema"]["$ref"].as_str().is_some_and(|name| name.ends_with("/Error")) {
            continue;
        }
        let examples: Vec<_> = content["examples"].as_object().into_iter().flatten().collect();
        if examples.is_empty() {
            flaws.push(format!("shows no body of its {status}"));
        }
        for (name, example) in examples {
            let body = &example["value"];
            let is_real = text(body, "error").is_some_and(|error| error != "string") && text(body, "message").is_some();
            if !is_real || body["statusCode"] != number {
                flaws.push(format!("shows a body of its {status} that is not sent: {name}"));
            }
        }
    }
}

/// Refuses text without format, pattern, values, bounds or at least an example, and numbers without bounds.
fn typed(schema: &Value, place: &str, flaws: &mut Vec<String>) {
    let Some(says) = schema.as_object() else { return };
    let is = |kind: &str| match &schema["type"] {
        Value::String(one) => one == kind,
        Value::Array(several) => several.iter().any(|one| one == kind),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    };
    let has = |keys: &[&str]| keys.iter().any(|key| says.contains_key(*key));
    if is("string") && !has(&["format", "pattern", "enum", "maxLength", "example", "const"]) {
        flaws.push(format!("{place} is text of any kind: {HELP}"));
    }
    if (is("integer") || is("number")) && !has(&["minimum", "exclusiveMinimum", "enum", "const"]) {
        flaws.push(format!("{place} is a number without bounds: {HELP}"));
    }
    let is_time = ["_at", "At"].iter().any(|end| place.rsplit('.').next().is_some_and(|name| name.ends_with(end)));
    if is_time && is("string") && says.get("format").and_then(Value::as_str) != Some("date-time") {
        flaws.push(format!("{place} is a time and not of the format date-time"));
    }
    for (name, property) in says.get("properties").and_then(Value::as_object).into_iter().flatten() {
        typed(property, &format!("{place}.{name}"), flaws);
    }
    for keyword in ["items", "additionalProperties"] {
        typed(&schema[keyword], place, flaws);
    }
    for keyword in ["allOf", "oneOf", "anyOf"] {
        schema[keyword].as_array().into_iter().flatten().for_each(|part| typed(part, place, flaws));
    }
}

/// Whether a value fits a schema, as far as types, required fields, values and bounds go.
fn fits(value: &Value, schema: &Value, schemas: &Map<String, Value>) -> Result<(), String> {
    if let Some(name) = referred(schema) {
        return fits(value, schemas.get(name).unwrap_or(&Value::Null), schemas);
    }
    let parts = |keyword: &str| schema[keyword].as_array().into_iter().flatten();
    parts("allOf").try_for_each(|part| fits(value, part, schemas))?;
    for keyword in ["oneOf", "anyOf"] {
        if parts(keyword).next().is_some() && !parts(keyword).any(|part| fits(value, part, schemas).is_ok()) {
            return Err(format!("{value} fits none of {keyword}"));
        }
    }
    let is_of = |kind: &str| match value {
        Value::Null => kind == "null",
        Value::Bool(_) => kind == "boolean",
        Value::Number(number) => kind == "number" || (kind == "integer" && !number.is_f64()),
        Value::String(_) => kind == "string",
        Value::Array(_) => kind == "array",
        Value::Object(_) => kind == "object",
    };
    let has_type = match &schema["type"] {
        Value::String(one) => is_of(one),
        Value::Array(several) => several.iter().filter_map(Value::as_str).any(is_of),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => true,
    };
    if !has_type {
        return Err(format!("{value} is not of type {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
        return Err(format!("{value} is none of {}", schema["enum"]));
    }
    let outside = |least: &str, most: &str, size: f64| {
        schema[least].as_f64().is_some_and(|least| size < least)
            || schema[most].as_f64().is_some_and(|most| size > most)
    };
    #[expect(clippy::cast_precision_loss, reason = "examples are short")]
    let is_outside = match value {
        Value::Number(number) => outside("minimum", "maximum", number.as_f64().unwrap_or_default()),
        Value::String(text) => outside("minLength", "maxLength", text.chars().count() as f64),
        Value::Array(entries) => outside("minItems", "maxItems", entries.len() as f64),
        Value::Null | Value::Bool(_) | Value::Object(_) => false,
    };
    if is_outside {
        return Err(format!("{value} is out of bounds"));
    }
    if let Value::Array(entries) = value {
        entries.iter().try_for_each(|entry| fits(entry, &schema["items"], schemas))?;
    }
    if let Value::Object(fields) = value {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !fields.contains_key(name) {
                return Err(format!("it lacks {name}"));
            }
        }
        fields.iter().try_for_each(|(name, field)| {
            fits(field, &schema["properties"][name], schemas).map_err(|why| format!("{name}: {why}"))
        })?;
    }
    Ok(())
}

fn referred(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(referred(value).map(str::to_owned));
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(entries) => entries.iter().for_each(|entry| references(entry, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A complete document with one operation.
    fn sound() -> Value {
        json!({
            "paths": {"/things/{thing_id}": {"patch": {
                "operationId": "edit_thing", "summary": "Edit.", "tags": ["things"], "security": [],
                "parameters": [{"name": "thing_id", "in": "path", "required": true, "description": "its id", "schema": {"type": "string", "format": "uuid"}}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/EditThing"}, "example": {"name": "a", "size": 1}}}},
                "responses": {
                    "200": {"description": "edited"},
                    "404": {"description": "not found", "content": {"application/json": {
                        "schema": {"$ref": "#/components/schemas/Error"},
                        "examples": {"not found": {"value": {"error": "not found", "message": "Check the id.", "statusCode": 404}}}
                    }}},
                    "500": {"$ref": "#/components/responses/Internal"}
                }
            }}},
            "components": {"responses": {"Internal": {"description": "internal error", "content": {"application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "examples": {"internal error": {"value": {"error": "internal error", "message": "Try again.", "statusCode": 500}}}
            }}}}, "schemas": {
                "EditThing": {"type": "object", "required": ["name"], "properties": {
                    "name": {"type": "string", "maxLength": 10},
                    "size": {"type": ["integer", "null"], "minimum": 0, "maximum": 9},
                    "made_at": {"type": "string", "format": "date-time"},
                    "tags": {"type": "array", "maxItems": 2, "items": {"type": "string", "pattern": "^[a-z]+$"}}
                }},
                "Error": {"type": "object", "properties": {"error": {"type": "string", "maxLength": 99}}}
            }}
        })
    }

    #[test]
    fn a_complete_document_is_in_order() {
        assert_eq!(flaws(&sound()), [""; 0]);
    }

    #[test]
    fn every_omission_is_found() {
        let operation = "/paths/~1things~1{thing_id}/patch";
        let schema = "/components/schemas/EditThing/properties";
        // JSON pointer, the value put there, and the finding.
        let rows = [
            (format!("{operation}/summary"), json!(""), "has no summary"),
            (format!("{operation}/tags"), json!([]), "has no tag"),
            (format!("{operation}/operationId"), json!(null), "no operationId"),
            (format!("{operation}/parameters"), json!([]), "in its path"),
            (format!("{operation}/parameters/0/description"), json!(" "), "does not describe its parameter thing_id"),
            (format!("{operation}/parameters/0/required"), json!(false), "does not require its segment thing_id"),
            (format!("{operation}/parameters/0/schema"), json!({"type": "string"}), "thing_id is text of any kind"),
            (format!("{operation}/responses/200/description"), json!(""), "does not describe its 200"),
            (format!("{operation}/responses/404/content"), json!({}), "does not say what the body of its 404 is"),
            (
                format!("{operation}/responses/404/content/application~1json/examples"),
                json!({}),
                "shows no body of its 404",
            ),
            (
                format!("{operation}/responses/404/content/application~1json/examples/not found/value/statusCode"),
                json!(0),
                "that is not sent",
            ),
            (
                format!("{operation}/responses/404/content/application~1json/examples/not found/value/error"),
                json!("string"),
                "that is not sent",
            ),
            (format!("{operation}/requestBody/content/application~1json/example"), json!({}), "it lacks name"),
            (format!("{operation}/requestBody/content/application~1json/example/name"), json!(1), "is not of type"),
            (format!("{operation}/requestBody/content/application~1json/example/size"), json!(10), "is out of bounds"),
            (
                format!("{operation}/requestBody/content/application~1json"),
                json!({"schema": {"$ref": "#/components/schemas/EditThing"}}),
                "has no example",
            ),
            ("/components/responses/Internal/description".to_owned(), json!(""), "does not describe its 500"),
            (
                format!("{operation}/responses/500/$ref"),
                json!("#/components/responses/Gone"),
                "does not describe its 500",
            ),
            (format!("{schema}/name"), json!({"type": "string"}), "EditThing.name is text of any kind"),
            (format!("{schema}/size"), json!({"type": "integer"}), "EditThing.size is a number without bounds"),
            (format!("{schema}/made_at"), json!({"type": "string", "maxLength": 9}), "not of the format date-time"),
            (format!("{schema}/tags/items"), json!({"type": "string"}), "EditThing.tags is text of any kind"),
            (
                format!("{schema}/tags"),
                json!({"$ref": "#/components/schemas/Tags"}),
                "Tags is referred to and not there",
            ),
            ("/components/schemas/Error".to_owned(), json!({"type": ["string"]}), "Error is text of any kind"),
        ];
        for (place, instead, expected) in rows {
            let mut document = sound();
            *document.pointer_mut(&place).unwrap_or_else(|| panic!("no {place}")) = instead;
            let found = flaws(&document);
            assert!(found.iter().any(|flaw| flaw.contains(expected)), "{place}: {found:?}");
        }
        let mut document = sound();
        document["components"]["schemas"]["Unused"] = json!({"type": "object"});
        assert!(flaws(&document)[0].contains("nothing refers to it"));
        let mut document = sound();
        document["paths"]["/others"]["get"] = document["paths"]["/things/{thing_id}"]["patch"].clone();
        assert!(flaws(&document).iter().any(|flaw| flaw.contains("no operationId of its own")));
    }
}
