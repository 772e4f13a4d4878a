//! Recent proof: a session can change how its person signs in only after a recent proof that the person is present.

use serde_json::{Value, json};

use crate::support::{Backend, Client, Options, Request, Server, both, enrol, texts};

both!(
    an_unproven_session_cannot_change_how_its_person_signs_in,
    a_second_factor_proves_as_well,
    a_session_made_from_another_is_proven_as_that_one_is,
    a_key_proves_nothing,
    a_new_secret_takes_a_recent_proof_of_who_has_a_second_factor,
);

/// The credential of a front end, whose sessions have no proof.
const SERVICE_TOKEN: &str = "the-service-token-of-this-deployment";
const PROOF: &str = "/v1/sessions/current/proof";

fn server(backend: Backend) -> Server {
    Server::start(backend, Options::default().with("sessions.service_token", SERVICE_TOKEN))
}

/// The owner, in a session that a front end created.
fn vouched_for(server: &Server) -> Client {
    let asked = json!({"email": Server::OWNER, "organization": Server::ORGANIZATION});
    let made = server.caller(SERVICE_TOKEN).post("/v1/sessions/create", &asked).expect(201);
    server.caller(&texts(&made, ["token"])[0])
}

/// Every request that changes how the person signs in, with the status that it gets when permitted.
fn acts(client: &mut Client, other: &str) -> Vec<(&'static str, String, Option<Value>, u16)> {
    let [org] = texts(&client.get("/v1/me").expect(200), ["org_id"]);
    vec![
        ("PATCH", "/v1/me".to_owned(), Some(json!({"email": "new@acme.example"})), 200),
        ("DELETE", format!("/v1/sessions/{other}"), None, 204),
        ("POST", "/v1/me/totp".to_owned(), None, 201),
        // 409, because an owner without a second factor cannot require one; checked after the proof.
        ("PATCH", format!("/v1/organizations/{org}"), Some(json!({"require_second_factor": true})), 409),
        ("DELETE", "/v1/sessions".to_owned(), None, 204),
    ]
}

fn ask(client: &mut Client, (method, path, body, _): &(&str, String, Option<Value>, u16)) -> crate::support::Answer {
    let request = Request::new(method, path);
    client.ask(match body {
        Some(body) => request.json(body),
        None => request,
    })
}

fn an_unproven_session_cannot_change_how_its_person_signs_in(backend: Backend) {
    let server = server(backend);
    let mut session = vouched_for(&server);
    let mut owner = server.owner();
    let sessions = owner.get("/v1/sessions").expect(200);
    let own = sessions["sessions"].as_array().unwrap().iter().find(|session| session["current"] == true).unwrap();
    let [other] = texts(own, ["id"]);
    let acts = acts(&mut session, &other);
    for act in &acts {
        ask(&mut session, act).fails(403, "recent proof needed");
    }
    owner.get("/v1/me").expect(200);
    session.patch("/v1/me", &json!({"name": "Somebody"})).expect(200);

    session.post(PROOF, &json!({"password": "not the password"})).fails(403, "wrong password");
    session.post(PROOF, &json!({"code": "123456"})).fails(409, "no second factor");
    for (body, field) in [
        (json!({}), "password"),
        (json!({"password": Server::PASSWORD, "code": "123456"}), "password"),
        (json!({"code": "123456", "recovery_code": "x"}), "recovery_code"),
        (json!({"code": "12345"}), "code"),
    ] {
        assert_eq!(session.post(PROOF, &body).fails(400, "invalid request")["field"], field, "{body}");
    }
    ask(&mut session, &acts[0]).fails(403, "recent proof needed");
    let proven = session.post(PROOF, &json!({"password": Server::PASSWORD})).expect(200);
    assert!(proven["proven_at"].is_string() && proven["current"] == true, "{proven}");
    for act in &acts {
        assert_eq!(ask(&mut session, act).status, act.3, "{act:?}");
    }
    // Ending one's own session needs no proof.
    let mut session = vouched_for(&server);
    session.delete("/v1/sessions/current").expect(204);
    assert!(server.facts().audit().iter().any(|event| event.action == "session.prove"));
}

