//! Refusals: invalid bodies, credentials that lack a scope, and objects of other organisations.

use serde_json::{Value, json};

use super::{body, put, submit, token};
use crate::support::{Backend, Options, Request, Server, both};

both!(
    bad_submissions_name_the_field,
    bad_queries_name_the_parameter,
    each_scope_reaches_as_far_as_it_says,
    nothing_of_another_organisation_is_seen,
);

fn bad_submissions_name_the_field(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut ci = token(&mut server.owner(), &["execute"]);
    let coverage = "must be a number from 0 to 100";
    let threshold = "must be a number from 0 to 100, with or without a minus sign";
    let long = "x".repeat(300);
    let rows = [
        ("coverage", json!(-1), "coverage", coverage),
        ("coverage", json!(-0.00001), "coverage", coverage),
        ("coverage", json!(100.01), "coverage", coverage),
        ("coverage", json!(100.000_001), "coverage", coverage),
        ("coverage", json!(1e300), "coverage", coverage),
        ("coverage", json!("83.1"), "coverage", coverage),
        ("coverage", json!("NaN"), "coverage", coverage),
        ("coverage", json!(null), "coverage", coverage),
        ("coverage", json!(true), "coverage", coverage),
        ("coverage", json!([83.1]), "coverage", coverage),
        ("baseline", json!(101), "baseline", coverage),
        ("baseline", json!("80"), "baseline", coverage),
        ("warn_threshold", json!(101), "warn_threshold", threshold),
        ("warn_threshold", json!("0.5"), "warn_threshold", threshold),
        ("fail_threshold", json!(-100.5), "fail_threshold", threshold),
        (
            "warn_threshold",
            json!(1.01),
            "warn_threshold",
            "must not be larger than the fail threshold (warn 1.01, fail 1)",
        ),
        (
            "fail_threshold",
            json!(0.4),
            "warn_threshold",
            "must not be larger than the fail threshold (warn 0.5, fail 0.4)",
        ),
        ("strict_mode", json!("yes"), "strict_mode", "must be a boolean"),
        ("strict_mode", json!(1), "strict_mode", "must be a boolean"),
        ("branch", json!(long), "branch", "must have at most 255 characters"),
        ("branch", json!(""), "branch", "must not be empty"),
        (
            "branch",
            json!("a\u{202e}b"),
            "branch",
            "must not contain control, bidirectional-control or unassigned characters",
        ),
        ("branch", json!(null), "branch", "must be a string"),
        ("repo", json!(long), "repo", "must have at most 200 characters"),
        ("repo", json!(" "), "repo", "must not be empty"),
        ("repo", json!(7), "repo", "must be a string"),
        ("commit", json!("xyz"), "commit", "must be a commit hash of 4 to 64 hexadecimal digits"),
        ("commit", json!("a".repeat(65)), "commit", "must be a commit hash of 4 to 64 hexadecimal digits"),
        ("commit", json!(null), "commit", "is required"),
        ("head_sha", json!("HEAD"), "head_sha", "must be a commit hash of 4 to 64 hexadecimal digits"),
        ("head_sha", json!("abcdef0"), "head_sha", "must be the same as commit"),
        ("timestamp", json!("yesterday"), "timestamp", ""),
        ("timestamp", json!(1_768_469_531), "timestamp", "must be a string"),
    ];
    for (field, value, named, message) in rows {
        // An enforcement needs neither branch nor commit.
        let may_lack = value.is_null() && matches!(field, "branch" | "commit");
        let mut asked = body(83.1);
        asked[field] = value;
        let refused = ci.post("/v1/executions", &asked).fails(400, "invalid request");
        assert_eq!(refused["field"], named, "{asked}");
        if !message.is_empty() {
            assert_eq!(refused["message"], format!("{named} {message}"), "{asked}");
        }
        if !may_lack && field != "timestamp" {
            let refused = ci.post("/v1/enforcements", &asked).fails(400, "invalid request");
            assert_eq!(refused["field"], named, "{asked}");
        }
    }
    for field in ["repo", "branch", "commit", "coverage"] {
        let mut asked = body(83.1);
        asked.as_object_mut().unwrap().remove(field);
        let refused = ci.post("/v1/executions", &asked).fails(400, "invalid request");
        assert_eq!((&refused["field"], &refused["message"]), (&json!(field), &json!(format!("{field} is required"))));
    }
    // Numbers that JSON does not allow.
    for number in ["NaN", "Infinity", "-Infinity", "083.1", "+83.1", "0x53", "1e999", "83,1", ".5"] {
        let asked = body(7.0).to_string().replace("7.0", number);
        ci.ask(Request::new("POST", "/v1/executions").body(asked)).fails(400, "malformed request");
    }
    assert_eq!(ci.get("/v1/repos").expect(200)["repos"], json!([]), "nothing refused left anything behind");
}

