//! The details of a token (description, metadata, …): at creation, afterwards, and at revocation.

use serde_json::{Value, json};

use crate::support::{Backend, Options, Server, both, texts};

both!(
    what_is_said_comes_back_everywhere,
    a_rotation_carries_it_over,
    it_can_be_changed_and_taken_away,
    a_reason_is_kept_with_the_token_and_in_the_trail,
    lists_are_narrowed_by_it,
);

fn described() -> Value {
    json!({
        "name": "shop",
        "scopes": ["execute"],
        "description": "Deploys the shop.\nAsk Ada.",
        "external_id": "customer/42",
        "metadata": {"plan": "gold", "seats": 3},
    })
}

fn what_is_said_comes_back_everywhere(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let made = owner.post("/v1/tokens", &described()).expect(201);
    for field in ["description", "external_id", "metadata"] {
        assert_eq!(made[field], described()[field], "{field}");
    }
    assert_eq!(made["allowed_networks"], Value::Null);
    let [id, secret] = texts(&made, ["id", "secret"]);
    let shown = owner.token(&id);
    assert_eq!(shown["metadata"], described()["metadata"]);
    let detail = owner.post("/v1/auth/validate", &json!({"token": secret, "detail": true})).expect(200);
    assert_eq!((&detail["external_id"], &detail["metadata"]), (&shown["external_id"], &shown["metadata"]));
    // Without `detail` the answer has exactly three keys, whatever details the token has.
    let plain = owner.validate(&secret).expect(200);
    assert_eq!(plain.as_object().unwrap().len(), 3);
    let [key] = texts(&owner.post("/v1/me/keys", &described()).expect(201), ["id"]);
    assert_eq!(owner.get(&format!("/v1/me/keys/{key}")).expect(200)["external_id"], "customer/42");
}

fn a_rotation_carries_it_over(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let mut asked = described();
    asked["allowed_networks"] = json!(["10.0.0.0/8"]);
    let [id] = texts(&owner.post("/v1/tokens", &asked).expect(201), ["id"]);
    let [next] = texts(&owner.rotate(&id, &json!({})), ["id"]);
    let (old, new) = (owner.token(&id), owner.token(&next));
    for field in ["description", "external_id", "metadata", "allowed_networks"] {
        assert_eq!(old[field], new[field], "{field}");
        assert_ne!(new[field], Value::Null, "{field}");
    }
}

fn it_can_be_changed_and_taken_away(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id] = texts(&owner.post("/v1/tokens", &described()).expect(201), ["id"]);
    let path = format!("/v1/tokens/{id}");
    let edited = owner.patch(&path, &json!({"description": "other", "metadata": null})).expect(200);
    assert_eq!(
        (&edited["description"], &edited["metadata"], &edited["external_id"]),
        (&json!("other"), &Value::Null, &json!("customer/42"))
    );
    assert_eq!(owner.token(&id), edited);
    for (field, value) in [("description", json!("x".repeat(501))), ("external_id", json!("")), ("metadata", json!([]))]
    {
        let refused = owner.patch(&path, &json!({field: value})).fails(400, "invalid request");
        assert_eq!(refused["field"], field);
    }
    let trail = server.facts().audit();
    let update = trail.iter().find(|event| event.action == "token.update").unwrap();
    assert!(update.detail.contains("description") && !update.detail.contains("other"), "{}", update.detail);
}

