//! The OpenAPI document, and the shapes its schemas describe.

use super::names::pascal;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use task_support::fail::{Context as _, Fail, Result};

/// Fields whose text is a credential, in any schema. Their Rust type is not printed and is overwritten when dropped.
const SECRETS: &[&str] = &[
    "accessToken",
    "access_token",
    "credentials",
    "current_password",
    "new_password",
    "otpauth_uri",
    "password",
    "recovery_code",
    "recovery_codes",
    "secret",
    "subject_token",
    "token",
    "tokens",
];
/// A field that every error body has. The `code` of such a body is not a secret.
const ERROR_MARK: &str = "statusCode";
/// The most nested references while the parts of an `allOf` are gathered.
const DEPTH: usize = 16;

/// The document.
pub(super) struct Document {
    root: Value,
}

/// The type of a value in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Text.
    Text,
    /// Text that is a credential.
    Secret,
    /// Yes or no.
    Flag,
    /// A whole number, with its Rust type.
    Integer(&'static str),
    /// Any number.
    Number,
    /// Any JSON value.
    Any,
    /// An object with any content.
    AnyObject,
    /// A list.
    List(Box<Shape>),
    /// An object with values of one shape under arbitrary names.
    Map(Box<Shape>),
    /// A schema with a name.
    Named(String),
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Its name on the wire.
    pub(super) name: String,
    /// What it holds.
    pub(super) shape: Shape,
    /// Whether it is always present.
    pub(super) required: bool,
    /// Whether it may be `null`.
    pub(super) nullable: bool,
    /// What the document says about it.
    pub(super) about: Option<String>,
}

/// What a named schema is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Definition {
    /// An object with these fields, by name.
    Object(Vec<Field>),
    /// One of these words.
    Words(Vec<String>),
    /// One of these schemas, distinguished by their fields.
    Either(Vec<String>),
    /// Another name for a shape.
    Alias(Shape),
}

impl Document {
    /// Reads the document.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let root: Value = serde_json::from_str(text).attempt(|| "read the OpenAPI document".into())?;
        Ok(Self { root })
    }

    /// Every named schema, in the document's order.
    pub(super) fn schemas(&self) -> impl Iterator<Item = (&str, &Value)> {
        let schemas = self.root.pointer("/components/schemas").and_then(Value::as_object);
        schemas.into_iter().flatten().map(|(name, schema)| (name.as_str(), schema))
    }

    /// Every operation: path, method, and its object.
    pub(super) fn operations(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        let paths = self.root.get("paths").and_then(Value::as_object);
        paths.into_iter().flatten().flat_map(|(path, methods)| {
            let methods = methods.as_object().into_iter().flatten();
            methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        })
    }

    /// Names of the schemas that are bodies of `PATCH`: in them an absent field is unchanged, and `null` clears it.
    pub(super) fn patches(&self) -> BTreeSet<&str> {
        let patches = self.operations().filter(|(_, method, _)| *method == "patch");
        let content = patches.filter_map(|(_, _, operation)| operation.pointer("/requestBody/content"));
        let media = content.filter_map(Value::as_object).flat_map(Map::values);
        media.filter_map(|media| reference(media.get("schema")?)).collect()
    }

    fn schema(&self, name: &str) -> Result<&Value> {
        let found = self.root.pointer("/components/schemas").and_then(|schemas| schemas.get(name));
        found.ok_or_else(|| Fail::new(format!("the OpenAPI document names the schema {name}, which it does not have")))
    }

    /// The definition of the schema called `name`.
    pub(super) fn define(&self, name: &str, schema: &Value) -> Result<Definition> {
        if let Some(words) = words(schema) {
            return Ok(Definition::Words(words));
        }
        if let Some(choices) = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array) {
            let names = choices.iter().map(|choice| reference(choice).map(pascal)).collect::<Option<Vec<_>>>();
            return names
                .map(Definition::Either)
                .ok_or_else(|| unknown(name, "a choice between schemas without names"));
        }
        if schema.get("allOf").is_some() || schema.get("properties").is_some() {
            let mut fields = BTreeMap::new();
            self.gather(name, schema, true, 0, &mut fields)?;
            return Ok(Definition::Object(fields.into_values().collect()));
        }
        Ok(Definition::Alias(shape(name, schema)?.0))
    }

    /// Adds the fields of `schema` and of all parts of its `allOf`. The fields of an optional part are all optional.
    fn gather(
        &self,
        place: &str,
        schema: &Value,
        certain: bool,
        depth: usize,
        fields: &mut BTreeMap<String, Field>,
    ) -> Result<()> {
        if depth > DEPTH {
            return Err(unknown(place, "a schema made of itself"));
        }
        if let Some(name) = reference(schema) {
            return self.gather(place, self.schema(name)?, certain, depth + 1, fields);
        }
        if let Some((inner, true)) = optional(schema) {
            return self.gather(place, inner, false, depth + 1, fields);
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.gather(place, part, certain, depth + 1, fields)?;
        }
        let required: BTreeSet<_> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let is_error = schema.get("properties").is_some_and(|properties| properties.get(ERROR_MARK).is_some());
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let (found, nullable) = shape(&format!("{place}.{name}"), property)?;
            let secret = SECRETS.contains(&name.as_str()) || (name == "code" && !is_error);
            let field = Field {
                name: name.clone(),
                shape: if secret { concealed(found) } else { found },
                required: certain && required.contains(name.as_str()),
                nullable,
                about: property.get("description").and_then(Value::as_str).map(str::to_owned),
            };
            fields.insert(name.clone(), field);
        }
        Ok(())
    }
}

