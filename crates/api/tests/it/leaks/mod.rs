//! Reports of leaked tokens.

mod alerts;
pub(crate) mod partner;
mod policy;

use serde_json::{Value, json};

use crate::support::{Backend, Options, Request, Server, both, texts};

both!(
    found_tokens_are_revoked_and_nobody_is_told_which,
    a_report_that_is_not_one_is_refused,
    an_address_may_report_sixty_times_an_hour,
);

const REPORT: &str = "/v1/credentials/revoke";

fn found_tokens_are_revoked_and_nobody_is_told_which(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id, leaked] = texts(&owner.create("leaked"), ["id", "secret"]);
    let [_, other] = texts(&owner.create("other"), ["id", "secret"]);
    let [key_id, key] = texts(&owner.post("/v1/me/keys", &json!({"name": "key"})).expect(201), ["id", "secret"]);
    let mut anybody = server.anyone();
    for token in [&leaked, &other, &key] {
        assert!(anybody.is_valid(token));
    }
    let unissued = "nlp_00112233445566778899aabbccddeeff550c911c";
    let session = owner.credential().to_owned();
    let report =
        json!({"credentials": [leaked, leaked, key, unissued, "nlp_mistyped", "", "ghp_of_somebody_else", session]});
    let nothing = json!({"credentials": []});
    let answers: Vec<_> = [&report, &report, &nothing].map(|report| anybody.post(REPORT, report)).into();
    for answer in &answers {
        assert_eq!((answer.status, answer.text()), (202, ""));
        assert_eq!(answer.bare(), answers[0].bare(), "the answer tells nothing");
    }
    assert!(!anybody.is_valid(&leaked) && !anybody.is_valid(&key));
    assert!(anybody.is_valid(&other));
    assert_eq!(owner.get("/v1/me").status, 200, "a session is no token");

    for (id, action) in
        [(&id, "token.leaked"), (&id, "token.revoke"), (&key_id, "token.leaked"), (&key_id, "token.revoke")]
    {
        let events = owner.get(&format!("/v1/audit?action={action}&target={id}")).expect(200)["events"].clone();
        assert_eq!(events.as_array().map(Vec::len), Some(1), "once, however often it is reported: {events}");
        assert_eq!(events[0]["actor"], "anonymous");
    }
    assert_eq!(owner.token(&id)["status"], "revoked");
    assert_eq!(owner.get("/v1/audit/verify").expect(200)["ok"], true);
    // Looking a token up does not count as a use.
    let [fresh_id, fresh] = texts(&owner.create("fresh"), ["id", "secret"]);
    anybody.post(REPORT, &json!({ "credentials": [fresh] })).expect(202);
    assert_eq!(owner.token(&fresh_id)["last_used_at"], Value::Null);
    assert!(!server.log().contains(&leaked) && !server.log().contains(&fresh), "no secret is in the log");
}

fn a_report_that_is_not_one_is_refused(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let [secret] = texts(&server.owner().create("a"), ["secret"]);
    let mut anybody = server.anyone();
    let many = |count: usize| json!({"credentials": vec!["x"; count]});
    for (report, status, error) in [
        (many(1_001), 422, "unprocessable content"),
        (json!({"credentials": [secret, 1]}), 422, "unprocessable content"),
        (json!({"credentials": [secret, null]}), 422, "unprocessable content"),
        (json!({"credentials": secret}), 422, "unprocessable content"),
        (json!({"credentials": {}}), 422, "unprocessable content"),
        (json!({}), 422, "unprocessable content"),
        (json!([secret]), 400, "malformed request"),
        (json!({"credentials": ["x".repeat(200_000)]}), 413, "payload too large"),
    ] {
        anybody.post(REPORT, &report).fails(status, error);
    }
    anybody.post(REPORT, &many(1_000)).expect(202);
    assert!(anybody.is_valid(&secret), "a report is taken whole or not at all");
}

fn an_address_may_report_sixty_times_an_hour(backend: Backend) {
    let server = Server::start(backend, Options::default().with("server.trusted_proxies", "127.0.0.0/8"));
    let mut anybody = server.anyone();
    let report = json!({"credentials": ["nlp_x"]});
    let from = |address: &'static str| Request::new("POST", REPORT).json(&report).header("X-Forwarded-For", address);
    for _ in 0..60 {
        anybody.ask(from("192.0.2.1")).expect(202);
    }
    let refused = anybody.ask(from("192.0.2.1"));
    refused.fails(429, "too many requests");
    let wait: u32 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=3_600).contains(&wait), "{wait}");
    anybody.ask(from("192.0.2.2")).expect(202);
}
