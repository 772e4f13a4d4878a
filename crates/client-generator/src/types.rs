//! Writes the types of bodies: a struct for an object, an enum for an enumeration or a choice.

use super::names::{comment, pascal, snake};
use super::schema::{Definition, Document, Field, Shape};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use task_support::fail::Result;

const HEAD: &str = "\
//! What travels: the bodies of requests and answers, from `docs/reference/openapi.json`.
//!
//! Written by `cargo xtask check --write`; changes by hand do not last.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Secret;
use crate::double_option;

";

/// The source of all types.
pub(super) fn write(document: &Document) -> Result<String> {
    let mut definitions = BTreeMap::new();
    for (name, schema) in document.schemas() {
        definitions.insert(pascal(name), (document.define(name, schema)?, schema.get("description")));
    }
    let patches: BTreeSet<String> = document.patches().into_iter().map(pascal).collect();
    let mut out = HEAD.to_owned();
    for (name, (definition, about)) in &definitions {
        let about = about.and_then(serde_json::Value::as_str).unwrap_or_default();
        out.push_str(&comment(about));
        match definition {
            Definition::Object(fields) => {
                let default = if starts_empty(name, &definitions, 0) { "Default, " } else { "" };
                object(&mut out, name, fields, default, patches.contains(name));
            }
            Definition::Words(list) => words(&mut out, name, list),
            Definition::Either(choices) => either(&mut out, name, choices),
            Definition::Alias(shape) => put(&mut out, format_args!("pub type {name} = {};\n\n", shape.rust(""))),
        }
    }
    // Import only what the types use: unused imports are compiler warnings.
    for (import, word) in
        [("use std::collections::BTreeMap;\n\n", "BTreeMap<"), ("use crate::double_option;\n", "\"double_option\"")]
    {
        if !out.contains(word) {
            out = out.replace(import, "");
        }
    }
    Ok(out)
}

fn put(out: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(what);
}

fn object(out: &mut String, name: &str, fields: &[Field], default: &str, patch: bool) {
    put(
        out,
        format_args!("#[derive(Debug, Clone, {default}PartialEq, Serialize, Deserialize)]\npub struct {name} {{\n"),
    );
    for field in fields {
        out.push_str(&comment(field.about.as_deref().unwrap_or_default()));
        let rust = snake(&field.name);
        let mut serde = Vec::new();
        if rust != field.name {
            serde.push(format!("rename = {:?}", field.name));
        }
        let mut kind = field.shape.rust("");
        if patch && field.nullable {
            kind = format!("Option<Option<{kind}>>");
            serde.push("default, with = \"double_option\", skip_serializing_if = \"Option::is_none\"".into());
        } else if !field.required {
            kind = format!("Option<{kind}>");
            serde.push("default, skip_serializing_if = \"Option::is_none\"".into());
        } else if field.nullable {
            kind = format!("Option<{kind}>");
        }
        if !serde.is_empty() {
            put(out, format_args!("#[serde({})]\n", serde.join(", ")));
        }
        put(out, format_args!("pub {rust}: {kind},\n"));
    }
    out.push_str("}\n\n");
}

/// Writes an enumeration that also accepts unknown values, which a newer server may send.
fn words(out: &mut String, name: &str, list: &[String]) {
    put(out, format_args!("#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]\npub enum {name} {{\n"));
    for word in list {
        put(out, format_args!("/// `{word}`\n#[serde(rename = {word:?})]\n{},\n", pascal(word)));
    }
    out.push_str("/// A word this client does not know.\n#[serde(untagged)]\nOther(String),\n}\n\n");
    put(out, format_args!("impl std::fmt::Display for {name} {{\n"));
    out.push_str("fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {\nf.pad(match self {\n");
    for word in list {
        put(out, format_args!("Self::{} => {word:?},\n", pascal(word)));
    }
    out.push_str("Self::Other(word) => word,\n})\n}\n}\n\n");
    put(out, format_args!("impl From<&str> for {name} {{\nfn from(word: &str) -> Self {{\nmatch word {{\n"));
    for word in list {
        put(out, format_args!("{word:?} => Self::{},\n", pascal(word)));
    }
    out.push_str("other => Self::Other(other.to_owned()),\n}\n}\n}\n\n");
}

fn either(out: &mut String, name: &str, choices: &[String]) {
    put(out, format_args!("#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]\n#[serde(untagged)]\n"));
    put(out, format_args!("pub enum {name} {{\n"));
    for choice in choices {
        put(out, format_args!("/// [`{choice}`]\n{choice}(Box<{choice}>),\n"));
    }
    out.push_str("}\n\n");
}

/// Whether the type can derive `Default`: every required field has an empty value.
fn starts_empty<T>(name: &str, all: &BTreeMap<String, (Definition, T)>, depth: usize) -> bool {
    if depth > all.len() {
        return false;
    }
    match all.get(name).map(|(definition, _)| definition) {
        Some(Definition::Object(fields)) => {
            fields.iter().filter(|field| field.required && !field.nullable).all(|field| match &field.shape {
                Shape::Named(inner) => starts_empty(inner, all, depth + 1),
                _ => true,
            })
        }
        Some(Definition::Alias(Shape::Named(inner))) => starts_empty(inner, all, depth + 1),
        Some(Definition::Alias(_)) => true,
        Some(Definition::Words(_) | Definition::Either(_)) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(schemas: &serde_json::Value) -> String {
        let paths = json!({ "/a": { "patch": { "requestBody": { "content": { "application/json": {
            "schema": { "$ref": "#/components/schemas/Edit" } } } } } } });
        let document = json!({ "paths": paths, "components": { "schemas": schemas } });
        write(&Document::parse(&document.to_string()).unwrap()).unwrap()
    }

    #[test]
    fn a_patch_tells_what_is_left_out_from_what_is_cleared() {
        let property = json!({ "type": "object", "properties": { "name": { "type": ["string", "null"] } } });
        let text = written(&json!({ "Edit": property, "Make": property }));
        assert!(text.contains("pub name: Option<Option<String>>"), "{text}");
        assert!(text.contains("pub name: Option<String>"), "{text}");
    }

    #[test]
    fn a_type_with_a_required_enumeration_has_no_default() {
        let text = written(&json!({
            "Status": { "type": "string", "enum": ["on"] },
            "A": { "type": "object", "required": ["status"],
                   "properties": { "status": { "$ref": "#/components/schemas/Status" } } },
            "B": { "type": "object", "properties": { "status": { "$ref": "#/components/schemas/Status" } } },
        }));
        assert!(text.contains("Clone, PartialEq, Serialize, Deserialize)]\npub struct A"), "{text}");
        assert!(text.contains("Clone, Default, PartialEq, Serialize, Deserialize)]\npub struct B"), "{text}");
    }

    #[test]
    fn imports_that_nothing_needs_are_left_out() {
        let text = written(&json!({ "A": { "type": "object", "properties": { "a": { "type": "string" } } } }));
        assert!(!text.contains("BTreeMap") && !text.contains("double_option"), "{text}");
    }
}
