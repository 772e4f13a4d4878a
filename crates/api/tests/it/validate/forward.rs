//! `/v1/auth/forward`: what a proxy asks, and the headers it copies.

use serde_json::{Value, json};

use crate::support::{Answer, Backend, Options, Request, Server, Wire, both, texts};

both!(
    every_header_is_there_whatever_there_is_to_say,
    any_method_will_do,
    all_of_some_scopes_or_one_of_others,
    only_a_good_token_passes,
    a_body_makes_no_difference,
    what_was_revoked_does_not_pass,
);

const FORWARD: &str = "/v1/auth/forward";
const HEADERS: [&str; 7] =
    ["x-nlp-org", "x-nlp-token-id", "x-nlp-kind", "x-nlp-scopes", "x-nlp-project", "x-nlp-actor", "x-nlp-access-scope"];

fn headers(answer: &Answer) -> [String; 7] {
    assert_eq!((answer.status, answer.text()), (200, ""), "{answer:?}");
    HEADERS.map(|name| answer.header(name).unwrap_or_else(|| panic!("{name} in {answer:?}")).to_owned())
}

fn every_header_is_there_whatever_there_is_to_say(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let organization = owner.get("/v1/me").expect(200)["org_id"].as_str().unwrap().to_owned();
    let [id, secret] = texts(&owner.create_with("plain", &["tokens:read", "execute"]), ["id", "secret"]);
    let plain = headers(&server.caller(&secret).get(FORWARD));
    assert_eq!(plain, [&organization, &id, "organization", "tokens:read execute", "", "", ""]);

    let projects = format!("/v1/organizations/{organization}/projects");
    let [project] = texts(&owner.post(&projects, &json!({"slug": "p"})).expect(201), ["projectId"]);
    let bound = json!({"name": "bound", "scopes": ["execute"], "project_id": project});
    let [id, secret] = texts(&owner.post("/v1/tokens", &bound).expect(201), ["id", "secret"]);
    let bound = headers(&server.caller(&secret).get(FORWARD));
    assert_eq!(bound, [&organization, &id, "organization", "execute", &project, "", ""]);

    let scopes = format!("{projects}/{project}/scopes");
    let [scope] = texts(&owner.post(&scopes, &json!({"slug": "room-1"})).expect(201), ["accessScopeId"]);
    let actors = format!("{projects}/{project}/actors");
    let made = owner.post(&actors, &json!({"name": "a", "accessScopeId": scope})).expect(201);
    let [actor, secret] = texts(&made, ["actorId", "accessToken"]);
    let [org, token, kind, scopes, of_project, of_actor, of_scope] = headers(&server.caller(&secret).get(FORWARD));
    assert_eq!([org, kind, scopes], [&organization, "actor", "self:rotate"]);
    assert_eq!([of_project, of_actor, of_scope], [project, actor, "room-1".to_owned()]);
    assert!(!token.is_empty());
}

fn any_method_will_do(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let [id, secret] = texts(&server.owner().create("a"), ["id", "secret"]);
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let request = Request::new(method, FORWARD).bearer(&secret);
        let mut wire = Wire::open(server.address()).unwrap();
        let answer = wire.ask(&request).unwrap();
        assert_eq!(answer.status, 200, "{method}: {answer:?}");
        assert_eq!(answer.header("x-nlp-token-id"), Some(id.as_str()), "{method}");
        let refused = Wire::open(server.address()).unwrap().ask(&Request::new(method, FORWARD)).unwrap();
        assert_eq!(refused.status, 401, "{method}");
    }
    // Some proxies pass a body on; it is not looked at.
    let request = Request::new("POST", FORWARD).bearer(&secret).body("not { even json");
    assert_eq!(Wire::open(server.address()).unwrap().ask(&request).unwrap().status, 200);
    // As is every other way to show a token.
    for header in [("Authorization", format!("Api-Key {secret}")), ("X-API-Key", secret.clone())] {
        let request = Request::new("GET", FORWARD).header(header.0, header.1);
        assert_eq!(Wire::open(server.address()).unwrap().ask(&request).unwrap().status, 200);
    }
}

