//! `POST /v1/tokens/{id}/rotate` and `…/cancel`: two valid tokens during the grace, and its exact end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use token_domain::{Span, Timestamp};

use crate::support::{Backend, Client, Options, Server, both, eventually, later, texts};

both!(
    both_tokens_count_until_the_grace_ends,
    the_grace_is_a_day_unless_said,
    no_grace_ends_the_old_token_at_once,
    a_grace_out_of_range_is_refused,
    the_deployment_may_allow_less_grace,
    the_old_token_dies_at_the_exact_end,
    the_grace_never_outlives_the_expiry,
    the_expiry_is_carried_over,
    only_an_active_token_is_rotated,
    of_eight_at_once_one_wins,
    a_rotation_is_taken_back,
    the_first_use_shortens_the_grace,
    the_first_use_never_lengthens_the_grace,
    a_chain_of_rotations,
);

/// Microseconds since 1970 of a time in the wire format.
fn micros(value: &Value) -> i64 {
    Timestamp::parse_rfc3339(value.as_str().unwrap_or_else(|| panic!("a time: {value}"))).unwrap().as_micros()
}

fn both_tokens_count_until_the_grace_ends(backend: Backend) {
    let server = Server::start(backend, Options::default().bcrypt());
    let mut owner = server.owner();
    let asked = json!({"name": "kept", "scopes": ["scans:read", "execute"], "agent_type": "robot"});
    let old = owner.post("/v1/tokens", &asked).expect(201);
    let [old_id, old_secret] = texts(&old, ["id", "secret"]);
    let answer =
        owner.post(&format!("/v1/tokens/{old_id}/rotate"), &json!({"grace_period_seconds": 600, "mode": "fixed"}));
    let rotated = answer.expect(200);
    let [id, secret, ends, created_at] = texts(&rotated, ["id", "secret", "grace_period_ends_at", "created_at"]);
    let expected = json!({
        "id": id, "secret": secret, "name": "kept", "scopes": ["scans:read", "execute"], "agent_type": "robot",
        "status": "active", "created_at": created_at, "expires_at": null, "old_token_id": old_id,
        "old_token_status": "rotating", "grace_period_ends_at": ends,
    });
    assert_eq!(rotated, expected);
    assert_ne!((&id, &secret), (&old_id, &old_secret));
    assert_eq!(micros(&rotated["grace_period_ends_at"]) - micros(&rotated["created_at"]), 600_000_000);
    assert!(owner.is_valid(&old_secret) && owner.is_valid(&secret));

    let old = owner.token(&old_id);
    assert_eq!((&old["status"], &old["rotated_to"]), (&json!("rotating"), &json!(id)));
    assert_eq!((&old["grace_period_ends_at"], &old["revoked_at"]), (&json!(ends), &Value::Null));
    let new = owner.token(&id);
    assert_eq!((&new["status"], &new["rotated_from"]), (&json!("active"), &json!(old_id)));
    assert_eq!((&new["rotated_to"], &new["grace_period_ends_at"]), (&Value::Null, &Value::Null));

    let events = server.facts().audit();
    let event = events.iter().find(|event| event.action == "token.rotate").unwrap();
    assert_eq!(event.target_id, old_id);
    let detail: Value = serde_json::from_str(&event.detail).unwrap();
    assert_eq!((&detail["successor"], &detail["mode"]), (&json!(id), &json!("fixed")));
}

fn the_grace_is_a_day_unless_said(backend: Backend) {
    let mut server = Server::start(backend, Options::default());
    for (configured, grace) in [(None, 86_400), (Some(90), 90)] {
        if let Some(seconds) = configured {
            server.options.set("tokens.default_grace_seconds", seconds);
            server.restart();
        }
        let mut owner = server.owner();
        for body in [None, Some(json!({})), Some(json!({"grace_period_seconds": null, "mode": null}))] {
            let [id] = texts(&owner.create("a"), ["id"]);
            let path = format!("/v1/tokens/{id}/rotate");
            let rotated = match body {
                None => owner.call(&path).expect(200),
                Some(body) => owner.post(&path, &body).expect(200),
            };
            let length = micros(&rotated["grace_period_ends_at"]) - micros(&rotated["created_at"]);
            assert_eq!(length, grace * 1_000_000);
        }
    }
}

