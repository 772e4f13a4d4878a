//! `POST /v1/oauth/introspect` (RFC 7662).

use serde_json::{Value, json};

use crate::support::{Answer, Backend, Client, Options, Request, Server, both, texts};

both!(
    a_good_token_is_described,
    scope_lists_all_that_is_covered,
    anything_else_is_inactive_and_nothing_more,
    a_rotating_token_ends_with_its_grace,
    what_is_no_form_is_refused,
    whoever_asks_needs_the_scope,
    a_body_in_pieces_gets_what_a_whole_one_gets,
);

const INTROSPECT: &str = "/v1/oauth/introspect";

/// A client with a token that may introspect.
fn resource_server(server: &Server) -> Client {
    let [secret] = texts(&server.owner().create_with("api", &["authority:introspect"]), ["secret"]);
    server.caller(&secret)
}

fn ask(client: &mut Client, form: &str) -> Answer {
    let request = Request::new("POST", INTROSPECT).header("Content-Type", "application/x-www-form-urlencoded");
    client.ask(request.body(form))
}

fn a_good_token_is_described(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let (mut owner, mut asking) = (server.owner(), resource_server(&server));
    let organization = owner.get("/v1/me").expect(200)["org_id"].as_str().unwrap().to_owned();
    let made = json!({"name": "a", "scopes": ["tokens:read", "execute"], "expires_at": "2099-01-01T00:00:00Z"});
    let [id, secret] = texts(&owner.post("/v1/tokens", &made).expect(201), ["id", "secret"]);
    let mut body = ask(&mut asking, &format!("token={secret}&token_type_hint=access_token&more=1")).expect(200);
    let iat = body.as_object_mut().unwrap().remove("iat").unwrap().as_i64().unwrap();
    assert!(iat > 1_700_000_000, "{iat}");
    let expected = json!({
        "active": true, "scope": "tokens:read execute read", "token_type": "Bearer", "exp": 4_070_908_800_i64,
        "sub": organization, "jti": id, "client_id": id, "org_id": organization, "kind": "organization",
    });
    assert_eq!(body, expected);

    let projects = format!("/v1/organizations/{organization}/projects");
    let [project] = texts(&owner.post(&projects, &json!({"slug": "p"})).expect(201), ["projectId"]);
    let scopes = format!("{projects}/{project}/scopes");
    let [scope] = texts(&owner.post(&scopes, &json!({"slug": "room-1"})).expect(201), ["accessScopeId"]);
    let actors = format!("{projects}/{project}/actors");
    let made = owner.post(&actors, &json!({"name": "a", "accessScopeId": scope})).expect(201);
    let [actor, secret] = texts(&made, ["actorId", "accessToken"]);
    let body = ask(&mut asking, &format!("token={secret}")).expect(200);
    let found = ["sub", "kind", "project_id", "actor_id", "access_scope", "scope"].map(|name| body[name].clone());
    assert_eq!(found, [&actor, "actor", &project, &actor, "room-1", "self:rotate"].map(Value::from), "{body}");
    assert_eq!(body.get("exp"), None);
}

/// Resource servers only compare names, so `scope` lists covered scopes too.
fn scope_lists_all_that_is_covered(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let (mut owner, mut asking) = (server.owner(), resource_server(&server));
    let catalog = owner.get("/v1/scopes/catalog").expect(200);
    let names: Vec<&str> = catalog["scopes"].as_array().unwrap().iter().map(|e| e["name"].as_str().unwrap()).collect();
    let below = |umbrella: &str| names.iter().copied().filter(|name| name.starts_with(umbrella)).collect::<Vec<_>>();
    for (granted, also) in [
        (vec!["scans:read", "files:read"], vec![]),
        (vec!["files:read", "execute"], vec!["read"]),
        (vec!["scans"], below("scans:")),
        (vec!["admin"], names.iter().copied().filter(|name| *name != "admin").collect()),
    ] {
        let [secret] = texts(&owner.create_with("a", &granted), ["secret"]);
        let scope = ask(&mut asking, &format!("token={secret}")).expect(200)["scope"].as_str().unwrap().to_owned();
        let listed: Vec<&str> = scope.split(' ').collect();
        assert_eq!(listed[..granted.len()], granted, "as granted first");
        let (mut rest, mut expected) = (listed[granted.len()..].to_vec(), also);
        rest.sort_unstable();
        expected.sort_unstable();
        assert_eq!(rest, expected, "{granted:?}");
    }
}

