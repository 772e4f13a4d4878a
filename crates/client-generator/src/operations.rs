//! Writes one method for each operation, and a struct for its optional parameters.

use super::names::{comment, pascal, snake};
use super::schema::{Document, Shape, reference, shape};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use task_support::fail::{Fail, Result};

const HEAD: &str = "\
//! One method for each operation, from `docs/reference/openapi.json`.
//!
//! Written by `cargo xtask check --write`; changes by hand do not last.

use crate::call::{Call, Download};
use crate::{Client, Result, types};

";

/// The body of an operation's successful response.
enum Answer {
    /// Nothing.
    Empty,
    /// JSON.
    Json(Shape),
    /// JSON, or nothing (204).
    Perhaps(Shape),
    /// Anything but JSON, read as a stream.
    Bytes,
}

/// The body of a request.
enum Body {
    /// Nothing.
    Empty,
    /// JSON.
    Json(Shape),
    /// A form.
    Form(Shape),
}

/// A parameter.
struct Parameter<'a> {
    name: &'a str,
    about: &'a str,
    shape: Shape,
}

/// The source of all methods.
pub(super) fn write(document: &Document) -> Result<String> {
    let mut structs = String::new();
    let mut methods = String::new();
    let mut seen = BTreeSet::new();
    for (path, method, operation) in document.operations() {
        let id = operation.get("operationId").and_then(Value::as_str);
        let id = id.ok_or_else(|| Fail::new(format!("{method} {path} has no operationId")))?;
        if !seen.insert(snake(id)) {
            return Err(Fail::new(format!("two operations are called {id}")));
        }
        one(path, method, id, operation, &mut structs, &mut methods)?;
    }
    Ok(format!("{HEAD}{structs}impl Client {{\n{methods}}}\n"))
}

fn one(
    path: &str,
    method: &str,
    id: &str,
    operation: &Value,
    structs: &mut String,
    methods: &mut String,
) -> Result<()> {
    let needed = |parameter: &Value| parameter.get("required").and_then(Value::as_bool) == Some(true);
    let given: Vec<_> = operation.get("parameters").and_then(Value::as_array).into_iter().flatten().collect();
    let mut arguments = String::new();
    let mut steps = String::new();
    let mut pattern = String::new();
    for piece in path.split_inclusive(['{', '}']) {
        let text = piece.trim_end_matches('{');
        if let Some(name) = piece.strip_suffix('}') {
            let name = snake(name);
            let _ = write!(arguments, ", {name}: &str");
            let _ = write!(steps, ".segment({name})");
        } else if pattern.is_empty() {
            text.clone_into(&mut pattern);
        } else if !text.is_empty() {
            let _ = write!(steps, ".path({text:?})");
        }
    }
    let mut options = Vec::new();
    for parameter in given {
        let place = parameter.get("in").and_then(Value::as_str).unwrap_or_default();
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
        let add = match place {
            "query" => "query",
            "header" => "header",
            _ => continue,
        };
        let schema = parameter.get("schema").unwrap_or(&Value::Null);
        let (shape, _) = shape(&format!("{id}({name})"), schema)?;
        let field = snake(name);
        if needed(parameter) {
            let _ = write!(arguments, ", {field}: {}", argument(&shape));
            let _ = write!(steps, ".{add}({name:?}, Some(&{field}))");
        } else {
            let list = matches!(shape, Shape::List(_));
            let value = if list { format!("options.{field}.iter()") } else { format!("options.{field}.as_ref()") };
            let _ = write!(steps, ".{add}({name:?}, {value})");
            let about = parameter.get("description").and_then(Value::as_str).unwrap_or_default();
            options.push(Parameter { name, about, shape });
        }
    }
    if !options.is_empty() {
        let name = format!("{}Options", pascal(id));
        let _ = write!(
            structs,
            "/// Optional parameters of [`Client::{}`].\n#[derive(Debug, Clone, Default)]\n",
            snake(id)
        );
        let _ = writeln!(structs, "pub struct {name} {{");
        for option in options {
            let kind = match option.shape {
                Shape::List(_) => option.shape.rust("types::"),
                other => format!("Option<{}>", other.rust("types::")),
            };
            let _ = writeln!(structs, "{}pub {}: {kind},", comment(option.about), snake(option.name));
        }
        structs.push_str("}\n\n");
        let _ = write!(arguments, ", options: &{name}");
    }
    match body(id, operation)? {
        Body::Empty => {}
        Body::Json(shape) => {
            let _ = write!(arguments, ", body: &{}", borrowed(&shape));
            steps.push_str(".json(body)");
        }
        Body::Form(shape) => {
            let _ = write!(arguments, ", body: &{}", borrowed(&shape));
            steps.push_str(".form(body)");
        }
    }
    let (kind, end) = match answer(id, operation)? {
        Answer::Empty => ("()".to_owned(), ".send_for_nothing()"),
        Answer::Json(shape) => (shape.rust("types::").replace("Value", "serde_json::Value"), ".send()"),
        Answer::Perhaps(shape) => (format!("Option<{}>", shape.rust("types::")), ".send_perhaps()"),
        Answer::Bytes => ("Download".to_owned(), ".send_for_bytes()"),
    };
    let about = operation.get("summary").and_then(Value::as_str).unwrap_or_default();
    let _ = writeln!(
        methods,
        "{}///\n/// `{method} {path}`\npub fn {}(&self{arguments}) -> Result<{kind}> {{\n\
         Call::new(self, {method:?}, {pattern:?}){steps}{end}\n}}\n",
        comment(about),
        snake(id),
        method = method.to_uppercase(),
    );
    Ok(())
}

