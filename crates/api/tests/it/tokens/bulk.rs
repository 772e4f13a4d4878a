//! `POST /v1/tokens/bulk-revoke`: dry run, expected count, revocation.

use serde_json::{Value, json};

use crate::support::{Backend, Client, Options, Server, both, texts};

both!(
    a_dry_run_changes_nothing_and_its_count_is_held_to,
    only_what_was_chosen_is_revoked,
    what_cannot_be_meant_is_refused,
);

const BULK: &str = "/v1/tokens/bulk-revoke";

fn made(owner: &mut Client, names: &[&str]) -> Vec<[String; 2]> {
    names.iter().map(|name| texts(&owner.create(name), ["id", "secret"])).collect()
}

fn a_dry_run_changes_nothing_and_its_count_is_held_to(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let tokens = made(&mut owner, &["old one", "old two", "new"]);
    for _ in 0..3 {
        assert!(owner.is_valid(&tokens[1][1]));
    }
    let filter = json!({"name": "old"});
    let dry = owner.post(BULK, &json!({"filter": filter, "reason": "unused", "dry_run": true})).expect(200);
    assert_eq!((&dry["matched"], &dry["revoked"]), (&json!(2), &json!(0)));
    // The counts include uses that are not written yet.
    let [busy] = dry["busiest"].as_array().unwrap().as_slice() else { panic!("{dry}") };
    assert_eq!((&busy["uses"], &busy["token"]["id"]), (&json!(3), &json!(tokens[1][0])));
    assert!(tokens.iter().all(|[_, secret]| owner.is_valid(secret)));

    let differs = json!({"filter": filter, "reason": "unused", "expected_count": 3});
    assert_eq!(owner.post(BULK, &differs).fails(409, "count differs")["matched"], 2);
    assert!(owner.is_valid(&tokens[0][1]));

    let done = owner.post(BULK, &json!({"filter": filter, "reason": "unused", "expected_count": 2})).expect(200);
    assert_eq!((&done["matched"], &done["revoked"]), (&json!(2), &json!(2)));
    let alive: Vec<bool> = tokens.iter().map(|[_, secret]| owner.is_valid(secret)).collect();
    assert_eq!(alive, [false, false, true]);
    assert_eq!(owner.token(&tokens[0][0])["revoked_reason"], "unused");

    let trail = server.facts().audit();
    let events: Vec<_> = trail.iter().filter(|event| event.action == "token.bulk_revoke").collect();
    let [event] = events.as_slice() else { panic!("{events:?}") };
    let detail: Value = serde_json::from_str(&event.detail).unwrap();
    assert_eq!((&detail["count"], &detail["cause"]), (&json!(2), &json!("unused")));
    let mut named: Vec<&str> = detail["tokens"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    named.sort_unstable();
    let mut expected = [tokens[0][0].as_str(), tokens[1][0].as_str()];
    expected.sort_unstable();
    assert_eq!(named, expected);
}

fn only_what_was_chosen_is_revoked(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    // More tokens than the fence invalidates one by one.
    let tokens: Vec<[String; 2]> = (0..130).map(|n| texts(&owner.create(&format!("t{n}")), ["id", "secret"])).collect();
    let kept = made(&mut owner, &["kept"]);
    for [_, secret] in tokens.iter().chain(&kept) {
        assert!(owner.is_valid(secret), "remembered from here on");
    }
    let facts = server.facts();
    let elsewhere = facts.add_organization("elsewhere");
    let person = facts.add_person("eve@elsewhere.example");
    facts.join(elsewhere, &person, token_domain::person::BuiltInRole::Owner);
    drop(facts);
    let mut eve = server.signed_in("eve@elsewhere.example");
    let [foreign, foreign_secret] = texts(&eve.create("foreign"), ["id", "secret"]);

    let mut ids: Vec<&str> = tokens.iter().map(|[id, _]| id.as_str()).collect();
    ids.extend([tokens[0][0].as_str(), foreign.as_str(), "018f0000-0000-7000-8000-000000000001"]);
    let done = owner.post(BULK, &json!({"ids": ids, "reason": "other", "note": "tidying up"})).expect(200);
    assert_eq!((&done["matched"], &done["revoked"]), (&json!(130), &json!(130)));
    assert!(tokens.iter().all(|[_, secret]| !owner.is_valid(secret)));
    assert!(owner.is_valid(&kept[0][1]) && eve.is_valid(&foreign_secret));
    let again = owner.post(BULK, &json!({"ids": ids, "reason": "other"})).expect(200);
    assert_eq!((&again["matched"], &again["revoked"]), (&json!(0), &json!(0)));
}

fn what_cannot_be_meant_is_refused(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create("a"), ["id", "secret"]);
    let many: Vec<&str> = vec![id.as_str(); 1_001];
    for (body, field) in [
        (json!({"reason": "unused"}), "ids"),
        (json!({"ids": [], "reason": "unused"}), "ids"),
        (json!({"ids": many, "reason": "unused"}), "ids"),
        (json!({"ids": ["x"], "reason": "unused"}), "ids"),
        (json!({"ids": [id]}), "reason"),
        (json!({"ids": [id], "reason": "bored"}), "reason"),
        (json!({"ids": [id], "filter": {"name": "a"}, "reason": "unused"}), "filter"),
        (json!({"filter": {}, "reason": "unused"}), "filter"),
        (json!({"filter": {"name": ""}, "reason": "unused"}), "filter"),
        (json!({"filter": {"name": "a", "limit": 1}, "reason": "unused"}), "filter"),
        (json!({"filter": {"status": "dead"}, "reason": "unused"}), "status"),
    ] {
        let refused = owner.post(BULK, &body).fails(400, "invalid request");
        assert_eq!(refused["field"], field, "{refused}");
    }
    assert!(owner.is_valid(&secret));
}
