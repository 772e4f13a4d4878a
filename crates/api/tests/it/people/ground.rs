//! Fixtures of these tests: an organisation's paths, and people who joined it by an invitation.

use serde_json::{Value, json};

use crate::support::{Client, Server, texts};

/// An organisation, with the prefix of its paths.
pub(super) struct Org {
    pub(super) id: String,
    pub(super) path: String,
}

impl Org {
    /// The caller's organisation.
    #[track_caller]
    pub(super) fn of(caller: &mut Client) -> Self {
        let [id] = texts(&caller.get("/v1/me").expect(200), ["org_id"]);
        let path = format!("/v1/organizations/{id}");
        Self { id, path }
    }

    /// The path of something inside the organisation.
    pub(super) fn at(&self, rest: &str) -> String {
        format!("{}/{rest}", self.path)
    }

    /// Makes a role; returns its id.
    #[track_caller]
    pub(super) fn role(&self, by: &mut Client, name: &str, scopes: &[&str]) -> String {
        let made = by.post(&self.at("roles"), &json!({"name": name, "scopes": scopes})).expect(201);
        texts(&made, ["id"])[0].clone()
    }

    /// Invites an address; returns the code.
    #[track_caller]
    pub(super) fn invite(&self, by: &mut Client, email: &str, role: &str) -> String {
        let made = by.post(&self.at("invitations"), &json!({"email": email, "role": role})).expect(201);
        texts(&made, ["code"])[0].clone()
    }

    /// Invites a new person, accepts the invitation, and signs them in.
    #[track_caller]
    pub(super) fn join(&self, server: &Server, by: &mut Client, email: &str, role: &str) -> Person {
        let code = self.invite(by, email, role);
        let accepted = accept(server, &code).expect(201);
        let [id] = texts(&accepted, ["user_id"]);
        let client = server.signed_in(email);
        Person { path: self.at(&format!("members/{id}")), id, client }
    }
}

/// A member, signed in.
pub(super) struct Person {
    pub(super) id: String,
    /// The path of their membership.
    pub(super) path: String,
    pub(super) client: Client,
}

impl Person {
    /// Makes a key of the person; returns its secret.
    #[track_caller]
    pub(super) fn key(&self, server: &Server, owner: &mut Client, scopes: &[&str]) -> String {
        key(server, owner, &self.id, scopes)
    }

    /// The current membership.
    #[track_caller]
    pub(super) fn role(&mut self) -> Value {
        self.client.get("/v1/me").expect(200)["role"].clone()
    }
}

/// Makes a key of a person; returns its secret.
#[track_caller]
pub(super) fn key(server: &Server, owner: &mut Client, user: &str, scopes: &[&str]) -> String {
    let [id, secret] = texts(&owner.create_with("key", scopes), ["id", "secret"]);
    server.facts().hand_over(&id, user);
    secret
}

/// Accepts an invitation as a person without an account.
pub(super) fn accept(server: &Server, code: &str) -> crate::support::Answer {
    server.anyone().post("/v1/invitations/accept", &json!({"code": code, "password": Server::PASSWORD}))
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

/// The values of one field of every entry of a list.
#[track_caller]
pub(super) fn column(list: &Value, field: &str) -> Vec<Value> {
    list.as_array().unwrap_or_else(|| panic!("a list: {list}")).iter().map(|entry| entry[field].clone()).collect()
}

/// The latest actions in the trail of the organisation that set-up made, oldest first.
#[track_caller]
pub(super) fn last_actions(server: &Server, count: usize) -> Vec<String> {
    let all: Vec<String> = server.facts().audit().into_iter().map(|event| event.action).collect();
    all[all.len() - count..].to_vec()
}
