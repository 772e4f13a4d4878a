//! Access scopes by their long paths: every call, its status and its body.

use serde_json::{Value, json};

use super::ground::{Project, column, has_exactly, is_milliseconds};
use crate::support::{Backend, Options, Request, Server, both, texts};

both!(
    an_access_scope_is_made_and_read,
    slugs_are_checked_and_taken_once_in_a_project,
    of_two_at_once_with_one_slug_one_is_made,
    everything_but_the_slug_can_be_changed,
    lists_have_pages_and_orders,
    bad_lists_are_refused,
    a_deletion_unassigns_or_is_refused_or_only_tried,
    many_actors_are_assigned_at_once,
    topics_get_the_slug_in_front,
    bodies_are_bounded,
);

const KEYS: [&str; 9] =
    ["accessScopeId", "slug", "name", "description", "metadata", "isActive", "projectId", "createdAt", "updatedAt"];

fn an_access_scope_is_made_and_read(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let made = owner.post(&project.at("scopes"), &json!({"slug": "acme", "name": "Acme Ltd"})).expect(201);
    has_exactly(&made, &KEYS);
    let expected = (&json!("acme"), &json!("Acme Ltd"), &json!(project.id), &json!(true), &Value::Null);
    assert_eq!((&made["slug"], &made["name"], &made["projectId"], &made["isActive"], &made["metadata"]), expected);
    is_milliseconds(&made["createdAt"]);
    assert_eq!(made["createdAt"], made["updatedAt"]);
    let [id] = texts(&made, ["accessScopeId"]);
    assert_eq!(owner.get(&project.at(&format!("scopes/{id}"))).expect(200), made);

    let all = json!({
        "slug": "b", "description": " two\r\nlines ", "metadata": {"b": [1, {"c": null}], "a": 1.5}, "isActive": false,
    });
    let made = owner.post(&project.at("scopes"), &all).expect(201);
    assert_eq!((&made["description"], &made["metadata"]), (&json!("two\nlines"), &all["metadata"]));
    assert_eq!((&made["isActive"], &made["name"]), (&json!(false), &Value::Null));
    // The other form of the id is accepted too.
    let uuid: u128 = u128::from_str_radix(&id.replace('-', ""), 16).unwrap();
    let digits: String = (0..26)
        .rev()
        .map(|place| {
            char::from(b"0123456789abcdefghjkmnpqrstvwxyz"[usize::try_from((uuid >> (5 * place)) & 31).unwrap()])
        })
        .collect();
    owner.get(&project.at(&format!("scopes/asc_{digits}"))).expect(200);
}

fn slugs_are_checked_and_taken_once_in_a_project(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let (project, other) = (Project::make(&mut owner, "fleet"), Project::make(&mut owner, "other"));
    let long = "a".repeat(101);
    for slug in [
        json!(null),
        json!(""),
        json!("Acme"),
        json!("acme "),
        json!("-a"),
        json!("a-"),
        json!("a.b"),
        json!("ä"),
        json!(long),
    ] {
        let refused = owner.post(&project.at("scopes"), &json!({ "slug": slug })).fails(400, "invalid request");
        assert_eq!(refused["field"], "slug", "{slug}");
    }
    let refused = owner.post(&project.at("scopes"), &json!({"name": "no slug"})).fails(400, "invalid request");
    assert_eq!((&refused["field"], &refused["message"]), (&json!("slug"), &json!("slug is required")));
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("x".repeat(256))),
        ("name", json!(7)),
        ("description", json!("x".repeat(501))),
        ("metadata", json!([])),
        ("metadata", json!("{}")),
        ("metadata", json!({"x": "y".repeat(4_096)})),
        ("metadata", json!({"1": {"2": {"3": {"4": {"5": {"6": {"7": {"8": {}}}}}}}}})),
        ("isActive", json!("yes")),
    ] {
        let body = json!({"slug": "a", field: value});
        let refused = owner.post(&project.at("scopes"), &body).fails(400, "invalid request");
        // An error inside the metadata is named by its path.
        let named = refused["field"].as_str().unwrap().split('.').next().unwrap();
        assert_eq!(named, field, "{refused}");
    }
    let id = project.scope(&mut owner, "acme");
    let taken = owner.post(&project.at("scopes"), &json!({"slug": "acme"})).fails(409, "slug taken");
    assert_eq!(taken["field"], "slug");
    other.scope(&mut owner, "acme");
    owner.delete(&project.at(&format!("scopes/{id}"))).expect(204);
    assert_ne!(project.scope(&mut owner, "acme"), id, "a deleted slug may be used again");
}

