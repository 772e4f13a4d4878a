//! Verdicts on submissions: the server computes them in decimals.

use serde_json::{Value, json};

use super::{body, submit, token};
use crate::support::{Backend, Options, Request, Server, both};

both!(
    thresholds_decide_in_decimals,
    the_answer_has_exactly_its_fields,
    the_first_submission_becomes_the_baseline,
    an_enforcement_decides_the_same_and_records_nothing,
    everything_submitted_is_shown,
);

/// Baseline, coverage and further fields, as written in the request; delta, outcome and exit code of the answer.
const ROWS: [(&str, &str, &str, &str, &str, u8); 32] = [
    ("83.6", "83.6", "", "0.00", "pass", 0),
    ("80", "82.3", "", "+2.30", "pass", 0),
    ("83.6", "83.2", "", "-0.40", "pass", 0),
    ("83.6", "83.11", "", "-0.49", "pass", 0),
    // Binary floating point gets some of these wrong: 90.3 − 89.3 is not quite 1, and 0.1 + 0.2 not 0.3.
    ("83.6", "83.1", "", "-0.50", "warn", 0),
    ("83.6", "83.1001", "", "-0.49", "pass", 0),
    ("83.6", "83.0999", "", "-0.50", "warn", 0),
    ("90.3", "89.8", "", "-0.50", "warn", 0),
    ("0.5", "0", "", "-0.50", "warn", 0),
    ("100", "99.5", "", "-0.50", "warn", 0),
    ("70.7", "70.2", "", "-0.50", "warn", 0),
    ("83.6", "82.61", "", "-0.99", "warn", 0),
    ("83.6", "82.6", "", "-1.00", "fail", 1),
    ("90.3", "89.3", "", "-1.00", "fail", 1),
    ("4.35", "3.35", "", "-1.00", "fail", 1),
    ("83.6", "82.6001", "", "-0.99", "warn", 0),
    ("100", "0", "", "-100.00", "fail", 1),
    ("0", "100", "", "+100.00", "pass", 0),
    // The notation of a number makes no difference.
    ("8.36e1", "831E-1", "", "-0.50", "warn", 0),
    ("83.60000", "83.1000", "", "-0.50", "warn", 0),
    // Strict mode: a warning also fails the build.
    ("83.6", "83.1", r#""strict_mode":true"#, "-0.50", "warn", 1),
    ("83.6", "83.11", r#""strict_mode":true"#, "-0.49", "pass", 0),
    ("83.6", "82.6", r#""strict_mode":true"#, "-1.00", "fail", 1),
    ("83.6", "83.1", r#""strict_mode":null"#, "-0.50", "warn", 0),
    // The sign of a threshold makes no difference.
    ("83.6", "83.1", r#""warn_threshold":0.51"#, "-0.50", "pass", 0),
    ("83.6", "83.1", r#""warn_threshold":-0.51"#, "-0.50", "pass", 0),
    ("83.6", "83.1", r#""warn_threshold":0.2,"fail_threshold":0.5"#, "-0.50", "fail", 1),
    ("83.6", "83.1", r#""warn_threshold":-0.2,"fail_threshold":-0.5"#, "-0.50", "fail", 1),
    ("83.6", "83.5", r#""warn_threshold":0.1,"fail_threshold":0.1"#, "-0.10", "fail", 1),
    ("83.6", "80.1", r#""warn_threshold":5,"fail_threshold":10"#, "-3.50", "pass", 0),
    ("83.6", "83.6", r#""warn_threshold":0,"fail_threshold":1"#, "0.00", "warn", 0),
    ("83.6", "83.6", r#""warn_threshold":null,"fail_threshold":null"#, "0.00", "pass", 0),
];

fn thresholds_decide_in_decimals(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut ci = token(&mut server.owner(), &["execute"]);
    for (baseline, coverage, further, delta, outcome, exit_code) in ROWS {
        let comma = if further.is_empty() { "" } else { "," };
        // Formatted as a text, so that the numbers have exactly the digits of the row.
        let asked = format!(
            r#"{{"repo":"acme/widgets","branch":"main","commit":"9fceb02","coverage":{coverage},"baseline":{baseline}{comma}{further}}}"#
        );
        for (path, status) in [("/v1/executions", 201), ("/v1/enforcements", 200)] {
            let told = ci.ask(Request::new("POST", path).body(asked.as_str())).expect(status);
            let verdict = (&told["delta"], &told["outcome"], &told["exit_code"]);
            assert_eq!(verdict, (&json!(delta), &json!(outcome), &json!(exit_code)), "{path} {asked}");
        }
    }
}

fn the_answer_has_exactly_its_fields(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut ci = token(&mut server.owner(), &["execute"]);
    let asked =
        r#"{"repo":"acme/widgets","branch":"feature/x","head_sha":"9FCEB02D","coverage":83.10,"baseline":83.6}"#;
    let answer = ci.ask(Request::new("POST", "/v1/executions").body(asked));
    let told = answer.expect(201);
    let (id, at) = (told["id"].as_str().unwrap(), told["created_at"].as_str().unwrap());
    assert!(id.starts_with("exe_") && id.len() == 30, "{id}");
    assert!(at.len() == 20 && at.ends_with('Z'), "{at}");
    let expected = format!(
        r#"{{"id":"{id}","repo":"acme/widgets","branch":"feature/x","commit":"9fceb02d","coverage":83.1,"baseline":83.6,"delta":"-0.50","outcome":"warn","exit_code":0,"created_at":"{at}"}}"#
    );
    assert_eq!(answer.text(), expected);
    // Both names of the commit with the same value, and a repository and a branch with non-ASCII letters.
    let asked = json!({"repo": "Größe/c++ lib", "branch": "тест", "commit": "9fceb02d", "head_sha": "9FCEB02D",
        "coverage": 100, "ignored": {"a": 1}});
    let told = ci.post("/v1/executions", &asked).expect(201);
    assert_eq!((&told["repo"], &told["branch"]), (&asked["repo"], &asked["branch"]));
    assert_eq!((&told["coverage"], &told["baseline"]), (&json!(100), &json!(100)));
}

fn the_first_submission_becomes_the_baseline(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut ci = token(&mut server.owner(), &["execute"]);
    let first = submit(&mut ci, 70.5);
    let verdict = |told: &Value| (told["baseline"].clone(), told["delta"].clone(), told["outcome"].clone());
    assert_eq!(verdict(&first), (json!(70.5), json!("0.00"), json!("pass")));
    assert_eq!(verdict(&submit(&mut ci, 60.0)), (json!(70.5), json!("-10.50"), json!("fail")));
    assert_eq!(verdict(&submit(&mut ci, 90.0)), (json!(70.5), json!("+19.50"), json!("pass")), "it stays in force");
    let baseline = ci.get("/v1/baselines?org=acme&repo=acme/widgets").expect(200);
    assert_eq!(
        baseline,
        json!({"repo": "acme/widgets", "coverage": 70.5, "commit": "9fceb02d0ae5", "timestamp": first["created_at"]})
    );
    // A submission with its own baseline is measured against it, and does not change the current baseline.
    let mut brings = body(60.0);
    brings["baseline"] = json!(60.2);
    assert_eq!(ci.post("/v1/executions", &brings).expect(201)["delta"], "-0.20");
    assert_eq!(ci.get("/v1/baselines?org=acme&repo=acme/widgets").expect(200), baseline);
    // Nor does it become the baseline of a repository that has none.
    brings["repo"] = json!("gadgets");
    ci.post("/v1/executions", &brings).expect(201);
    ci.get("/v1/baselines?org=acme&repo=gadgets").fails(404, "not found");
    // Submissions are not recorded in the audit trail.
    let actions: Vec<String> = server.facts().audit().into_iter().map(|event| event.action).collect();
    assert!(actions.iter().all(|action| !action.starts_with("baseline") && !action.starts_with("exec")), "{actions:?}");
}

fn an_enforcement_decides_the_same_and_records_nothing(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut ci = token(&mut server.owner(), &["execute"]);
    let asked = json!({"repo": "acme/widgets", "coverage": 83.1});
    let told = ci.post("/v1/enforcements", &asked).expect(200);
    assert_eq!(
        told,
        json!({"repo": "acme/widgets", "branch": null, "commit": null, "coverage": 83.1, "baseline": 83.1,
            "delta": "0.00", "outcome": "pass", "exit_code": 0})
    );
    assert_eq!(ci.get("/v1/repos").expect(200), json!({"repos": [], "next_cursor": null}));
    submit(&mut ci, 83.6);
    for _ in 0..2 {
        assert_eq!(ci.post("/v1/enforcements", &asked).expect(200)["delta"], "-0.50");
    }
    assert_eq!(ci.get("/v1/executions?org=acme&repo=acme/widgets").expect(200)["total"], 1);
}

fn everything_submitted_is_shown(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let made = owner.create("ci");
    let mut ci = owner.with(made["secret"].as_str().unwrap());
    let mut asked = body(83.25);
    asked["baseline"] = json!(83);
    asked["warn_threshold"] = json!(-0.25);
    asked["fail_threshold"] = json!(2);
    asked["strict_mode"] = json!(true);
    asked["timestamp"] = json!("2026-01-15T10:32:11.5+01:00");
    let told = ci.post("/v1/executions", &asked).expect(201);
    let id = told["id"].as_str().unwrap();
    let shown = ci.get(&format!("/v1/executions/{id}")).expect(200);
    let mut expected = told.clone();
    let further = json!({"warn_threshold": 0.25, "fail_threshold": 2, "strict_mode": true,
        "timestamp": "2026-01-15T09:32:11Z", "submitted_by": format!("token:{}", made["id"].as_str().unwrap())});
    expected.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
    assert_eq!(shown, expected);
    // The plain UUID names the same execution.
    let uuid = token_domain::id::ExecutionId::parse(id).unwrap().uuid().to_string();
    assert_eq!(ci.get(&format!("/v1/executions/{uuid}")).expect(200), expected);
    let again = ci.post("/v1/executions", &body(83.0)).expect(201);
    let shown = ci.get(&format!("/v1/executions/{}", again["id"].as_str().unwrap())).expect(200);
    assert_eq!(
        (&shown["timestamp"], &shown["warn_threshold"], &shown["fail_threshold"], &shown["strict_mode"]),
        (&Value::Null, &json!(0.5), &json!(1), &json!(false))
    );
}
