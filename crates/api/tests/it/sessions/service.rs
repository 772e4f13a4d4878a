//! `POST /v1/sessions/create`: sessions for people whom a front end signed in itself.

use serde_json::json;
use token_domain::person::BuiltInRole;

use crate::support::{Backend, Options, Request, Server, both, texts};

both!(
    without_a_service_token_nobody_may,
    the_service_token_opens_sessions,
    the_service_token_ends_sessions,
    guesses_at_the_service_token_are_held_and_the_right_one_is_not,
    bad_requests_name_the_field
);

const SERVICE_TOKEN: &str = "a-service-token-of-forty-characters-long";

fn without_a_service_token_nobody_may(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let body = json!({"email": Server::OWNER, "organization": "acme"});
    let owner = server.owner();
    let mut owner_client = server.owner();
    let [admin] = texts(&owner_client.create_with("admin", &["admin"]), ["secret"]);
    server.anyone().post("/v1/sessions/create", &body).fails(401, "authentication required");
    for credential in [SERVICE_TOKEN, owner.credential(), &admin, "x", "nls_", "null", "undefined"] {
        let answer = server.caller(credential).post("/v1/sessions/create", &body);
        answer.fails(401, "invalid token");
        assert!(answer.header("www-authenticate").is_some());
    }
    let empty = Request::new("POST", "/v1/sessions/create").header("Authorization", "Bearer ").json(&body);
    assert_eq!(server.anyone().ask(empty).status, 401);
}

fn the_service_token_opens_sessions(backend: Backend) {
    let server = Server::start(backend, Options::default().with("sessions.service_token", SERVICE_TOKEN));
    let facts = server.facts();
    let member = facts.add_member("member@acme.example", BuiltInRole::Member);
    let organization = facts.organization(Server::ORGANIZATION).id;
    let mut front_end = server.caller(SERVICE_TOKEN);
    for body in [
        json!({"email": "Member@acme.example", "organization": "acme"}),
        json!({"user_id": member.id.to_string(), "organization": organization.to_string()}),
    ] {
        let made = front_end.post("/v1/sessions/create", &body).expect(201);
        assert_eq!((&made["user_id"], &made["role"]), (&json!(member.id.to_string()), &json!("member")));
        let me = server.caller(made["token"].as_str().unwrap()).get("/v1/me").expect(200);
        assert_eq!(me["email"], "member@acme.example");
    }
    let event = facts.audit().into_iter().find(|event| event.action == "session.create").unwrap();
    assert_eq!(event.actor, "service");

    // A wrong service token is 401; a person who does not exist is 404.
    for wrong in [&SERVICE_TOKEN[1..], &SERVICE_TOKEN.to_uppercase(), "another-service-token-of-the-same-length"] {
        let body = json!({"email": "member@acme.example", "organization": "acme"});
        server.caller(wrong).post("/v1/sessions/create", &body).fails(401, "invalid token");
    }
    let elsewhere = facts.add_organization("elsewhere");
    for body in [
        json!({"email": "nobody@acme.example", "organization": "acme"}),
        json!({"user_id": "018f0000-0000-7000-8000-000000000001", "organization": "acme"}),
        json!({"email": "member@acme.example", "organization": "nowhere"}),
        json!({"email": "member@acme.example", "organization": elsewhere.to_string()}),
    ] {
        front_end.post("/v1/sessions/create", &body).fails(404, "not found");
    }
    facts.disable(&member);
    let body = json!({"email": "member@acme.example", "organization": "acme"});
    front_end.post("/v1/sessions/create", &body).fails(404, "not found");
    // The service token creates sessions and does nothing else.
    front_end.get("/v1/tokens").fails(401, "invalid token");
    assert!(!server.log().contains(SERVICE_TOKEN));
}

fn the_service_token_ends_sessions(backend: Backend) {
    let server = Server::start(backend, Options::default().with("sessions.service_token", SERVICE_TOKEN));
    let mut front_end = server.caller(SERVICE_TOKEN);
    let body = json!({"email": Server::OWNER, "organization": "acme"});
    let made = front_end.post("/v1/sessions/create", &body).expect(201);
    let [id, token] = texts(&made, ["id", "token"]);
    let path = format!("/v1/sessions/{id}");
    for wrong in ["another-service-token-of-the-same-length", "x"] {
        server.caller(wrong).delete(&path).fails(401, "invalid token");
    }
    let mut person = server.caller(&token);
    person.get("/v1/me").expect(200);
    front_end.delete(&path).expect(204);
    person.get("/v1/me").fails(401, "invalid token");
    for gone in [&path, "/v1/sessions/x", "/v1/sessions/018f0000-0000-7000-8000-000000000001"] {
        front_end.delete(gone).fails(404, "not found");
    }
    front_end.delete("/v1/sessions").fails(401, "invalid token");
    let events = server.facts().audit();
    let event = events.iter().find(|event| event.action == "session.delete").unwrap();
    assert_eq!(event.actor, "service");
}

fn guesses_at_the_service_token_are_held_and_the_right_one_is_not(backend: Backend) {
    let server = Server::start(backend, Options::default().with("sessions.service_token", SERVICE_TOKEN));
    let body = json!({"email": Server::OWNER, "organization": "acme"});
    let mut guesser = server.caller("another-service-token-of-the-same-length");
    let statuses: Vec<u16> = (0..40).map(|_| guesser.post("/v1/sessions/create", &body).status).collect();
    assert!(statuses[..10].iter().all(|status| *status == 401), "{statuses:?}");
    assert!(statuses.contains(&429), "{statuses:?}");
    server.caller(SERVICE_TOKEN).post("/v1/sessions/create", &body).expect(201);
    let events = server.facts().deployment_audit();
    let denied = events.iter().filter(|event| event.action == "service_token.denied").count();
    assert!((10..40).contains(&denied), "{denied}");
    assert!(events.iter().any(|event| event.action == "service_token.limited"));
    server.says(&["a wrong service token was presented"]);
}

fn bad_requests_name_the_field(backend: Backend) {
    let server = Server::start(backend, Options::default().with("sessions.service_token", SERVICE_TOKEN));
    let mut front_end = server.caller(SERVICE_TOKEN);
    for (body, field) in [
        (json!({"email": Server::OWNER}), "organization"),
        (json!({"organization": "acme"}), "email"),
        (json!({"organization": "acme", "email": "no address"}), "email"),
        (json!({"organization": "acme", "user_id": "no id"}), "user_id"),
        (json!({"organization": "acme", "user_id": "no id", "email": Server::OWNER}), "user_id"),
        (json!({"organization": "NOT A SLUG", "email": Server::OWNER}), "organization"),
    ] {
        let answer = front_end.post("/v1/sessions/create", &body);
        assert_eq!(answer.fails(400, "invalid request")["field"], field, "{body}");
    }
}
