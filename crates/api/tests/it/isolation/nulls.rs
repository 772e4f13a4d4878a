//! `null` in every field of every request is accepted exactly where the API document allows it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use token_domain::person::BuiltInRole;

use super::World;
use super::document::{Operation, operations};
use super::rows::ROWS;
use super::side::email;
use crate::support::{Backend, Server};

/// The fields of an operation's JSON body, and whether each may be `null`.
fn fields(document: &Value, operation: &Operation) -> BTreeMap<String, bool> {
    let described = &document["paths"][&operation.path][operation.method.to_lowercase()]["requestBody"]["content"];
    let mut schema = &described["application/json"]["schema"];
    while let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        schema = &document["components"]["schemas"][name];
    }
    let may_be_null = |schema: &Value| {
        let is_null = |kind: &Value| *kind == "null";
        let choices = [&schema["type"], &schema["oneOf"], &schema["anyOf"]].map(Value::as_array);
        choices.into_iter().flatten().flatten().any(|choice| is_null(choice) || is_null(&choice["type"]))
    };
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties.map(|(name, schema)| (name.clone(), may_be_null(schema))).collect()
}

#[test]
fn null_is_taken_exactly_where_the_document_says_so() {
    let mut world = World::new(Backend::Sqlite);
    let document = world.wire.get("/openapi.json").expect(200);
    let owner = email(BuiltInRole::Owner, Server::ORGANIZATION);
    let (mut tried, mut wrong) = (0, Vec::new());
    for (operation, row) in operations(&document).iter().zip(ROWS) {
        assert_eq!(operation.id, row.operation);
        // Not configured in this deployment: the body is not looked at.
        if row.succeeds == 404 {
            continue;
        }
        for (field, may_be_null) in fields(&document, operation) {
            let answer = world.allowed(operation, row, &owner, "nulls", |body| {
                body.get_or_insert_with(|| json!({}))[&field] = Value::Null;
            });
            tried += 1;
            let is_refused = matches!(answer.status, 400 | 422);
            // A nullable field can still be required: one of two fields has to have a value.
            let is_right = if may_be_null { !answer.text().contains("must not be null") } else { is_refused };
            if !is_right || answer.status >= 500 {
                wrong.push(format!("{}.{field}: {} {}", operation.id, answer.status, answer.text()));
            }
        }
        world.recover(&owner);
    }
    assert!(tried > 150, "{tried} fields");
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
}
