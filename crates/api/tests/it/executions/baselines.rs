//! Baselines: set by hand, with a history and a row in the audit trail.

use serde_json::{Value, json};

use super::{body, put, submit, token};
use crate::support::{Backend, Options, Request, Server, both};

both!(
    a_baseline_set_by_hand_decides,
    names_with_slashes_are_paths,
    the_history_goes_back_page_by_page,
    bad_baselines_are_refused
);

fn a_baseline_set_by_hand_decides(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let made = owner.create("ci");
    let mut ci = owner.with(made["secret"].as_str().unwrap());
    let asked = json!({"coverage": 83.60, "commit": "9FCEB02D", "timestamp": "2026-01-15T10:32:11+01:00"});
    let expected = r#"{"repo":"acme/widgets","coverage":83.6,"commit":"9fceb02d","timestamp":"2026-01-15T09:32:11Z"}"#;
    // Set before the first submission, and twice: the second time changes nothing.
    for _ in 0..2 {
        let answer = put(&mut ci, "/v1/baselines/acme/widgets", &asked);
        assert_eq!((answer.status, answer.text()), (200, expected));
    }
    assert_eq!(ci.get("/v1/baselines?org=acme&repo=acme/widgets").text(), expected);
    assert_eq!(submit(&mut ci, 83.1)["delta"], "-0.50", "the first submission finds it in force");
    let set = put(&mut ci, "/v1/baselines/acme/widgets", &json!({"coverage": 80})).expect(200);
    assert_eq!((&set["coverage"], &set["commit"]), (&json!(80), &Value::Null));
    assert_eq!(submit(&mut ci, 83.1)["delta"], "+3.10");

    let history = ci.get("/v1/baselines/acme/widgets/history").expect(200);
    assert_eq!((&history["repo"], &history["next_cursor"]), (&json!("acme/widgets"), &Value::Null));
    let entries = history["history"].as_array().unwrap();
    let by = format!("token:{}", made["id"].as_str().unwrap());
    let shown: Vec<_> = entries.iter().map(|entry| (&entry["coverage"], &entry["commit"], &entry["set_by"])).collect();
    assert_eq!(shown, [(&json!(80), &Value::Null, &json!(by)), (&json!(83.6), &json!("9fceb02d"), &json!(by))]);
    assert_eq!(entries[1]["timestamp"], "2026-01-15T09:32:11Z");
    assert_eq!(entries[0]["timestamp"], entries[0]["set_at"]);

    let events: Vec<_> = server.facts().audit().into_iter().filter(|event| event.action == "baseline.set").collect();
    let details: Vec<Value> = events.iter().map(|event| serde_json::from_str(&event.detail).unwrap()).collect();
    assert_eq!(
        details,
        [
            json!({"repo": "acme/widgets", "coverage": "83.6", "commit": "9fceb02d", "previous": null}),
            json!({"repo": "acme/widgets", "coverage": "80", "commit": null, "previous": "83.6"}),
        ]
    );
    assert!(events.iter().all(|event| event.target_kind == "repository" && event.target_id == events[0].target_id));
}

fn names_with_slashes_are_paths(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut ci = token(&mut server.owner(), &["execute"]);
    for (path, repo) in [
        ("widgets", "widgets"),
        ("acme/tools/widgets", "acme/tools/widgets"),
        ("acme%2Ftools%2Fgadgets", "acme/tools/gadgets"),
        ("acme%2ftools/mixed", "acme/tools/mixed"),
        ("widgets%2Fhistory", "widgets/history"),
        ("c++%20lib", "c++ lib"),
        ("%C3%84pfel", "Äpfel"),
    ] {
        let set = put(&mut ci, &format!("/v1/baselines/{path}"), &json!({"coverage": 50})).expect(200);
        assert_eq!(set["repo"], repo, "{path}");
        let history = ci.get(&format!("/v1/baselines/{path}/history")).expect(200);
        assert_eq!((&history["repo"], history["history"].as_array().unwrap().len()), (&json!(repo), 1), "{path}");
    }
    let allowed = [
        ("DELETE", "/v1/baselines/acme/widgets", "PUT"),
        ("GET", "/v1/baselines/widgets", "PUT"),
        ("POST", "/v1/baselines/acme/widgets/history", "GET, HEAD"),
        ("PUT", "/v1/baselines/acme/widgets/history", "GET, HEAD"),
        ("POST", "/v1/baselines", "GET, HEAD"),
        ("POST", "/v1/badge/acme/acme/widgets", "GET, HEAD"),
    ];
    for (method, path, allow) in allowed {
        let answer = ci.ask(Request::new(method, path));
        answer.fails(405, "method not allowed");
        let mut methods: Vec<&str> = answer.header("allow").unwrap().split(", ").collect();
        methods.sort_unstable();
        assert_eq!(methods.join(", "), allow, "{method} {path}");
    }
}

fn the_history_goes_back_page_by_page(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut ci = token(&mut server.owner(), &["execute"]);
    submit(&mut ci, 1.0);
    for points in 2..=25 {
        put(&mut ci, "/v1/baselines/acme/widgets", &json!({"coverage": points})).expect(200);
    }
    let path = "/v1/baselines/acme/widgets/history";
    assert_eq!(ci.get(path).expect(200)["history"].as_array().unwrap().len(), 10);
    let (mut seen, mut next): (Vec<u64>, String) = (Vec::new(), format!("{path}?limit=7"));
    loop {
        let page = ci.get(&next).expect(200);
        seen.extend(page["history"].as_array().unwrap().iter().map(|entry| entry["coverage"].as_u64().unwrap()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        next = format!("{path}?limit=7&cursor={cursor}");
    }
    assert_eq!(seen, (1..=25).rev().collect::<Vec<u64>>());
    // A known repository without a baseline has an empty history; an unknown one is 404.
    let mut brings = body(50.0);
    brings["repo"] = json!("gadgets");
    brings["baseline"] = json!(50);
    ci.post("/v1/executions", &brings).expect(201);
    assert_eq!(ci.get("/v1/baselines/gadgets/history").expect(200)["history"], json!([]));
    ci.get("/v1/baselines/unknown/history").fails(404, "not found");
    ci.get("/v1/baselines?org=acme&repo=unknown").fails(404, "not found");
}

fn bad_baselines_are_refused(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut ci = token(&mut server.owner(), &["execute"]);
    let rows = [
        ("widgets", json!({}), "coverage"),
        ("widgets", json!({"coverage": 101}), "coverage"),
        ("widgets", json!({"coverage": "83"}), "coverage"),
        ("widgets", json!({"coverage": 83, "commit": "main"}), "commit"),
        ("widgets", json!({"coverage": 83, "head_sha": "xyz"}), "head_sha"),
        ("widgets", json!({"coverage": 83, "timestamp": "now"}), "timestamp"),
        ("a//b", json!({"coverage": 83}), "repo"),
        ("a%5Cb", json!({"coverage": 83}), "repo"),
        ("%20", json!({"coverage": 83}), "repo"),
        ("a%00b", json!({"coverage": 83}), "repo"),
        ("%ff", json!({"coverage": 83}), "repo"),
        (&"x".repeat(201), json!({"coverage": 83}), "repo"),
    ];
    for (repo, asked, field) in rows {
        let refused = put(&mut ci, &format!("/v1/baselines/{repo}"), &asked).fails(400, "invalid request");
        assert_eq!(refused["field"], field, "{repo} {asked}");
    }
    assert_eq!(ci.get("/v1/repos").expect(200)["repos"], json!([]));
}
