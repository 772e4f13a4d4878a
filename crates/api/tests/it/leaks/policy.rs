//! What an organisation chose to have done with tokens that others report as leaked: who chooses, and what callers see of it.

use serde_json::{Value, json};
use token_domain::person::BuiltInRole;

use super::partner::{Host, report};
use crate::support::{Backend, Options, Server, both, texts};

both!(
    the_choice_is_the_organisations_and_who_may_relax_it_is_signed_in,
    a_report_does_what_was_chosen_and_nobody_is_told_another_answer,
);

const SERVICE_TOKEN: &str = "a-service-token-of-forty-characters-long";

fn the_choice_is_the_organisations_and_who_may_relax_it_is_signed_in(backend: Backend) {
    let server = Server::start(backend, Options::default().with("sessions.service_token", SERVICE_TOKEN));
    let mut owner = server.owner();
    let [org] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    let path = format!("/v1/organizations/{org}");
    assert_eq!(owner.get(&path).expect(200)["leak_action"], "revoke");
    for wrong in [Value::Null, json!("Revoke"), json!(""), json!("forget")] {
        let refused = owner.patch(&path, &json!({"leak_action": wrong, "name": "Renamed"}));
        assert_eq!(refused.fails(400, "invalid request")["field"], "leak_action", "{wrong}");
    }
    assert_ne!(owner.get(&path).expect(200)["name"], "Renamed", "all of it or nothing");
    for action in ["notify", "rotate_grace_1h", "notify"] {
        let changed = owner.patch(&path, &json!({"leak_action": action})).expect(200);
        assert_eq!(changed["leak_action"], action);
        assert_eq!(owner.get(&path).expect(200)["leak_action"], action);
    }

    // A token of the organisation may ask for more, never for less; a key neither; a member without the scope nothing.
    let [all] = texts(&owner.create_with("all", &["admin"]), ["secret"]);
    let [key] =
        texts(&owner.post("/v1/me/keys", &json!({"name": "a", "scopes": ["org:write"]})).expect(201), ["secret"]);
    let (mut all, mut key) = (server.caller(&all), server.caller(&key));
    let to = |action: &str| json!({ "leak_action": action });
    key.patch(&path, &to("revoke")).fails(403, "session needed");
    all.patch(&path, &to("rotate_grace_1h")).expect(200);
    all.patch(&path, &to("notify")).fails(403, "session needed");
    all.patch(&path, &to("rotate_grace_1h")).expect(200);
    key.patch(&path, &to("rotate_grace_1h")).expect(200);
    all.patch(&path, &to("revoke")).expect(200);
    server.facts().add_member("member@acme.example", BuiltInRole::Member);
    server.signed_in("member@acme.example").patch(&path, &to("notify")).fails(403, "insufficient scope");

    // A session whose person proved nothing changes nothing of it.
    let asked = json!({"email": Server::OWNER, "organization": Server::ORGANIZATION});
    let made = server.caller(SERVICE_TOKEN).post("/v1/sessions/create", &asked).expect(201);
    let mut unproven = server.caller(&texts(&made, ["token"])[0]);
    unproven.patch(&path, &to("notify")).fails(403, "recent proof needed");
    assert_eq!(unproven.get(&path).expect(200)["leak_action"], "revoke");

    let events = server.facts().audit();
    let chosen: Vec<&str> = events
        .iter()
        .filter(|event| event.action == "organization.update")
        .map(|event| event.detail.as_str())
        .collect();
    let event = |action: &str| format!("{{\"leak_action\":\"{action}\"}}");
    assert_eq!(chosen, ["notify", "rotate_grace_1h", "notify", "rotate_grace_1h", "revoke"].map(event));
}

fn a_report_does_what_was_chosen_and_nobody_is_told_another_answer(backend: Backend) {
    let host = Host::new();
    let server = Server::start(backend, host.options());
    let mut owner = server.owner();
    let [org] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    for action in ["notify", "rotate_grace_1h", "revoke"] {
        owner.patch(&format!("/v1/organizations/{org}"), &json!({ "leak_action": action })).expect(200);
        let [id, leaked] = texts(&owner.create("leaked"), ["id", "secret"]);
        let [key_id, key] = texts(&owner.post("/v1/me/keys", &json!({"name": "key"})).expect(201), ["id", "secret"]);
        let body =
            json!([{"token": leaked, "type": "t", "url": ""}, {"token": key, "type": "t", "url": ""}]).to_string();
        for _ in 0..2 {
            let told = report(&server, "Github", &host.name, &host.sign(&body), &body).expect(200);
            assert_eq!((&told[0]["label"], &told[1]["label"]), (&json!("true_positive"), &json!("true_positive")));
        }
        assert_eq!(server.anyone().is_valid(&leaked), action != "revoke", "{action}");
        assert_eq!(server.anyone().is_valid(&key), action != "revoke", "{action}");
        let token = owner.token(&id);
        let status = match action {
            "notify" => "active",
            "revoke" => "revoked",
            _ => "rotating",
        };
        assert_eq!(token["status"], status);
        for id in [&id, &key_id] {
            let events = owner.get(&format!("/v1/audit?action=token.leaked&target={id}")).expect(200)["events"].clone();
            assert_eq!(events.as_array().map(Vec::len), Some(1), "{events}");
            assert_eq!(events[0]["detail"]["leak_action"], action);
        }
        if action == "rotate_grace_1h" {
            // The owners rotate the successors, and are shown secrets.
            let next = token["rotated_to"].as_str().unwrap();
            assert_eq!(owner.token(next)["created_by"], "system");
            let [shown] = texts(&owner.rotate(next, &json!({"grace_period_seconds": 0})), ["secret"]);
            assert!(server.anyone().is_valid(&shown));
            let key = owner.get(&format!("/v1/me/keys/{key_id}")).expect(200);
            let rotate = format!("/v1/me/keys/{}/rotate", key["rotated_to"].as_str().unwrap());
            let [shown] = texts(&owner.post(&rotate, &json!({"grace_period_seconds": 0})).expect(200), ["secret"]);
            assert!(server.anyone().is_valid(&shown));
        }
        // Whoever holds a token ends it.
        server.anyone().post("/v1/credentials/revoke", &json!({"credentials": [leaked, key]})).expect(202);
        assert!(!server.anyone().is_valid(&leaked) && !server.anyone().is_valid(&key));
    }
    assert_eq!(owner.get("/v1/audit/verify").expect(200)["ok"], true);
}
