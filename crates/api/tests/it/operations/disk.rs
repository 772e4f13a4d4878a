//! Disk failures: a full disk, failing reads, a removed file, a power cut after a new key.

use std::fs;

use serde_json::json;

use crate::support::{Backend, Database, Fault, Faults, Options, Request, Server, both, eventually, texts};

both!(a_new_key_is_on_disk_with_its_name_before_it_is_used);

/// A stopped server whose disk can be made to fail.
fn failing() -> (Faults, Server) {
    let database = Database::new(Backend::Sqlite);
    let faults = Faults::new(database.folder());
    let options = Options::default().with_variables(faults.variables());
    (faults, Server::start_on(database, options))
}

/// The failing parts that `/ready` names; empty when it is ready.
fn named(server: &Server) -> Vec<String> {
    let answer = server.anyone().get("/ready");
    if answer.status == 200 {
        return Vec::new();
    }
    let body = answer.fails(503, "unavailable");
    body["failing"].as_array().unwrap().iter().map(|part| part.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_full_disk_stops_only_changes_and_the_server_recovers() {
    let (faults, mut server) = failing();
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create("a"), ["id", "secret"]);
    assert!(owner.is_valid(&secret) && named(&server).is_empty());

    faults.begin(Fault::Writes);
    let body = json!({"name": "no room", "scopes": ["execute"]});
    for _ in 0..3 {
        let refused = owner.post("/v1/tokens", &body);
        refused.fails(503, "unavailable");
        assert!(refused.header("retry-after").is_some());
    }
    owner.ask(Request::new("DELETE", &format!("/v1/tokens/{id}"))).fails(503, "unavailable");
    assert_eq!(named(&server), ["disk"]);
    assert!(owner.is_valid(&secret), "what is known is answered");
    owner.get("/v1/tokens").expect(200);
    assert!(server.log().contains("full"), "the log says why: {}", server.log());

    // Once there is room, the server recovers by itself.
    faults.end(Fault::Writes);
    eventually("readiness", || named(&server).is_empty().then_some(()));
    let [late] = texts(&owner.create("there is room"), ["secret"]);
    let listed = owner.get("/v1/tokens").expect(200);
    assert_eq!(listed["tokens"].as_array().unwrap().len(), 2, "what was refused is not there");
    server.restart();
    assert!(server.anyone().is_valid(&secret) && server.anyone().is_valid(&late));
}

#[test]
fn failing_reads_make_no_token_invalid() {
    let (faults, mut server) = failing();
    let mut owner = server.owner();
    let secrets: Vec<String> = (0..20).flat_map(|n| texts(&owner.create(&format!("{n}")), ["secret"])).collect();
    let credential = owner.credential().to_owned();
    // After a restart the cache is empty, and no page of the file is in memory.
    server.restart();
    faults.begin(Fault::Reads);
    let mut refused = 0;
    for secret in &secrets {
        let answer = server.anyone().post("/v1/auth/validate", &json!({ "token": secret }));
        answer.fails(503, "unavailable");
        refused += 1;
    }
    for path in ["/v1/tokens", "/v1/me", "/v1/sessions", "/v1/audit"] {
        server.caller(&credential).get(path).fails(503, "unavailable");
        refused += 1;
    }
    assert_eq!(refused, 24);
    assert!(named(&server).contains(&"database".to_owned()));
    // During an outage each worker logs one line a second with a count, not a line per request.
    let mut anyone = server.anyone();
    let validate = json!({ "token": secrets[0] });
    for _ in 0..400 {
        anyone.post("/v1/auth/validate", &validate).fails(503, "unavailable");
    }
    let told = |server: &Server| {
        let log = server.log_since_start();
        log.lines().filter(|line| line.contains("the request failed")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!((1..100).contains(&told(&server).len()), "{:?}", told(&server));
    eventually("the others to be counted", || {
        anyone.post("/v1/auth/validate", &validate).fails(503, "unavailable");
        told(&server).iter().any(|line| !line.contains("\"others_before\":0")).then_some(())
    });
    let metrics = server.metrics();
    assert_eq!(metrics.validations("unknown"), 0, "an outage is never a bad token");
    assert_eq!(server.anyone().get("/health").status, 200);

    faults.end(Fault::Reads);
    eventually("readiness", || named(&server).is_empty().then_some(()));
    assert!(secrets.iter().all(|secret| server.anyone().is_valid(secret)));
    server.caller(&credential).get("/v1/tokens").expect(200);
}

#[test]
fn a_database_file_that_is_removed_is_named_and_takes_no_change() {
    let server = Server::start(Backend::Sqlite, Options::default());
    let mut owner = server.owner();
    owner.create("a");
    fs::remove_file(server.database.file()).unwrap();
    eventually("readiness to name it", || named(&server).contains(&"disk".to_owned()).then_some(()));
    // Soon nothing is answered from the cache any more.
    eventually("the lease to end", || named(&server).contains(&"lease".to_owned()).then_some(()));
    owner.post("/v1/tokens", &json!({"name": "lost", "scopes": ["execute"]})).fails(503, "unavailable");
    assert!(!server.database.file().exists(), "no empty one is made in its place");
    server.says(&["moved or removed"]);
}

fn a_new_key_is_on_disk_with_its_name_before_it_is_used(backend: Backend) {
    let database = Database::new(backend);
    let faults = Faults::new(database.folder());
    let folder = database.folder().join("keys/of/tags");
    let options =
        Options::default().with_variables(faults.variables()).with("keys.tag_key_path", folder.join("key").display());
    faults.begin(Fault::Syncs);
    let server = Server::start_on(database, options);
    let synced = faults.synced();
    let at = |path: &std::path::Path| synced.iter().position(|one| one == path);
    // The key is written to a temporary file, which is then hard-linked to the final name.
    let file = synced.iter().position(|one| one.starts_with(&folder) && *one != folder);
    assert!(file.is_some(), "the key itself: {synced:?}");
    assert!(at(&folder) > file, "its name, after it: {synced:?}");
    for above in [folder.parent().unwrap(), folder.parent().unwrap().parent().unwrap(), server.database.folder()] {
        assert!(at(above).is_some(), "the name of each new folder: {} in {synced:?}", above.display());
    }
}
