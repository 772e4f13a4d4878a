//! The short forms of paths inside a project, for tokens that are bound to one: `/v1/actors` for
//! `/v1/organizations/{org_id}/projects/{project_id}/actors`.
//!
//! One handler is registered under both (`#[routes]`) and documents the long path. The short form is added here: the
//! same operation without the two segments, with its own id. The few lists that answer differently have their own
//! handlers.

use serde_json::{Value, json};

/// The prefix of paths inside a project.
const PROJECT: &str = "/v1/organizations/{org_id}/projects/{project_id}/";
/// What the description of a short form ends with.
const SHORT: &str = "This is the short path, for a token that is bound to one project.";
/// The prefix's parameters.
const SEGMENTS: [&str; 2] = ["org_id", "project_id"];

/// Adds the short form of every operation in a project, unless a handler documents it.
pub(super) fn add(document: &mut Value) {
    let Some(paths) = document["paths"].as_object_mut() else { return };
    for (long, item) in paths.clone() {
        let (Some(short), Some(operations)) = (long.strip_prefix(PROJECT), item.as_object()) else { continue };
        let described = paths.entry(format!("/v1/{short}")).or_insert_with(|| json!({}));
        for (method, operation) in operations.iter().filter(|(method, _)| super::METHODS.contains(&method.as_str())) {
            if described[method].is_null() {
                described[method] = shortened(operation.clone());
            }
        }
    }
}

fn shortened(mut operation: Value) -> Value {
    let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
    operation["operationId"] = json!(format!("{id}_bound"));
    let description =
        operation["description"].as_str().map_or_else(|| SHORT.to_owned(), |long| format!("{long}\n\n{SHORT}"));
    operation["description"] = json!(description);
    if let Some(parameters) = operation["parameters"].as_array_mut() {
        parameters.retain(|parameter| parameter["name"].as_str().is_none_or(|name| !SEGMENTS.contains(&name)));
        if parameters.is_empty()
            && let Some(operation) = operation.as_object_mut()
        {
            operation.remove("parameters");
        }
    }
    operation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_form_is_added_where_none_is_described() {
        let long = |id: &str, parameters: &[&str]| {
            let parameters: Vec<Value> = parameters.iter().map(|name| json!({"name": name})).collect();
            json!({"operationId": id, "summary": "S.", "parameters": parameters})
        };
        let mut document = json!({"paths": {
            format!("{PROJECT}things"): {"get": long("list", &SEGMENTS), "post": long("make", &SEGMENTS)},
            format!("{PROJECT}things/{{thing}}"): {"get": long("read", &["org_id", "project_id", "thing", "q"])},
            "/v1/things": {"get": {"operationId": "list_bound", "summary": "Otherwise."}},
            "/v1/organizations/{org_id}/projects": {"get": long("projects", &["org_id"])},
        }});
        add(&mut document);
        let paths = document["paths"].as_object().unwrap();
        assert_eq!(paths.len(), 5);
        assert_eq!(paths["/v1/things"]["get"]["summary"], "Otherwise.");
        assert_eq!(paths["/v1/things"]["post"]["operationId"], "make_bound");
        assert!(paths["/v1/things"]["post"].get("parameters").is_none());
        let read = &paths["/v1/things/{thing}"]["get"];
        assert_eq!(read["parameters"], json!([{"name": "thing"}, {"name": "q"}]));
        assert_eq!(read["summary"], "S.");
    }
}
