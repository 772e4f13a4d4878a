//! A 403 for missing scopes names them and the sufficient sets, on every route and for validation.

use serde_json::{Value, json};

use crate::support::{Answer, Backend, Options, Request, Server, both, texts};

both!(
    every_route_says_what_would_do,
    what_would_do_does,
    validation_says_it_too,
    nobody_is_granted_what_they_lack_and_they_are_told,
    a_name_in_a_challenge_cannot_end_it,
);

/// The parts of a refusal: the missing scopes in the body, the challenge of RFC 6750, the sufficient sets.
#[track_caller]
fn told(answer: &Answer) -> (Value, &str, Option<&str>) {
    assert_eq!(answer.status, 403, "{answer:?}");
    let body = answer.json();
    assert_eq!(body["error"], "insufficient scope", "{body}");
    (body["missing"].clone(), answer.header("www-authenticate").unwrap(), answer.header("x-accepted-scopes"))
}

fn challenge(missing: &str) -> String {
    format!(r#"Bearer realm="nolapse", error="insufficient_scope", scope="{missing}""#)
}

/// The operations come from the API document: those that require a scope and have no body or an optional one.
fn every_route_says_what_would_do(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [powerless] = texts(&owner.create_with("powerless", &["files:write"]), ["secret"]);
    let document = owner.get("/openapi.json").json();
    let mut checked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let scopes = operation["security"][0]["bearer"].as_array().cloned().unwrap_or_default();
            if scopes.is_empty() || operation["requestBody"]["required"] == true {
                continue;
            }
            let mut parts = path.split('{');
            let first = parts.next().unwrap().to_owned();
            let path = parts.fold(first, |path, part| {
                format!("{path}018f0000-0000-7000-8000-000000000001{}", part.split_once('}').unwrap().1)
            });
            let method = method.to_uppercase();
            let answer = server.anyone().ask(Request::new(&method, &path).bearer(&powerless));
            let (missing, header, accepted) = told(&answer);
            assert_eq!(missing, json!(scopes), "{method} {path}");
            let name = scopes[0].as_str().unwrap();
            assert_eq!(header, challenge(name), "{method} {path}");
            let sets: Vec<&str> = accepted.unwrap_or_else(|| panic!("{method} {path}")).split(", ").collect();
            assert_eq!((sets.first(), sets.last()), (Some(&name), Some(&"admin")), "{method} {path}");
            checked += 1;
        }
    }
    assert!(checked >= 20, "{checked}");
}

fn what_would_do_does(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [powerless] = texts(&owner.create_with("powerless", &["files:write"]), ["secret"]);
    for path in ["/v1/tokens", "/v1/repos"] {
        let answer = server.caller(&powerless).get(path);
        let sets: Vec<String> = told(&answer).2.unwrap().split(", ").map(str::to_owned).collect();
        assert!(sets.len() >= 2, "{sets:?}");
        for set in sets {
            let scopes: Vec<&str> = set.split(' ').collect();
            let [secret] = texts(&owner.create_with("enough", &scopes), ["secret"]);
            server.caller(&secret).get(path).expect(200);
        }
    }
}

fn validation_says_it_too(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [secret] = texts(&owner.create_with("a", &["scans:read"]), ["secret"]);
    let rows = [
        (vec!["scans:run"], "projects:read scans:run", Some("projects:read scans:run, projects:read scans, admin")),
        (
            vec!["read", "scans:read"],
            "read",
            Some("read scans:read, execute scans:read, read scans, execute scans, admin"),
        ),
        (vec!["read", "unheard-of"], "read unheard-of", None),
        (vec!["unheard-of"], "unheard-of", None),
    ];
    for (required, missing, accepted) in rows {
        let question = json!({"token": secret, "required_scopes": required});
        let answer = server.anyone().post("/v1/auth/validate", &question);
        let (listed, header, sets) = told(&answer);
        assert_eq!(listed, json!(missing.split(' ').collect::<Vec<_>>()));
        assert_eq!((header, sets), (challenge(missing).as_str(), accepted), "{required:?}");
    }
}

fn nobody_is_granted_what_they_lack_and_they_are_told(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [secret] = texts(&owner.create_with("manager", &["tokens:manage", "read"]), ["secret"]);
    let mut manager = server.caller(&secret);
    let answer = manager.post("/v1/tokens", &json!({"name": "a", "scopes": ["execute", "files:read"]}));
    let (missing, header, sets) = told(&answer);
    assert_eq!(missing, json!(["execute", "files:read"]));
    assert_eq!(header, challenge("execute files:read"));
    assert_eq!(sets, Some("execute files:read, admin"));
    let [id] = texts(&owner.create_with("stronger", &["bot"]), ["id"]);
    let answer = manager.call(&format!("/v1/tokens/{id}/rotate"));
    assert_eq!(told(&answer), (json!(["bot"]), challenge("bot").as_str(), Some("bot, admin")));
}

fn a_name_in_a_challenge_cannot_end_it(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let [secret] = texts(&server.owner().create("a"), ["secret"]);
    let forged = ["a\", error=\"invalid_token", "b\\", "c d", "e\u{e9}", "bot"];
    let question = json!({"token": secret, "required_scopes": forged});
    let answer = server.anyone().post("/v1/auth/validate", &question);
    let (missing, header, sets) = told(&answer);
    assert_eq!(missing.as_array().unwrap().len(), forged.len());
    assert_eq!((header, sets), (challenge("bot").as_str(), None));
}