fn a_second_factor_proves_as_well(backend: Backend) {
    let server = server(backend);
    let (_, recovery) = enrol(&mut server.owner());
    let mut session = vouched_for(&server);
    let asked = json!({"email": "new@acme.example"});
    session.patch("/v1/me", &asked).fails(403, "recent proof needed");
    session.post(PROOF, &json!({"recovery_code": "aaaq-eaye-7p6p-37x7"})).fails(403, "wrong code");
    session.post(PROOF, &json!({"recovery_code": recovery[0]})).expect(200);
    session.patch("/v1/me", &asked).expect(200);
    session.post(PROOF, &json!({"recovery_code": recovery[0]})).fails(403, "wrong code");
}

fn a_session_made_from_another_is_proven_as_that_one_is(backend: Backend) {
    let server = server(backend);
    server.owner().post("/v1/organizations", &json!({"slug": "zoo"})).expect(201);
    let asked = json!({"email": "new@acme.example"});
    for (mut session, is_proven) in [(vouched_for(&server), false), (server.owner(), true)] {
        let switched = session.post("/v1/sessions/switch", &json!({"organization": "zoo"})).expect(201);
        let mut there = server.caller(&texts(&switched, ["token"])[0]);
        if is_proven {
            there.patch("/v1/me", &asked).expect(200);
        } else {
            there.patch("/v1/me", &asked).fails(403, "recent proof needed");
        }
    }
}

fn a_key_proves_nothing(backend: Backend) {
    let server = server(backend);
    let mut owner = server.owner();
    let [key] = texts(&owner.post("/v1/me/keys", &json!({"name": "a"})).expect(201), ["secret"]);
    let [token] = texts(&owner.create("b"), ["secret"]);
    let [org] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    for credential in [&key, &token] {
        server.caller(credential).post(PROOF, &json!({"password": Server::PASSWORD})).fails(403, "forbidden");
    }
    // An organisation's token may require a second factor, but not lift the requirement.
    let [all] = texts(&owner.create_with("all", &["admin"]), ["secret"]);
    let (path, mut token) = (format!("/v1/organizations/{org}"), server.caller(&all));
    enrol(&mut owner);
    token.patch(&path, &json!({"require_second_factor": true})).expect(200);
    token.patch(&path, &json!({"require_second_factor": false})).fails(403, "session needed");
    owner.patch(&path, &json!({"require_second_factor": false})).expect(200);
}

fn a_new_secret_takes_a_recent_proof_of_who_has_a_second_factor(backend: Backend) {
    let server = server(backend);
    let facts = server.facts();
    let user = facts.user(Server::OWNER);
    let mut owner = server.owner();
    let [id, token] = texts(&owner.create_with("before", &["tokens:manage", "execute"]), ["id", "secret"]);
    let [key] = texts(&owner.post("/v1/me/keys", &json!({"name": "a"})).expect(201), ["id"]);
    let [org] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    let projects = format!("/v1/organizations/{org}/projects");
    let [project] = texts(&owner.post(&projects, &json!({"slug": "p"})).expect(201), ["projectId"]);
    let actors = format!("{projects}/{project}/actors");
    let [actor] = texts(&owner.post(&actors, &json!({"name": "a"})).expect(201), ["actorId"]);
    facts.age_proofs(&user);
    owner.create("a password alone would only be typed once more");
    let mut owner = server.owner();
    let (_, recovery) = enrol(&mut owner);
    owner.create("proven a moment ago");
    facts.age_proofs(&user);
    let made = json!({"name": "x", "scopes": ["execute"]});
    let refused = [
        ("/v1/tokens".to_owned(), made.clone()),
        (format!("/v1/tokens/{id}/rotate"), json!({})),
        ("/v1/me/keys".to_owned(), json!({"name": "x"})),
        (format!("/v1/me/keys/{key}/rotate"), json!({})),
        (actors.clone(), json!({"name": "b"})),
        (format!("{actors}/{actor}/rotate"), json!({})),
    ];
    for (path, body) in &refused {
        owner.post(path, body).fails(403, "recent proof needed");
    }
    // Reading and revoking need no proof, nor do requests by a token or by a front end's session.
    owner.get("/v1/tokens").expect(200);
    owner.patch(&format!("/v1/tokens/{id}"), &json!({"name": "renamed"})).expect(200);
    server.caller(&token).post("/v1/tokens", &made).expect(201);
    vouched_for(&server).post("/v1/tokens", &made).expect(201);
    owner.post(PROOF, &json!({"recovery_code": recovery[0]})).expect(200);
    owner.post(&refused[0].0, &refused[0].1).expect(201);
}
