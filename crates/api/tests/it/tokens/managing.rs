//! Tokens that manage tokens: their operations, none of which gives them rights that they lack.

use serde_json::{Value, json};

use crate::support::{Backend, Client, Options, Server, both, texts};

both!(
    a_token_manages_tokens_with_its_scopes,
    a_token_grants_nothing_it_lacks,
    a_rotation_shows_no_secret_beyond_the_askers_scopes,
    an_actors_rotation_shows_none_either,
    a_bound_token_stays_in_its_project,
);

fn a_token_manages_tokens_with_its_scopes(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let token_with = |owner: &mut Client, scopes: &[&str]| {
        let [secret] = texts(&owner.create_with("manager", scopes), ["secret"]);
        server.caller(&secret)
    };
    let mut reader = token_with(&mut owner, &["tokens:read"]);
    let mut manager = token_with(&mut owner, &["tokens:manage", "execute"]);
    let [id] = texts(&manager.create("made by a token"), ["id"]);
    assert_eq!(reader.token(&id)["name"], "made by a token");
    let [manager_id] = texts(&manager.get("/v1/tokens/self").expect(200), ["id"]);
    assert_eq!(reader.token(&id)["created_by"], format!("token:{manager_id}"));
    reader.post("/v1/tokens", &json!({"name": "a", "scopes": ["tokens:read"]})).fails(403, "insufficient scope");
    // `tokens:manage` does not imply `tokens:read`.
    manager.get("/v1/tokens").fails(403, "insufficient scope");
    manager.rotate(&id, &json!({}));
    manager.call(&format!("/v1/tokens/{id}/rotate/cancel")).expect(200);
    manager.revoke(&id);
    assert_eq!(reader.token(&id)["status"], "revoked");
}

fn a_token_grants_nothing_it_lacks(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [secret] = texts(&owner.create_with("manager", &["tokens:manage", "read", "scans:read"]), ["secret"]);
    let mut manager = server.caller(&secret);
    let rows: [(&[&str], &[&str]); 7] = [
        (&["execute"], &["execute"]),
        (&["read", "execute"], &["execute"]),
        (&["scans"], &["scans", "scans:manage", "scans:run", "scans:stop", "scans:delete"]),
        (&["scans:read", "scans:run"], &["scans:run"]),
        (&["tokens:read"], &["tokens:read"]),
        (&["self:rotate"], &["self:rotate"]),
        (&["org.memberships:read", "org:read"], &["org:read", "org.memberships:read"]),
    ];
    for (asked, lacking) in rows {
        let refused = manager.post("/v1/tokens", &json!({"name": "wider", "scopes": asked}));
        assert_eq!(refused.fails(403, "insufficient scope")["missing"], json!(lacking), "{asked:?}");
    }
    let refused = manager.post("/v1/tokens", &json!({"name": "wider", "scopes": ["admin"]}));
    let missing = refused.fails(403, "insufficient scope")["missing"].as_array().unwrap().len();
    assert!(missing > 40, "everything but what it has: {missing}");
    let same = json!(["scans:read", "tokens:manage", "read"]);
    let made = manager.post("/v1/tokens", &json!({"name": "as wide", "scopes": same})).expect(201);
    assert_eq!(made["scopes"], same);
}

fn a_rotation_shows_no_secret_beyond_the_askers_scopes(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [secret] = texts(&owner.create_with("manager", &["tokens:manage", "read"]), ["secret"]);
    let mut manager = server.caller(&secret);
    for (scopes, lacking) in [
        (vec!["execute"], json!(["execute"])),
        (vec!["read", "files:write"], json!(["files:write"])),
        (vec!["tokens:manage", "tokens:read"], json!(["tokens:read"])),
    ] {
        let [id, strong] = texts(&owner.create_with("stronger", &scopes), ["id", "secret"]);
        let before = owner.token(&id);
        let refused = manager.post(&format!("/v1/tokens/{id}/rotate"), &json!({"grace_period_seconds": 0}));
        let body = refused.fails(403, "insufficient scope");
        assert_eq!(body["missing"], lacking);
        assert!(!refused.text().contains("nlp_"));
        assert_eq!(owner.token(&id), before);
        // The weaker token may still revoke the stronger one.
        assert!(owner.is_valid(&strong));
        manager.revoke(&id);
        assert!(!owner.is_valid(&strong));
    }
    let [id] = texts(&owner.create_with("weaker", &["read"]), ["id"]);
    manager.rotate(&id, &json!({}));
}

