//! A ledger whose disk fails, and servers that are killed before and after it is written.

use super::{back_up, has_repeated, make};
use crate::support::{Backend, Database, Fault, Faults, Options, Server, eventually};

const WAITING: &str = "nolapse_ledger_waiting";
const FAILURES: &str = "nolapse_ledger_failures_total";

/// A server whose ledger's disk can be made to fail.
fn failing() -> (Faults, Server) {
    let database = Database::new(Backend::Sqlite);
    let faults = Faults::new(database.folder());
    let options = Options::default().with_variables(faults.variables());
    (faults, Server::start_on(database, options))
}

#[test]
fn a_full_disk_stops_no_revocation_and_what_is_missing_is_written_once_there_is_room() {
    let (faults, mut server) = failing();
    let tokens: Vec<[String; 2]> = (0..5).map(|_| make(&server)).collect();
    let copy = back_up(&server);
    let mut owner = server.owner();
    owner.revoke(&tokens[0][0]);
    assert_eq!(server.metrics().get(WAITING), 0);
    faults.begin(Fault::Ledger);
    for [id, secret] in &tokens[1..4] {
        owner.revoke(id);
        assert!(!server.anyone().is_valid(secret), "it is committed, and holds");
    }
    let metrics = server.metrics();
    assert_eq!((metrics.get(WAITING), metrics.get(FAILURES)), (3, 3));
    server.says(&["the ledger of revocations cannot be written"]);
    assert_eq!(server.anyone().get("/ready").status, 200);
    faults.end(Fault::Ledger);
    owner.revoke(&tokens[4][0]);
    assert_eq!(server.metrics().get(WAITING), 0);
    server.kill();
    server.command(&["ledger", "check"], "").succeeds();
    server.command(&["restore", copy.to_str().unwrap()], "").succeeds();
    server.serve();
    assert!(tokens.iter().all(|[_, secret]| !server.anyone().is_valid(secret)));
}

#[test]
fn what_waits_for_the_disk_is_written_without_another_change() {
    let (faults, server) = failing();
    let [id, _] = make(&server);
    faults.begin(Fault::Ledger);
    server.owner().revoke(&id);
    assert_eq!(server.metrics().get(WAITING), 1);
    faults.end(Fault::Ledger);
    eventually("the entry to be written", || (server.metrics().get(WAITING) == 0).then_some(()));
}

#[test]
fn a_server_that_is_killed_between_the_commit_and_the_ledger_makes_up_for_it_at_the_next_start() {
    let (faults, mut server) = failing();
    let [id, secret] = make(&server);
    let copy = back_up(&server);
    faults.begin(Fault::Ledger);
    server.owner().revoke(&id);
    server.kill();
    faults.end(Fault::Ledger);
    server.serve();
    server.says(&["had not reached the ledger of revocations were added"]);
    server.kill();
    let said = server.command(&["restore", copy.to_str().unwrap()], "");
    assert!(said.succeeds().contains("1 tokens revoked"), "{said:?}");
    server.serve();
    assert!(!server.anyone().is_valid(&secret));
}

#[test]
fn a_server_that_is_killed_right_after_its_answer_has_written_the_ledger() {
    let mut server = Server::start(Backend::Sqlite, Options::default());
    let [id, secret] = make(&server);
    let copy = back_up(&server);
    server.owner().revoke(&id);
    server.kill();
    super::put_back(&server, &copy);
    server.serve();
    assert!(has_repeated(&server), "{}", server.log_since_start());
    assert!(!server.anyone().is_valid(&secret));
}

#[test]
fn a_ledger_that_cannot_be_written_is_named_at_the_start() {
    let (faults, mut server) = failing();
    server.stop();
    server.options.set("ledger.directory", server.database.folder().join("another.ledger").display());
    faults.begin(Fault::Ledger);
    server.serve();
    server.says(&["the ledger of revocations cannot be written", "make the folder writable"]);
    assert_eq!(server.metrics().get(FAILURES), 1);
    let [id, secret] = make(&server);
    server.owner().revoke(&id);
    assert!(!server.anyone().is_valid(&secret));
}

#[test]
fn a_start_whose_ledger_cannot_be_read_serves_nothing_and_says_what_to_do() {
    let mut server = Server::start(Backend::Sqlite, Options::default());
    server.stop();
    let file = server.database.folder().join("a-file");
    std::fs::write(&file, "").unwrap();
    server.options.set("ledger.directory", file.display());
    assert_eq!(server.try_serve().unwrap_err().code(), Some(1));
    server.says(&["cannot be read", "make it readable, or move it away"]);
}