fn no_grace_ends_the_old_token_at_once(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    for mode in ["fixed", "first_use"] {
        let [id, old] = texts(&owner.create("a"), ["id", "secret"]);
        assert!(owner.is_valid(&old));
        let rotated = owner.rotate(&id, &json!({"grace_period_seconds": 0, "mode": mode}));
        assert_eq!(rotated["old_token_status"], "revoked");
        assert!(!owner.is_valid(&old));
        assert!(owner.is_valid(rotated["secret"].as_str().unwrap()));
        let old = owner.token(&id);
        assert_eq!((&old["status"], &old["revoked_reason"]), (&json!("revoked"), &json!("superseded")));
        assert_eq!(old["revoked_at"], rotated["created_at"]);
    }
}

fn a_grace_out_of_range_is_refused(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id] = texts(&owner.create("a"), ["id"]);
    let path = format!("/v1/tokens/{id}/rotate");
    let rows = [
        (json!({"grace_period_seconds": 2_592_001}), "grace_period_seconds"),
        (json!({"grace_period_seconds": 4_294_967_296_u64}), "grace_period_seconds"),
        (json!({"grace_period_seconds": -1}), "grace_period_seconds"),
        (json!({"grace_period_seconds": 0.5}), "grace_period_seconds"),
        (json!({"grace_period_seconds": "60"}), "grace_period_seconds"),
        (json!({"mode": "soon"}), "mode"),
        (json!({"mode": 1}), "mode"),
    ];
    for (body, field) in rows {
        assert_eq!(owner.post(&path, &body).fails(400, "invalid request")["field"], field, "{body}");
    }
    assert_eq!(owner.token(&id)["status"], "active");
    let longest = owner.rotate(&id, &json!({"grace_period_seconds": 2_592_000}));
    assert_eq!(micros(&longest["grace_period_ends_at"]) - micros(&longest["created_at"]), 2_592_000_000_000);
}

fn the_deployment_may_allow_less_grace(backend: Backend) {
    let options = Options::default().with("tokens.default_grace_seconds", 30).with("tokens.max_grace_seconds", 60);
    let server = Server::start(backend, options);
    let mut owner = server.owner();
    let [id] = texts(&owner.create("a"), ["id"]);
    let refused = owner.post(&format!("/v1/tokens/{id}/rotate"), &json!({"grace_period_seconds": 61}));
    let body = refused.fails(400, "invalid request");
    assert_eq!(
        (&body["field"], &body["message"]),
        (&json!("grace_period_seconds"), &json!("grace_period_seconds must be 0 to 60"))
    );
    owner.rotate(&id, &json!({"grace_period_seconds": 60}));
}

/// Validates the old token continuously: it must be valid while the clock is certainly before the end, and invalid once
/// the clock is certainly past it.
fn the_old_token_dies_at_the_exact_end(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let facts = server.facts();
    let organization = facts.organization(Server::ORGANIZATION).id;
    let [id, old] = texts(&owner.create("a"), ["id", "secret"]);
    let rotated = owner.rotate(&id, &json!({"grace_period_seconds": 2}));
    let ends = facts.token(organization, &id).unwrap().facts.superseded.unwrap().grace_ends_at;
    let died = dies_at(&mut owner, &old, ends);
    assert!(died > 100, "validated all the way: {died}");
    assert!(owner.is_valid(rotated["secret"].as_str().unwrap()));
    let old = owner.token(&id);
    assert_eq!((&old["status"], &old["revoked_reason"]), (&json!("revoked"), &json!("superseded")));
    assert_eq!(old["revoked_at"], rotated["grace_period_ends_at"]);

    // The same holds for an expiry, which neither a grace nor the cache may move.
    let made =
        owner.post("/v1/tokens", &json!({"name": "b", "scopes": ["execute"], "expires_at": later(3)})).expect(201);
    let [id, secret] = texts(&made, ["id", "secret"]);
    let ends = facts.token(organization, &id).unwrap().facts.expires_at.unwrap();
    dies_at(&mut owner, &secret, ends);
    let dead = owner.token(&id);
    assert_eq!((&dead["status"], &dead["revoked_at"]), (&json!("expired"), &Value::Null));
}