/// The name behind `#/components/schemas/…`.
pub(super) fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/components/schemas/")
}

/// For a choice between a schema and `null`, that schema, and whether `null` was a choice.
fn optional(schema: &Value) -> Option<(&Value, bool)> {
    let choices = schema.get("oneOf").or_else(|| schema.get("anyOf"))?.as_array()?;
    let is_null = |choice: &&Value| choice.get("type").and_then(Value::as_str) == Some("null");
    let mut rest = choices.iter().filter(|choice| !is_null(choice));
    match (rest.next(), rest.next()) {
        (Some(only), None) => Some((only, choices.len() > 1)),
        _ => None,
    }
}

/// The values of an enumeration, written as `enum`, as `const`, or as a choice of those.
fn words(schema: &Value) -> Option<Vec<String>> {
    if let Some(listed) = schema.get("enum").and_then(Value::as_array) {
        let words = listed.iter().filter(|word| !word.is_null());
        return words.map(|word| word.as_str().map(str::to_owned)).collect();
    }
    if let Some(word) = schema.get("const") {
        return Some(vec![word.as_str()?.to_owned()]);
    }
    let choices = schema.get("oneOf")?.as_array()?;
    choices.iter().map(words).collect::<Option<Vec<_>>>().map(|lists| lists.concat())
}

/// The shape of a schema, and whether `null` is one of its values.
pub(super) fn shape(place: &str, schema: &Value) -> Result<(Shape, bool)> {
    if let Some(name) = reference(schema) {
        return Ok((Shape::Named(pascal(name)), false));
    }
    if let Some((inner, null)) = optional(schema) {
        let (shape, inner_null) = shape(place, inner)?;
        return Ok((shape, null || inner_null));
    }
    if let Some([only]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        return shape(place, only);
    }
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let null = kinds.contains(&"null");
    let kinds: Vec<_> = kinds.into_iter().filter(|kind| *kind != "null").collect();
    let format = schema.get("format").and_then(Value::as_str);
    let natural = schema.get("minimum").and_then(Value::as_i64).is_some_and(|minimum| minimum >= 0);
    let found = match kinds.as_slice() {
        ["string"] => Shape::Text,
        // An unnamed enumeration is plain text; its description lists the values.
        [] if words(schema).is_some() => Shape::Text,
        ["boolean"] => Shape::Flag,
        ["integer"] => Shape::Integer(match (format, natural) {
            (Some("int32"), true) => "u32",
            (Some("int32"), false) => "i32",
            (_, true) => "u64",
            (_, false) => "i64",
        }),
        ["number"] => Shape::Number,
        ["array"] => {
            let items = schema.get("items").ok_or_else(|| unknown(place, "a list of nothing in particular"))?;
            Shape::List(Box::new(shape(place, items)?.0))
        }
        ["object"] => match schema.get("additionalProperties") {
            Some(values) if values.is_object() => Shape::Map(Box::new(shape(place, values)?.0)),
            _ => Shape::AnyObject,
        },
        _ => Shape::Any,
    };
    Ok((found, null))
}

/// The same shape with texts as secrets. Named schemas stay as they are: their fields are checked on their own.
fn concealed(shape: Shape) -> Shape {
    match shape {
        Shape::Text => Shape::Secret,
        Shape::List(inner) => Shape::List(Box::new(concealed(*inner))),
        other => other,
    }
}

fn unknown(place: &str, what: &str) -> Fail {
    Fail::new(format!("the generator of the client does not know {what}, at {place}"))
        .fix("teach it to crates/client-generator/src/schema.rs")
}