fn anything_else_is_inactive_and_nothing_more(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let (mut owner, mut asking) = (server.owner(), resource_server(&server));
    let [id, dead] = texts(&owner.create("dead"), ["id", "secret"]);
    assert_eq!(ask(&mut asking, &format!("token={dead}")).expect(200)["active"], true);
    owner.revoke(&id);
    let session = owner.credential().to_owned();
    let unissued = "nlp_00112233445566778899aabbccddeeff550c911c";
    for token in [dead.as_str(), unissued, "", "nlp_", "%F0%9F%94%91", &session, &"x".repeat(1_000)] {
        let answer = ask(&mut asking, &format!("token={token}"));
        assert_eq!((answer.status, answer.text()), (200, r#"{"active":false}"#), "{token}");
    }
}

fn a_rotating_token_ends_with_its_grace(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let (mut owner, mut asking) = (server.owner(), resource_server(&server));
    let [id, old] = texts(&owner.create("a"), ["id", "secret"]);
    let rotated = owner.rotate(&id, &json!({"grace_period_seconds": 3_600}));
    let [new] = texts(&rotated, ["secret"]);
    let body = ask(&mut asking, &format!("token={old}")).expect(200);
    let ends = token_domain::Timestamp::parse_rfc3339(rotated["grace_period_ends_at"].as_str().unwrap()).unwrap();
    assert_eq!(body["exp"], ends.as_micros() / 1_000_000, "{body}");
    let body = ask(&mut asking, &format!("token={new}")).expect(200);
    assert_eq!((body["active"].clone(), body.get("exp")), (json!(true), None));
}

fn what_is_no_form_is_refused(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut asking = resource_server(&server);
    for (form, field) in [("", "token"), ("tok=1", "token"), ("token=a&token=b", "token"), ("token=%zz", "token")] {
        assert_eq!(ask(&mut asking, form).expect(400)["field"], field, "{form}");
    }
    let request = Request::new("POST", INTROSPECT).body(vec![b't', b'=', 0xff]);
    asking.ask(request).fails(400, "invalid_request");
    assert_eq!(asking.get(INTROSPECT).status, 405);
}

fn whoever_asks_needs_the_scope(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let [other] = texts(&server.owner().create_with("other", &["authority:validate"]), ["secret"]);
    let refused = ask(&mut server.caller(&other), &format!("token={other}"));
    assert_eq!(refused.fails(403, "insufficient_scope")["missing"], json!(["authority:introspect"]));
    assert_eq!(ask(&mut server.anyone(), &format!("token={other}")).status, 401);
}

/// The fast path answers a plain question about a cached token, but never a chunked one.
fn a_body_in_pieces_gets_what_a_whole_one_gets(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [may] = texts(&owner.create_with("may", &["authority:introspect"]), ["secret"]);
    let [may_not] = texts(&owner.create("may not"), ["secret"]);
    let [id, revoked] = texts(&owner.create_with("revoked", &["authority:introspect"]), ["id", "secret"]);
    owner.revoke(&id);
    let mut caller = server.anyone();
    let asked = [&may, &may_not, &revoked, "nlp_00112233445566778899aabbccddeeff550c911c", "nlp_mistyped", ""];
    for credential in [&may, &may_not, &revoked, "nls_x"] {
        for token in asked {
            for form in
                [format!("token={token}"), format!("token={token}&token_type_hint=x"), format!("token={token}%20")]
            {
                let whole = Request::new("POST", "/v1/oauth/introspect").bearer(credential).body(form.as_str());
                caller.ask(whole.clone());
                let pieces = whole.clone().chunked();
                assert_eq!(caller.ask(whole).bare(), caller.ask(pieces).bare(), "{credential} {form}");
            }
        }
    }
    let whole = || Request::new("POST", "/v1/oauth/introspect").bearer(&may).body(format!("token={may}"));
    let before = server.metrics().validations("live");
    for _ in 0..5 {
        caller.ask(whole()).expect(200);
        caller.ask(whole().header("Origin", "https://elsewhere.example")).expect(200);
    }
    assert_eq!(server.metrics().validations("live") - before, 20, "of whoever asks and of what is asked, each time");
}
