//! `Idempotency-Key` on a submission: a retry after a lost answer does not record a second execution.

use serde_json::{Value, json};

use super::{body, token};
use crate::support::{Answer, Backend, Client, Options, Request, Server, both};

both!(
    a_retry_is_answered_with_the_same_execution,
    without_a_key_the_same_submission_counts_twice,
    many_at_once_record_one
);

fn submit(ci: &mut Client, key: &str, body: &Value) -> Answer {
    ci.ask(Request::new("POST", "/v1/executions").header("Idempotency-Key", key).json(body))
}

fn total(ci: &mut Client) -> u64 {
    ci.get("/v1/executions?org=acme&repo=acme/widgets").expect(200)["total"].as_u64().unwrap()
}

fn a_retry_is_answered_with_the_same_execution(backend: Backend) {
    let mut server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let mut ci = token(&mut owner, &["execute"]);
    let first = submit(&mut ci, "run 17", &body(83.1)).expect(201);
    // The same submission in another notation.
    let same = json!({"strict_mode": false, "head_sha": "9FCEB02D0AE5", "coverage": 83.10, "branch": "main",
        "repo": " acme/widgets ", "warn_threshold": -0.5, "fail_threshold": null, "ignored": true});
    for body in [body(83.1), same] {
        assert_eq!(submit(&mut ci, "run 17", &body).expect(200), first);
    }
    for (field, value) in [
        ("coverage", json!(83.2)),
        ("baseline", json!(83.1)),
        ("branch", json!("dev")),
        ("repo", json!("gadgets")),
        ("commit", json!("9fceb02")),
        ("strict_mode", json!(true)),
        ("warn_threshold", json!(0.4)),
        ("fail_threshold", json!(2)),
        ("timestamp", json!("2026-01-15T09:32:11Z")),
    ] {
        let mut other = body(83.1);
        other[field] = value;
        submit(&mut ci, "run 17", &other).fails(409, "idempotency key reused");
    }
    // A refused request does not use the key up, and the same text from another caller is another key.
    let mut bad = body(83.1);
    bad["coverage"] = json!(101);
    submit(&mut ci, "run 18", &bad).fails(400, "invalid request");
    submit(&mut ci, "run 18", &body(83.1)).expect(201);
    submit(&mut token(&mut owner, &["execute"]), "run 17", &body(83.1)).expect(201);
    assert_eq!(total(&mut ci), 3);
    let credential = ci.credential().to_owned();
    server.restart();
    let mut ci = server.caller(&credential);
    assert_eq!(submit(&mut ci, "run 17", &body(83.1)).expect(200), first);
    assert_eq!(ci.get("/v1/repos").expect(200)["repos"].as_array().unwrap().len(), 1);
    for key in ["", &"k".repeat(256)] {
        let refused = submit(&mut ci, key, &body(83.1)).fails(400, "invalid request");
        assert_eq!(refused["field"], "Idempotency-Key");
    }
}

fn without_a_key_the_same_submission_counts_twice(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut ci = token(&mut server.owner(), &["execute"]);
    let [first, second] = [super::submit(&mut ci, 83.1), super::submit(&mut ci, 83.1)];
    assert_ne!(first["id"], second["id"]);
    assert_eq!(total(&mut ci), 2);
}

fn many_at_once_record_one(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut ci = token(&mut server.owner(), &["execute"]);
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..8)
            .map(|_| {
                let mut ci = ci.with(ci.credential());
                scope.spawn(move || submit(&mut ci, "one", &body(83.1)))
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "{answers:?}");
    let bodies: Vec<Value> = answers.iter().map(Answer::json).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    assert_eq!(total(&mut ci), 1);
}
