//! Isolation: objects of another organisation, project or tenant are answered like absent ones.

use serde_json::json;

use super::ground::{Project, column, organization};
use crate::support::{Answer, Backend, Client, Options, Request, Server, both, texts};

both!(
    what_is_foreign_answers_as_what_is_absent,
    malformed_ids_are_named,
    every_call_needs_its_scope,
    an_actor_of_a_tenant_sees_that_tenant_alone,
);

const ABSENT: &str = "01920000-0000-7000-8000-000000000000";

/// Every call on existing objects: method, path inside the project, body.
fn calls(scope: &str, actor: &str) -> Vec<(&'static str, String, &'static str)> {
    vec![
        ("GET", format!("scopes/{scope}"), ""),
        ("PATCH", format!("scopes/{scope}"), r#"{"name":"x"}"#),
        ("GET", format!("scopes/{scope}/actors"), ""),
        ("GET", format!("scopes/{scope}/namespace?topic=a"), ""),
        ("POST", format!("scopes/{scope}/actors"), r#"{"actorIds":["01920000-0000-7000-8000-000000000001"]}"#),
        ("DELETE", format!("scopes/{scope}/actors"), r#"{"actorIds":["01920000-0000-7000-8000-000000000001"]}"#),
        ("DELETE", format!("scopes/{scope}/actors/{actor}"), ""),
        ("DELETE", format!("scopes/{scope}?dryRun=true"), ""),
        ("DELETE", format!("scopes/{scope}"), ""),
        ("GET", format!("actors/{actor}"), ""),
        ("PATCH", format!("actors/{actor}"), r#"{"name":"x"}"#),
        ("POST", format!("actors/{actor}/rotate"), ""),
        ("GET", format!("actors/{actor}/check?topic=a"), ""),
        ("DELETE", format!("actors/{actor}"), ""),
    ]
}

/// Every call on the project itself.
fn outer() -> Vec<(&'static str, String, &'static str)> {
    vec![
        ("GET", String::new(), ""),
        ("PATCH", String::new(), r#"{"name":"x"}"#),
        ("DELETE", String::new(), ""),
        ("DELETE", "?dryRun=true".to_owned(), ""),
        ("GET", "/scopes".to_owned(), ""),
        ("POST", "/scopes".to_owned(), r#"{"slug":"x"}"#),
        ("GET", "/actors".to_owned(), ""),
        ("POST", "/actors".to_owned(), r#"{"name":"x"}"#),
    ]
}

fn ask(client: &mut Client, method: &str, path: &str, body: &str) -> Answer {
    let request = Request::new(method, path);
    client.ask(if body.is_empty() { request } else { request.body(body) })
}

fn what_is_foreign_answers_as_what_is_absent(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let sibling = Project::make(&mut owner, "sibling");
    let scope = project.scope(&mut owner, "acme");
    let [actor, token] = texts(&project.actor(&mut owner, "pump", Some(&scope)), ["actorId", "accessToken"]);
    let facts = server.facts();
    let elsewhere = facts.add_organization("elsewhere");
    let person = facts.add_person("stranger@elsewhere.example");
    facts.join(elsewhere, &person, token_domain::person::BuiltInRole::Owner);
    let mut stranger = server.signed_in("stranger@elsewhere.example");
    let own = organization(&mut stranger);
    assert_ne!(own, project.org);

    let model = owner.get(&project.at(&format!("scopes/{ABSENT}"))).bare();
    assert_eq!(model.0, 404);
    for (method, rest, body) in calls(&scope, &actor) {
        // A stranger by the project's organisation and by their own; the owner by another project.
        let through_own = format!("/v1/organizations/{own}/projects/{}/{rest}", project.id);
        assert_eq!(ask(&mut stranger, method, &project.at(&rest), body).bare(), model, "{method} {rest}");
        assert_eq!(ask(&mut stranger, method, &through_own, body).bare(), model, "{method} {rest}");
        assert_eq!(ask(&mut owner, method, &sibling.at(&rest), body).bare(), model, "{method} {rest}");
        let absent = rest.replace(&scope, ABSENT).replace(&actor, ABSENT);
        assert_eq!(ask(&mut owner, method, &project.at(&absent), body).bare(), model, "{method} {absent}");
    }
    for (method, rest, body) in outer() {
        for path in [project.path.clone(), format!("/v1/organizations/{own}/projects/{}", project.id)] {
            assert_eq!(
                ask(&mut stranger, method, &format!("{path}{rest}"), body).bare(),
                model,
                "{method} {path}{rest}"
            );
        }
        let absent = format!("/v1/organizations/{}/projects/{ABSENT}{rest}", project.org);
        assert_eq!(ask(&mut owner, method, &absent, body).bare(), model, "{method} {absent}");
    }
    for path in [format!("/v1/organizations/{}/projects", project.org), format!("/v1/organizations/{ABSENT}/projects")]
    {
        assert_eq!(stranger.get(&path).bare(), model);
        assert_eq!(stranger.post(&path, &json!({"slug": "x"})).bare(), model);
    }
    let [id] = texts(&owner.get(&project.at(&format!("scopes/{scope}"))).expect(200), ["accessScopeId"]);
    assert_eq!(id, scope, "untouched");
    assert!(owner.is_valid(&token));
}

fn malformed_ids_are_named(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    for bad in
        ["x", "01J0B3V1MMEEDTX9CPDGKFHBCH", "org_01j0b3v1mmeedtx9cpdgkfhbch", "%00", "tok_01j0b3v1mmeedtx9cpdgkfhbch"]
    {
        for (path, field) in [
            (project.at(&format!("scopes/{bad}")), "scope_id"),
            (project.at(&format!("actors/{bad}")), "actor_id"),
            (format!("/v1/organizations/{}/projects/{bad}", project.org), "project_id"),
            (format!("/v1/organizations/{}/projects/{bad}/scopes", project.org), "project_id"),
        ] {
            assert_eq!(owner.get(&path).fails(400, "invalid request")["field"], field, "{path}");
            server.anyone().get(&path).fails(401, "authentication required");
        }
    }
    for bad in ["x", "01J0B3V1MMEEDTX9CPDGKFHBCH", "acme"] {
        let path = format!("/v1/organizations/{bad}/projects");
        assert_eq!(owner.get(&path).fails(400, "invalid request")["field"], "org_id", "{path}");
    }
    // Both forms of the organisation's id are accepted.
    let plain = format!("/v1/organizations/{}/projects", server.facts().organization(Server::ORGANIZATION).id.uuid());
    assert_eq!(owner.get(&plain).expect(200)["meta"]["total"], 1);
}

fn every_call_needs_its_scope(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let scope = project.scope(&mut owner, "acme");
    let [actor] = texts(&project.actor(&mut owner, "pump", Some(&scope)), ["actorId"]);
    let all = [
        "projects:read",
        "projects:manage",
        "projects:delete",
        "access-scopes:read",
        "access-scopes:manage",
        "actors:read",
        "actors:manage",
    ];
    let mut needs: Vec<(&str, String, &str, &str)> = Vec::new();
    for (method, rest, body) in calls(&scope, &actor) {
        let of_actors = rest.starts_with("actors") || rest.contains("/actors");
        let needed = match (method, of_actors) {
            ("GET", true) => "actors:read",
            (_, true) => "actors:manage",
            ("GET", false) => "access-scopes:read",
            (_, false) => "access-scopes:manage",
        };
        needs.push((method, project.at(&rest), body, needed));
    }
    for (method, rest, body) in outer() {
        let needed = match (method, rest.as_str()) {
            ("GET", "/scopes") => "access-scopes:read",
            (_, "/scopes") => "access-scopes:manage",
            ("GET", "/actors") => "actors:read",
            (_, "/actors") => "actors:manage",
            ("GET", _) => "projects:read",
            ("PATCH", _) => "projects:manage",
            _ => "projects:delete",
        };
        needs.push((method, format!("{}{rest}", project.path), body, needed));
    }
    let base = format!("/v1/organizations/{}/projects", project.org);
    needs.push(("GET", base.clone(), "", "projects:read"));
    needs.push(("POST", base, r#"{"slug":"x"}"#, "projects:manage"));
    for (method, path, body, needed) in needs {
        ask(&mut server.anyone(), method, &path, body).fails(401, "authentication required");
        let others: Vec<&str> = all.into_iter().filter(|scope| *scope != needed).collect();
        let [lacking] = texts(&owner.create_with("lacking", &others), ["secret"]);
        let refused = ask(&mut server.caller(&lacking), method, &path, body).fails(403, "insufficient scope");
        assert_eq!(refused["missing"], json!([needed]), "{method} {path}");
    }
}

fn an_actor_of_a_tenant_sees_that_tenant_alone(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let (mine, theirs) = (project.scope(&mut owner, "mine"), project.scope(&mut owner, "theirs"));
    let reads = json!(["actors:read", "access-scopes:read", "projects:read"]);
    let asked = json!({"name": "me", "accessScopeId": mine, "scopes": reads});
    let [me, token] = texts(&owner.post(&project.at("actors"), &asked).expect(201), ["actorId", "accessToken"]);
    let [neighbour] = texts(&project.actor(&mut owner, "neighbour", Some(&mine)), ["actorId"]);
    let [them] = texts(&project.actor(&mut owner, "them", Some(&theirs)), ["actorId"]);
    project.actor(&mut owner, "free", None);

    let mut actor = server.caller(&token);
    assert_eq!(column(&actor.get("/v1/scopes").expect(200)["data"], "slug"), ["mine"]);
    assert_eq!(column(&actor.get("/v1/actors").expect(200), "actorId"), [neighbour.clone(), me.clone()]);
    assert_eq!(actor.get("/v1/actors?accessScopeId=null").expect(200), json!([]));
    assert_eq!(actor.get(&format!("/v1/actors?accessScopeId={theirs}")).expect(200), json!([]));
    assert_eq!(actor.get(&project.at("actors")).expect(200)["meta"]["total"], 2);
    actor.get(&format!("/v1/actors/{neighbour}")).expect(200);
    actor.get(&format!("/v1/scopes/{mine}")).expect(200);
    let absent = actor.get(&format!("/v1/actors/{ABSENT}")).bare();
    for path in [
        format!("/v1/actors/{them}"),
        format!("/v1/actors/{them}/check?topic=theirs/a"),
        format!("/v1/scopes/{theirs}"),
        format!("/v1/scopes/{theirs}/actors"),
        format!("/v1/scopes/{theirs}/namespace?topic=a"),
    ] {
        assert_eq!(actor.get(&path).bare(), absent, "{path}");
    }
    // Removed from its tenant, the actor sees the whole project; moved to another tenant, only that one.
    let path = project.at(&format!("actors/{me}"));
    owner.patch(&path, &json!({ "accessScopeId": theirs })).expect(200);
    assert_eq!(column(&actor.get("/v1/scopes").expect(200)["data"], "slug"), ["theirs"]);
    owner.patch(&path, &json!({"accessScopeId": null})).expect(200);
    assert_eq!(actor.get("/v1/actors").header("x-total-count"), Some("4"));
}