fn a_reason_is_kept_with_the_token_and_in_the_trail(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    for (reason, recorded) in [
        ("leaked", "leaked"),
        ("replaced", "requested"),
        ("person_left", "requested"),
        ("unused", "requested"),
        ("other", "requested"),
    ] {
        let [id, secret] = texts(&owner.create(reason), ["id", "secret"]);
        let path = format!("/v1/tokens/{id}/revoke");
        let answer = owner.post(&path, &json!({"reason": reason, "note": "seen in a log"}));
        assert_eq!(answer.status, 204, "{reason}");
        assert!(!owner.is_valid(&secret));
        let dead = owner.token(&id);
        assert_eq!((&dead["revoked_reason"], &dead["revoked_note"]), (&json!(reason), &json!("seen in a log")));
        // Like the time of revocation, the reason does not change when the token is revoked again.
        assert_eq!(owner.post(&path, &json!({"reason": "other"})).status, 204);
        assert_eq!(owner.token(&id), dead);
        let trail = server.facts().audit();
        let event = trail.iter().find(|event| event.action == "token.revoke" && event.target_id == id).unwrap();
        let detail: Value = serde_json::from_str(&event.detail).unwrap();
        assert_eq!(detail, json!({"reason": recorded, "cause": reason, "note": "seen in a log"}));
    }
    let [id] = texts(&owner.create("a"), ["id"]);
    let path = format!("/v1/tokens/{id}/revoke");
    assert_eq!(owner.post(&path, &json!({"reason": "stolen"})).fails(400, "invalid request")["field"], "reason");
    assert_eq!(owner.token(&id)["status"], "active");
    assert_eq!(owner.post(&path, &json!({})).status, 204);
    assert_eq!(owner.token(&id)["revoked_reason"], "requested");
}

fn lists_are_narrowed_by_it(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [shop] = texts(&owner.post("/v1/tokens", &described()).expect(201), ["id"]);
    let [reader] = texts(&owner.create_with("Reader", &["tokens:read", "read"]), ["id"]);
    let [key] = texts(&owner.post("/v1/me/keys", &json!({"name": "laptop"})).expect(201), ["id"]);
    let me = owner.get("/v1/me").expect(200)["user_id"].as_str().unwrap().to_owned();
    let hint = owner.token(&reader)["hint"].as_str().unwrap().to_owned();
    let hint = hint.trim_end_matches('…').to_owned();
    let rows: Vec<(String, Vec<&String>)> = vec![
        ("q=ASK+ada".to_owned(), vec![&shop]),
        ("q=customer".to_owned(), vec![&shop]),
        (format!("q={shop}"), vec![&shop]),
        (format!("q={hint}"), vec![&reader]),
        ("scope=read".to_owned(), vec![&reader]),
        ("scope=tokens:read".to_owned(), vec![&reader]),
        ("scope=tokens".to_owned(), vec![]),
        ("external_id=customer/42".to_owned(), vec![&shop]),
        (format!("created_by=user:{me}"), vec![&reader, &shop]),
        ("created_by=service".to_owned(), vec![]),
        ("agent_type=robot".to_owned(), vec![]),
        ("unused_days=1".to_owned(), vec![]),
        ("expires_before=2030-01-01T00:00:00Z".to_owned(), vec![]),
        ("revoked_after=2020-01-01T00:00:00Z".to_owned(), vec![]),
        ("kind=organization".to_owned(), vec![&reader, &shop]),
        ("kind=personal".to_owned(), vec![&key]),
        ("kind=actor".to_owned(), vec![]),
        (format!("owner=user:{me}"), vec![&key]),
        ("project_id=018f0000-0000-7000-8000-000000000001".to_owned(), vec![]),
    ];
    for (query, expected) in rows {
        let page = owner.get(&format!("/v1/tokens?{query}")).expect(200);
        let listed: Vec<&str> =
            page["tokens"].as_array().unwrap().iter().map(|token| token["id"].as_str().unwrap()).collect();
        assert_eq!(listed, expected, "{query}");
        let counts = owner.get(&format!("/v1/tokens/counts?{query}")).expect(200);
        assert_eq!(counts, json!({"active": expected.len(), "rotating": 0, "expired": 0, "revoked": 0}), "{query}");
    }
    for (query, field) in [
        ("scope=NO", "scope"),
        ("created_by=ada", "created_by"),
        ("project_id=x", "project_id"),
        ("agent_type=A", "agent_type"),
        ("unused_days=0", "unused_days"),
        ("unused_days=3651", "unused_days"),
        ("expires_before=soon", "expires_before"),
        ("revoked_after=2026", "revoked_after"),
        ("kind=any", "kind"),
        ("owner=ada", "owner"),
        ("kind=actor&owner=user:018f0000-0000-7000-8000-000000000001", "kind"),
    ] {
        for path in ["/v1/tokens", "/v1/tokens/counts"] {
            assert_eq!(owner.get(&format!("{path}?{query}")).fails(400, "invalid request")["field"], field, "{query}");
        }
    }
}
