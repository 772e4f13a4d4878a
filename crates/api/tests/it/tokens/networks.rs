//! `allowed_networks`: checked wherever a token with it is presented.

use serde_json::{Value, json};

use crate::support::{Backend, Options, Request, Server, both, texts};

both!(
    validation_judges_the_address_it_is_told,
    here_and_at_forward_auth_the_clients_address_counts,
    networks_are_checked
);

fn bound(networks: &[&str]) -> Value {
    json!({"name": "bound", "scopes": ["tokens:read"], "allowed_networks": networks})
}

fn validation_judges_the_address_it_is_told(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let networks = ["10.0.0.0/8", "2001:db8::/32"];
    let made = owner.post("/v1/tokens", &bound(&networks)).expect(201);
    assert_eq!(made["allowed_networks"], json!(networks));
    let [secret] = texts(&made, ["secret"]);
    let [free] = texts(&owner.create("free"), ["secret"]);
    // Twice: first read from the store, then from the cache.
    for _ in 0..2 {
        for (ip, status) in [
            (json!("10.1.2.3"), 200),
            (json!("::ffff:10.1.2.3"), 200),
            (json!("2001:db8::7"), 200),
            (json!("11.0.0.1"), 403),
            (json!("2001:db9::7"), 403),
            (Value::Null, 403),
            (json!(""), 400),
            (json!("10.1.2"), 400),
        ] {
            let answer = owner.post("/v1/auth/validate", &json!({"token": secret, "ip": ip}));
            assert_eq!(answer.status, status, "{ip}: {}", answer.text());
            if status == 403 {
                let body = answer.expect(403);
                assert_eq!((&body["valid"], &body["error"]), (&json!(true), &json!("address not allowed")));
            }
        }
        assert_eq!(owner.post("/v1/auth/validate", &json!({"token": secret, "detail": true})).status, 403);
        assert_eq!(owner.post("/v1/auth/validate", &json!({"token": free, "ip": "11.0.0.1"})).status, 200);
        assert_eq!(owner.validate(&secret).status, 403, "no address is known");
    }
    // A revoked token is invalid from every address.
    owner.revoke(made["id"].as_str().unwrap());
    assert_eq!(owner.post("/v1/auth/validate", &json!({"token": secret, "ip": "11.0.0.1"})).status, 401);
    let batch = owner.post("/v1/tokens", &bound(&["10.0.0.0/8"])).expect(201);
    let [secret] = texts(&batch, ["secret"]);
    let results = owner.post("/v1/auth/validate/batch", &json!({"tokens": [secret, free]})).expect(200);
    assert_eq!(results["results"][0], json!({"valid": true, "error": "address not allowed"}));
    assert_eq!(results["results"][1]["valid"], true);
}

fn here_and_at_forward_auth_the_clients_address_counts(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    // The tests' clients have the loopback address.
    for (networks, is_admitted) in [(["127.0.0.0/8"], true), (["10.0.0.0/8"], false)] {
        let [secret] = texts(&owner.post("/v1/tokens", &bound(&networks)).expect(201), ["secret"]);
        let mut token = owner.with(&secret);
        for _ in 0..2 {
            let (here, forward) = (token.get("/v1/tokens"), token.get("/v1/auth/forward?scope=tokens:read"));
            if is_admitted {
                assert_eq!((here.status, forward.status), (200, 200));
            } else {
                here.fails(403, "address not allowed");
                forward.fails(403, "address not allowed");
            }
            // The caller of a validation is not the client that presented the token.
            let asked = owner.ask(
                Request::new("POST", "/v1/oauth/introspect")
                    .header("Authorization", format!("Bearer {}", owner.credential()))
                    .header("Content-Type", "application/x-www-form-urlencoded")
                    .body(format!("token={secret}")),
            );
            assert_eq!(asked.expect(200)["active"], true);
        }
    }
}

fn networks_are_checked(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let many: Vec<String> = (0..33).map(|n| format!("10.{n}.0.0/16")).collect();
    for networks in
        [json!([]), json!(many), json!(["example.org"]), json!(["10.0.0.0/33"]), json!("10.0.0.0/8"), json!([1])]
    {
        let body = json!({"name": "a", "scopes": ["execute"], "allowed_networks": networks});
        let refused = owner.post("/v1/tokens", &body).fails(400, "invalid request");
        assert!(refused["field"].as_str().unwrap().starts_with("allowed_networks"), "{refused}");
    }
    let made = owner.post("/v1/tokens", &bound(&["10.1.2.3/8", "10.0.0.0/8", "192.0.2.7"])).expect(201);
    assert_eq!(made["allowed_networks"], json!(["10.0.0.0/8", "192.0.2.7/32"]));
}