fn bad_queries_name_the_parameter(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut ci = token(&mut server.owner(), &["read"]);
    for path in ["/v1/executions", "/v1/baselines"] {
        for (query, name) in [
            ("", "org"),
            ("?repo=r", "org"),
            ("?org=&repo=r", "org"),
            ("?org=acme", "repo"),
            ("?org=acme&repo=", "repo"),
        ] {
            let refused = ci.get(&format!("{path}{query}")).fails(400, &format!("missing required parameter: {name}"));
            assert_eq!(refused["field"], name, "{path}{query}");
        }
        let refused = ci.get(&format!("{path}?org=acme&repo=a//b")).fails(400, "invalid request");
        assert_eq!(refused["field"], "repo");
    }
    let rows = [
        ("/v1/executions?org=acme&repo=r&limit=0", "limit"),
        ("/v1/executions?org=acme&repo=r&limit=101", "limit"),
        ("/v1/executions?org=acme&repo=r&limit=ten", "limit"),
        ("/v1/executions?org=acme&repo=r&cursor=x", "cursor"),
        ("/v1/executions?org=acme&repo=r&cursor=", "cursor"),
        ("/v1/executions?org=acme&org=acme&repo=r", "org"),
        ("/v1/repos?limit=1001", "limit"),
        ("/v1/repos?cursor=", "cursor"),
        ("/v1/repos?cursor=a//b", "cursor"),
        ("/v1/baselines/r/history?limit=101", "limit"),
        ("/v1/baselines/r/history?cursor=0", "cursor"),
        ("/v1/baselines/r/history?cursor=01", "cursor"),
        ("/v1/baselines/r/history?cursor=-1", "cursor"),
        ("/v1/baselines/a//b/history", "repo"),
        ("/v1/baselines/a%5Cb/history", "repo"),
    ];
    for (path, field) in rows {
        assert_eq!(ci.get(path).fails(400, "invalid request")["field"], field, "{path}");
    }
    for id in [
        "x",
        "exe_x",
        "tok_01kf0h4s5xe0x9c1zq4h8y2m3n",
        "exe_01kf0h4s5xe0x9c1zq4h8y2m3n",
        "018f0000-0000-7000-8000-000000000001",
    ] {
        ci.get(&format!("/v1/executions/{id}")).fails(404, "not found");
    }
}

