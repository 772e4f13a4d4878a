//! `GET /v1/audit/export`: the whole trail in order, as lines that can be verified offline.

use authority::audit::chain::{Chain, Place};
use authority::audit::line;

use crate::support::{Answer, Backend, Options, Server, both};

both!(a_file_holds_the_whole_trail_and_verifies, a_file_is_added_to, a_long_trail_is_sent_page_by_page);

/// Verifies the chain of all lines from a place on, and returns the head that the answer names.
#[track_caller]
fn verified(answer: &Answer, after: Place) -> Place {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"audit.ndjson\""));
    let head = Place::parse(answer.header("nolapse-audit-head").unwrap()).unwrap();
    let mut chain = Chain::after(after).through(head);
    for text in answer.text().lines() {
        chain.take(&line::read(text.as_bytes()).unwrap()).unwrap();
    }
    chain.end().unwrap();
    assert_eq!(chain.reached(), head, "it ends where it says");
    head
}

fn a_file_holds_the_whole_trail_and_verifies(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    for name in ["plain", "ü \"quoted\" \\ <&>"] {
        owner.create(name);
    }
    let answer = owner.get("/v1/audit/export");
    let head = verified(&answer, Place::START);
    let mut recorded = server.facts().audit();
    let noted = recorded.pop().unwrap();
    assert_eq!(
        (noted.action.as_str(), noted.seq),
        ("audit.export", head.seq + 1),
        "that it was sent is the next event"
    );
    let read: Vec<_> = answer.text().lines().map(|text| line::read(text.as_bytes()).unwrap()).collect();
    assert_eq!(read, recorded, "every field comes back as it was stored");
    assert_eq!(head, Place::of(recorded.last().unwrap()));
}

fn a_file_is_added_to(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let first = verified(&owner.get("/v1/audit/export"), Place::START);
    owner.create("later");
    let second = verified(&owner.get(&format!("/v1/audit/export?after={}", first.seq)), first);
    assert_eq!(second.seq, first.seq + 2, "the first export, and the token");
    let third = verified(&owner.get(&format!("/v1/audit/export?after={}", second.seq)), second);
    assert_eq!(third.seq, second.seq + 1, "the second export");
    let nothing = owner.get(&format!("/v1/audit/export?after={}", third.seq + 1));
    assert_eq!((nothing.status, nothing.text()), (200, ""));
    let fourth = verified(&owner.get(&format!("/v1/audit/export?after={}", third.seq)), third);
    assert_eq!(fourth.seq, third.seq + 1, "what sent nothing is no export");
    assert_eq!(owner.get("/v1/audit/export?after=9999").text(), "");
}

fn a_long_trail_is_sent_page_by_page(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    // More than two pages of five hundred.
    server.facts().fill_audit(1_200);
    let head = verified(&owner.get("/v1/audit/export"), Place::START);
    assert_eq!(head.seq, 1_201);
    // The connection can still be used.
    assert_eq!(owner.get("/v1/audit/verify").expect(200)["checked"], 1_202);
}