impl Shape {
    /// The Rust type, with `prefix` before named types.
    pub(super) fn rust(&self, prefix: &str) -> String {
        match self {
            Self::Text => "String".into(),
            Self::Secret => "Secret".into(),
            Self::Flag => "bool".into(),
            Self::Integer(name) => (*name).into(),
            Self::Number => "f64".into(),
            Self::Any => "Value".into(),
            Self::AnyObject => "Map<String, Value>".into(),
            Self::List(inner) => format!("Vec<{}>", inner.rust(prefix)),
            Self::Map(inner) => format!("BTreeMap<String, {}>", inner.rust(prefix)),
            Self::Named(name) => format!("{prefix}{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document() -> Document {
        let text = json!({
            "paths": { "/a": { "patch": { "requestBody": { "content": { "application/json": {
                "schema": { "$ref": "#/components/schemas/Edit" } } } } } } },
            "components": { "schemas": {
                "Edit": { "type": "object", "properties": { "name": { "type": ["string", "null"] } } },
                "Base": { "type": "object", "required": ["id"], "properties": { "id": { "type": "string" } } },
                "Status": { "type": "string", "enum": ["on", "off"] },
                "Worded": { "oneOf": [{ "type": "string", "enum": ["a"] }, { "const": "b" }] },
                "Made": { "allOf": [{ "$ref": "#/components/schemas/Base" },
                    { "type": "object", "required": ["secret"], "properties": { "secret": { "type": "string" } } }] },
                "Perhaps": { "allOf": [{ "oneOf": [{ "$ref": "#/components/schemas/Base" }, { "type": "null" }] }] },
                "Choice": { "oneOf": [{ "$ref": "#/components/schemas/Base" }, { "$ref": "#/components/schemas/Made" }] },
                "Error": { "type": "object", "properties": { "statusCode": { "type": "integer" },
                    "code": { "type": "string" } } },
                "Recursive": { "allOf": [{ "$ref": "#/components/schemas/Recursive" }] },
                "Nameless": { "oneOf": [{ "type": "object" }, { "type": "array" }] },
            } }
        });
        Document::parse(&text.to_string()).unwrap()
    }

    fn define(name: &str) -> Result<Definition> {
        let document = document();
        let schema = document.schema(name).unwrap().clone();
        document.define(name, &schema)
    }

    fn fields(name: &str) -> Vec<(String, Shape, bool)> {
        match define(name).unwrap() {
            Definition::Object(fields) => {
                fields.into_iter().map(|field| (field.name, field.shape, field.required)).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn fields_of_parts_are_gathered_and_those_of_optional_parts_are_optional() {
        assert_eq!(fields("Made"), [("id".into(), Shape::Text, true), ("secret".into(), Shape::Secret, true)]);
        assert_eq!(fields("Perhaps"), [("id".into(), Shape::Text, false)]);
    }

    #[test]
    fn choices_and_words_are_told_apart() {
        assert_eq!(define("Status").unwrap(), Definition::Words(vec!["on".into(), "off".into()]));
        assert_eq!(define("Worded").unwrap(), Definition::Words(vec!["a".into(), "b".into()]));
        assert_eq!(define("Choice").unwrap(), Definition::Either(vec!["Base".into(), "Made".into()]));
    }

    #[test]
    fn the_code_of_an_error_is_no_secret() {
        assert!(fields("Error").contains(&("code".into(), Shape::Text, false)));
    }

    #[test]
    fn bodies_of_patch_are_known() {
        assert_eq!(document().patches().into_iter().collect::<Vec<_>>(), ["Edit"]);
    }

    #[test]
    fn an_unknown_schema_is_an_error_with_its_place() {
        for name in ["Recursive", "Nameless"] {
            assert!(define(name).unwrap_err().to_string().contains(name), "{name}");
        }
    }

    #[test]
    fn shapes_follow_types_and_formats() {
        for (schema, expected, null) in [
            (json!({ "type": "integer", "format": "int32", "minimum": 0 }), "u32", false),
            (json!({ "type": ["integer", "null"], "format": "int64" }), "i64", true),
            (json!({ "type": "array", "items": { "type": "string" } }), "Vec<String>", false),
            (json!({ "type": "object" }), "Map<String, Value>", false),
            (
                json!({ "type": "object", "additionalProperties": { "type": "string" } }),
                "BTreeMap<String, String>",
                false,
            ),
            (json!({ "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/A_B" }] }), "t::AB", true),
            (json!({ "oneOf": [{ "type": "string", "enum": ["a"] }, { "const": "b" }] }), "String", false),
            (json!({ "type": ["string", "integer"] }), "Value", false),
            (json!({}), "Value", false),
        ] {
            let (shape, found) = shape("x", &schema).unwrap();
            assert_eq!((shape.rust("t::").as_str(), found), (expected, null), "{schema}");
        }
    }
}
