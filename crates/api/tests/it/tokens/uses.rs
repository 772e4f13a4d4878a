//! What is remembered of a token's use: when it was last used, and that somebody still holds a superseded one.

use serde_json::{Value, json};

use crate::support::{Backend, Options, Server, both, eventually, later, texts};

both!(the_last_use_is_written_down_soon, a_refused_use_is_no_use, reuse_after_supersession_is_recorded_once,);

fn the_last_use_is_written_down_soon(backend: Backend) {
    let server = Server::start(backend, Options::default().with("usage.flush_interval_seconds", 1));
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create_with("a", &["tokens:read"]), ["id", "secret"]);
    assert_eq!(owner.token(&id)["last_used_at"], Value::Null);
    let writes = server.metrics().get("nolapse_store_writes_total");
    let before = later(0);
    for _ in 0..50 {
        assert!(owner.is_valid(&secret));
    }
    let after = later(0);
    let used = eventually("the last use", || owner.token(&id)["last_used_at"].as_str().map(str::to_owned));
    assert!(before <= used && used <= after, "{before} {used} {after}");
    let written = server.metrics().get("nolapse_store_writes_total") - writes;
    assert!(written <= 3, "fifty uses were written down in {written} units of work");

    // Its use as a credential counts as well, and `detail` does not wait for the flush.
    eventually("a later second", || (later(0) > used).then_some(()));
    server.caller(&secret).get("/v1/tokens").expect(200);
    let seen = owner.post("/v1/auth/validate", &json!({"token": secret, "detail": true})).expect(200);
    assert!(seen["last_used_at"].as_str().unwrap() > used.as_str(), "{seen}");
    eventually("the later use", || (owner.token(&id)["last_used_at"].as_str()? > used.as_str()).then_some(()));
}

fn a_refused_use_is_no_use(backend: Backend) {
    let mut server = Server::start(backend, Options::default().with("usage.flush_interval_seconds", 1));
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create("a"), ["id", "secret"]);
    owner.revoke(&id);
    assert!(!owner.is_valid(&secret));
    let credential = owner.credential().to_owned();
    // A clean stop writes down whatever there is.
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

    // Once is once, also for a process that has forgotten everything, and for the token as a credential.
    server.restart();
    assert!(!server.anyone().is_valid(&old));
    server.caller(&old).get("/v1/tokens").fails(401, "invalid token");
    server.stop();
    assert_eq!(reuses().len(), 1);
}
