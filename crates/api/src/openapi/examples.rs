//! An example body for every operation that takes one: the documentation viewer fills it in.
//!
//! The owner of a new deployment can send it unchanged and the operation succeeds, unless it needs a value that only
//! the caller knows (a code, an id). A test sends each.

use serde_json::{Map, Value, json};

use super::{optional, reference, referred};

/// Example bodies with more than the required fields, by operation.
fn own(operation: &str) -> Option<Value> {
    Some(match operation {
        "create_token" => json!({"name": "CI on main", "scopes": ["execute"], "expires_in_days": 90}),
        "create_key" => json!({"name": "laptop", "scopes": ["scans:read"], "expires_in_days": 90}),
        // An hour, so that trying the example out does not cut off clients that use the token.
        "rotate_token" | "rotate_key" | "rotate_self" => json!({"grace_period_seconds": 3600}),
        "rotate_actor" | "rotate_actor_bound" => json!({"gracePeriodSeconds": 3600}),
        "edit_token" | "edit_key" => json!({"name": "CI on main"}),
        "bulk_revoke_tokens" => json!({"filter": {"unused_days": 90}, "reason": "unused", "dry_run": true}),
        "import_tokens" => json!({
            "items": [{"name": "laptop", "hash": "$2y$10$uiTQ2MvIqU69RxVTdRSAh.UgdzfI8oXZxsSNoVPjzYW6PqeSZSnrS", "scopes": ["execute"]}],
            "dry_run": true
        }),
        "edit_me" => json!({"name": "Ada Lovelace"}),
        "edit_member" => json!({"role": "member"}),
        "edit_project" => json!({"name": "Fleet"}),
        "edit_role" => json!({"name": "Release managers", "scopes": ["execute", "tokens:read"]}),
        "edit_actor" | "edit_actor_bound" => json!({"name": "pump 7"}),
        "edit_organization" | "edit_scope" | "edit_scope_bound" => json!({"name": "Acme"}),
        "accept_invitation" => json!({
            "code": format!("nli_{}", "0123456789abcdef".repeat(4)), "name": "Grace Hopper", "password": "an unlikely string of words 7"
        }),
        "add_member" => json!({"email": "grace@example.org", "role": "member"}),
        "create_project" => json!({"slug": "fleet", "name": "Fleet"}),
        "create_organization" => json!({"slug": "example", "name": "Example"}),
        "create_for_person" => json!({"email": "ada@example.org", "organization": "acme"}),
        "set_policy" | "preview_policy" => json!({"kinds": {"personal": {"max_lifetime_days": 90}}}),
        "create_trust_policy" => json!({
            "name": "deploy from main", "preset": "github", "audience": "https://tokens.example.org",
            "match": {"repository_id": "1296269", "ref": "refs/heads/main"}, "scopes": ["execute"]
        }),
        "edit_trust_policy" => json!({"ttl": 600}),
        "create_webhook" => json!({
            "url": "https://hooks.example.com/tokens", "events": ["token.leaked", "token.reuse_detected", "token.revoke"]
        }),
        "set_notices" => json!({"token_expiring": true, "token_new_address": false}),
        "edit_webhook" => json!({"enabled": false}),
        "test_trust_policies" | "test_trust_policy" => {
            json!({"claims": {"iss": "https://token.actions.githubusercontent.com", "repository_id": "1296269"}})
        }
        "submit_execution" => json!({
            "repo": "acme/widgets", "branch": "main", "commit": "9fceb02d0ae598e95dc970b74767f19372d61af8", "coverage": 83.1
        }),
        "evaluate_scopes" => json!({"granted": ["scans", "projects:read"], "required": ["scans:run"]}),
        "prove_session" => json!({"password": "correct horse battery staple"}),
        "create_recovery_codes" => json!({"code": "123456"}),
        "delete_totp" => json!({"password": "correct horse battery staple", "code": "123456"}),
        _ => return None,
    })
}

/// Adds an example to the operation's request body, unless its handler did.
pub(super) fn body(operation: &mut Map<String, Value>, schemas: &Map<String, Value>) {
    let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(contents) = operation.get_mut("requestBody").and_then(|body| body["content"].as_object_mut()) else {
        return;
    };
    for content in contents.values_mut() {
        // An optional body is an object when it is sent: `null` is not accepted.
        if let Some(name) = optional(&content["schema"]).map(str::to_owned) {
            content["schema"] = json!({"$ref": reference(&name)});
        }
        if content.get("example").is_some() || content.get("examples").is_some() {
            continue;
        }
        let made = own(&id).or_else(|| composed(&content["schema"], schemas, 0));
        if let Some(example) = made {
            content["example"] = example;
        }
    }
}

/// An object with the examples of the required fields.
fn composed(schema: &Value, schemas: &Map<String, Value>, depth: u8) -> Option<Value> {
    if depth > 8 {
        return None;
    }
    if let Some(name) = referred(schema) {
        return composed(schemas.get(name)?, schemas, depth + 1);
    }
    if let Some(example) = schema.get("example") {
        return Some(example.clone());
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        return choices
            .iter()
            .filter(|choice| choice["type"] != "null")
            .find_map(|choice| composed(choice, schemas, depth + 1));
    }
    match schema["type"].as_str()? {
        "object" => {
            let mut example = Map::new();
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                example.insert(name.to_owned(), composed(&schema["properties"][name], schemas, depth + 1)?);
            }
            Some(Value::Object(example))
        }
        "array" => Some(Value::Array(vec![composed(&schema["items"], schemas, depth + 1)?])),
        "boolean" => Some(json!(true)),
        _ => None,
    }
}
