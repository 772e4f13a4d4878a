//! `POST /v1/auth/validate/batch`: each result is that of validating the token alone.

use serde_json::{Value, json};

use crate::support::{Backend, Client, Options, Server, both, texts};

both!(
    results_stand_in_the_order_of_the_tokens,
    misses_are_read_once_each,
    a_batch_has_its_bounds,
    what_is_no_batch_is_refused,
    a_batch_needs_its_scope,
);

const BATCH: &str = "/v1/auth/validate/batch";

/// A client with a token that may validate others.
fn gateway(server: &Server) -> Client {
    let [secret] = texts(&server.owner().create_with("gateway", &["authority:validate"]), ["secret"]);
    server.caller(&secret)
}

fn results_stand_in_the_order_of_the_tokens(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [one] = texts(&owner.create_with("one", &["read"]), ["secret"]);
    let [two] = texts(&owner.create_with("two", &["execute", "tokens:read"]), ["secret"]);
    let [id, dead] = texts(&owner.create("dead"), ["id", "secret"]);
    owner.revoke(&id);
    let unissued = "nlp_00112233445566778899aabbccddeeff550c911c";
    let asked = [&one, "", &dead, &two, unissued, &one, "nlp_", "\u{1f511}", &two, &"x".repeat(1_000)];
    let answer = gateway(&server).post(BATCH, &json!({ "tokens": asked }));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let mut anyone = server.anyone();
    let alone: Vec<String> = asked.iter().map(|token| anyone.validate(token).text().to_owned()).collect();
    assert_eq!(answer.text(), format!("{{\"results\":[{}]}}", alone.join(",")));
    let valid: Vec<Value> = answer.json()["results"].as_array().unwrap().iter().map(|r| r["valid"].clone()).collect();
    assert_eq!(valid, [true, false, false, true, false, true, false, false, true, false].map(Value::from));
}

fn misses_are_read_once_each(backend: Backend) {
    let mut server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let secrets: Vec<String> = (0..40).map(|n| texts(&owner.create(&format!("{n}")), ["secret"])[0].clone()).collect();
    let [gateway] = texts(&owner.create_with("gateway", &["authority:validate"]), ["secret"]);
    server.restart();
    let mut gateway = server.caller(&gateway);
    gateway.post(BATCH, &json!({"tokens": []})).expect(200);
    let before = server.metrics();
    let asked: Vec<&String> = secrets.iter().cycle().take(1_000).collect();
    let answer = gateway.post(BATCH, &json!({ "tokens": asked })).expect(200);
    assert!(answer["results"].as_array().unwrap().iter().all(|result| result["valid"] == true), "{answer}");
    let after = server.metrics();
    assert_eq!(after.candidate_reads() - before.candidate_reads(), 40);
    assert_eq!(after.validations("live") - before.validations("live"), 1_001, "and the gateway's own");
    let writes = |metrics: &crate::support::Metrics| metrics.get("nolapse_store_writes_total");
    assert!(writes(&after) - writes(&before) <= 2, "none but a flush of uses");
}

fn a_batch_has_its_bounds(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut gateway = gateway(&server);
    let token = "nlp_00112233445566778899aabbccddeeff550c911c";
    assert_eq!(gateway.post(BATCH, &json!({"tokens": []})).text(), r#"{"results":[]}"#);
    let full = gateway.post(BATCH, &json!({"tokens": vec![token; 1_000]})).expect(200);
    assert_eq!(full["results"].as_array().unwrap().len(), 1_000);
    let refused = gateway.post(BATCH, &json!({"tokens": vec![token; 1_001]})).expect(400);
    assert_eq!((&refused["field"], &refused["error"]), (&json!("tokens"), &json!("invalid request")));
    // A batch's limit on the body is higher than that of a single validation.
    gateway.post(BATCH, &json!({"tokens": [], "padding": "x".repeat(120_000)})).expect(200);
    gateway.post(BATCH, &json!({"tokens": [], "padding": "x".repeat(131_072)})).expect(413);
}

fn what_is_no_batch_is_refused(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut gateway = gateway(&server);
    for (body, field) in [
        (json!({}), "tokens"),
        (json!({"tokens": null}), "tokens"),
        (json!({"tokens": "nlp_"}), "tokens"),
        (json!({"tokens": {"0": "nlp_"}}), "tokens"),
        (json!({"tokens": ["nlp_", 7]}), "tokens[1]"),
        (json!({"tokens": [null]}), "tokens[0]"),
        (json!({"tokens": [["nlp_"]]}), "tokens[0]"),
    ] {
        let answer = gateway.post(BATCH, &body).expect(400);
        assert_eq!(answer["field"], field, "{body} {answer}");
    }
    gateway.post(BATCH, &json!([])).fails(400, "malformed request");
}

fn a_batch_needs_its_scope(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let asked = json!({"tokens": []});
    let [other] = texts(&server.owner().create_with("other", &["tokens:read"]), ["secret"]);
    let refused = server.caller(&other).post(BATCH, &asked).expect(403);
    assert_eq!(refused["missing"], json!(["authority:validate"]));
    assert_eq!(server.anyone().post(BATCH, &asked).status, 401);
}
