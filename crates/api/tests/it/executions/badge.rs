//! The badge: a public picture that does not reveal which organisations and repositories exist.

use serde_json::json;

use super::{body, submit, token};
use crate::support::{Answer, Backend, Options, Request, Server, both};

both!(a_badge_turns_colour, what_is_unknown_is_grey, a_badge_may_be_of_a_branch);

/// Asserts that the answer is a badge; returns its colour and text.
#[track_caller]
fn shown(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("image/svg+xml; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=60"));
    assert_eq!(answer.header("content-security-policy"), Some("default-src 'none'"));
    let between = |before: &str, after: &str| {
        let (_, rest) = answer.text().split_once(before).unwrap_or_else(|| panic!("{before}: {}", answer.text()));
        rest.split_once(after).unwrap().0.to_owned()
    };
    (between("<rect class=\"", "\""), between("<title>", "</title>"))
}

fn a_badge_turns_colour(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut ci = token(&mut server.owner(), &["execute"]);
    let mut anyone = server.anyone();
    for (coverage, color, words) in [
        (100.0, "green", "coverage: 100%"),
        (80.0, "green", "coverage: 80%"),
        (79.99, "yellow", "coverage: 79%"),
        (60.0, "yellow", "coverage: 60%"),
        (59.9999, "red", "coverage: 59%"),
        (0.0, "red", "coverage: 0%"),
        (83.1, "green", "coverage: 83%"),
    ] {
        submit(&mut ci, coverage);
        for path in ["/v1/badge/acme/acme/widgets", "/v1/badge/acme/acme%2Fwidgets", "/v1/badge/acme/acme/widgets?x=1"]
        {
            assert_eq!(shown(&anyone.get(path)), (color.to_owned(), words.to_owned()), "{path}");
        }
    }
    let head = anyone.ask(Request::new("HEAD", "/v1/badge/acme/acme/widgets"));
    assert_eq!((head.status, head.body.len()), (200, 0));
    // A credential is neither needed nor read.
    let asked = anyone.ask(Request::new("GET", "/v1/badge/acme/acme/widgets").bearer("nonsense"));
    assert_eq!(asked.bare(), anyone.get("/v1/badge/acme/acme/widgets").bare());
}

fn what_is_unknown_is_grey(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut ci = token(&mut server.owner(), &["execute"]);
    submit(&mut ci, 83.1);
    let facts = server.facts();
    facts.add_organization("elsewhere");
    super::put(&mut ci, "/v1/baselines/only-a-baseline", &json!({"coverage": 80})).expect(200);
    let mut anyone = server.anyone();
    let grey = anyone.get("/v1/badge/acme/unknown");
    assert_eq!(shown(&grey), ("grey".to_owned(), "coverage unknown".to_owned()));
    for path in [
        "/v1/badge/nowhere/acme/widgets",
        "/v1/badge/elsewhere/acme/widgets",
        "/v1/badge/acme/only-a-baseline",
        "/v1/badge/acme/acme/WIDGETS",
        "/v1/badge/ACME/acme/widgets",
        "/v1/badge/acme/a//b",
        "/v1/badge/acme/%ff",
        "/v1/badge/acme/a%00b",
        "/v1/badge/%3Cscript%3E/%3Csvg%3E",
        "/v1/badge/acme/acme/widgets?branch=unknown",
        "/v1/badge/acme/acme/widgets?branch=",
        "/v1/badge/acme/acme/widgets?branch=a..b",
        "/v1/badge/acme/acme/widgets?branch=%ff",
        "/v1/badge/acme/acme/widgets?branch=main&branch=main",
    ] {
        assert_eq!(anyone.get(path).bare(), grey.bare(), "{path}");
    }
    for path in ["/v1/badge", "/v1/badge/acme", "/v1/badge/acme/"] {
        anyone.get(path).fails(404, "not found");
    }
}

fn a_badge_may_be_of_a_branch(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut ci = token(&mut server.owner(), &["execute"]);
    submit(&mut ci, 83.1);
    let mut dev = body(12.0);
    dev["branch"] = json!("feature/x");
    ci.post("/v1/executions", &dev).expect(201);
    let mut anyone = server.anyone();
    for (query, words) in [
        ("", "coverage: 12%"),
        ("?branch=main", "coverage: 83%"),
        ("?branch=feature/x", "coverage: 12%"),
        ("?branch=feature%2Fx", "coverage: 12%"),
    ] {
        assert_eq!(shown(&anyone.get(&format!("/v1/badge/acme/acme/widgets{query}"))).1, words, "{query}");
    }
}
