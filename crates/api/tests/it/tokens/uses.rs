//! The recorded uses of a token: the time of its last use, and the reuse of a superseded one.

use serde_json::{Value, json};
use token_domain::Timestamp;

use crate::support::{Backend, Options, Server, both, eventually, later, texts};

both!(
    the_last_use_is_written_down_soon,
    a_use_shows_at_once_wherever_a_token_does,
    a_refused_use_is_no_use,
    reuse_after_supersession_is_recorded_once,
);

fn the_last_use_is_written_down_soon(backend: Backend) {
    let server = Server::start(backend, Options::default().with("usage.flush_interval_seconds", 1));
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create_with("a", &["tokens:read"]), ["id", "secret"]);
    let facts = server.facts();
    let organization = facts.organization(Server::ORGANIZATION).id;
    let stored = || facts.token(organization, &id).unwrap().last_used_at.map(Timestamp::rfc3339_seconds);
    assert_eq!(stored(), None);
    let writes = server.metrics().get("nolapse_store_writes_total");
    let before = later(0);
    for _ in 0..50 {
        assert!(owner.is_valid(&secret));
    }
    let after = later(0);
    let used = eventually("the last use", stored);
    assert!(before <= used && used <= after, "{before} {used} {after}");
    let written = server.metrics().get("nolapse_store_writes_total") - writes;
    assert!(written <= 3, "fifty uses were written down in {written} units of work");

    // Authenticating a request to this service counts as a use too.
    eventually("a later second", || (later(0) > used).then_some(()));
    server.caller(&secret).get("/v1/tokens").expect(200);
    eventually("the later use", || (stored()? > used).then_some(()));
}

/// No use is written during this test, which takes less time than the longest flush interval.
fn a_use_shows_at_once_wherever_a_token_does(backend: Backend) {
    let server = Server::start(backend, Options::default().with("usage.flush_interval_seconds", 10));
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create_with("a", &["tokens:read"]), ["id", "secret"]);
    let made = owner.post("/v1/me/keys", &json!({"name": "mine"})).expect(201);
    let [key_id, key] = texts(&made, ["id", "secret"]);
    let before = later(0);
    assert!(owner.is_valid(&secret) && owner.is_valid(&key));
    let after = later(0);
    let (token, mine) = (format!("/v1/tokens/{id}"), format!("/v1/me/keys/{key_id}"));
    let shown = [
        owner.get(&token).expect(200),
        owner.patch(&token, &json!({"name": "b"})).expect(200),
        owner.get("/v1/tokens").expect(200)["tokens"][0].clone(),
        owner.get(&mine).expect(200),
        owner.get("/v1/me/keys").expect(200)["tokens"][0].clone(),
    ];
    for view in shown {
        let used = view["last_used_at"].as_str().unwrap_or_else(|| panic!("{view}")).to_owned();
        assert!(before <= used && used <= after, "{before} {used} {after}");
    }
    // This request is a use itself.
    let itself = server.caller(&secret).get("/v1/tokens/self").expect(200);
    assert!(itself["last_used_at"].as_str().unwrap() >= before.as_str(), "{itself}");
    let seen = owner.post("/v1/auth/validate", &json!({"token": secret, "detail": true})).expect(200);
    assert!(seen["last_used_at"].as_str().unwrap() >= before.as_str(), "{seen}");
}

fn a_refused_use_is_no_use(backend: Backend) {
    let mut server = Server::start(backend, Options::default().with("usage.flush_interval_seconds", 1));
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create("a"), ["id", "secret"]);
    owner.revoke(&id);
    assert!(!owner.is_valid(&secret));
    let credential = owner.credential().to_owned();
    // A clean stop writes all uses.
    server.restart();
    assert_eq!(server.caller(&credential).token(&id)["last_used_at"], Value::Null);
}

fn reuse_after_supersession_is_recorded_once(backend: Backend) {
    let mut server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id, old] = texts(&owner.create("a"), ["id", "secret"]);
    owner.rotate(&id, &json!({"grace_period_seconds": 0}));
    let [revoked_id, revoked] = texts(&owner.create("b"), ["id", "secret"]);
    owner.revoke(&revoked_id);
    let [cancelled_id] = texts(&owner.create("c"), ["id"]);
    let [cancelled] = texts(&owner.rotate(&cancelled_id, &json!({})), ["secret"]);
    owner.call(&format!("/v1/tokens/{cancelled_id}/rotate/cancel")).expect(200);

    for _ in 0..5 {
        assert!(!owner.is_valid(&old) && !owner.is_valid(&revoked) && !owner.is_valid(&cancelled));
    }
    let facts = server.facts();
    let reuses =
        || -> Vec<_> { facts.audit().into_iter().filter(|event| event.action == "token.reuse_detected").collect() };
    let recorded = eventually("the record of the reuse", || {
        let recorded = reuses();
        (!recorded.is_empty()).then_some(recorded)
    });
    assert_eq!(recorded.len(), 1, "{recorded:?}");
    assert_eq!((recorded[0].target_kind.as_str(), recorded[0].target_id.as_str()), ("token", id.as_str()));
    let detail: Value = serde_json::from_str(&recorded[0].detail).unwrap();
    assert_eq!(detail, json!({"client_ip": "127.0.0.1"}));

    // No second event, even after a restart with an empty cache, and with the token authenticating a request.
    server.restart();
    assert!(!server.anyone().is_valid(&old));
    server.caller(&old).get("/v1/tokens").fails(401, "invalid token");
    server.stop();
    assert_eq!(reuses().len(), 1);
}
