//! Short paths, as the published clients use them: with a token bound to one project, and no project in the path.

use serde_json::{Value, json};

use super::ground::{Project, column, has_exactly};
use crate::support::{Backend, Client, Options, Request, Server, both, texts};

both!(
    a_client_walks_through,
    lists_speak_the_clients_dialect,
    actors_speak_the_clients_dialect,
    without_a_project_it_says_so,
    the_catalogue_stays_where_it_was,
    every_call_has_a_short_form,
);

const ALL: [&str; 4] = ["access-scopes:read", "access-scopes:manage", "actors:read", "actors:manage"];

/// Sends a request like the published clients: always with a content type, even without a body.
fn send(client: &mut Client, method: &str, path: &str, body: Option<&Value>) -> crate::support::Answer {
    let request = Request::new(method, path);
    client.ask(match body {
        Some(body) => request.json(body),
        None => request.header("Content-Type", "application/json"),
    })
}

fn a_client_walks_through(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let mut client = server.caller(&project.bound_token(&mut owner, &ALL));
    let scope =
        send(&mut client, "POST", "/v1/scopes", Some(&json!({"slug": "tenant-1", "name": "Tenant 1"}))).expect(201);
    let [scope_id] = texts(&scope, ["accessScopeId"]);
    assert_eq!((&scope["slug"], &scope["projectId"]), (&json!("tenant-1"), &json!(project.id)));
    let asked = json!({"name": "sensor", "actorType": "device", "externalId": "s-1"});
    let actor = send(&mut client, "POST", "/v1/actors", Some(&asked)).expect(201);
    let [actor_id, token_id, token] = texts(&actor, ["actorId", "actorTokenId", "accessToken"]);
    assert_eq!((&token_id, &actor["isActive"], &actor["status"]), (&actor_id, &json!(true), &json!("active")));
    assert!(client.is_valid(&token));

    let path = format!("/v1/actors/{actor_id}");
    let moved = send(&mut client, "PATCH", &path, Some(&json!({ "accessScopeId": scope_id }))).expect(200);
    assert_eq!(moved["accessScopeId"], json!(scope_id));
    let listed = send(&mut client, "GET", &format!("/v1/scopes/{scope_id}/actors"), None).expect(200);
    assert_eq!(column(&listed, "actorTokenId"), std::slice::from_ref(&actor_id));
    let moved = send(&mut client, "PATCH", &path, Some(&json!({"accessScopeId": null}))).expect(200);
    assert_eq!(moved["accessScopeId"], Value::Null);
    assert_eq!(send(&mut client, "GET", &format!("/v1/scopes/{scope_id}/actors"), None).expect(200), json!([]));
    assert_eq!(send(&mut client, "DELETE", &format!("/v1/scopes/{scope_id}"), None).expect(204), Value::Null);
    let gone = send(&mut client, "GET", &format!("/v1/scopes/{scope_id}"), None).fails(404, "not found");
    assert!(gone["message"].is_string(), "which is what the clients show");
    assert_eq!(send(&mut client, "DELETE", &path, None).expect(204), Value::Null);
    assert!(!client.is_valid(&token));
}

fn lists_speak_the_clients_dialect(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let mut client = server.caller(&project.bound_token(&mut owner, &ALL));
    for slug in ["b", "a", "c"] {
        project.scope(&mut owner, slug);
    }
    let list = client.get("/v1/scopes?limit=2&sortBy=slug&sortOrder=ASC").expect(200);
    has_exactly(&list, &["data", "limit", "meta", "page", "pagination", "total", "totalPages"]);
    assert_eq!(column(&list["data"], "slug"), ["a", "b"]);
    assert_eq!(list["meta"], json!({"page": 1, "limit": 2, "total": 3, "totalPages": 2}));
    assert_eq!(list["pagination"], json!({"total": 3, "page": 1, "pageCount": 2}));
    let flat = ["page", "limit", "total", "totalPages"].map(|field| &list[field]);
    assert_eq!(flat, [1, 2, 3, 2], "{list}");
    assert_eq!(column(&client.get("/v1/scopes?search=C").expect(200)["data"], "slug"), ["c"]);
    assert_eq!(client.get("/v1/scopes?sortBy=evil").fails(400, "invalid request")["field"], "sortBy");

    for number in 0..12 {
        project.actor(&mut owner, &format!("actor {number:02}"), None);
    }
    let all = client.get("/v1/actors?sortBy=name&sortOrder=asc");
    assert_eq!((all.header("x-total-count"), column(&all.json(), "name").len()), (Some("12"), 12));
    assert_eq!(column(&all.json(), "name")[..2], ["actor 00", "actor 01"]);
    let some = client.get("/v1/actors?orderBy=name:DESC&limit=5&page=3");
    assert_eq!(column(&some.json(), "name"), ["actor 01", "actor 00"]);
    assert_eq!(column(&client.get("/v1/actors?search=11").expect(200), "name"), ["actor 11"]);
    assert_eq!(client.get("/v1/actors?accessScopeId=null").header("x-total-count"), Some("12"));
}