/// Validates continuously until the token is invalid; returns how often it was valid. Each answer must agree with the
/// clock, which the server shares: valid if it arrived before the end, invalid if the question was sent after the end.
fn dies_at(caller: &mut Client, secret: &str, ends: Timestamp) -> u32 {
    let clock = || crate::support::now();
    let mut good = 0;
    loop {
        let asked = clock();
        let is_valid = caller.is_valid(secret);
        let answered = clock();
        if is_valid {
            assert!(asked < ends, "good {:?} after its end", asked.since(ends));
            good += 1;
        } else {
            // A node's estimate of the database's clock is ahead by at most the time of a query, and never behind.
            assert!(answered + Span::seconds(1) >= ends, "dead {:?} before its end", ends.since(answered));
            return good;
        }
    }
}

fn the_grace_never_outlives_the_expiry(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let expires_at = later(1800);
    let made =
        owner.post("/v1/tokens", &json!({"name": "a", "scopes": ["execute"], "expires_at": expires_at})).expect(201);
    let rotated = owner.rotate(made["id"].as_str().unwrap(), &json!({"grace_period_seconds": 7200}));
    assert_eq!(rotated["grace_period_ends_at"], expires_at);
}

fn the_expiry_is_carried_over(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let expires_at = later(86_400);
    let moment =
        owner.post("/v1/tokens", &json!({"name": "a", "scopes": ["execute"], "expires_at": expires_at})).expect(201);
    let rotated = owner.rotate(moment["id"].as_str().unwrap(), &json!({}));
    assert_eq!(rotated["expires_at"], expires_at, "a moment stays that moment");

    let span =
        owner.post("/v1/tokens", &json!({"name": "b", "scopes": ["execute"], "expires_in_days": 30})).expect(201);
    let rotated = owner.rotate(span["id"].as_str().unwrap(), &json!({}));
    let length = micros(&rotated["expires_at"]) - micros(&rotated["created_at"]);
    assert_eq!(length, 30 * 86_400 * 1_000_000, "a span begins anew");
    let again = owner.rotate(rotated["id"].as_str().unwrap(), &json!({}));
    assert_eq!(micros(&again["expires_at"]) - micros(&again["created_at"]), length);
}

fn only_an_active_token_is_rotated(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [rotating] = texts(&owner.create("rotating"), ["id"]);
    owner.rotate(&rotating, &json!({}));
    let [revoked] = texts(&owner.create("revoked"), ["id"]);
    owner.revoke(&revoked);
    let [superseded] = texts(&owner.create("superseded"), ["id"]);
    owner.rotate(&superseded, &json!({"grace_period_seconds": 0}));
    let expiring = json!({"name": "expired", "scopes": ["execute"], "expires_at": later(2)});
    let [expired] = texts(&owner.post("/v1/tokens", &expiring).expect(201), ["id"]);
    eventually("the expiry", || (owner.token(&expired)["status"] == "expired").then_some(()));

    let rows = [(&rotating, "rotating"), (&revoked, "revoked"), (&superseded, "revoked"), (&expired, "expired")];
    for (id, status) in rows {
        let body = owner.post(&format!("/v1/tokens/{id}/rotate"), &json!({})).fails(409, &format!("token is {status}"));
        assert_eq!(body["status"], status);
    }
    let count = owner.get("/v1/tokens").expect(200)["tokens"].as_array().unwrap().len();
    assert_eq!(count, 6, "no token more than was made above");
}

fn of_eight_at_once_one_wins(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    for round in 0..10 {
        let [id] = texts(&owner.create(&format!("round {round}")), ["id"]);
        let path = format!("/v1/tokens/{id}/rotate");
        let answers: Vec<_> = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..8)
                .map(|_| {
                    let (mut caller, path) = (server.caller(owner.credential()), path.as_str());
                    scope.spawn(move || caller.post(path, &json!({})))
                })
                .collect();
            callers.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let mut statuses: BTreeMap<u16, u32> = BTreeMap::new();
        for answer in &answers {
            *statuses.entry(answer.status).or_default() += 1;
            if answer.status == 409 {
                answer.fails(409, "token is rotating");
            }
        }
        assert_eq!(statuses, BTreeMap::from([(200, 1), (409, 7)]), "round {round}");
        let winner = answers.iter().find(|answer| answer.status == 200).unwrap().json();
        assert_eq!(owner.token(&id)["rotated_to"], winner["id"]);
        assert!(owner.is_valid(winner["secret"].as_str().unwrap()));
    }
    let count = owner.get("/v1/tokens").expect(200)["tokens"].as_array().unwrap().len();
    assert_eq!(count, 20, "one successor each");
}

