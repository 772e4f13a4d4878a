//! `nolapse-api doctor`: a healthy deployment has no problem, and each mistake its line.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Backend, Finished, Options, Server, both};

both!(a_deployment_that_is_well_is_said_to_be, a_mistake_is_found_and_nothing_is_changed);

/// The line of a check.
#[track_caller]
fn line<'a>(said: &'a Finished, what: &str) -> &'a str {
    let found = said.out.lines().find(|line| line.get(9..).is_some_and(|rest| rest.starts_with(&format!("{what}:"))));
    found.unwrap_or_else(|| panic!("no line {what}: {said:?}"))
}

fn a_deployment_that_is_well_is_said_to_be(backend: Backend) {
    let mut server = Server::start(backend, Options::default());
    server.owner().create("a");
    // Beside the server.
    let said = server.command(&["doctor"], "");
    let lines: &[&str] = match backend {
        Backend::Sqlite => &["database file", "write-ahead log"],
        Backend::PostgreSql => &["connections", "clock", "nodes"],
    };
    let always =
        ["configuration", "public_url", "tag key file", "schema", "disk", "tag key", "mail", "webhooks", "audit"];
    for what in always.iter().chain(lines) {
        assert!(line(&said, what).starts_with("ok "), "{said:?}");
    }
    match backend {
        Backend::Sqlite => assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{said:?}"),
        // The server of the tests does without the disk, which is a problem anywhere else.
        Backend::PostgreSql => {
            assert!(line(&said, "nodes").contains("1 on the list"), "{said:?}");
            assert!(
                line(&said, "PostgreSQL").starts_with("problem ") && said.fails(1).contains("1 problem"),
                "{said:?}"
            );
        }
    }
    assert!(server.anyone().get("/ready").status == 200);
    server.stop();
}

fn a_mistake_is_found_and_nothing_is_changed(backend: Backend) {
    let mut server = Server::start(backend, Options::default());
    server.stop();
    let key = server.tag_key_file();
    let good = server.options.clone();
    let found = |server: &Server, what: &str, outcome: &str| {
        let said = server.command(&["doctor"], "");
        let line = line(&said, what);
        assert!(line.starts_with(outcome), "{what} {outcome}: {said:?}");
        assert_eq!(said.code == Some(1), said.out.lines().any(|line| line.starts_with("problem")), "{said:?}");
    };

    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    found(&server, "tag key file", "problem");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let kept = fs::read(&key).unwrap();
    fs::write(&key, "5e".repeat(32)).unwrap();
    found(&server, "tag key", "problem");
    fs::remove_file(&key).unwrap();
    found(&server, "tag key", "problem");
    assert!(!key.exists(), "a lost key is not made anew");
    fs::write(&key, kept).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();

    server.options = good.clone().with("server.public_url", "https://tokens.example");
    found(&server, "public_url", "warning");
    server.options =
        good.clone().with("server.public_url", "https://tokens.example").with("server.trusted_proxies", "127.0.0.1/32");
    found(&server, "public_url", "ok");
    for (slug, outcome) in [("nobody", "problem"), (Server::ORGANIZATION, "ok")] {
        server.options = good.clone().with("deployment.operator_organization", slug);
        found(&server, "operator organization", outcome);
    }
    server.options = good.clone().with("hashing.bcrypt_cost", "x");
    found(&server, "configuration", "problem");
    server.options = good.clone();

    server.command(&["migrate", "down", "--steps", "1", "--yes"], "").succeeds();
    found(&server, "schema", "warning");
    server.options.set("database.migrate_at_start", false);
    found(&server, "schema", "problem");
    server.options = good;
    server.command(&["migrate", "up"], "").succeeds();
    found(&server, "schema", "ok");

    let folder = server.database.folder();
    let missing = format!("sqlite://{}/missing.db", folder.display());
    let said = server.command(&["doctor", "--database-url", &missing], "");
    assert!(said.succeeds().contains("warning  database: ") && !folder.join("missing.db").exists(), "{said:?}");
    let said = server.command(&["doctor", "--database-url", "postgres://u:s3cret@127.0.0.1:1/db"], "");
    assert!(said.fails(1).contains("1 problem") && said.out.contains("problem  database: "), "{said:?}");
    assert!(!said.out.contains("s3cret"), "{said:?}");
}
