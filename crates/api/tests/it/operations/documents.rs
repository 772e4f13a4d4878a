//! The API document and its viewer.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Backend, Options, Request, Server, finish, program};

const COMMITTED: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/openapi.json"));

#[test]
fn the_document_served_is_the_one_committed() {
    let server = Server::start(Backend::Sqlite, Options::default());
    let answer = server.anyone().get("/openapi.json");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let mut command = program(&[]);
    command.arg("openapi");
    let printed = finish(command, "");
    assert_eq!(answer.text(), printed.succeeds());
    assert!(answer.text() == COMMITTED, "run `cargo xtask check --write` and commit docs/reference/openapi.json");
    let document: Value = answer.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
}

/// A request to a fixed path (`/v1/tokens/self`) must not match a pattern with an id.
#[test]
fn a_path_has_the_methods_it_documents_and_no_others() {
    const METHODS: [&str; 6] = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"];
    let server = Server::start(Backend::Sqlite, Options::default());
    let mut owner = server.owner();
    let document = owner.get("/openapi.json").json();
    let mut refused = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        // A gateway may ask with its client's method, so this path takes all methods.
        if path == "/v1/auth/forward" {
            continue;
        }
        let has = |method: &str| item.get(method.to_lowercase()).is_some();
        let mut parts = path.split('{');
        let mut filled = parts.next().unwrap().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap();
            let value = if matches!(name, "repo" | "org") { "acme" } else { "018f0000-0000-7000-8000-000000000001" };
            filled.extend([value, rest]);
        }
        for method in METHODS.into_iter().filter(|method| !has(method)) {
            let answer = owner.ask(Request::new(method, &filled).json(&serde_json::json!({})));
            assert_eq!(answer.status, 405, "{method} {filled}: {}", answer.text());
            let allowed: BTreeSet<&str> = answer.header("allow").unwrap().split(", ").collect();
            let head = has("GET").then_some("HEAD");
            let documented: BTreeSet<&str> = METHODS.into_iter().filter(|method| has(method)).chain(head).collect();
            assert_eq!(allowed, documented, "{method} {filled}");
            refused += 1;
        }
    }
    assert!(refused > 300, "{refused}");
}

#[test]
fn the_viewer_is_there() {
    let server = Server::start(Backend::Sqlite, Options::default());
    let page = server.anyone().get("/docs/");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html")));
    assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
}
