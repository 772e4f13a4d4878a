//! `nolapse-api copy`: a deployment goes on, on PostgreSQL, with everything it had on SQLite.

use serde_json::json;

use crate::support::{Backend, Database, Options, Server, texts};

#[test]
fn a_deployment_goes_on_after_it_was_copied() {
    let mut before = Server::start(Backend::Sqlite, Options::default());
    let mut owner = before.owner();
    let [good] = texts(&owner.create("good"), ["secret"]);
    let [used] = texts(&owner.create("used"), ["secret"]);
    let [id, revoked] = texts(&owner.create("revoked"), ["id", "secret"]);
    let [old_id, old] = texts(&owner.create("rotated"), ["id", "secret"]);
    let [ended_id, ended] = texts(&owner.create("rotated at once"), ["id", "secret"]);
    let [heir] = texts(&owner.rotate(&old_id, &json!({"grace_period_seconds": 3600})), ["secret"]);
    let [next] = texts(&owner.rotate(&ended_id, &json!({"grace_period_seconds": 0})), ["secret"]);
    owner.revoke(&id);
    assert!(before.anyone().is_valid(&used));
    let listed = owner.get("/v1/tokens").expect(200);
    let trail = owner.get("/v1/audit/export").text().to_owned();

    let after = Database::new(Backend::PostgreSql);
    let url = after.url();
    let copy = ["copy", "--to", &url];
    let refused = before.command(&copy, "");
    assert!(refused.fails(1).contains("another process"), "{refused:?}");
    before.stop();
    // From a file: a database URL usually contains a password, and other users of the machine can read the command line.
    let file = before.database.folder().join("target");
    std::fs::write(&file, format!("{url}\n")).unwrap();
    let copied = before.command(&["copy", "--to-file", file.to_str().unwrap()], "");
    let said = copied.succeeds();
    assert!(said.contains("rows are the same in both databases") && said.contains("tag key"), "{said}");
    assert!(copied.err.is_empty(), "progress is for terminals: {copied:?}");
    let again = before.command(&copy, "");
    assert!(again.fails(1).contains("not empty") && again.err.contains("nothing was copied"), "{again:?}");

    std::fs::copy(before.tag_key_file(), after.folder().join("tag-key")).unwrap();
    let first = Server::start_on(after, Options::default().unset_up());
    let second = first.beside(Options::default());
    for server in [&first, &second] {
        let mut anyone = server.anyone();
        for valid in [&good, &used, &old, &heir, &next] {
            assert!(anyone.is_valid(valid));
        }
        for invalid in [&revoked, &ended] {
            assert!(!anyone.is_valid(invalid));
        }
    }
    let verified = first.command(&["audit", "verify"], "");
    assert_eq!(verified.succeeds().lines().count(), 2, "{verified:?}");
    let mut owner = first.owner();
    // The sign-in of a moment ago is in it as well.
    assert!(owner.get("/v1/audit/export").text().starts_with(&trail));
    let now = owner.get("/v1/tokens").expect(200);
    let ids = |page: &serde_json::Value| {
        page["tokens"].as_array().unwrap().iter().map(|token| token["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&now), ids(&listed));
    // Changes go on, and hold on every node.
    let [id, secret] = texts(&owner.create("new"), ["id", "secret"]);
    assert!(second.anyone().is_valid(&secret));
    owner.revoke(&id);
    assert!(!second.anyone().is_valid(&secret));
}

#[test]
fn what_cannot_be_copied_is_said_and_makes_nothing() {
    let mut server = Server::start(Backend::Sqlite, Options::default());
    server.stop();
    let (file, target) = (server.database.file(), Database::new(Backend::PostgreSql));
    let url = target.url();
    let missing = format!("sqlite://{}/missing.db", server.database.folder().display());
    let bad = server.database.folder().join("bad");
    std::fs::write(&bad, "mysql://u:s3cret@localhost/db").unwrap();
    let rows: [(&[&str], &str); 8] = [
        (&["copy", "--to", "sqlite://other.db"], "to PostgreSQL"),
        (&["copy", "--to", "mysql://u:s3cret@localhost/db"], "--to: "),
        (&["copy", "--to", "postgres://u:s3cret@localhost/db?sslmode=s3cret"], "--to: "),
        (&["copy", "--to-file", bad.to_str().unwrap()], "--to-file: "),
        (&["copy", "--to-file", "/nowhere/target"], "--to-file /nowhere/target: "),
        (&["copy", "--to", &url, "--database-url", &url], "from SQLite"),
        (&["copy", "--to", &url, "--database-url", &missing], "does not exist"),
        (&["copy", "--to", "postgres://u:s3cret@127.0.0.1:1/db"], "postgres://u:***@127.0.0.1:1/db"),
    ];
    for (arguments, part) in rows {
        let said = server.command(arguments, "");
        assert!(said.fails(1).contains(part) && !said.err.contains("s3cret"), "{arguments:?}: {said:?}");
    }
    assert!(!server.database.folder().join("missing.db").exists() && file.exists());
    server.command(&["copy"], "").fails(2);
    server.command(&["copy", "--to", &url, "--to-file", bad.to_str().unwrap()], "").fails(2);
    server.command(&["migrate", "down", "--steps", "1", "--yes"], "").succeeds();
    let behind = server.command(&["copy", "--to", &url], "");
    assert!(behind.fails(1).contains("migrate up"), "{behind:?}");
}
