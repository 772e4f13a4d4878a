//! `/v1/auth/forward`: the questions of proxies, and the headers they copy.

use serde_json::{Value, json};

use crate::support::{Answer, Backend, Options, Request, Server, Wire, both, texts};

both!(
    every_header_is_there_whatever_there_is_to_say,
    any_method_will_do,
    all_of_some_scopes_or_one_of_others,
    only_a_good_token_passes,
    a_body_makes_no_difference,
    what_was_revoked_does_not_pass,
    no_answer_may_be_kept,
    only_known_parameters_are_taken,
    the_path_form_leaves_the_query_to_the_client,
    preflights_pass_without_a_credential_where_allowed,
    a_route_table_asks_for_what_its_row_says,
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
    // Some proxies forward the body; it is not read.
    let request = Request::new("POST", FORWARD).bearer(&secret).body("not { even json");
    assert_eq!(Wire::open(server.address()).unwrap().ask(&request).unwrap().status, 200);
    // The other ways to present a token.
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
    let two = Wire::open(server.address()).unwrap().ask(&request).unwrap();
    two.fails(401, "conflicting credentials");
    assert_eq!(two.header("www-authenticate"), Some(r#"Bearer realm="nolapse", error="invalid_request""#));
}

/// A shared cache must not reuse one caller's success for another, or after the token has ended.
fn no_answer_may_be_kept(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let [secret] = texts(&server.owner().create("a"), ["secret"]);
    let mut caller = server.anyone();
    for (credential, path, status) in [
        (secret.as_str(), FORWARD, 200),
        (&secret, "/v1/auth/forward/scope/execute/a/b", 200),
        (&secret, "/v1/auth/forward?scope=admin", 403),
        (&secret, "/v1/auth/forward?scopes=admin", 400),
        ("nlp_00112233445566778899aabbccddeeff550c911c", FORWARD, 401),
        ("", FORWARD, 401),
    ] {
        let request = Request::new("GET", path).bearer(credential);
        // By the fast path, and (with a body) by the handler.
        for request in [request.clone(), request.clone(), request.body("x")] {
            let answer = caller.ask(request);
            assert_eq!(answer.status, status, "{path}");
            for (name, value) in [
                ("cache-control", "no-store"),
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "DENY"),
                ("referrer-policy", "no-referrer"),
            ] {
                assert_eq!(answer.header(name), Some(value), "{path}: {answer:?}");
            }
        }
    }
}

fn only_known_parameters_are_taken(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let [secret] = texts(&server.owner().create_with("a", &["read"]), ["secret"]);
    let mut caller = server.caller(&secret);
    for (query, field) in [
        ("scopes=admin", "scopes"),
        ("scope=read&Scope=admin", "Scope"),
        ("scope[]=admin", "scope[]"),
        ("preflight=allowed", "preflight"),
        ("preflight=", "preflight"),
        ("routes=absent", "routes"),
        ("routes=a&routes=a", "routes"),
        ("token=x", "token"),
    ] {
        let headers =
            |request: Request<'static>| request.header("X-Forwarded-Method", "GET").header("X-Forwarded-Uri", "/");
        let path = format!("{FORWARD}?{query}");
        let path: &'static str = path.leak();
        let answer = caller.ask(headers(Request::new("GET", path)));
        assert_eq!(answer.fails(400, "invalid request")["field"], field, "{query}");
    }
    for path in
        ["/v1/auth/forward/", "/v1/auth/forward/any/read/a", "/v1/auth/forward/scope/", "/v1/auth/forward/scope//a"]
    {
        assert_eq!(caller.get(path).fails(400, "invalid request")["field"], "path", "{path}");
    }
}

/// Envoy's form: the client's path is appended, and query and method are the client's.
fn the_path_form_leaves_the_query_to_the_client(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let [id, secret] = texts(&server.owner().create_with("a", &["scans:read"]), ["id", "secret"]);
    let mut caller = server.caller(&secret);
    for (path, status) in [
        ("/v1/auth/forward/scope/scans:read", 200),
        ("/v1/auth/forward/scope/scans:read/", 200),
        ("/v1/auth/forward/scope/scans:read/api/v1/scans?scope=admin&scopes=x&any=admin&preflight=x&routes=x", 200),
        ("/v1/auth/forward/scope/scans:read/../../../health", 200),
        ("/v1/auth/forward/scope/scans:read/scope/admin", 200),
        ("/v1/auth/forward/scope/scans:delete/api?any=scans:read", 403),
        ("/v1/auth/forward/scope/no-such-scope/api", 403),
    ] {
        for method in ["GET", "HEAD", "POST", "DELETE", "OPTIONS"] {
            let request = Request::new(method, path).bearer(&secret);
            let answer = Wire::open(server.address()).unwrap().ask(&request).unwrap();
            assert_eq!(answer.status, status, "{method} {path}");
            assert_eq!(answer.header("x-nlp-token-id"), (status == 200).then_some(id.as_str()), "{method} {path}");
        }
    }
    assert_eq!(server.anyone().get("/v1/auth/forward/scope/scans:read/api?preflight=allow").status, 401);
    assert_eq!(caller.get("/v1/auth/forward/scope/scans:read/a").status, 200);
}

fn preflights_pass_without_a_credential_where_allowed(backend: Backend) {
    const METHOD: (&str, &str) = ("X-Forwarded-Method", "OPTIONS");
    const ORIGIN: (&str, &str) = ("Origin", "https://a.example");
    const ASKS: (&str, &str) = ("Access-Control-Request-Method", "PUT");
    /// Query, headers, status of the answer.
    type Row = (&'static str, &'static [(&'static str, &'static str)], u16);
    let server = Server::start(backend, Options::default());
    let mut caller = server.anyone();
    let rows: [Row; 9] = [
        ("?preflight=allow", &[METHOD, ORIGIN, ASKS], 200),
        ("?scope=execute&preflight=allow", &[METHOD, ORIGIN, ASKS], 200),
        ("?scope=execute", &[METHOD, ORIGIN, ASKS], 401),
        ("?preflight=allow", &[METHOD, ASKS], 401),
        ("?preflight=allow", &[METHOD, ORIGIN], 401),
        ("?preflight=allow", &[("X-Forwarded-Method", "GET"), ORIGIN, ASKS], 401),
        ("?preflight=allow", &[("X-Forwarded-Method", "options"), ORIGIN, ASKS], 401),
        // A misconfigured gateway that does not send the client's method gets 400.
        ("?preflight=allow", &[ORIGIN, ASKS], 400),
        ("?preflight=allow", &[METHOD, ("X-Forwarded-Method", "GET"), ORIGIN, ASKS], 400),
    ];
    for (query, with, status) in rows {
        // The method of the gateway's question makes no difference.
        for by in ["GET", "OPTIONS"] {
            let path = format!("{FORWARD}{query}");
            let request =
                with.iter().fold(Request::new(by, &path), |request, (name, value)| request.header(name, *value));
            let answer = caller.ask(request);
            assert_eq!(answer.status, status, "{query} {with:?}: {answer:?}");
            if status == 200 {
                assert_eq!(headers(&answer), [""; 7].map(str::to_owned));
            }
        }
    }
}

fn a_route_table_asks_for_what_its_row_says(backend: Backend) {
    let table = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/gateways/scanner.toml");
    let server = Server::start(backend, Options::default().with("gateways.route_tables", table));
    let [secret] = texts(&server.owner().create_with("a", &["scans:read", "projects:read"]), ["secret"]);
    let mut caller = server.caller(&secret);
    let (allowed, refused) = (None, Some("insufficient scope"));
    for (method, uri, error) in [
        ("GET", "/api/v1/scans?x=/api/v1/files", allowed),
        ("HEAD", "/api/v1/scans/7", allowed),
        ("DELETE", "/api/v1/scans/7", refused),
        ("GET", "/api/v1/scans/7/../../files", Some("no route")),
        ("GET", "/elsewhere", Some("no route")),
        ("BREW", "/api/v1/scans", Some("no route")),
    ] {
        // The questions of nginx, Traefik and Caddy, and that of Envoy.
        let query = format!("{FORWARD}?routes=scanner");
        let by_query = Request::new("GET", &query).header("X-Forwarded-Method", method).header("X-Forwarded-Uri", uri);
        let path = format!("{FORWARD}/routes/scanner{uri}");
        let by_path = Request::new(method, &path);
        for request in [by_query, by_path] {
            let answer = Wire::open(server.address()).unwrap().ask(&request.bearer(&secret)).unwrap();
            let expected = if error.is_some() { 403 } else { 200 };
            assert_eq!(answer.status, expected, "{method} {uri}: {answer:?}");
            if let Some(error) = error {
                answer.fails(403, error);
                assert!(answer.header("www-authenticate").unwrap().contains("insufficient_scope"), "{method} {uri}");
            }
        }
    }
    // Scopes named in addition to the table are required too.
    let get = |query: &'static str| {
        Request::new("GET", query).header("X-Forwarded-Method", "GET").header("X-Forwarded-Uri", "/api/v1/scans")
    };
    assert_eq!(caller.ask(get("/v1/auth/forward?routes=scanner&scope=projects:read")).status, 200);
    caller.ask(get("/v1/auth/forward?routes=scanner&scope=execute")).fails(403, "insufficient scope");
    // A misconfigured gateway that does not describe the client's request gets 400.
    let answer = caller.get("/v1/auth/forward?routes=scanner");
    assert_eq!(answer.fails(400, "invalid request")["field"], "X-Forwarded-Uri");
    assert_eq!(caller.get("/v1/auth/forward/routes/absent/api/v1/scans").expect(400)["field"], "routes");
    assert_eq!(server.anyone().get("/v1/auth/forward/routes/scanner/api/v1/scans").status, 401);
}

/// The fast path answers a question without a body about a cached token, but never one with a body.
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
