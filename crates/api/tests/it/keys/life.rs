//! The life of a key, as its owner manages it.

use serde_json::{Value, json};

use crate::support::{Backend, Options, Request, Server, both, later, texts};

both!(
    a_key_is_a_token_of_its_owner,
    without_scopes_a_key_gets_the_defaults,
    what_is_wrong_with_a_key_names_its_field,
    a_key_is_listed_renamed_and_revoked,
    a_key_is_rotated_and_the_rotation_taken_back,
    a_retry_with_a_key_makes_no_second_one,
    keys_count_towards_the_cap,
    keys_and_tokens_are_listed_apart,
);

fn a_key_is_a_token_of_its_owner(backend: Backend) {
    let server = Server::start(backend, Options::default().bcrypt());
    let mut owner = server.owner();
    let me = owner.get("/v1/me").expect(200);
    let expires_at = later(86_400);
    let asked = json!({
        "name": " laptop ", "scopes": ["scans:read", "execute", "scans:read"], "agent_type": "cli",
        "expires_at": expires_at, "org_id": "ignored", "kind": "organization",
    });
    let made = owner.post("/v1/me/keys", &asked).expect(201);
    let [id, secret, created_at] = texts(&made, ["id", "secret", "created_at"]);
    let expected = json!({
        "id": id, "kind": "personal", "name": "laptop", "status": "active", "scopes": ["scans:read", "execute"],
        "agent_type": "cli", "project_id": null, "hint": format!("{}…", &secret[..8]), "created_at": created_at,
        "created_by": format!("user:{}", me["user_id"].as_str().unwrap()), "expires_at": expires_at,
        "last_used_at": null, "last_used_from": [], "grace_period_ends_at": null, "rotated_from": null, "rotated_to": null,
        "revoked_at": null, "revoked_reason": null, "revoked_note": null, "secret": secret,
        "description": null, "external_id": null, "metadata": null, "allowed_networks": null,
    });
    assert_eq!(made, expected);
    let plain = owner.validate(&secret);
    let org = me["org_id"].as_str().unwrap();
    let exact = format!(r#"{{"valid":true,"org_id":"{org}","scopes":["scans:read","execute"]}}"#);
    assert_eq!((plain.status, plain.text()), (200, exact.as_str()));
    let detail = owner.post("/v1/auth/validate", &json!({"token": secret, "detail": true})).expect(200);
    assert_eq!(
        (&detail["kind"], &detail["owner"]),
        (&json!("personal"), &json!({"type": "user", "id": me["user_id"]}))
    );
    // The key authenticates its owner, with the key's scopes.
    let mut key = server.caller(&secret);
    key.get("/v1/repos").expect(200);
    assert_eq!(key.get("/v1/me").fails(403, "insufficient scope")["missing"], json!(["user:read"]));
    assert_eq!(key.get("/v1/tokens/self").expect(200)["id"], id.as_str());
    let events = server.facts().audit();
    let event = events.iter().find(|event| event.action == "token.create").unwrap();
    assert_eq!(serde_json::from_str::<Value>(&event.detail).unwrap()["kind"], "personal");
}

fn without_scopes_a_key_gets_the_defaults(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    for asked in [json!({"name": "a"}), json!({"name": "a", "scopes": null})] {
        let made = owner.post("/v1/me/keys", &asked).expect(201);
        assert_eq!(made["scopes"], json!(["user"]));
        let mut key = server.caller(made["secret"].as_str().unwrap());
        assert_eq!(key.get("/v1/me").expect(200)["scopes"], json!(["user", "user:read", "user:write"]));
        key.get("/v1/tokens").fails(403, "insufficient scope");
    }
    // An explicit list is not extended by the defaults.
    let made = owner.post("/v1/me/keys", &json!({"name": "a", "scopes": ["bot"]})).expect(201);
    assert_eq!(made["scopes"], json!(["bot"]));
    let warned = owner.post("/v1/me/keys", &json!({"name": "a", "scopes": ["scans:run"]})).expect(201);
    assert_eq!(warned["warnings"][0]["requires"], json!(["projects:read"]));
}

fn what_is_wrong_with_a_key_names_its_field(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let many: Vec<String> = (0..65).map(|number| format!("s{number}")).collect();
    let rows = [
        (json!({}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"name": "a\u{202e}b"}), "name"),
        (json!({"name": "a", "scopes": []}), "scopes"),
        (json!({"name": "a", "scopes": ["nothing"]}), "scopes"),
        (json!({"name": "a", "scopes": ["User"]}), "scopes"),
        (json!({"name": "a", "scopes": many}), "scopes"),
        (json!({"name": "a", "scopes": "user"}), "scopes"),
        (json!({"name": "a", "agent_type": "A"}), "agent_type"),
        (json!({"name": "a", "project_id": "x"}), "project_id"),
        (json!({"name": "a", "project_id": "018f0000-0000-7000-8000-000000000001"}), "project_id"),
        (json!({"name": "a", "expires_at": later(-60)}), "expires_at"),
        (json!({"name": "a", "expires_in_days": 0}), "expires_in_days"),
        (json!({"name": "a", "expires_in_days": 1, "expires_at": later(60)}), "expires_in_days"),
    ];
    for (asked, field) in rows {
        assert_eq!(owner.post("/v1/me/keys", &asked).fails(400, "invalid request")["field"], field, "{asked}");
    }
    assert_eq!(owner.get("/v1/me/keys").expect(200)["tokens"], json!([]));
}