fn actors_speak_the_clients_dialect(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let mut client = server.caller(&project.bound_token(&mut owner, &ALL));
    let [id, token] = texts(&client.post("/v1/actors", &json!({"name": "x"})).expect(201), ["actorId", "accessToken"]);
    let path = format!("/v1/actors/{id}");
    let off = client.patch(&path, &json!({"isActive": false})).expect(200);
    assert_eq!((&off["isActive"], &off["status"]), (&json!(false), &json!("disabled")));
    assert!(!client.is_valid(&token));
    let on = client.patch(&path, &json!({"isActive": true})).expect(200);
    assert_eq!((&on["isActive"], &on["status"], &on["actorTokenId"]), (&json!(true), &json!("active"), &json!(id)));
    assert!(client.is_valid(&token));
    assert_eq!(client.get(&path).expect(200)["actorTokenId"], json!(id));
    let rotated = client.call(&format!("{path}/rotate")).expect(200);
    assert!(client.is_valid(rotated["accessToken"].as_str().unwrap()));
    assert_eq!(rotated["actorTokenId"], json!(id));
    // The answer on the long path has only the fields of the contract.
    let long = owner.get(&project.at(&format!("actors/{id}"))).expect(200);
    assert_eq!((long.get("actorTokenId"), long.get("isActive")), (None, None));
}

fn without_a_project_it_says_so(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [unbound] = texts(&owner.create_with("unbound", &["admin"]), ["secret"]);
    for credential in [owner.credential().to_owned(), unbound] {
        let mut client = server.caller(&credential);
        for path in ["/v1/scopes", "/v1/actors", "/v1/scopes/01920000-0000-7000-8000-000000000000"] {
            let refused = client.get(path).fails(400, "credential bound to no project");
            assert!(refused["message"].as_str().unwrap().contains("bound to a project"), "{refused}");
        }
        client.post("/v1/scopes", &json!({"slug": "a"})).fails(400, "credential bound to no project");
        assert_eq!(client.get("/v1/actors/x").fails(400, "invalid request")["field"], "actor_id");
    }
    server.anyone().get("/v1/scopes").fails(401, "authentication required");
    let project = Project::make(&mut owner, "fleet");
    let mut reader = server.caller(&project.bound_token(&mut owner, &["access-scopes:read"]));
    assert_eq!(reader.get("/v1/actors").fails(403, "insufficient scope")["missing"], json!(["actors:read"]));
    let refused = reader.post("/v1/scopes", &json!({"slug": "a"})).fails(403, "insufficient scope");
    assert_eq!(refused["missing"], json!(["access-scopes:manage"]));
}

fn the_catalogue_stays_where_it_was(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let mut client = server.caller(&project.bound_token(&mut owner, &ALL));
    for caller in [&mut server.anyone(), &mut client] {
        let catalog = caller.get("/v1/scopes/catalog").expect(200);
        assert!(column(&catalog["scopes"], "name").contains(&"access-scopes:read".to_owned()));
    }
    assert_eq!(client.get("/v1/scopes/catalogue").fails(400, "invalid request")["field"], "scope_id");
}

fn every_call_has_a_short_form(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let mut client = server.caller(&project.bound_token(&mut owner, &ALL));
    let scope = project.scope(&mut owner, "acme");
    let [actor] = texts(&project.actor(&mut owner, "x", None), ["actorId"]);
    let several = json!({ "actorIds": [actor] });
    assert_eq!(client.post(&format!("/v1/scopes/{scope}/actors"), &several).expect(200)["changed"], 1);
    assert_eq!(client.get(&format!("/v1/scopes/{scope}/namespace?topic=a")).expect(200)["topic"], "acme/a");
    assert_eq!(client.get(&format!("/v1/actors/{actor}/check?topic=acme/a")).expect(200)["allowed"], true);
    let tried = client.delete(&format!("/v1/scopes/{scope}?dryRun=true")).expect(200);
    assert_eq!(column(&tried["data"], "actorTokenId"), std::slice::from_ref(&actor));
    client.delete(&format!("/v1/scopes/{scope}?ifAssigned=reject")).fails(409, "actors assigned");
    let path = format!("/v1/scopes/{scope}/actors");
    assert_eq!(client.ask(Request::new("DELETE", &path).json(&several)).expect(200)["changed"], 1);
    client.delete(&format!("{path}/{actor}")).expect(204);
    assert_eq!(client.patch(&format!("/v1/scopes/{scope}"), &json!({"name": "Acme"})).expect(200)["name"], "Acme");
    assert_eq!(
        client.get(&format!("/v1/scopes/{scope}")).expect(200),
        owner.get(&project.at(&format!("scopes/{scope}"))).expect(200)
    );
}
