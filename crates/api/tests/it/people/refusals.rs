//! Invalid requests: each is refused with the name of the field, and changes nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::ground::Org;
use crate::support::{Backend, Options, Request, Server, both};

both!(what_does_not_fit_is_named, lists_refuse_what_they_cannot_read, unknown_fields_are_ignored);

/// Method, path, body, and the field that the error names. `known` is the id of another member.
fn rows(known: &str) -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let long_email = format!("{}@b.example", "a".repeat(250));
    vec![
        ("POST", "organizations", json!({}), "slug"),
        ("POST", "organizations", json!({"slug": ""}), "slug"),
        ("POST", "organizations", json!({"slug": "Not A Slug"}), "slug"),
        ("POST", "organizations", json!({"slug": "-a"}), "slug"),
        ("POST", "organizations", json!({"slug": "a".repeat(101)}), "slug"),
        ("POST", "organizations", json!({"slug": ["a"]}), "slug"),
        ("POST", "organizations", json!({"slug": "аcme"}), "slug"),
        ("POST", "organizations", json!({"slug": "a", "name": ""}), "name"),
        ("POST", "organizations", json!({"slug": "a", "name": "a\u{0007}"}), "name"),
        ("POST", "organizations", json!({"slug": "a", "name": "x".repeat(101)}), "name"),
        ("POST", "organizations", json!({"slug": "a", "name": 7}), "name"),
        ("PATCH", "organization", json!({"name": ""}), "name"),
        ("PATCH", "organization", json!({"name": null}), "name"),
        ("PATCH", "organization", json!({"name": "x".repeat(101)}), "name"),
        ("PATCH", "organization", json!({"name": "\u{202e}"}), "name"),
        ("PATCH", "organization", json!({"name": {"a": 1}}), "name"),
        ("PATCH", "organization", json!({"slug": "Not A Slug"}), "slug"),
        ("PATCH", "organization", json!({"slug": null}), "slug"),
        ("POST", "members", json!({"role": "viewer"}), "email"),
        ("POST", "members", json!({"email": "a@b.example"}), "role"),
        ("POST", "members", json!({"email": "a@b.example", "user_id": known, "role": "viewer"}), "user_id"),
        ("POST", "members", json!({"email": "nobody", "role": "viewer"}), "email"),
        ("POST", "members", json!({"email": "a b@c.example", "role": "viewer"}), "email"),
        ("POST", "members", json!({"email": long_email, "role": "viewer"}), "email"),
        ("POST", "members", json!({"email": 7, "role": "viewer"}), "email"),
        ("POST", "members", json!({"user_id": "x", "role": "viewer"}), "user_id"),
        ("POST", "members", json!({"user_id": 7, "role": "viewer"}), "user_id"),
        ("POST", "members", json!({"email": "a@b.example", "role": "king"}), "role"),
        ("POST", "members", json!({"email": "a@b.example", "role": "OWNER"}), "role"),
        ("POST", "members", json!({"email": "a@b.example", "role": ""}), "role"),
        ("POST", "members", json!({"email": "a@b.example", "role": 7}), "role"),
        ("POST", "members", json!({"email": "a@b.example", "role": null}), "role"),
        ("POST", "members", json!({"email": "a@b.example", "role": "Subject"}), "role"),
        ("PATCH", "member", json!({"role": "king"}), "role"),
        ("PATCH", "member", json!({"role": ["viewer"]}), "role"),
        ("PATCH", "member", json!({"role": "оwner"}), "role"),
        ("PATCH", "member", json!({"status": "gone"}), "status"),
        ("PATCH", "member", json!({"status": true}), "status"),
        ("PATCH", "member", json!({"status": "Disabled"}), "status"),
        ("POST", "invitations", json!({"role": "viewer"}), "email"),
        ("POST", "invitations", json!({"email": "a@b.example"}), "role"),
        ("POST", "invitations", json!({"email": "", "role": "viewer"}), "email"),
        ("POST", "invitations", json!({"email": "a@@b", "role": "viewer"}), "email"),
        ("POST", "invitations", json!({"email": ["a@b.example"], "role": "viewer"}), "email"),
        ("POST", "invitations", json!({"email": "a@b.example", "role": "king"}), "role"),
        ("POST", "roles", json!({"scopes": ["read"]}), "name"),
        ("POST", "roles", json!({"name": "x"}), "scopes"),
        ("POST", "roles", json!({"name": 7, "scopes": ["read"]}), "name"),
        ("POST", "roles", json!({"name": "x", "scopes": "read"}), "scopes"),
        ("POST", "roles", json!({"name": "x", "scopes": [7]}), "scopes[0]"),
        ("POST", "roles", json!({"name": "x", "scopes": null}), "scopes"),
        ("PATCH", "role", json!({"name": ""}), "name"),
        ("PATCH", "role", json!({"name": ["x"]}), "name"),
        ("PATCH", "role", json!({"scopes": []}), "scopes"),
        ("PATCH", "role", json!({"scopes": {"read": true}}), "scopes"),
        ("POST", "accept", json!({"password": Server::PASSWORD}), "code"),
        ("POST", "accept", json!({"code": 7}), "code"),
        ("POST", "accept", json!({"code": null}), "code"),
        ("POST", "accept", json!({"code": "x", "password": ["s3cret"]}), "password"),
        ("POST", "accept", json!({"code": "x", "name": 7}), "name"),
    ]
}