fn each_scope_reaches_as_far_as_it_says(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [mut execute, mut read, mut other] =
        [&["execute"][..], &["read"], &["tokens:read"]].map(|scopes| token(&mut owner, scopes));
    let id = submit(&mut execute, 80.0)["id"].as_str().unwrap().to_owned();
    let reads = [
        "/v1/executions?org=acme&repo=acme/widgets".to_owned(),
        format!("/v1/executions/{id}"),
        "/v1/baselines?org=acme&repo=acme/widgets".to_owned(),
        "/v1/baselines/acme/widgets/history".to_owned(),
        "/v1/repos".to_owned(),
    ];
    for path in &reads {
        assert_eq!(execute.get(path).expect(200), read.get(path).expect(200), "{path}");
        assert_eq!(other.get(path).fails(403, "insufficient scope")["missing"], json!(["read"]), "{path}");
        server.anyone().get(path).fails(401, "authentication required");
    }
    let baseline = json!({"coverage": 81});
    for caller in [&mut read, &mut other] {
        for answer in [
            caller.post("/v1/executions", &body(80.0)),
            caller.post("/v1/enforcements", &body(80.0)),
            put(caller, "/v1/baselines/acme/widgets", &baseline),
        ] {
            assert_eq!(answer.fails(403, "insufficient scope")["missing"], json!(["execute"]));
            let challenge = answer.header("www-authenticate").unwrap();
            assert!(challenge.contains(r#"error="insufficient_scope", scope="execute""#), "{challenge}");
        }
    }
    execute.post("/v1/enforcements", &body(80.0)).expect(200);
    put(&mut execute, "/v1/baselines/acme/widgets", &baseline).expect(200);
    // Neither token may do anything else.
    let new = json!({"name": "another", "scopes": ["execute"]});
    let some = "018f0000-0000-7000-8000-000000000001";
    for caller in [&mut execute, &mut read] {
        for (method, path, missing) in [
            ("POST", "/v1/tokens".to_owned(), "tokens:manage"),
            ("GET", "/v1/tokens".to_owned(), "tokens:read"),
            ("GET", format!("/v1/tokens/{some}"), "tokens:read"),
            ("PATCH", format!("/v1/tokens/{some}"), "tokens:manage"),
            ("POST", format!("/v1/tokens/{some}/rotate"), "tokens:manage"),
            ("DELETE", format!("/v1/tokens/{some}"), "tokens:manage"),
            ("GET", "/v1/me".to_owned(), "user:read"),
            ("PATCH", "/v1/me".to_owned(), "user:write"),
        ] {
            let answer = caller.ask(Request::new(method, &path).json(&new));
            assert_eq!(answer.fails(403, "insufficient scope")["missing"], json!([missing]), "{method} {path}");
        }
    }
    // People have the scopes of their roles: a member submits, a viewer only reads.
    let facts = server.facts();
    facts.add_member("member@acme.example", token_domain::person::BuiltInRole::Member);
    facts.add_member("viewer@acme.example", token_domain::person::BuiltInRole::Viewer);
    submit(&mut server.signed_in("member@acme.example"), 80.0);
    let mut viewer = server.signed_in("viewer@acme.example");
    viewer.get(&reads[0]).expect(200);
    viewer.post("/v1/executions", &body(80.0)).fails(403, "insufficient scope");
}

fn nothing_of_another_organisation_is_seen(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let facts = server.facts();
    let elsewhere = facts.add_organization("elsewhere");
    let other = facts.add_person("other@elsewhere.example");
    facts.join(elsewhere, &other, token_domain::person::BuiltInRole::Owner);
    let mut ci = token(&mut server.owner(), &["execute"]);
    let mut stranger = token(&mut server.signed_in("other@elsewhere.example"), &["execute"]);
    let ours = submit(&mut ci, 80.0);
    for path in ["/v1/executions", "/v1/baselines"] {
        let foreign = stranger.get(&format!("{path}?org=acme&repo=acme/widgets"));
        let body = foreign.fails(403, "forbidden");
        assert_eq!(body.get("missing"), None);
        // An organisation that does not exist gets the same answer, byte for byte.
        let absent = stranger.get(&format!("{path}?org=nowhere&repo=acme/widgets"));
        assert_eq!(foreign.bare(), absent.bare());
    }
    let foreign = stranger.get(&format!("/v1/executions/{}", ours["id"].as_str().unwrap()));
    foreign.fails(404, "not found");
    assert_eq!(foreign.bare(), stranger.get("/v1/executions/exe_01kf0h4s5xe0x9c1zq4h8y2m3n").bare());
    stranger.get("/v1/baselines/acme/widgets/history").fails(404, "not found");
    assert_eq!(stranger.get("/v1/repos").expect(200)["repos"], json!([]));
    // The same name in another organisation is another repository.
    let theirs = submit(&mut stranger, 50.0);
    assert_eq!((&theirs["baseline"], &theirs["delta"]), (&json!(50), &json!("0.00")));
    put(&mut stranger, "/v1/baselines/acme/widgets", &json!({"coverage": 10})).expect(200);
    let baseline = ci.get("/v1/baselines?org=acme&repo=acme/widgets").expect(200);
    assert_eq!(baseline["coverage"], 80);
    let page = ci.get("/v1/executions?org=acme&repo=acme/widgets").expect(200);
    let ids: Vec<&Value> = page["executions"].as_array().unwrap().iter().map(|execution| &execution["id"]).collect();
    assert_eq!((ids, &page["total"]), (vec![&ours["id"]], &json!(1)));
    // The organisation's id, which validation shows, is accepted like its slug.
    let id = facts.organization(Server::ORGANIZATION).id;
    assert_eq!(ci.get(&format!("/v1/executions?org={id}&repo=acme/widgets")).expect(200), page);
}
