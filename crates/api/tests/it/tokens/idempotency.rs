//! `Idempotency-Key`: a retry after a lost answer does not create a second token.

use serde_json::{Value, json};

use crate::support::{Answer, Backend, Client, Options, Request, Server, both, texts};

both!(
    a_retried_creation_makes_no_second_token,
    a_retried_rotation_makes_no_second_token,
    keys_belong_to_the_caller_and_the_operation,
    two_at_once_make_one_token,
    a_refused_request_does_not_use_the_key_up,
    bad_keys_are_refused,
);

fn post(caller: &mut Client, path: &str, key: &str, body: &Value) -> Answer {
    caller.ask(Request::new("POST", path).header("Idempotency-Key", key).json(body))
}

fn count(owner: &mut Client) -> usize {
    owner.get("/v1/tokens?limit=1000").expect(200)["tokens"].as_array().unwrap().len()
}

fn a_retried_creation_makes_no_second_token(backend: Backend) {
    let mut server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let asked = json!({"name": "once", "scopes": ["execute"]});
    let made = post(&mut owner, "/v1/tokens", "key-1", &asked).expect(201);
    for _ in 0..2 {
        let body = post(&mut owner, "/v1/tokens", "key-1", &asked).fails(409, "request already carried out");
        assert_eq!(body["id"], made["id"]);
        assert_eq!(body.get("secret"), None);
    }
    // The same request in another notation counts as the same; a different one does not.
    let reordered = json!({"scopes": ["execute"], "name": "once", "expires_at": null, "ignored": 1});
    post(&mut owner, "/v1/tokens", "key-1", &reordered).fails(409, "request already carried out");
    for other in [
        json!({"name": "twice", "scopes": ["execute"]}),
        json!({"name": "once", "scopes": ["read"]}),
        json!({"name": "once", "scopes": ["execute"], "agent_type": "x"}),
        json!({"name": "once", "scopes": ["execute"], "expires_in_days": 1}),
    ] {
        let body = post(&mut owner, "/v1/tokens", "key-1", &other).fails(409, "idempotency key reused");
        assert_eq!(body.get("id"), None, "{other}");
    }
    assert_eq!(count(&mut owner), 1);
    assert!(owner.is_valid(made["secret"].as_str().unwrap()));

    let credential = owner.credential().to_owned();
    server.restart();
    let mut owner = server.caller(&credential);
    post(&mut owner, "/v1/tokens", "key-1", &asked).fails(409, "request already carried out");
    post(&mut owner, "/v1/tokens", "key-2", &asked).expect(201);
    // Without a key a repeated request creates another token.
    owner.post("/v1/tokens", &asked).expect(201);
    owner.post("/v1/tokens", &asked).expect(201);
    assert_eq!(count(&mut owner), 4);
}

fn a_retried_rotation_makes_no_second_token(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id, old] = texts(&owner.create("a"), ["id", "secret"]);
    let path = format!("/v1/tokens/{id}/rotate");
    let rotated = post(&mut owner, &path, "key", &json!({"grace_period_seconds": 60})).expect(200);
    let body =
        post(&mut owner, &path, "key", &json!({"grace_period_seconds": 60})).fails(409, "request already carried out");
    assert_eq!(body["id"], rotated["id"]);
    post(&mut owner, &path, "key", &json!({"grace_period_seconds": 61})).fails(409, "idempotency key reused");
    post(&mut owner, &path, "other key", &json!({})).fails(409, "token is rotating");
    assert_eq!(count(&mut owner), 2);
    assert!(owner.is_valid(&old) && owner.is_valid(rotated["secret"].as_str().unwrap()));

    // The rotation of the successor is another operation, so the same key can be used for it.
    let successor = rotated["id"].as_str().unwrap();
    post(&mut owner, &format!("/v1/tokens/{successor}/rotate"), "key", &json!({"grace_period_seconds": 60}))
        .expect(200);
    assert_eq!(count(&mut owner), 3);
}

fn keys_belong_to_the_caller_and_the_operation(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let asked = json!({"name": "a", "scopes": ["execute"]});
    let made = post(&mut owner, "/v1/tokens", "shared", &asked).expect(201);
    let [manager] = texts(&owner.create_with("manager", &["tokens:manage", "execute"]), ["secret"]);
    let theirs = post(&mut server.caller(&manager), "/v1/tokens", "shared", &asked).expect(201);
    assert_ne!(made["id"], theirs["id"]);
    // All sessions of a person are the same caller.
    post(&mut server.owner(), "/v1/tokens", "shared", &asked).fails(409, "request already carried out");
    let id = made["id"].as_str().unwrap();
    post(&mut owner, &format!("/v1/tokens/{id}/rotate"), "shared", &json!({})).expect(200);
}

fn two_at_once_make_one_token(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    for round in 0..10 {
        let key = format!("round-{round}");
        let asked = json!({"name": key, "scopes": ["execute"]});
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    let (mut caller, key, asked) = (server.caller(owner.credential()), &key, &asked);
                    scope.spawn(move || post(&mut caller, "/v1/tokens", key, asked))
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let made: Vec<Value> = answers.iter().filter(|a| a.status == 201).map(Answer::json).collect();
        assert_eq!(made.len(), 1, "{answers:?}");
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            assert_eq!(answer.fails(409, "request already carried out")["id"], made[0]["id"]);
        }
        assert_eq!(count(&mut owner), round + 1);
    }
}

fn a_refused_request_does_not_use_the_key_up(backend: Backend) {
    let server = Server::start(backend, Options::default().with("tokens.cap_per_organization", 1));
    let mut owner = server.owner();
    let [id] = texts(&owner.create("one"), ["id"]);
    let asked = json!({"name": "two", "scopes": ["execute"]});
    post(&mut owner, "/v1/tokens", "key", &asked).expect(402);
    post(&mut owner, "/v1/tokens", "key", &json!({"name": "", "scopes": []})).expect(400);
    owner.revoke(&id);
    post(&mut owner, "/v1/tokens", "key", &asked).expect(201);
}

fn bad_keys_are_refused(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let asked = json!({"name": "a", "scopes": ["execute"]});
    for key in ["", &"k".repeat(256), "schl\u{fc}ssel"] {
        let body = post(&mut owner, "/v1/tokens", key, &asked).fails(400, "invalid request");
        assert_eq!(body["field"], "Idempotency-Key", "{key}");
    }
    let twice = Request::new("POST", "/v1/tokens").header("Idempotency-Key", "a").header("Idempotency-Key", "b");
    assert_eq!(owner.ask(twice.json(&asked)).fails(400, "invalid request")["field"], "Idempotency-Key");
    assert_eq!(count(&mut owner), 0);
    post(&mut owner, "/v1/tokens", &"k".repeat(255), &asked).expect(201);
}
