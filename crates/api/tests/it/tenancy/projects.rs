//! Projects of an organisation.

use serde_json::{Value, json};

use super::ground::{Project, column, has_exactly, is_milliseconds, organization};
use crate::support::{Backend, Options, Server, both, texts};

both!(
    a_project_is_made_read_renamed_and_deleted,
    slugs_are_checked_and_taken_once,
    projects_are_listed_by_page,
    a_project_goes_with_everything_in_it,
    a_bound_credential_sees_its_own_project_only,
);

fn a_project_is_made_read_renamed_and_deleted(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let org = organization(&mut owner);
    let base = format!("/v1/organizations/{org}/projects");
    let made = owner.post(&base, &json!({"slug": "fleet", "name": "The fleet", "org_id": "ignored"})).expect(201);
    has_exactly(&made, &["projectId", "organizationId", "name", "slug", "createdAt", "updatedAt"]);
    assert_eq!(
        (&made["name"], &made["slug"], &made["organizationId"]),
        (&json!("The fleet"), &json!("fleet"), &json!(org))
    );
    is_milliseconds(&made["createdAt"]);
    let [id] = texts(&made, ["projectId"]);
    assert_eq!(owner.get(&format!("{base}/{id}")).expect(200), made);

    let path = format!("{base}/{id}");
    let renamed = owner.patch(&path, &json!({"name": "Trucks", "slug": "fleet"})).expect(200);
    assert_eq!((&renamed["name"], &renamed["createdAt"]), (&json!("Trucks"), &made["createdAt"]));
    assert_eq!(owner.patch(&path, &json!({})).expect(200), renamed, "nothing changes");
    assert_eq!(owner.patch(&path, &json!({"name": null})).expect(200)["name"], "fleet");
    let refused = owner.patch(&path, &json!({"slug": "other"})).fails(400, "slug cannot be changed");
    assert_eq!(refused["field"], "slug");

    owner.delete(&path).expect(204);
    owner.get(&path).fails(404, "not found");
    owner.delete(&path).fails(404, "not found");
    let actions: Vec<String> = server.facts().audit().into_iter().map(|event| event.action).collect();
    let expected = ["project.create", "project.update", "project.update", "project.delete"];
    assert_eq!(actions[actions.len() - 4..], expected);
}

fn slugs_are_checked_and_taken_once(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let base = format!("/v1/organizations/{}/projects", organization(&mut owner));
    let long = "a".repeat(101);
    for (body, field) in [
        (json!({"name": "no slug"}), "slug"),
        (json!({"slug": 7}), "slug"),
        (json!({"slug": ""}), "slug"),
        (json!({"slug": "Fleet"}), "slug"),
        (json!({"slug": "-a"}), "slug"),
        (json!({"slug": "a_b"}), "slug"),
        (json!({"slug": long}), "slug"),
        (json!({"slug": "a", "name": ""}), "name"),
        (json!({"slug": "a", "name": "x".repeat(101)}), "name"),
        (json!({"slug": "a", "name": "a\nb"}), "name"),
    ] {
        assert_eq!(owner.post(&base, &body).fails(400, "invalid request")["field"], field, "{body}");
    }
    owner.post(&base, &json!({"slug": "a".repeat(100)})).expect(201);
    let made = owner.post(&base, &json!({"slug": "fleet"})).expect(201);
    assert_eq!(made["name"], "fleet", "called by its slug");
    owner.post(&base, &json!({"slug": "fleet"})).fails(409, "slug taken");
    let [id] = texts(&made, ["projectId"]);
    owner.delete(&format!("{base}/{id}")).expect(204);
    owner.post(&base, &json!({"slug": "fleet"})).expect(201);
}