fn what_does_not_fit_is_named(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let role = org.role(&mut owner, "Subject", &["read"]);
    let person = org.join(&server, &mut owner, "person@acme.example", "viewer");
    let paths: BTreeMap<&str, String> = [
        ("organizations", "/v1/organizations".to_owned()),
        ("organization", org.path.clone()),
        ("members", org.at("members")),
        ("member", person.path.clone()),
        ("roles", org.at("roles")),
        ("role", org.at(&format!("roles/{role}"))),
        ("invitations", org.at("invitations")),
        ("accept", "/v1/invitations/accept".to_owned()),
    ]
    .into();
    let mut all = || {
        ["organizations", "organization", "members", "roles", "invitations"]
            .map(|what| owner.get(&paths[what]).text().to_owned())
    };
    let before = all();
    let mut caller = server.owner();
    for (method, what, body, field) in rows(&person.id) {
        let refused = caller.ask(Request::new(method, &paths[what]).json(&body)).fails(400, "invalid request");
        assert_eq!(refused["field"], field, "{method} {what} {body}");
        assert!(!refused.to_string().contains("s3cret"), "{refused}");
    }
    for (what, path) in &paths {
        let method = if matches!(*what, "organization" | "member" | "role") { "PATCH" } else { "POST" };
        for body in ["", "[", "[]", "null", "7", "\"x\"", "{", "{\"a\":1,}", "{\"name\":\"\\ud800\"}", "nonsense"] {
            caller.ask(Request::new(method, path).body(body)).fails(400, "malformed request");
        }
        for twice in [r#"{"name":"a","name":"b"}"#, r#"{"role":"owner","role":"viewer"}"#] {
            caller.ask(Request::new(method, path).body(twice)).fails(400, "invalid request");
        }
        caller.ask(Request::new("PUT", path).body("{}")).fails(405, "method not allowed");
    }
    assert_eq!(before, all(), "and nothing happened");
}

fn lists_refuse_what_they_cannot_read(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    for list in ["/v1/organizations".to_owned(), org.at("members"), org.at("invitations")] {
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("limit=-1", "limit"),
            ("limit=ten", "limit"),
            ("limit=", "limit"),
            ("limit=1&limit=2", "limit"),
            ("cursor=", "cursor"),
            ("cursor=%00", "cursor"),
            ("cursor=N%C3%B6", "cursor"),
            ("cursor=1.x%20", "cursor"),
        ] {
            let refused = owner.get(&format!("{list}?{query}")).fails(400, "invalid request");
            assert_eq!(refused["field"], field, "{list}?{query}");
        }
        owner.get(&format!("{list}?limit=1000&other=x")).expect(200);
    }
}

fn unknown_fields_are_ignored(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = Org::of(&mut owner);
    let other = json!({"org_id": "org_01j0b3v1mmeedtx9cpdgkfhbch", "id": "x", "is_admin": true});
    let with = |mut body: Value| {
        body.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        body
    };
    let made = owner.post(&org.at("invitations"), &with(json!({"email": "a@b.example", "role": "viewer"}))).expect(201);
    let accepted = with(json!({"code": made["code"], "password": Server::PASSWORD, "role": "owner"}));
    assert_eq!(server.anyone().post("/v1/invitations/accept", &accepted).expect(201)["role"], "viewer");
    owner.post(&org.at("roles"), &with(json!({"name": "Some", "scopes": ["read"]}))).expect(201);
    owner.patch(&org.path, &with(json!({"name": "Some"}))).expect(200);
}
