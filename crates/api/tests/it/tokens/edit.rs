//! `GET` and `PATCH /v1/tokens/{id}`.

use serde_json::{Value, json};

use crate::support::{Backend, Options, Server, both, texts};

both!(
    name_and_label_change_and_nothing_else,
    scopes_cannot_be_changed,
    what_is_not_there_is_404,
    a_dead_token_can_be_renamed,
);

fn name_and_label_change_and_nothing_else(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let made = owner.create("before");
    let [id, secret] = texts(&made, ["id", "secret"]);
    let path = format!("/v1/tokens/{id}");
    let mut expected = owner.token(&id);

    let rows = [
        (json!({"name": " after "}), "name", json!("after")),
        (json!({"agent_type": "robot_1"}), "agent_type", json!("robot_1")),
        (json!({"agent_type": ""}), "agent_type", json!("")),
        (json!({"name": null, "agent_type": null}), "name", json!("after")),
        (json!({}), "name", json!("after")),
        (json!({"status": "revoked", "expires_at": "2030-01-01T00:00:00Z", "id": "x"}), "name", json!("after")),
    ];
    for (body, field, value) in rows {
        expected[field] = value;
        assert_eq!(owner.patch(&path, &body).expect(200), expected, "{body}");
        assert_eq!(owner.token(&id), expected, "{body}");
    }
    for (body, field) in [
        (json!({"name": ""}), "name"),
        (json!({"name": "x".repeat(101)}), "name"),
        (json!({"name": 1}), "name"),
        (json!({"agent_type": "No"}), "agent_type"),
    ] {
        assert_eq!(owner.patch(&path, &body).fails(400, "invalid request")["field"], field, "{body}");
    }
    assert_eq!(owner.token(&id), expected);
    assert!(owner.is_valid(&secret));
    let changes: Vec<_> = server.facts().audit().into_iter().filter(|event| event.action == "token.update").collect();
    assert!(changes.iter().all(|event| event.target_id == id) && changes.len() >= 3, "{changes:?}");
}

fn scopes_cannot_be_changed(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id] = texts(&owner.create("fixed"), ["id"]);
    let path = format!("/v1/tokens/{id}");
    let before = owner.token(&id);
    let values =
        [json!(["execute"]), json!(["admin"]), json!([]), Value::Null, json!("execute"), json!(false), json!({})];
    for scopes in values {
        let body = json!({"name": "other", "scopes": scopes});
        let refused = owner.patch(&path, &body).fails(400, "scopes cannot be changed");
        assert_eq!(refused["field"], "scopes", "{body}");
    }
    assert_eq!(owner.token(&id), before, "not even the name");
}

fn what_is_not_there_is_404(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let absent = owner.get("/v1/tokens/018f0000-0000-7000-8000-000000000001");
    absent.fails(404, "not found");
    for id in ["x", "0", "018f0000-0000-7000-8000-00000000000", "%00", "null", "018f0000-0000-7000-8000-000000000001x"]
    {
        let path = format!("/v1/tokens/{id}");
        assert_eq!(owner.get(&path).bare(), absent.bare(), "{id}");
        owner.patch(&path, &json!({"name": "x"})).fails(404, "not found");
        owner.delete(&path).fails(404, "not found");
        owner.call(&format!("{path}/rotate")).fails(404, "not found");
        owner.call(&format!("{path}/rotate/cancel")).fails(404, "not found");
    }
    // Both forms of an id are accepted.
    let [id] = texts(&owner.create("there"), ["id"]);
    assert_eq!(owner.token(&id.to_uppercase()), owner.token(&id));
}

fn a_dead_token_can_be_renamed(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create("dead"), ["id", "secret"]);
    owner.revoke(&id);
    let renamed = owner.patch(&format!("/v1/tokens/{id}"), &json!({"name": "dead: leaked in May"})).expect(200);
    assert_eq!((&renamed["name"], &renamed["status"]), (&json!("dead: leaked in May"), &json!("revoked")));
    assert!(!owner.is_valid(&secret));
}