fn a_key_is_listed_renamed_and_revoked(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let ids: Vec<String> = (0..5)
        .map(|number| texts(&owner.post("/v1/me/keys", &json!({"name": format!("k{number}")})).expect(201), ["id"]))
        .map(|[id]| id)
        .collect();
    let mut seen: Vec<String> = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = owner.get(&format!("/v1/me/keys?limit=2{cursor}")).expect(200);
        seen.extend(page["tokens"].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, ids.iter().rev().cloned().collect::<Vec<_>>());
    let path = format!("/v1/me/keys/{}", ids[0]);
    assert_eq!(owner.patch(&path, &json!({"name": "renamed"})).expect(200)["name"], "renamed");
    assert_eq!(owner.get(&path).expect(200)["name"], "renamed");
    owner.patch(&path, &json!({"scopes": ["admin"]})).fails(400, "scopes cannot be changed");
    assert_eq!(owner.get("/v1/me/keys?name=RENAM").expect(200)["tokens"][0]["id"], ids[0].as_str());
    owner.delete(&path).expect(204);
    owner.delete(&path).expect(204);
    assert_eq!(owner.get(&path).expect(200)["status"], "revoked");
    assert_eq!(owner.get("/v1/me/keys?status=revoked").expect(200)["tokens"].as_array().unwrap().len(), 1);
    assert_eq!(owner.get("/v1/me/keys?limit=0").fails(400, "invalid request")["field"], "limit");
    owner.get("/v1/me/keys/nonsense").fails(404, "not found");
}

fn a_key_is_rotated_and_the_rotation_taken_back(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let asked = json!({"name": "a", "scopes": ["user", "execute"], "expires_in_days": 30});
    let [id, old] = texts(&owner.post("/v1/me/keys", &asked).expect(201), ["id", "secret"]);
    let path = format!("/v1/me/keys/{id}");
    let rotated = owner.post(&format!("{path}/rotate"), &json!({"grace_period_seconds": 600})).expect(200);
    let [successor, new] = texts(&rotated, ["id", "secret"]);
    assert_eq!((&rotated["scopes"], &rotated["old_token_status"]), (&json!(["user", "execute"]), &json!("rotating")));
    assert!(owner.is_valid(&old) && owner.is_valid(&new));
    let heir = owner.get(&format!("/v1/me/keys/{successor}")).expect(200);
    assert_eq!((&heir["kind"], &heir["rotated_from"]), (&json!("personal"), &json!(id)));
    owner.call(&format!("{path}/rotate")).fails(409, "token is rotating");
    assert_eq!(owner.call(&format!("{path}/rotate/cancel")).expect(200)["status"], "active");
    assert!(owner.is_valid(&old) && !owner.is_valid(&new));
    owner.call(&format!("{path}/rotate/cancel")).fails(409, "token is active");
    let [newest] =
        texts(&owner.post(&format!("{path}/rotate"), &json!({"grace_period_seconds": 0})).expect(200), ["secret"]);
    assert!(!owner.is_valid(&old) && owner.is_valid(&newest));
}

fn a_retry_with_a_key_makes_no_second_one(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let body = json!({"name": "a"});
    let make = |owner: &mut crate::support::Client, path: &'static str, body: &Value| {
        owner.ask(Request::new("POST", path).header("Idempotency-Key", "once").json(body))
    };
    let [id] = texts(&make(&mut owner, "/v1/me/keys", &body).expect(201), ["id"]);
    let again = make(&mut owner, "/v1/me/keys", &body);
    assert_eq!(again.fails(409, "request already carried out")["id"], id.as_str());
    make(&mut owner, "/v1/me/keys", &json!({"name": "b"})).fails(409, "idempotency key reused");
    // The same idempotency key for an organisation's token is another one.
    make(&mut owner, "/v1/tokens", &json!({"name": "a", "scopes": ["execute"]})).expect(201);
    assert_eq!(owner.get("/v1/me/keys").expect(200)["tokens"].as_array().unwrap().len(), 1);
}

fn keys_count_towards_the_cap(backend: Backend) {
    let server = Server::start(backend, Options::default().with("tokens.cap_per_organization", 1));
    let mut owner = server.owner();
    let [id] = texts(&owner.post("/v1/me/keys", &json!({"name": "a"})).expect(201), ["id"]);
    for path in ["/v1/me/keys", "/v1/tokens"] {
        let refused = owner.post(path, &json!({"name": "b", "scopes": ["execute"]})).expect(402);
        assert!(refused["error"].as_str().unwrap().starts_with("token limit reached for your plan (1/1 tokens used)"));
    }
    // The cap does not prevent a rotation.
    owner.call(&format!("/v1/me/keys/{id}/rotate")).expect(200);
}

fn keys_and_tokens_are_listed_apart(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [token] = texts(&owner.create("token"), ["id"]);
    let [key] = texts(&owner.post("/v1/me/keys", &json!({"name": "key"})).expect(201), ["id"]);
    let only = |list: Value| {
        let tokens = list["tokens"].as_array().unwrap().clone();
        assert_eq!(tokens.len(), 1, "{list}");
        tokens[0]["id"].clone()
    };
    assert_eq!(only(owner.get("/v1/tokens").expect(200)), token.as_str());
    assert_eq!(only(owner.get("/v1/me/keys").expect(200)), key.as_str());
    // A token of the organisation is not found among keys.
    let path = format!("/v1/me/keys/{token}");
    owner.get(&path).fails(404, "not found");
    owner.delete(&path).fails(404, "not found");
    owner.call(&format!("{path}/rotate")).fails(404, "not found");
    assert_eq!(owner.token(&token)["status"], "active");
}
