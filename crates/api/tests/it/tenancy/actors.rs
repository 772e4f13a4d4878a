//! Actors by their long paths: every call, its status and its body.

use serde_json::{Value, json};

use super::ground::{Project, column, has_exactly, is_milliseconds};
use crate::support::{Backend, Options, Server, both, later, texts};

both!(
    an_actor_is_made_and_read,
    bad_actors_are_refused,
    an_actor_is_changed_field_by_field,
    actors_are_listed_and_filtered,
    topics_are_checked,
);

const KEYS: [&str; 14] = [
    "actorId",
    "projectId",
    "name",
    "actorType",
    "description",
    "status",
    "externalId",
    "metadata",
    "accessScopeId",
    "expiresAt",
    "lastUsedAt",
    "lastConnectedAt",
    "createdAt",
    "updatedAt",
];

fn an_actor_is_made_and_read(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let mut made = owner.post(&project.at("actors"), &json!({"name": " pump 7 "})).expect(201);
    let token = made.as_object_mut().unwrap().remove("accessToken").unwrap();
    assert!(token.as_str().unwrap().starts_with("nlp_"));
    has_exactly(&made, &KEYS);
    assert_eq!(
        (&made["name"], &made["actorType"], &made["status"]),
        (&json!("pump 7"), &json!("device"), &json!("active"))
    );
    for field in
        ["description", "externalId", "metadata", "accessScopeId", "expiresAt", "lastUsedAt", "lastConnectedAt"]
    {
        assert_eq!(made[field], Value::Null, "{field}");
    }
    is_milliseconds(&made["createdAt"]);
    let [id] = texts(&made, ["actorId"]);
    assert_eq!(owner.get(&project.at(&format!("actors/{id}"))).expect(200), made);

    let scope = project.scope(&mut owner, "acme");
    let all = json!({
        "name": "agent", "actorType": "agent", "description": "Delivers.", "externalId": "ext 1", "metadata": {"k": [1]},
        "expiresAt": "2099-01-15T10:32:11.987654+01:00", "accessScopeId": scope, "scopes": ["read"],
    });
    let made = owner.post(&project.at("actors"), &all).expect(201);
    assert_eq!(made["expiresAt"], "2099-01-15T09:32:11.987Z");
    for field in ["actorType", "description", "externalId", "metadata", "accessScopeId"] {
        assert_eq!(made[field], all[field], "{field}");
    }
    for actor_type in ["device", "user", "server", "agent", "service", "session", "orchestrator", "observer"] {
        owner.post(&project.at("actors"), &json!({"name": "x", "actorType": actor_type})).expect(201);
    }
}

fn bad_actors_are_refused(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let (project, other) = (Project::make(&mut owner, "fleet"), Project::make(&mut owner, "other"));
    let foreign = other.scope(&mut owner, "acme");
    let absent = "01920000-0000-7000-8000-000000000000";
    for (field, value) in [
        ("name", json!(null)),
        ("name", json!("")),
        ("name", json!("x".repeat(256))),
        ("name", json!("a\u{202e}b")),
        ("actorType", json!("robot")),
        ("description", json!("")),
        ("description", json!("x".repeat(501))),
        ("externalId", json!("")),
        ("externalId", json!("x".repeat(256))),
        ("metadata", json!(7)),
        ("expiresAt", json!("tomorrow")),
        ("expiresAt", json!(later(-60))),
        ("accessScopeId", json!("acme")),
        ("accessScopeId", json!("01J0B3V1MMEEDTX9CPDGKFHBCH")),
        ("accessScopeId", json!(foreign)),
        ("accessScopeId", json!(absent)),
        ("scopes", json!([])),
        ("scopes", json!(["fly"])),
        ("scopes", json!(["admin"])),
        ("scopes", json!(["actors:manage"])),
    ] {
        let mut body = json!({"name": "x"});
        body[field] = value;
        assert_eq!(owner.post(&project.at("actors"), &body).fails(400, "invalid request")["field"], field, "{body}");
    }
    owner.post(&project.at("actors"), &json!({})).fails(400, "invalid request");
    assert_eq!(owner.get(&project.at("actors")).expect(200)["meta"]["total"], 0, "nothing was made");

    // A caller cannot give an actor scopes that they lack, except the defaults.
    let mut narrow = server.caller(&project.bound_token(&mut owner, &["actors:manage", "read"]));
    let wide = narrow.post(&project.at("actors"), &json!({"name": "x", "scopes": ["execute"]}));
    assert_eq!(wide.fails(403, "insufficient scope")["missing"], json!(["execute"]));
    narrow.post(&project.at("actors"), &json!({"name": "x", "scopes": ["read"]})).expect(201);
    narrow.post(&project.at("actors"), &json!({"name": "x"})).expect(201);
}