fn an_actors_rotation_shows_none_either(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = project(&mut owner, "fleet");
    let [secret] = texts(&owner.create_with("keeper", &["actors:manage"]), ["secret"]);
    let mut keeper = server.caller(&secret);
    let actors = format!("{}/actors", project.path);
    let made = owner.post(&actors, &json!({"name": "strong", "scopes": ["self:rotate", "execute"]})).expect(201);
    let [strong] = texts(&made, ["actorId"]);
    let refused = keeper.post(&format!("{actors}/{strong}/rotate"), &json!({}));
    assert_eq!(refused.fails(403, "insufficient scope")["missing"], json!(["execute", "read"]));
    // The default scopes of actors need no right of the caller.
    let [plain] = texts(&keeper.post(&actors, &json!({"name": "plain"})).expect(201), ["actorId"]);
    keeper.post(&format!("{actors}/{plain}/rotate"), &json!({})).expect(200);
}

struct Project {
    id: String,
    path: String,
}

fn project(owner: &mut Client, slug: &str) -> Project {
    let [org] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    let path = format!("/v1/organizations/{org}/projects");
    let [id] = texts(&owner.post(&path, &json!({ "slug": slug })).expect(201), ["projectId"]);
    Project { path: format!("{path}/{id}"), id }
}

fn a_bound_token_stays_in_its_project(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let (home, other) = (project(&mut owner, "home"), project(&mut owner, "other"));
    let in_project = |owner: &mut Client, project: Option<&str>| {
        let scopes = ["tokens:read", "tokens:manage", "read"];
        let asked = json!({"name": "a", "scopes": scopes, "project_id": project});
        let [id, secret] = texts(&owner.post("/v1/tokens", &asked).expect(201), ["id", "secret"]);
        (id, secret)
    };
    let (_, bound) = in_project(&mut owner, Some(&home.id));
    let (sibling, _) = in_project(&mut owner, Some(&home.id));
    let (elsewhere, _) = in_project(&mut owner, Some(&other.id));
    let (unbound, _) = in_project(&mut owner, None);
    let mut caller = server.caller(&bound);

    let absent = "018f0000-0000-7000-8000-000000000001";
    for id in [&elsewhere, &unbound] {
        let calls: [(&str, &str, Value); 5] = [
            ("GET", "", Value::Null),
            ("PATCH", "", json!({"name": "b"})),
            ("POST", "/rotate", json!({})),
            ("POST", "/rotate/cancel", json!({})),
            ("DELETE", "", Value::Null),
        ];
        for (method, rest, body) in calls {
            let mut ask = |id: &str| {
                let path = format!("/v1/tokens/{id}{rest}");
                let request = crate::support::Request::new(method, &path);
                caller.ask(if body.is_null() { request } else { request.json(&body) })
            };
            let foreign = ask(id);
            foreign.fails(404, "not found");
            assert_eq!(foreign.bare(), ask(absent).bare(), "{method} {rest}");
        }
        assert_eq!(owner.token(id)["status"], "active");
    }
    assert_eq!(caller.token(&sibling)["id"], sibling.as_str());
    let listed = caller.get("/v1/tokens").expect(200);
    assert_eq!(listed["tokens"].as_array().unwrap().len(), 2, "{listed}");

    // Tokens that it creates are bound to its project too, whether the request names the project or not.
    for asked in
        [json!({"name": "c", "scopes": ["read"]}), json!({"name": "c", "scopes": ["read"], "project_id": home.id})]
    {
        assert_eq!(caller.post("/v1/tokens", &asked).expect(201)["project_id"], home.id.as_str());
    }
    for foreign in [other.id.as_str(), absent] {
        let refused = caller.post("/v1/tokens", &json!({"name": "c", "scopes": ["read"], "project_id": foreign}));
        assert_eq!(refused.fails(400, "invalid request")["field"], "project_id");
    }
    caller.rotate(&sibling, &json!({}));
}
