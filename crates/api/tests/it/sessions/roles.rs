//! The rights of a role on the routes of tokens, which are looked up at every request.

use serde_json::json;
use token_domain::person::BuiltInRole;

use crate::support::{Backend, Client, Options, Server, both, texts};

both!(roles_gate_the_routes_of_tokens, a_demotion_bites_at_once, a_role_bounds_what_is_granted);

/// The statuses of reading, creating, changing, rotating, cancelling and revoking.
fn statuses(caller: &mut Client, id: &str) -> [u16; 8] {
    let path = format!("/v1/tokens/{id}");
    [
        caller.get("/v1/tokens").status,
        caller.get(&path).status,
        caller.post("/v1/tokens", &json!({"name": "a", "scopes": ["read"]})).status,
        caller.patch(&path, &json!({"name": "b"})).status,
        caller.post(&format!("{path}/rotate"), &json!({})).status,
        caller.call(&format!("{path}/rotate/cancel")).status,
        caller.delete(&path).status,
        caller.get("/v1/me").status,
    ]
}

fn roles_gate_the_routes_of_tokens(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let facts = server.facts();
    let mut owner = server.owner();
    let may_all = [200, 200, 201, 200, 200, 200, 204, 200];
    let may_read = [200, 200, 403, 403, 403, 403, 403, 200];
    for (role, expected) in
        [(BuiltInRole::Admin, may_all), (BuiltInRole::Member, may_read), (BuiltInRole::Viewer, may_read)]
    {
        let email = format!("{}@acme.example", role.as_str());
        facts.add_member(&email, role);
        let mut caller = server.signed_in(&email);
        let [id, secret] = texts(&owner.create("subject"), ["id", "secret"]);
        assert_eq!(statuses(&mut caller, &id), expected, "{}", role.as_str());
        assert_eq!(owner.is_valid(&secret), expected[6] != 204);
        assert_eq!(caller.get("/v1/me").expect(200)["role"], role.as_str());
        if expected == may_read {
            let refused = caller.delete(&format!("/v1/tokens/{id}"));
            assert_eq!(refused.fails(403, "insufficient scope")["missing"], json!(["tokens:manage"]));
        }
    }
    let [id] = texts(&owner.create("subject"), ["id"]);
    assert_eq!(statuses(&mut owner, &id), may_all);
}

fn a_demotion_bites_at_once(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let facts = server.facts();
    let person = facts.add_member("person@acme.example", BuiltInRole::Admin);
    let mut caller = server.signed_in("person@acme.example");
    let [secret] = texts(&caller.create("made while an administrator"), ["secret"]);
    facts.set_role(&person, BuiltInRole::Viewer);
    caller.post("/v1/tokens", &json!({"name": "a", "scopes": ["read"]})).fails(403, "insufficient scope");
    assert_eq!(caller.get("/v1/me").expect(200)["role"], "viewer");
    assert!(server.anyone().is_valid(&secret), "the organisation's token outlives whoever made it");
    facts.set_role(&person, BuiltInRole::Admin);
    caller.create("administrator again");
}

fn a_role_bounds_what_is_granted(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let facts = server.facts();
    facts.add_member("admin@acme.example", BuiltInRole::Admin);
    let mut admin = server.signed_in("admin@acme.example");
    // An administrator has the same scopes as an owner; appointing owners does not depend on scopes.
    let made = admin.create_with("all", &["admin"]);
    assert_eq!(made["scopes"], json!(["admin"]));
    let scopes = admin.get("/v1/me").expect(200)["scopes"].as_array().unwrap().len();
    assert_eq!(scopes, server.owner().get("/v1/me").expect(200)["scopes"].as_array().unwrap().len());
}
