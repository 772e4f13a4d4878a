//! `/health`, `/ready`, `/metrics`, and properties of every answer: request id, JSON errors, allowed methods.

use serde_json::json;

use crate::support::{Backend, Database, Metrics, Options, Proxy, Request, Server, both, eventually, texts};

both!(
    healthy_and_ready,
    metrics_count_what_happened,
    hot_routes_are_measured_now_and_then,
    metrics_can_be_switched_off,
    every_answer_has_an_id,
    unknown_paths_and_methods,
    listed_origins_may_call,
);

fn healthy_and_ready(backend: Backend) {
    let server = Server::start(backend, Options::default());
    for path in ["/health", "/ready"] {
        let answer = server.anyone().get(path);
        assert_eq!((answer.status, answer.text()), (200, r#"{"status":"ok"}"#), "{path}");
        let head = server.anyone().ask(Request::new("HEAD", path));
        assert_eq!((head.status, head.header("content-length")), (200, Some("15")));
    }
}

/// `/ready` names an unreachable database; the process stays alive and becomes ready again by itself.
#[test]
fn readiness_names_the_database() {
    let database = Database::new(Backend::PostgreSql);
    let proxy = Proxy::to(database.server_address()).unwrap();
    let options = Options::default().through(database.url_through(proxy.port()));
    let server = Server::start_on(database, options);
    assert_eq!(server.anyone().get("/ready").status, 200);
    proxy.cut();
    let failing = eventually("readiness to fail", || {
        let answer = server.anyone().get("/ready");
        (answer.status == 503).then_some(answer)
    });
    let body = failing.fails(503, "unavailable");
    assert!(body["failing"].as_array().unwrap().contains(&json!("database")), "{body}");
    assert!(body["message"].as_str().unwrap().contains("database"), "{body}");
    assert!(failing.header("retry-after").is_some());
    assert_eq!(server.anyone().get("/health").status, 200);
    proxy.open();
    eventually("readiness", || (server.anyone().get("/ready").status == 200).then_some(()));
}

fn metrics_count_what_happened(backend: Backend) {
    let server = Server::start(backend, Options::default().bcrypt());
    let mut owner = server.owner();
    let [secret] = texts(&owner.create("a"), ["secret"]);
    assert!(owner.is_valid(&secret) && owner.is_valid(&secret) && !owner.is_valid("nlp_x"));
    owner.get("/v1/tokens/018f0000-0000-7000-8000-000000000001").fails(404, "not found");
    // The classic format, unless the client asks for `OpenMetrics`, as Prometheus does.
    let classic = server.anyone().get("/metrics");
    assert_eq!(classic.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let newer = Request::new("GET", "/metrics").header("accept", "application/openmetrics-text; version=1.0.0");
    let answer = server.anyone().ask(newer);
    assert_eq!(answer.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    assert!(answer.text().ends_with("# EOF\n"));
    let metrics = Metrics::parse(answer.text());
    assert_eq!((metrics.validations("live"), metrics.validations("malformed")), (2, 1));
    assert_eq!((metrics.candidate_reads(), metrics.get("nolapse_cached_tokens")), (1, 1));
    assert_eq!(metrics.slow_hashes(), 2, "one password, one token");
    let route = r#"nolapse_http_requests_total{method="GET",route="/v1/tokens/{token_id}",status="404"}"#;
    assert_eq!(metrics.get(route), 1);
    assert!(!answer.text().contains("018f0000") && !answer.text().contains(&secret[..12]));
}

/// Each of the two workers measures one request in 64.
fn hot_routes_are_measured_now_and_then(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let [secret] = texts(&server.owner().create("a"), ["secret"]);
    let mut anyone = server.anyone();
    assert!((0..300).all(|_| anyone.is_valid(&secret)));
    let count = server.metrics().get(r#"nolapse_http_hot_request_duration_seconds_count{route="/v1/auth/validate"}"#);
    assert!((4..=6).contains(&count), "{count}");
}

fn metrics_can_be_switched_off(backend: Backend) {
    let server = Server::start(backend, Options::default().with("metrics.enabled", false));
    server.anyone().get("/metrics").fails(404, "not found");
}

fn every_answer_has_an_id(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let owner = server.owner();
    let credential = owner.credential();
    let paths =
        ["/health", "/ready", "/metrics", "/v1/me", "/v1/tokens", "/v1/auth/validate", "/nowhere", "/v1/tokens/x"];
    let mut seen = std::collections::HashSet::new();
    for path in paths {
        let own = server.caller(credential).get(path);
        let id = own.header("x-request-id").unwrap();
        assert_eq!(id.len(), 24, "{path}");
        assert!(seen.insert(id.to_owned()), "{path}");
        for (sent, kept) in [("trace-7f.A_b", true), ("x", true), ("a b", false), ("", false), ("ü", false)] {
            let answer = server.caller(credential).ask(Request::new("GET", path).header("X-Request-ID", sent));
            assert_eq!(answer.header("x-request-id") == Some(sent), kept, "{path} {sent:?}");
        }
        let long = "y".repeat(65);
        let answer = server.caller(credential).ask(Request::new("GET", path).header("X-Request-ID", long.clone()));
        assert_ne!(answer.header("x-request-id"), Some(long.as_str()));
    }
    // The trail names the request.
    let create = Request::new("POST", "/v1/tokens").header("X-Request-ID", "find-me-1");
    server.caller(credential).ask(create.json(&json!({"name": "a", "scopes": ["execute"]}))).expect(201);
    let events = server.facts().audit();
    assert!(events.iter().any(|event| event.action == "token.create" && event.request_id == "find-me-1"));
}

fn unknown_paths_and_methods(backend: Backend) {
    let server = Server::start(backend, Options::default());
    for path in ["/v1", "/v1/", "/v2/tokens", "/v1/tokens/", "/V1/tokens", "/v1/tokens/a/b", "/v1//tokens", "/.env"] {
        server.anyone().get(path).fails(404, "not found");
    }
    let rows = [
        ("PUT", "/v1/tokens", "GET, HEAD, POST"),
        ("DELETE", "/v1/tokens", "GET, HEAD, POST"),
        ("PUT", "/v1/tokens/x", "GET, HEAD, DELETE, PATCH"),
        ("GET", "/v1/tokens/x/rotate", "POST"),
        ("POST", "/health", "GET, HEAD"),
        ("TRACE", "/health", "GET, HEAD"),
        ("BREW", "/health", "GET, HEAD"),
        ("POST", "/v1/sessions/current", "DELETE"),
    ];
    for (method, path, allow) in rows {
        let answer = server.anyone().ask(Request::new(method, path));
        answer.fails(405, "method not allowed");
        let sorted = |text: &str| {
            let mut methods: Vec<String> = text.split(", ").map(str::to_owned).collect();
            methods.sort();
            methods
        };
        assert_eq!(sorted(answer.header("allow").unwrap()), sorted(allow), "{method} {path}");
    }
}

fn listed_origins_may_call(backend: Backend) {
    let options = Options::default().with("server.allowed_origins", "https://app.example");
    let server = Server::start(backend, options);
    for (origin, allowed) in [("https://app.example", Some("https://app.example")), ("https://evil.example", None)] {
        for path in ["/v1/tokens", "/v1/sessions", "/health"] {
            let answer = server.anyone().ask(Request::new("GET", path).header("Origin", origin));
            assert_eq!(answer.header("access-control-allow-origin"), allowed, "{path} {origin}");
            assert_eq!(answer.header("access-control-allow-credentials"), None);
            let question = Request::new("OPTIONS", path)
                .header("Origin", origin)
                .header("Access-Control-Request-Method", "POST")
                .header("Access-Control-Request-Headers", "authorization, content-type, idempotency-key");
            let answer = server.anyone().ask(question);
            assert_eq!(answer.status, if allowed.is_some() { 204 } else { 405 }, "{path} {origin}");
            assert_eq!(answer.header("access-control-allow-methods").is_some(), allowed.is_some());
        }
    }
}