fn all_of_some_scopes_or_one_of_others(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let [secret] = texts(&server.owner().create_with("a", &["execute", "tokens:read"]), ["secret"]);
    let mut caller = server.caller(&secret);
    for query in [
        "",
        "?scope=execute",
        "?scope=read&scope=tokens%3Aread",
        "?any=admin&any=tokens:read",
        "?scope=read&any=tokens:manage&any=execute",
        "?any=no-such-scope&any=read",
        "?ignored=1&ignored=2",
    ] {
        assert_eq!(caller.get(&format!("{FORWARD}{query}")).status, 200, "{query}");
    }
    for (query, missing) in [
        ("?scope=tokens:manage", json!(["tokens:manage"])),
        ("?scope=execute&scope=tokens:manage&scope=audit:read", json!(["tokens:manage", "audit:read"])),
        ("?scope=no-such-scope", json!(["no-such-scope"])),
        ("?scope=tokens:manage&scope=no-such-scope", json!(["tokens:manage", "no-such-scope"])),
        ("?any=tokens:manage&any=audit:read", json!(["tokens:manage", "audit:read"])),
        ("?any=no-such-scope", json!(["no-such-scope"])),
        ("?scope=execute&any=tokens:manage", json!(["tokens:manage"])),
    ] {
        let answer = caller.get(&format!("{FORWARD}{query}"));
        let sorted = |names: &Value| {
            let mut names: Vec<String> = serde_json::from_value(names.clone()).unwrap();
            names.sort();
            names
        };
        assert_eq!(sorted(&answer.fails(403, "insufficient scope")["missing"]), sorted(&missing), "{query}");
        assert!(answer.header("www-authenticate").unwrap().contains("insufficient_scope"), "{query}");
        assert_eq!(answer.header("x-nlp-org"), None);
    }
    for (query, field) in [("?scope=", "scope"), ("?any", "any"), ("?scope=%ff", "scope")] {
        assert_eq!(caller.get(&format!("{FORWARD}{query}")).expect(400)["field"], field, "{query}");
    }
}

fn only_a_good_token_passes(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let owner = server.owner();
    let session = owner.credential().to_owned();
    for credential in ["nlp_00112233445566778899aabbccddeeff550c911c", "nlp_", "anything", session.as_str()] {
        let answer = server.caller(credential).get(FORWARD);
        answer.fails(401, "invalid token");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer "));
    }
    let nothing = server.anyone().get(FORWARD);
    nothing.fails(401, "authentication required");
    assert!(nothing.header("www-authenticate").unwrap().starts_with("Bearer "));
    let request = Request::new("GET", FORWARD).bearer("nlp_a").header("X-API-Key", "nlp_b");
    assert_eq!(Wire::open(server.address()).unwrap().ask(&request).unwrap().status, 400);
}

/// Without a body the question about a token that is remembered is answered before it is routed; with one it never is.
fn a_body_makes_no_difference(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [live] = texts(&owner.create_with("live", &["scans"]), ["secret"]);
    let [id, revoked] = texts(&owner.create("revoked"), ["id", "secret"]);
    owner.revoke(&id);
    let mut caller = server.anyone();
    for credential in [&live, &revoked, "nlp_00112233445566778899aabbccddeeff550c911c", "nls_x", ""] {
        for query in
            ["", "?scope=scans:read", "?scope=execute", "?scope=fly&any=read", "?scope=", "?any=scans&any=read"]
        {
            let path = format!("{FORWARD}{query}");
            let bare = Request::new("GET", &path).bearer(credential);
            caller.ask(bare.clone());
            assert_eq!(caller.ask(bare.clone()).bare(), caller.ask(bare.body("x")).bare(), "{credential} {query}");
        }
    }
}

fn what_was_revoked_does_not_pass(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    for _ in 0..20 {
        let [id, secret] = texts(&owner.create("a"), ["id", "secret"]);
        let mut caller = server.caller(&secret);
        assert_eq!(caller.get(FORWARD).status, 200);
        owner.revoke(&id);
        assert_eq!(caller.get(FORWARD).status, 401);
    }
}