fn projects_are_listed_by_page(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let base = format!("/v1/organizations/{}/projects", organization(&mut owner));
    let empty = owner.get(&base);
    assert_eq!(empty.text(), r#"{"data":[],"meta":{"page":1,"limit":10,"total":0,"totalPages":0}}"#);
    for slug in ["b", "a", "c"] {
        owner.post(&base, &json!({"slug": slug, "name": format!("Project {slug}")})).expect(201);
    }
    for (query, slugs) in [
        ("", vec!["c", "a", "b"]),
        ("?orderBy=slug:ASC", vec!["a", "b", "c"]),
        ("?orderBy=name:DESC&limit=2", vec!["c", "b"]),
        ("?orderBy=name:DESC&limit=2&page=2", vec!["a"]),
        ("?search=PROJECT%20b", vec!["b"]),
    ] {
        let page = owner.get(&format!("{base}{query}")).expect(200);
        assert_eq!(column(&page["data"], "slug"), slugs, "{query}");
    }
    let page = owner.get(&format!("{base}?limit=2&page=2")).expect(200);
    assert_eq!(page["meta"], json!({"page": 2, "limit": 2, "total": 3, "totalPages": 2}));
}

fn a_project_goes_with_everything_in_it(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let scope = project.scope(&mut owner, "acme");
    let [token] = texts(&project.actor(&mut owner, "pump", Some(&scope)), ["accessToken"]);
    let bound = project.bound_token(&mut owner, &["execute"]);
    let [unbound] = texts(&owner.create("unbound"), ["secret"]);
    assert!(owner.is_valid(&token) && owner.is_valid(&bound) && owner.is_valid(&unbound));

    let refused = owner.delete(&format!("{}?ifAssigned=reject", project.path)).fails(409, "actors assigned");
    assert_eq!(refused["actors"], 1);
    owner.delete(&format!("{}?ifAssigned=reject&dryRun=true", project.path)).fails(409, "actors assigned");
    let concerned = owner.delete(&format!("{}?dryRun=true", project.path));
    assert_eq!(concerned.text(), r#"{"accessScopes":1,"actors":1,"liveTokens":2}"#);
    assert_eq!(concerned.status, 200);
    assert!(owner.is_valid(&token) && owner.is_valid(&bound), "a dry run changes nothing");

    owner.delete(&project.path).expect(204);
    assert!(!owner.is_valid(&token) && !owner.is_valid(&bound));
    assert!(owner.is_valid(&unbound));
    owner.get(&project.at(&format!("scopes/{scope}"))).fails(404, "not found");
    let event = server.facts().audit().pop().unwrap();
    let mut detail: Value = serde_json::from_str(&event.detail).unwrap();
    assert_eq!(event.action, "project.delete");
    let tokens = detail.as_object_mut().unwrap().remove("token_ids").unwrap();
    assert_eq!(tokens.as_array().map(Vec::len), Some(2), "the tokens that died with it are named: {tokens}");
    assert_eq!(detail, json!({"slug": "fleet", "access_scopes": 1, "actors": 1, "live_tokens": 2}));
}

fn a_bound_credential_sees_its_own_project_only(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let (mine, other) = (Project::make(&mut owner, "mine"), Project::make(&mut owner, "other"));
    let base = format!("/v1/organizations/{}/projects", mine.org);
    let mut bound = server.caller(&mine.bound_token(&mut owner, &["admin"]));
    let page = bound.get(&base).expect(200);
    assert_eq!((column(&page["data"], "slug"), &page["meta"]["total"]), (vec!["mine".to_owned()], &json!(1)));
    assert_eq!(bound.get(&format!("{base}?search=oth")).expect(200)["data"], json!([]));
    assert_eq!(bound.get(&format!("{base}?page=2")).expect(200)["data"], json!([]));
    bound.get(&mine.path).expect(200);
    let absent = format!("{base}/01920000-0000-7000-8000-000000000000");
    assert_eq!(bound.get(&other.path).bare(), bound.get(&absent).bare());
    bound.get(&other.path).fails(404, "not found");
    bound.delete(&other.path).fails(404, "not found");
    bound.get(&other.at("scopes")).fails(404, "not found");
    bound.post(&base, &json!({"slug": "third"})).fails(403, "forbidden");
    bound.patch(&mine.path, &json!({"name": "Mine"})).expect(200);
}