/// How a required parameter is passed.
fn argument(shape: &Shape) -> String {
    match shape {
        Shape::Text => "&str".into(),
        other => other.rust("types::"),
    }
}

/// How a body is passed.
fn borrowed(shape: &Shape) -> String {
    match shape {
        Shape::List(inner) => format!("[{}]", inner.rust("types::")),
        other => other.rust("types::").replace("Value", "serde_json::Value").replace("Map<", "serde_json::Map<"),
    }
}

fn body(id: &str, operation: &Value) -> Result<Body> {
    let Some(content) = operation.pointer("/requestBody/content").and_then(Value::as_object) else {
        return Ok(Body::Empty);
    };
    let (media, schema) = media(content);
    let place = format!("the body of {id}");
    match media {
        Some("application/x-www-form-urlencoded") => Ok(Body::Form(shape(&place, schema)?.0)),
        Some(_) => Ok(Body::Json(shape(&place, schema)?.0)),
        None => Ok(Body::Empty),
    }
}

/// The media type of a body, JSON if there are several, and its schema.
fn media(content: &Map<String, Value>) -> (Option<&str>, &Value) {
    let json = content.iter().find(|(name, _)| name.as_str() == "application/json");
    let (name, media) = match json.or_else(|| content.iter().next()) {
        Some((name, media)) => (Some(name.as_str()), media),
        None => (None, &Value::Null),
    };
    (name, media.get("schema").unwrap_or(&Value::Null))
}

fn answer(id: &str, operation: &Value) -> Result<Answer> {
    let responses = operation.get("responses").and_then(Value::as_object);
    let mut found = None;
    let mut empty = false;
    for (status, response) in responses.into_iter().flatten().filter(|(status, _)| status.starts_with('2')) {
        let content = response.get("content").and_then(Value::as_object).filter(|content| !content.is_empty());
        let Some(content) = content else {
            empty = true;
            continue;
        };
        let (name, schema) = media(content);
        let kind = match name {
            Some("application/json") => Some(shape(&format!("{status} of {id}"), schema)?.0),
            _ => None,
        };
        match &found {
            Some(earlier) if *earlier != kind => {
                return Err(Fail::new(format!("{id} answers with different bodies: {:?}", reference(schema))));
            }
            _ => found = Some(kind),
        }
    }
    Ok(match (found, empty) {
        (None, _) => Answer::Empty,
        (Some(Some(shape)), false) => Answer::Json(shape),
        (Some(Some(shape)), true) => Answer::Perhaps(shape),
        (Some(None), _) => Answer::Bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(operation: &Value) -> Result<String> {
        let document = json!({ "paths": { "/v1/things/{thingId}/parts": { "post": operation } } });
        write(&Document::parse(&document.to_string()).unwrap())
    }

    #[test]
    fn parameters_bodies_and_answers_have_their_places() {
        let text = written(&json!({
            "operationId": "make_part",
            "parameters": [
                { "in": "path", "name": "thingId", "required": true, "schema": { "type": "string" } },
                { "in": "query", "name": "dryRun", "schema": { "type": "boolean" } },
                { "in": "query", "name": "topic", "required": true, "schema": { "type": "string" } },
                { "in": "header", "name": "Idempotency-Key", "schema": { "type": ["string", "null"] } },
            ],
            "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/A" } } } },
            "responses": {
                "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/B" } } } },
                "204": {},
            },
        }))
        .unwrap();
        for expected in [
            "pub struct MakePartOptions {\npub dry_run: Option<bool>,\npub idempotency_key: Option<String>,\n}",
            "pub fn make_part(&self, thing_id: &str, topic: &str, options: &MakePartOptions, body: &types::A) \
             -> Result<Option<types::B>>",
            "Call::new(self, \"POST\", \"/v1/things/\").segment(thing_id).path(\"/parts\")",
            ".query(\"dryRun\", options.dry_run.as_ref()).query(\"topic\", Some(&topic))\
             .header(\"Idempotency-Key\", options.idempotency_key.as_ref()).json(body).send_perhaps()",
        ] {
            assert!(text.contains(expected), "{expected}\nin\n{text}");
        }
    }

    #[test]
    fn two_success_bodies_are_refused() {
        let body = |name: &str| {
            let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
            json!({ "content": { "application/json": { "schema": schema } } })
        };
        let operation = json!({ "operationId": "x", "responses": { "200": body("A"), "201": body("B") } });
        assert!(written(&operation).unwrap_err().to_string().contains("different bodies"));
    }
}
