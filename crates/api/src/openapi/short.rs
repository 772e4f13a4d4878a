//! The short forms of paths inside a project, for tokens that are bound to one: `/v1/actors` for
//! `/v1/organizations/{org_id}/projects/{project_id}/actors`.
//!
//! One handler is registered under both (`#[routes]`) and documents the long path. The short form is added here: the
//! same operation without the two segments, with its own id. The few lists that answer differently have their own
//! handlers.

use utoipa::openapi::path::{Operation, Parameter, PathItem};
use utoipa::openapi::{OpenApi, RefOr};

/// The prefix of paths inside a project.
const PROJECT: &str = "/v1/organizations/{org_id}/projects/{project_id}/";
/// What the description of a short form ends with.
const SHORT: &str = "This is the short path, for a token that is bound to one project.";
/// The prefix's parameters.
const SEGMENTS: [&str; 2] = ["org_id", "project_id"];

/// Adds the short form of every operation in a project, unless a handler documents it.
pub(super) fn add(document: &mut OpenApi) {
    let paths = &mut document.paths.paths;
    let long: Vec<(String, PathItem)> =
        paths.iter().filter_map(|(path, item)| Some((path.strip_prefix(PROJECT)?.to_owned(), item.clone()))).collect();
    for (short, item) in long {
        let described = paths.entry(format!("/v1/{short}")).or_default();
        for (own, operation) in [
            (&mut described.get, item.get),
            (&mut described.put, item.put),
            (&mut described.post, item.post),
            (&mut described.delete, item.delete),
            (&mut described.options, item.options),
            (&mut described.head, item.head),
            (&mut described.patch, item.patch),
            (&mut described.trace, item.trace),
        ] {
            if own.is_none() {
                *own = operation.map(shortened);
            }
        }
    }
}

fn is_segment(parameter: &RefOr<Parameter>) -> bool {
    matches!(parameter, RefOr::T(parameter) if SEGMENTS.contains(&parameter.name.as_str()))
}

fn shortened(mut operation: Operation) -> Operation {
    operation.operation_id = operation.operation_id.map(|id| format!("{id}_bound"));
    operation.description =
        Some(operation.description.map_or_else(|| SHORT.to_owned(), |long| format!("{long}\n\n{SHORT}")));
    operation.parameters = operation
        .parameters
        .map(|all| all.into_iter().filter(|parameter| !is_segment(parameter)).collect())
        .filter(|left: &Vec<_>| !left.is_empty());
    operation
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_short_form_is_added_where_none_is_described() {
        let long = |id: &str, parameters: &[&str]| {
            let parameter = |name| json!({"name": name, "in": "path", "required": true});
            let parameters: Vec<Value> = parameters.iter().map(parameter).collect();
            json!({"operationId": id, "summary": "S.", "parameters": parameters, "responses": {}})
        };
        let document = json!({"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": {
            format!("{PROJECT}things"): {"get": long("list", &SEGMENTS), "post": long("make", &SEGMENTS)},
            format!("{PROJECT}things/{{thing}}"): {"get": long("read", &["org_id", "project_id", "thing", "q"])},
            "/v1/things": {"get": {"operationId": "list_bound", "summary": "Otherwise.", "responses": {}}},
            "/v1/organizations/{org_id}/projects": {"get": long("projects", &["org_id"])},
        }});
        let mut document: OpenApi = serde_json::from_value(document).unwrap();
        add(&mut document);
        let document = serde_json::to_value(document).unwrap();
        let paths = document["paths"].as_object().unwrap();
        assert_eq!(paths.len(), 5);
        assert_eq!(paths["/v1/things"]["get"]["summary"], "Otherwise.");
        assert_eq!(paths["/v1/things"]["post"]["operationId"], "make_bound");
        assert!(paths["/v1/things"]["post"].get("parameters").is_none());
        let read = &paths["/v1/things/{thing}"]["get"];
        let left: Vec<&Value> = read["parameters"].as_array().unwrap().iter().map(|left| &left["name"]).collect();
        assert_eq!(left, ["thing", "q"]);
        assert_eq!(read["summary"], "S.");
    }
}
