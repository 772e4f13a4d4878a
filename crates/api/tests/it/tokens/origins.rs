//! The addresses from which a token was used, and the scopes it was used for.

use serde_json::{Value, json};

use crate::support::{Backend, Client, Options, Request, Server, both, eventually, texts};

both!(
    the_last_addresses_are_shown_with_the_token,
    who_asks_for_others_is_no_origin,
    scopes_show_when_they_were_asked_for,
);

fn server(backend: Backend) -> Server {
    Server::start(backend, Options::default().with("usage.flush_interval_seconds", 1))
}

fn origins(owner: &mut Client, id: &str) -> Vec<(String, Value)> {
    let token = owner.get(&format!("/v1/tokens/{id}")).expect(200);
    let line = |origin: &Value| (origin["address"].as_str().unwrap().to_owned(), origin["agent"].clone());
    token["last_used_from"].as_array().unwrap().iter().map(line).collect()
}

fn the_last_addresses_are_shown_with_the_token(backend: Backend) {
    let server = server(backend);
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create_with("a", &["tokens:read"]), ["id", "secret"]);
    for host in [1, 1, 2, 3, 4, 5, 6] {
        let asked = json!({"token": secret, "ip": format!("203.0.113.{host}")});
        owner.post("/v1/auth/validate", &asked).expect(200);
    }
    let mut seen = eventually("five addresses", || {
        Some(origins(&mut owner, &id)).filter(|seen| seen.iter().any(|(address, _)| address == "203.0.113.6"))
    });
    assert_eq!(seen.len(), 5);
    seen.sort_by_key(|(address, _)| address.clone());
    let kept: Vec<&str> = seen.iter().map(|(address, _)| address.as_str()).collect();
    assert_eq!(kept, ["203.0.113.2", "203.0.113.3", "203.0.113.4", "203.0.113.5", "203.0.113.6"]);
    assert!(seen.iter().all(|(_, agent)| agent.is_null()), "a gateway's name is not the holder's: {seen:?}");

    // A request with the token to this service, and one to a gateway that forwards the client's address.
    let own = Request::new("GET", "/v1/tokens").bearer(&secret).header("User-Agent", "probe/1.0");
    server.anyone().ask(own).expect(200);
    let (_, agent) = eventually("the token's own address", || {
        origins(&mut owner, &id).into_iter().find(|(address, _)| address == "127.0.0.1")
    });
    assert_eq!(agent, "probe/1.0");
    let listed = owner.get("/v1/tokens").expect(200);
    assert_eq!(listed["tokens"][0]["last_used_from"].as_array().unwrap().len(), 5);
    let first = &owner.get(&format!("/v1/tokens/{id}")).expect(200)["last_used_from"][0];
    assert!(first["at"].as_str() >= first["first_at"].as_str() && first["at"].is_string(), "{first}");
}

fn who_asks_for_others_is_no_origin(backend: Backend) {
    let server = server(backend);
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create("asked about"), ["id", "secret"]);
    let [asker] = texts(&owner.create_with("asks", &["authority:validate", "authority:introspect"]), ["secret"]);
    let mut gateway = server.caller(&asker);
    gateway.post("/v1/auth/validate", &json!({"token": secret})).expect(200);
    gateway.post("/v1/auth/validate/batch", &json!({"tokens": [secret]})).expect(200);
    let form = Request::new("POST", "/v1/oauth/introspect")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(format!("token={secret}"));
    assert_eq!(gateway.ask(form).expect(200)["active"], true);
    owner.post("/v1/auth/validate", &json!({"token": secret, "ip": "203.0.113.7"})).expect(200);
    let seen = eventually("an address", || Some(origins(&mut owner, &id)).filter(|seen| !seen.is_empty()));
    assert_eq!(seen, [("203.0.113.7".to_owned(), Value::Null)]);
}

fn scopes_show_when_they_were_asked_for(backend: Backend) {
    let server = server(backend);
    let mut owner = server.owner();
    let scopes = ["scans", "projects:read", "tokens:read", "org:read"];
    let [id, secret] = texts(&owner.create_with("a", &scopes), ["id", "secret"]);
    let usage = format!("/v1/tokens/{id}/usage");
    let used = |owner: &mut Client| -> Vec<String> {
        let report = owner.get(&usage).expect(200);
        let scopes = report["scopes"].as_array().unwrap();
        assert_eq!(scopes.len(), 4);
        let used = scopes.iter().filter(|scope| scope["last_used_at"].is_string());
        used.map(|scope| scope["scope"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(used(&mut owner), Vec::<String>::new());
    // A scope that an umbrella covers, with its companion; a missing scope; a route of this service.
    for required in ["scans:run", "org:write"] {
        owner.post("/v1/auth/validate", &json!({"token": secret, "required_scopes": [required]}));
    }
    server.caller(&secret).get("/v1/tokens").expect(200);
    eventually("three scopes", || (used(&mut owner) == ["scans", "projects:read", "tokens:read"]).then_some(()));
}