fn a_rotation_is_taken_back(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id, old] = texts(&owner.create("a"), ["id", "secret"]);
    let before = owner.token(&id);
    let rotated = owner.rotate(&id, &json!({}));
    let [successor, new] = texts(&rotated, ["id", "secret"]);
    assert!(owner.is_valid(&old) && owner.is_valid(&new));

    let cancel = format!("/v1/tokens/{id}/rotate/cancel");
    let back = owner.call(&cancel).expect(200);
    assert_eq!(back["status"], "active");
    for field in ["rotated_to", "grace_period_ends_at", "revoked_at"] {
        assert_eq!(back[field], before[field], "{field}");
    }
    assert!(owner.is_valid(&old) && !owner.is_valid(&new));
    let dead = owner.token(&successor);
    assert_eq!((&dead["status"], &dead["revoked_reason"]), (&json!("revoked"), &json!("rotation_cancelled")));

    assert_eq!(owner.call(&cancel).fails(409, "token is active")["status"], "active");
    owner.call(&format!("/v1/tokens/{successor}/rotate/cancel")).fails(409, "token is revoked");
    // The token can be rotated again, and a rotation whose grace is over cannot be cancelled.
    owner.rotate(&id, &json!({"grace_period_seconds": 0}));
    owner.call(&cancel).fails(409, "token is revoked");
    assert!(!owner.is_valid(&old));

    // Of several concurrent cancellations, one succeeds.
    let [id] = texts(&owner.create("b"), ["id"]);
    owner.rotate(&id, &json!({}));
    let cancel = format!("/v1/tokens/{id}/rotate/cancel");
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (mut caller, cancel) = (server.caller(owner.credential()), cancel.as_str());
                scope.spawn(move || caller.call(cancel).status)
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409]);
}

/// The first use of the new token shortens an hour of grace to a second.
fn the_first_use_shortens_the_grace(backend: Backend) {
    let server = Server::start(backend, Options::default().with("tokens.first_use_seconds", 1));
    let mut owner = server.owner();
    let [id, old] = texts(&owner.create("a"), ["id", "secret"]);
    let rotated = owner.rotate(&id, &json!({"grace_period_seconds": 3600, "mode": "first_use"}));
    let [new, planned] = texts(&rotated, ["secret", "grace_period_ends_at"]);
    assert_eq!(micros(&rotated["grace_period_ends_at"]) - micros(&rotated["created_at"]), 3_600_000_000);
    for _ in 0..20 {
        assert!(owner.is_valid(&old), "its use changes nothing");
    }
    assert_eq!(owner.token(&id)["grace_period_ends_at"], planned);

    let first_use = Instant::now();
    assert!(owner.is_valid(&new));
    let ended = eventually("the end of the old token", || (!owner.is_valid(&old)).then(Instant::now));
    assert!(ended.duration_since(first_use) >= Duration::from_secs(1), "the second was granted");
    assert!(owner.is_valid(&new));
    let dead = owner.token(&id);
    assert_eq!((&dead["status"], &dead["revoked_reason"]), (&json!("revoked"), &json!("superseded")));
    assert!(micros(&dead["grace_period_ends_at"]) < micros(&json!(planned)));
}

fn the_first_use_never_lengthens_the_grace(backend: Backend) {
    let server = Server::start(backend, Options::default().with("tokens.first_use_seconds", 3600));
    let mut owner = server.owner();
    let [id] = texts(&owner.create("a"), ["id"]);
    let rotated = owner.rotate(&id, &json!({"grace_period_seconds": 60, "mode": "first_use"}));
    assert!(owner.is_valid(rotated["secret"].as_str().unwrap()));
    let facts = server.facts();
    let organization = facts.organization(Server::ORGANIZATION).id;
    let [successor] = texts(&rotated, ["id"]);
    eventually("the note of the first use", || facts.token(organization, &successor).unwrap().first_used_at);
    assert_eq!(owner.token(&id)["grace_period_ends_at"], rotated["grace_period_ends_at"]);
}

fn a_chain_of_rotations(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let mut current = owner.create("a");
    let mut dead = Vec::new();
    for _ in 0..5 {
        let [id, secret] = texts(&current, ["id", "secret"]);
        current = owner.rotate(&id, &json!({"grace_period_seconds": 0}));
        assert_eq!((&current["old_token_id"], &current["name"]), (&json!(id), &json!("a")));
        dead.push(secret);
    }
    assert!(dead.iter().all(|secret| !owner.is_valid(secret)));
    assert!(owner.is_valid(current["secret"].as_str().unwrap()));
}
