//! `GET /v1/audit/verify` on an intact trail, a changed one, and one that was cut off.

use serde_json::{Value, json};
use test_support::sql::Sql;

use crate::support::{Backend, Options, Server, both};

both!(a_whole_trail_is_said_to_be_whole, a_changed_event_is_named, a_trail_cut_off_shows_against_a_remembered_head);

fn a_whole_trail_is_said_to_be_whole(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    owner.create("a");
    let said = owner.get("/v1/audit/verify").expect(200);
    let head = said["head"].as_str().unwrap().to_owned();
    assert!(head.starts_with("2.") && head.len() == 66, "{head}");
    let whole = json!({"ok": true, "complete": true, "checked": 2, "head": head, "next_cursor": Value::Null});
    assert_eq!(said, whole);
    // A longer trail verifies from the remembered place on, and still contains it.
    owner.create("b");
    let said = owner.get(&format!("/v1/audit/verify?after={head}")).expect(200);
    assert_eq!((&said["ok"], &said["checked"]), (&json!(true), &json!(1)));
    let said = owner.get(&format!("/v1/audit/verify?expect_head={head}")).expect(200);
    assert_eq!((&said["ok"], &said["checked"]), (&json!(true), &json!(3)));
    let elsewhere = head.replace("2.", "9.");
    let said = owner.get(&format!("/v1/audit/verify?expect_head={elsewhere}")).expect(200);
    assert_eq!(said["first_bad"]["fault"], "cut_off", "{said}");
}

/// Runs statements on the database directly.
fn tamper(server: &Server, backend: Backend, statements: &[&str]) {
    let on = if backend == Backend::PostgreSql { "ON audit_events" } else { "" };
    let url = storage::DatabaseUrl::parse(&server.database.url()).unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut sql = Sql::connect(&url).await;
        sql.run(&format!("DROP TRIGGER audit_events_no_update {on}")).await.unwrap();
        sql.run(&format!("DROP TRIGGER audit_events_no_delete {on}")).await.unwrap();
        for statement in statements {
            sql.run(statement).await.unwrap();
        }
    });
}

fn a_changed_event_is_named(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    for name in ["a", "b", "c"] {
        owner.create(name);
    }
    // Only the organisation's trail has an event 3: the deployment's has one event.
    tamper(&server, backend, &["UPDATE audit_events SET actor = 'somebody else' WHERE seq = 3"]);
    let said = owner.get("/v1/audit/verify").expect(200);
    assert_eq!((&said["ok"], &said["complete"], &said["checked"]), (&json!(false), &json!(true), &json!(2)));
    assert_eq!((&said["first_bad"]["seq"], &said["first_bad"]["fault"]), (&json!(3), &json!("changed")));
    assert!(said["first_bad"]["message"].as_str().unwrap().contains("event 3"), "{said}");
    // The changed event is still listed.
    let list = owner.get("/v1/audit").expect(200);
    assert_eq!(list["events"][2]["actor"], "somebody else");

    let command = server.command(&["audit", "verify"], "");
    let error = command.fails(1);
    assert!(error.contains("event 3 was changed") && error.contains("org_"), "{error}");
    assert!(command.out.contains("of the deployment"), "the other trail was looked at as well: {command:?}");
}

fn a_trail_cut_off_shows_against_a_remembered_head(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    for name in ["a", "b"] {
        owner.create(name);
    }
    let said = owner.get("/v1/audit/verify").expect(200);
    let head = said["head"].as_str().unwrap();
    tamper(
        &server,
        backend,
        &[
            "UPDATE audit_heads SET seq = 2, hash = (SELECT hash FROM audit_events e WHERE e.trail = audit_heads.trail AND e.seq = 2) WHERE seq = 3",
            "DELETE FROM audit_events WHERE seq = 3",
        ],
    );
    assert_eq!(owner.get("/v1/audit/verify").expect(200)["ok"], true, "the trace is covered");
    let said = owner.get(&format!("/v1/audit/verify?expect_head={head}")).expect(200);
    assert_eq!(said["first_bad"]["fault"], "cut_off", "{said}");
}
