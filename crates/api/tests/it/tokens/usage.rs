//! `GET /v1/tokens/{id}/usage`: how often a token was presented, by outcome.

use serde_json::{Value, json};

use crate::support::{Backend, Client, Database, Options, Proxy, Server, both, eventually, later, texts};

both!(
    uses_are_counted_and_show_at_once,
    a_clean_stop_loses_nothing,
    a_stretch_has_whole_steps,
    what_is_no_stretch_is_refused,
);

/// The total of the last day: allowed, insufficient, denied.
fn total(owner: &mut Client, id: &str) -> [u64; 3] {
    let report = owner.get(&format!("/v1/tokens/{id}/usage")).expect(200);
    ["allowed", "insufficient", "denied"].map(|kind| report["total"][kind].as_u64().unwrap())
}

/// Presents a token `allowed` times without a requirement and `insufficient` times with a scope that it lacks.
fn present(caller: &mut Client, secret: &str, allowed: usize, insufficient: usize) {
    for _ in 0..allowed {
        assert!(caller.is_valid(secret));
    }
    let lacking = json!({"token": secret, "required_scopes": ["tokens:manage"]});
    for _ in 0..insufficient {
        caller.post("/v1/auth/validate", &lacking).expect(403);
    }
}

fn uses_are_counted_and_show_at_once(backend: Backend) {
    let server = Server::start(backend, Options::default().with("usage.flush_interval_seconds", 1));
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create_with("a", &["tokens:read"]), ["id", "secret"]);
    assert_eq!(total(&mut owner, &id), [0, 0, 0]);
    present(&mut server.anyone(), &secret, 20, 3);
    // Authenticating a request to this service counts as a use too.
    server.caller(&secret).get("/v1/tokens").expect(200);
    owner.revoke(&id);
    for _ in 0..4 {
        assert!(!owner.is_valid(&secret));
    }
    // The total is right before, while and after the uses are written.
    assert_eq!(total(&mut owner, &id), [21, 3, 4]);
    eventually("all of it to be written", || {
        assert_eq!(total(&mut owner, &id), [21, 3, 4]);
        (server.metrics().get("nolapse_uses_waiting") == 0).then_some(())
    });
    assert_eq!(server.metrics().get("nolapse_uses_waiting_seconds"), 0);
    assert_eq!(total(&mut owner, &id), [21, 3, 4]);
}

fn a_clean_stop_loses_nothing(backend: Backend) {
    let mut server = Server::start(backend, Options::default().with("usage.flush_interval_seconds", 10));
    let mut owner = server.owner();
    let credential = owner.credential().to_owned();
    let [id, secret] = texts(&owner.create("a"), ["id", "secret"]);
    for round in 1..=3 {
        present(&mut server.anyone(), &secret, 5, 2);
        server.restart();
        assert_eq!(total(&mut server.caller(&credential), &id), [5 * round, 2 * round, 0]);
    }
    let token = server.caller(&credential).token(&id);
    assert!(token["last_used_at"].is_string(), "{token}");
}

/// Uses that cannot be written are kept: tokens are validated during an outage, and no use is missing afterwards.
#[test]
fn an_outage_of_the_database_loses_no_use() {
    let database = Database::new(Backend::PostgreSql);
    let proxy = Proxy::to(database.server_address()).unwrap();
    let options = Options::default()
        .through(database.url_through(proxy.port()))
        .with("database.statement_timeout_ms", 500)
        .with("database.connect_timeout_ms", 500)
        .with("database.acquire_timeout_ms", 500)
        .with("usage.flush_interval_seconds", 1);
    let server = Server::start_on(database, options);
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create("a"), ["id", "secret"]);
    present(&mut server.anyone(), &secret, 1, 0);
    eventually("the first", || (total(&mut owner, &id) == [1, 0, 0]).then_some(()));
    let failures = || server.log().matches("token usage could not be written").count();
    let before = failures();
    proxy.cut();
    // Cached tokens are answered during the lease; its length does not matter here.
    let mut caller = server.anyone();
    let answered: u64 = (0..10).map(|_| u64::from(caller.validate(&secret).status == 200)).sum();
    assert!(answered > 0);
    eventually("a flush that fails", || (failures() > before).then_some(()));
    proxy.open();
    eventually("all of it", || {
        let answer = owner.get(&format!("/v1/tokens/{id}/usage"));
        (answer.status == 200 && answer.json()["total"]["allowed"] == 1 + answered).then_some(())
    });
}

fn a_stretch_has_whole_steps(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id] = texts(&owner.create("a"), ["id"]);
    let mut ask = |query: &str| owner.get(&format!("/v1/tokens/{id}/usage{query}")).expect(200);
    for (query, step, from, to, steps) in [
        (
            "?from=2026-01-15T09:32:11Z&to=2026-01-15T11:00:01Z",
            "hour",
            "2026-01-15T09:00:00Z",
            "2026-01-15T12:00:00Z",
            3,
        ),
        (
            "?from=2026-01-14T23:00:00-02:00&to=2026-01-16T00:00:00Z&step=day",
            "day",
            "2026-01-15T00:00:00Z",
            "2026-01-16T00:00:00Z",
            1,
        ),
        ("?to=2026-01-15T09:00:00Z", "hour", "2026-01-14T09:00:00Z", "2026-01-15T09:00:00Z", 24),
        ("?to=2026-01-15T00:00:00Z&step=day", "day", "2025-12-16T00:00:00Z", "2026-01-15T00:00:00Z", 30),
    ] {
        let report = ask(query);
        assert_eq!(report["token_id"], id);
        let found = ["step", "from", "to"].map(|field| report[field].as_str().unwrap().to_owned());
        assert_eq!(found, [step, from, to], "{query}");
        let usage = report["usage"].as_array().unwrap();
        assert_eq!(usage.len(), steps, "{query}");
        let empty = json!({"begins_at": from, "allowed": 0, "insufficient": 0, "denied": 0});
        assert_eq!(usage[0], empty, "{query}");
    }
    let whole = ask("");
    let last = whole["usage"].as_array().unwrap().last().unwrap()["begins_at"].as_str().unwrap().to_owned();
    assert!(last <= later(0) && whole["to"].as_str().unwrap() > last.as_str(), "{whole}");
}

fn what_is_no_stretch_is_refused(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id] = texts(&owner.create("a"), ["id"]);
    for (query, field) in [
        ("?step=week", "step"),
        ("?step=", "step"),
        ("?from=yesterday", "from"),
        ("?to=2026-01-15", "to"),
        ("?to=1969-12-31T23:59:59Z", "to"),
        ("?from=2026-01-15T09:00:00Z&to=2026-01-15T09:00:00Z", "from"),
        ("?from=2026-01-16T09:00:00Z&to=2026-01-15T09:00:00Z", "from"),
        ("?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:01Z", "from"),
        ("?from=2026-01-01T00:00:00Z&to=2027-02-06T00:00:00Z&step=day", "from"),
        ("?from=1970-01-01T00:00:00Z&to=9999-12-31T23:59:59Z&step=day", "from"),
        ("?from=9999-01-01T00:00:00Z", "from"),
        ("?step=day&step=day", "step"),
    ] {
        let answer = owner.get(&format!("/v1/tokens/{id}/usage{query}")).expect(400);
        assert_eq!(answer["field"], field, "{query} {answer}");
    }
    let absent = "018f0000-0000-7000-8000-000000000001";
    for id in [absent, "x"] {
        let answer: Value = owner.get(&format!("/v1/tokens/{id}/usage")).expect(404);
        assert_eq!(answer["error"], "not found");
    }
}
