//! What the service says of itself: the API document and its viewer.

use serde_json::Value;

use crate::support::{Backend, Options, Server, finish, program};

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

#[test]
fn the_viewer_is_there() {
    let server = Server::start(Backend::Sqlite, Options::default());
    let page = server.anyone().get("/docs/");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html")));
    assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
}