fn an_actor_is_changed_field_by_field(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let (project, other) = (Project::make(&mut owner, "fleet"), Project::make(&mut owner, "other"));
    let (scope, foreign) = (project.scope(&mut owner, "acme"), other.scope(&mut owner, "acme"));
    let [id] = texts(&project.actor(&mut owner, "pump", None), ["actorId"]);
    let path = project.at(&format!("actors/{id}"));
    for (change, field, shown) in [
        (json!({"name": "Pump 8"}), "name", json!("Pump 8")),
        (json!({"actorType": "server"}), "actorType", json!("server")),
        (json!({"description": "d"}), "description", json!("d")),
        (json!({"description": null}), "description", Value::Null),
        (json!({"externalId": "e"}), "externalId", json!("e")),
        (json!({"externalId": null}), "externalId", Value::Null),
        (json!({"metadata": {"b": 1, "a": 2}}), "metadata", json!({"a": 2, "b": 1})),
        (json!({"metadata": null}), "metadata", Value::Null),
        (json!({"accessScopeId": scope}), "accessScopeId", json!(scope)),
        (json!({"accessScopeId": null}), "accessScopeId", Value::Null),
        (json!({"expiresAt": "2099-01-01T00:00:00Z"}), "expiresAt", json!("2099-01-01T00:00:00.000Z")),
        (json!({"expiresAt": null}), "expiresAt", Value::Null),
        (json!({"status": "disabled"}), "status", json!("disabled")),
        (json!({"status": "active"}), "status", json!("active")),
        (json!({"isActive": false}), "status", json!("disabled")),
        (json!({"isActive": true, "status": "active"}), "status", json!("active")),
        (json!({"unknown": 1}), "name", json!("Pump 8")),
    ] {
        assert_eq!(owner.patch(&path, &change).expect(200)[field], shown, "{change}");
    }
    for (change, field) in [
        (json!({"name": null}), "name"),
        (json!({"name": " "}), "name"),
        (json!({"actorType": null}), "actorType"),
        (json!({"accessScopeId": foreign}), "accessScopeId"),
        (json!({"accessScopeId": "x"}), "accessScopeId"),
        (json!({"expiresAt": later(-1)}), "expiresAt"),
        (json!({"status": "expired"}), "status"),
        (json!({"status": "active", "isActive": false}), "isActive"),
        (json!({"isActive": 1}), "isActive"),
    ] {
        assert_eq!(owner.patch(&path, &change).fails(400, "invalid request")["field"], field, "{change}");
    }
    let actor = owner.get(&path).expect(200);
    assert_eq!((&actor["name"], &actor["status"]), (&json!("Pump 8"), &json!("active")));
    owner.delete(&path).expect(204);
    owner.get(&path).fails(404, "not found");
    owner.patch(&path, &json!({"name": "x"})).fails(404, "not found");
    owner.delete(&path).fails(404, "not found");
}

