//! `DELETE /v1/tokens/{id}`.

use serde_json::json;

use crate::support::{Backend, Options, Server, both, texts};

both!(
    revoked_twice_is_revoked_once,
    revoking_a_rotating_token_leaves_its_successor,
    a_revoked_credential_opens_nothing,
    a_token_can_revoke_the_one_that_made_it,
);

fn revoked_twice_is_revoked_once(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create("a"), ["id", "secret"]);
    assert!(owner.is_valid(&secret));
    let answer = owner.delete(&format!("/v1/tokens/{id}"));
    assert_eq!((answer.status, answer.text()), (204, ""));
    assert!(!owner.is_valid(&secret));
    let dead = owner.token(&id);
    assert_eq!((&dead["status"], &dead["revoked_reason"]), (&json!("revoked"), &json!("requested")));
    assert!(dead["revoked_at"].is_string());

    owner.revoke(&id);
    assert_eq!(owner.token(&id), dead, "the first time stands");
    let events = server.facts().audit();
    let revocations = events.iter().filter(|event| event.action == "token.revoke" && event.target_id == id);
    assert_eq!(revocations.count(), 1);
    assert!(!events.iter().any(|event| event.action == "token.reuse_detected"), "revoked is not superseded");

    // An unknown token and one of another organisation get the same bytes.
    owner.delete("/v1/tokens/018f0000-0000-7000-8000-000000000001").fails(404, "not found");
}

fn revoking_a_rotating_token_leaves_its_successor(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id, old] = texts(&owner.create("a"), ["id", "secret"]);
    let [successor, new] = texts(&owner.rotate(&id, &json!({})), ["id", "secret"]);
    assert!(owner.is_valid(&old));
    owner.revoke(&id);
    assert!(!owner.is_valid(&old) && owner.is_valid(&new));
    assert_eq!(owner.token(&id)["revoked_reason"], "requested");

    // Conversely, revoking the successor leaves the old token its grace.
    let [id, old] = texts(&owner.create("b"), ["id", "secret"]);
    let [other, new] = texts(&owner.rotate(&id, &json!({})), ["id", "secret"]);
    owner.revoke(&other);
    assert!(owner.is_valid(&old) && !owner.is_valid(&new));
    assert_eq!(owner.token(&successor)["status"], "active");
}

fn a_revoked_credential_opens_nothing(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let manager = owner.create_with("manager", &["tokens:manage", "tokens:read"]);
    let [id, secret] = texts(&manager, ["id", "secret"]);
    let mut caller = server.caller(&secret);
    caller.get("/v1/tokens").expect(200);
    caller.revoke(&id);
    let refused = caller.get("/v1/tokens");
    refused.fails(401, "invalid token");
    assert_eq!(refused.header("www-authenticate"), Some(r#"Bearer realm="nolapse", error="invalid_token""#));
    caller.delete(&format!("/v1/tokens/{id}")).fails(401, "invalid token");
}

fn a_token_can_revoke_the_one_that_made_it(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [first_id, first] = texts(&owner.create_with("first", &["tokens:manage"]), ["id", "secret"]);
    let [second] = texts(&server.caller(&first).create_with("second", &["tokens:manage"]), ["secret"]);
    server.caller(&second).revoke(&first_id);
    assert!(!owner.is_valid(&first) && owner.is_valid(&second));
}
