//! A key is visible to its owner only, and even the owner's other keys cannot create keys without a right.

use serde_json::{Value, json};
use token_domain::person::BuiltInRole;

use crate::support::{Backend, Client, Options, Request, Server, both, texts};

both!(
    anothers_key_is_like_an_absent_one,
    an_administrator_can_only_find_and_revoke_a_key,
    a_person_has_keys_in_each_organisation_apart,
    only_a_person_has_keys,
    a_key_makes_keys_only_with_the_right_to_manage,
    a_key_lists_and_revokes_other_keys_of_its_owner,
);

const ABSENT: &str = "018f0000-0000-7000-8000-000000000001";

fn make(owner: &mut Client, scopes: &[&str]) -> (String, String) {
    let made = owner.post("/v1/me/keys", &json!({"name": "key", "scopes": scopes})).expect(201);
    let [id, secret] = texts(&made, ["id", "secret"]);
    (id, secret)
}

/// Every operation on one key.
fn operations() -> [(&'static str, &'static str, Value); 5] {
    [
        ("GET", "", Value::Null),
        ("PATCH", "", json!({"name": "stolen"})),
        ("POST", "/rotate", json!({"grace_period_seconds": 0})),
        ("POST", "/rotate/cancel", Value::Null),
        ("DELETE", "", Value::Null),
    ]
}

fn anothers_key_is_like_an_absent_one(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let facts = server.facts();
    let person = facts.add_member("person@acme.example", BuiltInRole::Admin);
    let elsewhere = facts.add_organization("elsewhere");
    let stranger = facts.add_person("owner@elsewhere.example");
    facts.join(elsewhere, &stranger, BuiltInRole::Owner);
    drop(person);
    let mut owner = server.owner();
    let (id, secret) = make(&mut owner, &["user"]);
    let before = owner.get(&format!("/v1/me/keys/{id}")).expect(200);
    for email in ["person@acme.example", "owner@elsewhere.example"] {
        let mut other = server.signed_in(email);
        assert_eq!(other.get("/v1/me/keys").expect(200)["tokens"], json!([]), "{email}");
        for (method, rest, body) in operations() {
            let mut ask = |id: &str| {
                let path = format!("/v1/me/keys/{id}{rest}");
                let request = Request::new(method, &path);
                other.ask(if body.is_null() { request } else { request.json(&body) })
            };
            let foreign = ask(&id);
            foreign.fails(404, "not found");
            assert_eq!(foreign.bare(), ask(ABSENT).bare(), "{email} {method} {rest}");
        }
    }
    assert_eq!(owner.get(&format!("/v1/me/keys/{id}")).expect(200), before);
    assert!(owner.is_valid(&secret));
}

/// An administrator can find and revoke a leaked key by `/v1/tokens/{id}`, but neither see its secret nor change it.
fn an_administrator_can_only_find_and_revoke_a_key(backend: Backend) {
    let server = Server::start(backend, Options::default());
    server.facts().add_member("person@acme.example", BuiltInRole::Member);
    let mut person = server.signed_in("person@acme.example");
    let (id, secret) = make(&mut person, &["user"]);
    let mut owner = server.owner();
    assert_eq!(owner.token(&id)["kind"], "personal");
    for (method, rest, body) in operations().into_iter().skip(1).take(3) {
        let path = format!("/v1/tokens/{id}{rest}");
        let request = Request::new(method, &path);
        let answer = owner.ask(if body.is_null() { request } else { request.json(&body) });
        answer.fails(404, "not found");
    }
    assert!(owner.is_valid(&secret));
    owner.revoke(&id);
    assert!(!owner.is_valid(&secret));
    assert_eq!(person.get(&format!("/v1/me/keys/{id}")).expect(200)["status"], "revoked");
}

fn a_person_has_keys_in_each_organisation_apart(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let facts = server.facts();
    let elsewhere = facts.add_organization("elsewhere");
    facts.join(elsewhere, &facts.user(Server::OWNER), BuiltInRole::Viewer);
    let mut here = server.owner();
    let (id, _) = make(&mut here, &["execute"]);
    let body = json!({"email": Server::OWNER, "password": Server::PASSWORD, "organization": "elsewhere"});
    let [session] = texts(&server.anyone().post("/v1/sessions", &body).expect(201), ["token"]);
    let mut there = server.caller(&session);
    there.get(&format!("/v1/me/keys/{id}")).fails(404, "not found");
    assert_eq!(there.get("/v1/me/keys").expect(200)["tokens"], json!([]));
    // The role in that organisation counts.
    let refused = there.post("/v1/me/keys", &json!({"name": "a", "scopes": ["execute"]}));
    assert_eq!(refused.fails(403, "insufficient scope")["missing"], json!(["execute"]));
    make(&mut there, &["read"]);
}

fn only_a_person_has_keys(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [secret] = texts(&owner.create_with("all-powerful", &["admin"]), ["secret"]);
    let mut token = server.caller(&secret);
    token.get("/v1/me/keys").fails(403, "forbidden");
    token.post("/v1/me/keys", &json!({"name": "a"})).fails(403, "forbidden");
    let (id, _) = make(&mut owner, &["user"]);
    for (method, rest, body) in operations() {
        let path = format!("/v1/me/keys/{id}{rest}");
        let request = Request::new(method, &path);
        token.ask(if body.is_null() { request } else { request.json(&body) }).fails(403, "forbidden");
    }
}

fn a_key_makes_keys_only_with_the_right_to_manage(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let (id, secret) = make(&mut owner, &["user"]);
    let mut plain = server.caller(&secret);
    for answer in [plain.post("/v1/me/keys", &json!({"name": "heir"})), plain.call(&format!("/v1/me/keys/{id}/rotate"))]
    {
        assert_eq!(answer.fails(403, "insufficient scope")["missing"], json!(["tokens:manage"]));
        assert!(!answer.text().contains("nlp_"));
    }
    let (_, secret) = make(&mut owner, &["user", "tokens:manage"]);
    let mut maker = server.caller(&secret);
    let made = maker.post("/v1/me/keys", &json!({"name": "heir", "scopes": ["user:read"]})).expect(201);
    assert_eq!(made["kind"], "personal");
    maker.post("/v1/me/keys", &json!({"name": "heir"})).expect(201);
    let wider = maker.post("/v1/me/keys", &json!({"name": "wider", "scopes": ["user", "execute"]}));
    assert_eq!(wider.fails(403, "insufficient scope")["missing"], json!(["execute", "read"]));
    // Nor by rotating another key with more scopes.
    let (stronger, _) = make(&mut owner, &["execute"]);
    let refused = maker.call(&format!("/v1/me/keys/{stronger}/rotate"));
    assert_eq!(refused.fails(403, "insufficient scope")["missing"], json!(["execute", "read"]));
    maker.call(&format!("/v1/me/keys/{id}/rotate")).expect(200);
}

fn a_key_lists_and_revokes_other_keys_of_its_owner(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let (id, sibling) = make(&mut owner, &["bot"]);
    let (_, reader) = make(&mut owner, &["user:read"]);
    let (_, writer) = make(&mut owner, &["user:write"]);
    let mut reader = server.caller(&reader);
    assert_eq!(reader.get("/v1/me/keys").expect(200)["tokens"].as_array().unwrap().len(), 3);
    let refused = reader.delete(&format!("/v1/me/keys/{id}"));
    assert_eq!(refused.fails(403, "insufficient scope")["missing"], json!(["user:write"]));
    server.caller(&writer).delete(&format!("/v1/me/keys/{id}")).expect(204);
    assert!(!owner.is_valid(&sibling));
}
