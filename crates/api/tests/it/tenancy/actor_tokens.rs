//! The tokens of actors: their validation, which shows every change to an actor at once.

use serde_json::{Value, json};

use super::ground::{Project, detail};
use crate::support::{Backend, Options, Server, both, eventually, later, texts};

both!(
    detail_shows_project_actor_and_boundary,
    a_move_shows_at_once,
    switching_off_and_on_shows_at_once,
    an_expiry_is_the_tokens_too,
    rotation_gives_a_new_token_and_a_grace,
    of_two_rotations_at_once_one_wins,
    a_revoked_actor_is_given_another_token,
    a_deleted_actors_tokens_are_dead,
    actor_tokens_count_towards_the_cap,
    the_secret_is_shown_once,
);

fn detail_shows_project_actor_and_boundary(backend: Backend) {
    let server = Server::start(backend, Options::default().bcrypt());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let scope = project.scope(&mut owner, "acme");
    let [id, token] = texts(&project.actor(&mut owner, "pump", Some(&scope)), ["actorId", "accessToken"]);
    let plain = owner.validate(&token);
    let exact = format!(r#"{{"valid":true,"org_id":"{}","scopes":["self:rotate"]}}"#, project.org);
    assert_eq!((plain.status, plain.text()), (200, exact.as_str()));
    let seen = detail(&mut owner, &token);
    assert_eq!((&seen["kind"], &seen["name"], &seen["status"]), (&json!("actor"), &json!("pump"), &json!("active")));
    assert_eq!((&seen["project_id"], &seen["actor_id"]), (&json!(project.id), &json!(id)));
    assert_eq!(seen["owner"], json!({"type": "actor", "id": id}));
    assert_eq!(seen["access_scope"], json!({"id": scope, "slug": "acme"}));
    // The token can be read by its id, but is not listed among the organisation's own tokens.
    let [token_id] = texts(&seen, ["token_id"]);
    assert_eq!(owner.token(&token_id)["kind"], "actor");
    assert_eq!(owner.get("/v1/tokens").expect(200)["tokens"], json!([]));
    // A use shows at once, before it is written to the database.
    let (one, of_scope) = (project.at(&format!("actors/{id}")), project.at(&format!("scopes/{scope}/actors")));
    for view in [
        owner.get(&one).expect(200),
        owner.patch(&one, &json!({"name": "pump 2"})).expect(200),
        owner.get(&project.at("actors")).expect(200)["data"][0].clone(),
        owner.get(&of_scope).expect(200)["data"][0].clone(),
    ] {
        assert!(view["lastUsedAt"].is_string(), "{view}");
    }
}

fn a_move_shows_at_once(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let (one, two) = (project.scope(&mut owner, "one"), project.scope(&mut owner, "two"));
    let [id, token] = texts(&project.actor(&mut owner, "pump", Some(&one)), ["actorId", "accessToken"]);
    let path = project.at(&format!("actors/{id}"));
    for _ in 0..5 {
        for (target, shown) in [(json!(two), Some("two")), (Value::Null, None), (json!(one), Some("one"))] {
            owner.patch(&path, &json!({ "accessScopeId": target })).expect(200);
            let seen = detail(&mut owner, &token);
            assert_eq!(seen.get("access_scope").map(|scope| scope["slug"].as_str().unwrap()), shown);
        }
    }
    owner.delete(&project.at(&format!("scopes/{one}"))).expect(204);
    assert_eq!(detail(&mut owner, &token).get("access_scope"), None);
}

fn switching_off_and_on_shows_at_once(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let scope = project.scope(&mut owner, "acme");
    let [id, token] = texts(&project.actor(&mut owner, "pump", Some(&scope)), ["actorId", "accessToken"]);
    let [free] = texts(&project.actor(&mut owner, "free", None), ["accessToken"]);
    for path in [project.at(&format!("actors/{id}")), project.at(&format!("scopes/{scope}"))] {
        for _ in 0..5 {
            assert!(owner.is_valid(&token), "{path}");
            owner.patch(&path, &json!({"isActive": false})).expect(200);
            assert!(!owner.is_valid(&token), "{path}");
            assert!(owner.is_valid(&free));
            owner.patch(&path, &json!({"isActive": true})).expect(200);
        }
    }
    owner.patch(&project.at(&format!("scopes/{scope}")), &json!({"isActive": false})).expect(200);
    let [born] = texts(&project.actor(&mut owner, "born", Some(&scope)), ["accessToken"]);
    assert!(!owner.is_valid(&born), "denied, not unscoped");
    owner.patch(&project.at(&format!("actors/{id}")), &json!({"accessScopeId": null})).expect(200);
    assert!(owner.is_valid(&token), "moved out of it");
}

fn an_expiry_is_the_tokens_too(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let asked = json!({"name": "pump", "expiresAt": "2099-01-01T00:00:00Z"});
    let [id, token] = texts(&owner.post(&project.at("actors"), &asked).expect(201), ["actorId", "accessToken"]);
    let path = project.at(&format!("actors/{id}"));
    assert_eq!(detail(&mut owner, &token)["expires_at"], "2099-01-01T00:00:00Z");
    owner.patch(&path, &json!({"expiresAt": null})).expect(200);
    assert_eq!(detail(&mut owner, &token)["expires_at"], Value::Null);
    owner.patch(&path, &json!({"expiresAt": later(2)})).expect(200);
    eventually("the expiry", || (!owner.is_valid(&token)).then_some(()));
    assert_eq!(owner.get(&path).expect(200)["status"], "expired");
    owner.call(&format!("{path}/rotate")).fails(409, "actor is expired");
    owner.patch(&path, &json!({"expiresAt": later(3_600)})).expect(200);
    assert!(owner.is_valid(&token), "a later end");
    owner.patch(&path, &json!({"name": "x".repeat(255)})).expect(200);
    assert_eq!(detail(&mut owner, &token)["name"], "x".repeat(100), "called as the actor is, as far as it goes");
}

fn rotation_gives_a_new_token_and_a_grace(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let scope = project.scope(&mut owner, "acme");
    let asked = json!({"name": "pump", "accessScopeId": scope, "scopes": ["read"]});
    let [id, first] = texts(&owner.post(&project.at("actors"), &asked).expect(201), ["actorId", "accessToken"]);
    let path = project.at(&format!("actors/{id}/rotate"));
    let rotated = owner.call(&path).expect(200);
    let [second, until] = texts(&rotated, ["accessToken", "gracePeriodEndsAt"]);
    assert_eq!((rotated["actorId"].as_str(), until.len()), (Some(id.as_str()), 24));
    assert!(owner.is_valid(&first) && owner.is_valid(&second) && first != second);
    let seen = detail(&mut owner, &second);
    assert_eq!((&seen["scopes"], &seen["access_scope"]["slug"]), (&json!(["read"]), &json!("acme")));
    assert_eq!(detail(&mut owner, &first)["status"], "rotating");
    let third = owner.post(&path, &json!({"gracePeriodSeconds": 0})).expect(200);
    let [third] = texts(&third, ["accessToken"]);
    assert!(!owner.is_valid(&second) && owner.is_valid(&third));
    for grace in [json!(-1), json!(2_592_001), json!("1")] {
        let refused = owner.post(&path, &json!({ "gracePeriodSeconds": grace })).fails(400, "invalid request");
        assert_eq!(refused["field"], "gracePeriodSeconds", "{grace}");
    }
    owner.patch(&project.at(&format!("actors/{id}")), &json!({"isActive": false})).expect(200);
    owner.call(&path).fails(409, "actor is disabled");
    owner.post(&project.at("actors/01920000-0000-7000-8000-000000000000/rotate"), &json!({})).fails(404, "not found");
}

fn of_two_rotations_at_once_one_wins(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let [id] = texts(&project.actor(&mut owner, "pump", None), ["actorId"]);
    let path = project.at(&format!("actors/{id}/rotate"));
    let answers: Vec<_> = std::thread::scope(|threads| {
        let all: Vec<_> = (0..8)
            .map(|_| {
                let mut owner = server.owner();
                let path = &path;
                threads.spawn(move || owner.post(path, &json!({"gracePeriodSeconds": 0})))
            })
            .collect();
        all.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let won: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert!(!won.is_empty() && answers.iter().all(|answer| matches!(answer.status, 200 | 409)), "{answers:?}");
    // However many rotations succeeded, one token is valid.
    let live = won.iter().filter(|answer| owner.is_valid(&texts(&answer.json(), ["accessToken"])[0])).count();
    assert_eq!(live, 1);
}

fn a_revoked_actor_is_given_another_token(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let [id, token] = texts(&project.actor(&mut owner, "pump", None), ["actorId", "accessToken"]);
    let [token_id] = texts(&detail(&mut owner, &token), ["token_id"]);
    owner.revoke(&token_id);
    assert!(!owner.is_valid(&token));
    let rotated = owner.call(&project.at(&format!("actors/{id}/rotate"))).expect(200);
    assert_eq!(rotated["gracePeriodEndsAt"], Value::Null, "there was nothing to take over from");
    assert!(owner.is_valid(rotated["accessToken"].as_str().unwrap()));
    assert!(!owner.is_valid(&token));
    // The token is rotated by its actor's route, not by that of the organisation's own tokens.
    let [token_id] = texts(&detail(&mut owner, rotated["accessToken"].as_str().unwrap()), ["token_id"]);
    owner.call(&format!("/v1/tokens/{token_id}/rotate")).fails(404, "not found");
}

fn a_deleted_actors_tokens_are_dead(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let [id, first] = texts(&project.actor(&mut owner, "pump", None), ["actorId", "accessToken"]);
    let path = project.at(&format!("actors/{id}"));
    let [second] = texts(&owner.call(&format!("{path}/rotate")).expect(200), ["accessToken"]);
    let [other] = texts(&project.actor(&mut owner, "other", None), ["accessToken"]);
    assert!(owner.is_valid(&first) && owner.is_valid(&second));
    owner.delete(&path).expect(204);
    assert!(!owner.is_valid(&first) && !owner.is_valid(&second));
    assert!(owner.is_valid(&other));
    let event = server.facts().audit().pop().unwrap();
    assert_eq!((event.action.as_str(), event.target_id.as_str()), ("actor.delete", id.as_str()));
}

fn actor_tokens_count_towards_the_cap(backend: Backend) {
    let server = Server::start(backend, Options::default().with("tokens.cap_per_organization", 2));
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let [id] = texts(&project.actor(&mut owner, "one", None), ["actorId"]);
    project.actor(&mut owner, "two", None);
    let refused = owner.post(&project.at("actors"), &json!({"name": "three"})).expect(402);
    assert!(refused["error"].as_str().unwrap().starts_with("token limit reached for your plan (2/2 tokens used)."));
    assert_eq!(owner.get(&project.at("actors")).expect(200)["meta"]["total"], 2, "no actor without a token");
    owner.call(&project.at(&format!("actors/{id}/rotate"))).expect(200);
    owner.delete(&project.at(&format!("actors/{id}"))).expect(204);
    owner.post(&project.at("actors"), &json!({"name": "three"})).expect(201);
}

fn the_secret_is_shown_once(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let project = Project::make(&mut owner, "fleet");
    let [id, token] = texts(&project.actor(&mut owner, "pump", None), ["actorId", "accessToken"]);
    let rotated = owner.call(&project.at(&format!("actors/{id}/rotate"))).expect(200);
    let [second] = texts(&rotated, ["accessToken"]);
    let shown: Vec<String> =
        ["actors", &format!("actors/{id}")].iter().map(|rest| owner.get(&project.at(rest)).text().to_owned()).collect();
    let kept = String::from_utf8_lossy(&server.database.dump()).into_owned();
    let logged = server.log();
    for secret in [&token, &second] {
        assert!(shown.iter().all(|text| !text.contains(secret)), "shown again");
        assert!(!kept.contains(secret.as_str()) && !logged.contains(secret.as_str()), "kept");
    }
}