fn of_two_at_once_with_one_slug_one_is_made(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let project = Project::make(&mut server.owner(), "fleet");
    for round in 0..10 {
        let body = json!({ "slug": format!("s-{round}") });
        let mut statuses: Vec<u16> = std::thread::scope(|threads| {
            let both: Vec<_> = (0..2)
                .map(|_| {
                    let mut owner = server.owner();
                    let (path, body) = (project.at("scopes"), &body);
                    threads.spawn(move || owner.post(&path, body).status)
                })
                .collect();
            both.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409]);
    }
}

fn everything_but_the_slug_can_be_changed(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let path = project.at(&format!("scopes/{}", project.scope(&mut owner, "acme")));
    let before = owner.get(&path).expect(200);
    assert_eq!(owner.patch(&path, &json!({"slug": "acme", "name": "Acme"})).expect(200)["name"], "Acme");
    assert_eq!(owner.patch(&path, &json!({"description": "d"})).expect(200)["name"], "Acme", "left out, so kept");
    assert_eq!(owner.patch(&path, &json!({"name": null})).expect(200)["name"], Value::Null);
    let changed =
        owner.patch(&path, &json!({"metadata": {"a": 1}, "isActive": false, "description": null})).expect(200);
    assert_eq!(changed["metadata"], json!({"a": 1}));
    assert_eq!((&changed["isActive"], &changed["description"]), (&json!(false), &Value::Null));
    assert_eq!(owner.patch(&path, &json!({"metadata": null})).expect(200)["metadata"], Value::Null);
    assert_eq!(changed["createdAt"], before["createdAt"]);
    for slug in [json!("other"), json!("ACME"), json!(null)] {
        let refused = owner.patch(&path, &json!({ "slug": slug })).expect(400);
        assert_eq!(refused["field"], "slug", "{slug}");
    }
    owner.patch(&path, &json!({"slug": "other"})).fails(400, "slug cannot be changed");
    assert_eq!(owner.get(&path).expect(200)["slug"], "acme");
}

fn lists_have_pages_and_orders(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    for (slug, name) in [("b", Some("one")), ("d", None), ("a", Some("Two")), ("c", Some("one"))] {
        owner.post(&project.at("scopes"), &json!({"slug": slug, "name": name})).expect(201);
    }
    let mut list = |query: &str| owner.get(&project.at(&format!("scopes{query}"))).expect(200);
    for (query, slugs) in [
        ("", "c a d b"),
        ("?orderBy=createdAt:ASC", "b d a c"),
        ("?orderBy=createdAt:DESC", "c a d b"),
        ("?orderBy=updatedAt:DESC", "c a d b"),
        ("?orderBy=slug:ASC", "a b c d"),
        ("?orderBy=slug:DESC", "d c b a"),
        ("?orderBy=name:ASC", "a b c d"),
        ("?orderBy=name:DESC", "d c b a"),
        ("?orderBy=slug:ASC&page=2&limit=3", "d"),
        ("?orderBy=slug:ASC&page=3&limit=3", ""),
        ("?search=ON&orderBy=slug", "b c"),
        ("?sortBy=slug&sortOrder=desc", "d c b a"),
        ("?page=1000000000000000000", ""),
    ] {
        assert_eq!(column(&list(query)["data"], "slug").join(" "), slugs, "{query}");
    }
    let page = list("?limit=3&page=2");
    has_exactly(&page, &["data", "meta"]);
    assert_eq!(page["meta"], json!({"page": 2, "limit": 3, "total": 4, "totalPages": 2}));
    assert_eq!(list("?limit=1000")["meta"], json!({"page": 1, "limit": 100, "total": 4, "totalPages": 1}));
    assert_eq!(list("")["meta"]["limit"], 10);
    // Each entry is on exactly one page.
    let mut all: Vec<String> =
        (1..=4).flat_map(|n| column(&list(&format!("?limit=1&page={n}"))["data"], "slug")).collect();
    all.sort();
    assert_eq!(all, ["a", "b", "c", "d"]);

    let scope = project.scope(&mut owner, "z");
    for name in ["p", "q"] {
        project.actor(&mut owner, name, Some(&scope));
    }
    let page = owner.get(&project.at("scopes?orderBy=slug:DESC&limit=2&withActorCount=true")).expect(200);
    assert_eq!((&page["data"][0]["actorCount"], &page["data"][1]["actorCount"]), (&json!(2), &json!(0)));
}