fn actors_are_listed_and_filtered(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let (one, two) = (project.scope(&mut owner, "one"), project.scope(&mut owner, "two"));
    for (name, scope) in [("b", Some(&one)), ("a", None), ("d", Some(&two)), ("c", Some(&one))] {
        project.actor(&mut owner, name, scope.map(String::as_str));
    }
    for (query, names) in [
        (String::new(), "c d a b"),
        ("?orderBy=name:ASC".to_owned(), "a b c d"),
        ("?orderBy=name:ASC&limit=3&page=2".to_owned(), "d"),
        (format!("?accessScopeId={one}"), "c b"),
        (format!("?accessScopeId={one}&orderBy=name"), "b c"),
        ("?accessScopeId=null".to_owned(), "a"),
        ("?accessScopeId=01920000-0000-7000-8000-000000000000".to_owned(), ""),
        ("?search=D".to_owned(), "d"),
    ] {
        let page = owner.get(&project.at(&format!("actors{query}"))).expect(200);
        assert_eq!(column(&page["data"], "name").join(" "), names, "{query}");
        has_exactly(&page, &["data", "meta"]);
    }
    let page = owner.get(&project.at("actors?limit=500")).expect(200);
    assert_eq!(page["meta"], json!({"page": 1, "limit": 100, "total": 4, "totalPages": 1}));
    assert_eq!(page["data"][0].get("accessToken"), None);
    for query in ["accessScopeId=", "accessScopeId=one", "accessScopeId=NULL"] {
        let refused = owner.get(&project.at(&format!("actors?{query}"))).fails(400, "invalid request");
        assert_eq!(refused["field"], "accessScopeId", "{query}");
    }
    let page = owner.get(&project.at(&format!("scopes/{one}/actors?page=2&limit=1"))).expect(200);
    assert_eq!(column(&page["data"], "name"), ["b"]);
    assert_eq!(page["meta"], json!({"page": 2, "limit": 1, "total": 2, "totalPages": 2}));
}

fn topics_are_checked(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let scope = project.scope(&mut owner, "acme");
    let [scoped] = texts(&project.actor(&mut owner, "scoped", Some(&scope)), ["actorId"]);
    let [free] = texts(&project.actor(&mut owner, "free", None), ["actorId"]);
    let check = |id: &str, topic: &str| project.at(&format!("actors/{id}/check?topic={topic}"));
    let allowed = owner.get(&check(&scoped, "acme/room"));
    assert_eq!(allowed.text(), r#"{"allowed":true,"topic":"acme/room","reason":null}"#);
    for (id, topic, reason) in [
        (&scoped, "acme/a/b", json!(null)),
        (&scoped, "acme", json!("outside_access_scope")),
        (&scoped, "acme-2/room", json!("outside_access_scope")),
        (&scoped, "room", json!("outside_access_scope")),
        (&free, "room", json!(null)),
        (&free, "acme/room", json!(null)),
    ] {
        let answer = owner.get(&check(id, topic)).expect(200);
        assert_eq!((&answer["reason"], &answer["allowed"]), (&reason, &json!(reason.is_null())), "{topic}");
    }
    owner.patch(&project.at(&format!("scopes/{scope}")), &json!({"isActive": false})).expect(200);
    assert_eq!(owner.get(&check(&scoped, "acme/room")).expect(200)["reason"], "access_scope_inactive");
    owner.patch(&project.at(&format!("actors/{scoped}")), &json!({"isActive": false})).expect(200);
    assert_eq!(owner.get(&check(&scoped, "acme/room")).expect(200)["reason"], "actor_disabled");
    let [expiring] = texts(
        &owner.post(&project.at("actors"), &json!({"name": "x", "expiresAt": later(2)})).expect(201),
        ["actorId"],
    );
    crate::support::eventually("the expiry", || {
        (owner.get(&check(&expiring, "room")).expect(200)["reason"] == "actor_expired").then_some(())
    });
    assert_eq!(owner.get(&check(&scoped, "%23")).fails(400, "invalid request")["field"], "topic");
    owner.get(&project.at(&format!("actors/{scoped}/check"))).fails(400, "missing required parameter: topic");
}
