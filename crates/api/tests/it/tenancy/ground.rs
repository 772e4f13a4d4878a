//! Fixtures of these tests: a project, objects in it, and their paths.

use serde_json::{Value, json};

use crate::support::{Client, texts};

/// A project, with the prefix of its paths.
pub(crate) struct Project {
    pub(super) org: String,
    pub(super) id: String,
    pub(super) path: String,
}

/// The caller's organisation.
#[track_caller]
pub(super) fn organization(owner: &mut Client) -> String {
    let [org] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    org
}

impl Project {
    /// Makes a project in the caller's organisation.
    #[track_caller]
    pub(crate) fn make(owner: &mut Client, slug: &str) -> Self {
        let org = organization(owner);
        let made = owner.post(&format!("/v1/organizations/{org}/projects"), &json!({ "slug": slug })).expect(201);
        let [id] = texts(&made, ["projectId"]);
        let path = format!("/v1/organizations/{org}/projects/{id}");
        Self { org, id, path }
    }

    /// The path of something inside the project.
    pub(super) fn at(&self, rest: &str) -> String {
        format!("{}/{rest}", self.path)
    }

    /// Makes an access scope; returns its id.
    #[track_caller]
    pub(super) fn scope(&self, owner: &mut Client, slug: &str) -> String {
        let [id] = texts(&owner.post(&self.at("scopes"), &json!({ "slug": slug })).expect(201), ["accessScopeId"]);
        id
    }

    /// Makes an actor; returns the answer's body.
    #[track_caller]
    pub(super) fn actor(&self, owner: &mut Client, name: &str, access_scope: Option<&str>) -> Value {
        owner.post(&self.at("actors"), &json!({ "name": name, "accessScopeId": access_scope })).expect(201)
    }

    /// A token of the organisation that is bound to this project.
    #[track_caller]
    pub(crate) fn bound_token(&self, owner: &mut Client, scopes: &[&str]) -> String {
        let asked = json!({ "name": "bound", "scopes": scopes, "project_id": self.id });
        let [secret] = texts(&owner.post("/v1/tokens", &asked).expect(201), ["secret"]);
        secret
    }
}

/// The values of one field of every entry of a list.
#[track_caller]
pub(super) fn column(list: &Value, field: &str) -> Vec<String> {
    let entries = list.as_array().unwrap_or_else(|| panic!("a list: {list}"));
    entries.iter().map(|entry| entry[field].as_str().unwrap_or_else(|| panic!("{field}: {entry}")).to_owned()).collect()
}

/// Fails unless the object has exactly these keys.
#[track_caller]
pub(super) fn has_exactly(body: &Value, keys: &[&str]) {
    let mut found: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    let mut keys = keys.to_vec();
    found.sort_unstable();
    keys.sort_unstable();
    assert_eq!(found, keys, "{body}");
}

/// Asserts a time in the form `2026-05-20T10:00:00.000Z`.
#[track_caller]
pub(super) fn is_milliseconds(text: &Value) {
    let text = text.as_str().unwrap_or_else(|| panic!("a time: {text}"));
    let digits = text.chars().filter(char::is_ascii_digit).count();
    assert!(text.len() == 24 && digits == 17 && text.ends_with('Z') && text.as_bytes()[19] == b'.', "{text}");
}

/// The parts of a detailed validation about the token's actor, project and access scope.
#[track_caller]
pub(super) fn detail(client: &mut Client, token: &str) -> Value {
    client.post("/v1/auth/validate", &json!({ "token": token, "detail": true })).expect(200)
}