fn bad_lists_are_refused(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("page=0", "page"),
        ("page=1000000000000000001", "page"),
        ("page=1&page=2", "page"),
        ("orderBy=evil:DESC", "orderBy"),
        ("orderBy=slug:DOWN", "orderBy"),
        ("orderBy=slug;DROP%20TABLE%20actors", "orderBy"),
        ("sortBy=evil", "sortBy"),
        ("withActorCount=maybe", "withActorCount"),
    ] {
        let refused = owner.get(&project.at(&format!("scopes?{query}"))).fails(400, "invalid request");
        assert_eq!(refused["field"], field, "{query}");
    }
}

fn a_deletion_unassigns_or_is_refused_or_only_tried(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let scope = project.scope(&mut owner, "acme");
    let path = project.at(&format!("scopes/{scope}"));
    let actors: Vec<String> = (0..3)
        .map(|n| texts(&project.actor(&mut owner, &format!("a{n}"), Some(&scope)), ["actorId"])[0].clone())
        .collect();
    for (query, field) in [("ifAssigned=maybe", "ifAssigned"), ("dryRun=yes", "dryRun"), ("dryRun=", "dryRun")] {
        assert_eq!(owner.delete(&format!("{path}?{query}")).fails(400, "invalid request")["field"], field);
    }
    assert_eq!(owner.delete(&format!("{path}?ifAssigned=reject")).fails(409, "actors assigned")["actors"], 3);
    let concerned = owner.delete(&format!("{path}?dryRun=true&limit=2")).expect(200);
    assert_eq!(concerned["meta"], json!({"page": 1, "limit": 2, "total": 3, "totalPages": 2}));
    assert_eq!(column(&concerned["data"], "actorId"), [actors[2].clone(), actors[1].clone()]);
    assert_eq!(owner.get(&path).status, 200, "still there");

    // Clients send a content type, and some a body, also where none is expected.
    let request = Request::new("DELETE", &path).header("Content-Type", "application/json").body("{}");
    owner.ask(request).expect(204);
    for id in &actors {
        let actor = owner.get(&project.at(&format!("actors/{id}"))).expect(200);
        assert_eq!(actor["accessScopeId"], Value::Null);
    }
    owner.get(&path).fails(404, "not found");
    owner.delete(&path).fails(404, "not found");
    let event = server.facts().audit().pop().unwrap();
    let detail: Value = serde_json::from_str(&event.detail).unwrap();
    assert_eq!((event.action.as_str(), event.target_id.as_str()), ("access_scope.delete", scope.as_str()));
    assert_eq!((&detail["actors"], &detail["slug"]), (&json!(3), &json!("acme")));

    let empty = project.scope(&mut owner, "empty");
    owner.delete(&project.at(&format!("scopes/{empty}?ifAssigned=reject"))).expect(204);
}

fn many_actors_are_assigned_at_once(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let (project, other) = (Project::make(&mut owner, "fleet"), Project::make(&mut owner, "other"));
    let (one, two) = (project.scope(&mut owner, "one"), project.scope(&mut owner, "two"));
    let made: Vec<Value> = (0..3).map(|n| project.actor(&mut owner, &format!("a{n}"), None)).collect();
    let ids: Vec<String> = made.iter().map(|actor| texts(actor, ["actorId"])[0].clone()).collect();
    let token = texts(&made[0], ["accessToken"])[0].clone();
    let actors = |scope: &str| project.at(&format!("scopes/{scope}/actors"));
    let twice = json!({"actorIds": [ids[0], ids[1], ids[0]]});
    assert_eq!(owner.post(&actors(&one), &twice).text(), r#"{"changed":2,"unchanged":0}"#);
    assert_eq!(owner.post(&actors(&one), &json!({ "actorIds": ids })).text(), r#"{"changed":1,"unchanged":2}"#);
    let seen = super::ground::detail(&mut owner, &token);
    assert_eq!(seen["access_scope"], json!({"id": one, "slug": "one"}));
    let page = owner.get(&format!("{}?limit=2", actors(&one))).expect(200);
    assert_eq!(page["meta"]["total"], 3);
    // An assignment moves an actor from its access scope to another.
    assert_eq!(owner.post(&actors(&two), &json!({"actorIds": [ids[0]]})).text(), r#"{"changed":1,"unchanged":0}"#);
    assert_eq!(super::ground::detail(&mut owner, &token)["access_scope"]["slug"], "two");
    let unassign = |scope: &str, body: &Value| {
        let path = actors(scope);
        let request = Request::new("DELETE", &path).json(body);
        server.owner().ask(request)
    };
    assert_eq!(
        unassign(&one, &json!({ "actorIds": ids })).text(),
        r#"{"changed":2,"unchanged":1}"#,
        "one is elsewhere"
    );
    owner.delete(&format!("{}/{}", actors(&two), ids[0])).expect(204);
    owner.delete(&format!("{}/{}", actors(&two), ids[0])).expect(204);
    assert_eq!(super::ground::detail(&mut owner, &token).get("access_scope"), None);
    assert_eq!(owner.get(&project.at("actors?accessScopeId=null")).expect(200)["meta"]["total"], 3);

    let [foreign] = texts(&other.actor(&mut owner, "foreign", None), ["actorId"]);
    let refused = owner.post(&actors(&one), &json!({"actorIds": [ids[0], foreign]})).fails(400, "invalid request");
    assert_eq!((&refused["field"], &refused["unknown"]), (&json!("actorIds"), &json!([foreign])));
    assert_eq!(owner.get(&actors(&one)).expect(200)["meta"]["total"], 0, "all or none");
    owner.delete(&format!("{}/{foreign}", actors(&one))).fails(404, "not found");
    for (body, field) in [
        (json!({}), "actorIds"),
        (json!({"actorIds": []}), "actorIds"),
        (json!({"actorIds": "x"}), "actorIds"),
        (json!({"actorIds": [ids[0], "x"]}), "actorIds[1]"),
        (json!({"actorIds": vec![&ids[0]; 1_001]}), "actorIds"),
    ] {
        assert_eq!(owner.post(&actors(&one), &body).fails(400, "invalid request")["field"], field);
    }
}

fn topics_get_the_slug_in_front(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let scope = project.scope(&mut owner, "acme");
    let path = project.at(&format!("scopes/{scope}/namespace"));
    assert_eq!(owner.get(&format!("{path}?topic=room/topic")).text(), r#"{"topic":"acme/room/topic"}"#);
    assert_eq!(owner.get(&format!("{path}?topic=room%2Ftopic")).text(), r#"{"topic":"acme/room/topic"}"#);
    let missing = owner.get(&path).fails(400, "missing required parameter: topic");
    assert_eq!(missing["field"], "topic");
    for topic in ["", "/a", "a/", "a//b", "..", "a/../b", "a/%2B", "%23", &"a".repeat(1_024)] {
        assert_eq!(owner.get(&format!("{path}?topic={topic}")).expect(400)["field"], "topic", "{topic}");
    }
}

fn bodies_are_bounded(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let path = project.at("scopes");
    let large = format!(r#"{{"slug":"a","metadata":{{"x":"{}"}}}}"#, "y".repeat(1 << 20));
    owner.ask(Request::new("POST", &path).body(large)).fails(413, "payload too large");
    let deep = format!(r#"{{"slug":"a","metadata":{}1{}}}"#, "{\"x\":".repeat(10_000), "}".repeat(10_000));
    let refused = owner.ask(Request::new("POST", &path).body(deep)).fails(400, "invalid request");
    assert_eq!(
        (&refused["field"], &refused["message"]),
        (&json!("metadata"), &json!("metadata must not be nested so deep"))
    );
    owner.ask(Request::new("POST", &path).body(r#"{"slug":"a","slug":"b"}"#)).expect(400);
    owner.ask(Request::new("POST", &path).body(r#"{"slug":"a","metadata":{"k":1,"k":2}}"#)).expect(400);
    owner.ask(Request::new("POST", &path)).fails(400, "malformed request");
    owner.ask(Request::new("POST", &path).header("Content-Type", "text/plain").body(r#"{"slug":"a"}"#)).expect(201);
}
