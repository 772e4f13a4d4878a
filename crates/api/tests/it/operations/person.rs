//! `person …`: an operator's commands, carried out by the running server or without one.

use serde_json::json;
use token_domain::person::BuiltInRole;

use crate::support::{App, Backend, Options, Server, both, texts};

both!(
    each_command_is_carried_out_with_and_without_a_server,
    a_person_who_is_switched_off_is_gone_when_the_command_ends
);

const PERSON: &str = "person@acme.example";

fn each_command_is_carried_out_with_and_without_a_server(backend: Backend) {
    let mut server = Server::start(backend, Options::default());
    for is_running in [true, false] {
        let email = if is_running { PERSON } else { "another@acme.example" };
        let moved = format!("moved.{email}");
        server.facts().add_member(email, BuiltInRole::Admin);
        let mut session = server.signed_in(email);
        let [secret] = texts(&session.call("/v1/me/totp").expect(201), ["secret"]);
        let code = App::new(&secret).code();
        session.post("/v1/me/totp/confirm", &json!({ "code": code })).expect(200);
        session.patch("/v1/me", &json!({ "email": moved })).expect(200);
        if !is_running {
            server.stop();
        }
        let person = |act: &str, email: &str, more: &[&str], input: &str| {
            let arguments = [&["person", act, "--email", email], more].concat();
            server.command(&arguments, input)
        };
        assert!(
            person("disable", "nobody@acme.example", &[], "").fails(1).contains("no person has this e-mail address")
        );
        assert!(person("reset-second-factor", email, &[], "").succeeds().contains("no longer has a second factor"));
        assert!(person("reset-second-factor", email, &[], "").fails(1).contains("no second factor to reset"));
        let taken = person("set-email", email, &["--to", Server::OWNER], "");
        assert!(taken.fails(1).contains("another account has this e-mail address"));
        person("set-email", email, &["--to", &moved], "").succeeds();
        person("set-email", email, &["--to", &moved], "").fails(1);
        assert!(person("set-password", &moved, &["--password-stdin"], "short").fails(1).contains("the password"));
        person("set-password", &moved, &["--password-stdin"], "another one of this test").succeeds();
        person("disable", &moved, &[], "").succeeds();
        assert!(person("disable", &moved, &[], "").fails(1).contains("is already disabled"));
        if !is_running {
            server.serve();
        }
        let sign_in = json!({"email": moved, "password": "another one of this test"});
        let mut anyone = server.anyone();
        anyone.post("/v1/sessions", &sign_in).fails(401, "invalid credentials");
        let enable = ["person", "enable", "--email", &moved];
        server.command(&enable, "").succeeds();
        let made = anyone.post("/v1/sessions", &sign_in).expect(201);
        let me = server.caller(&texts(&made, ["token"])[0]).get("/v1/me").expect(200);
        assert_eq!((&me["email"], &me["pending_email"]), (&json!(moved), &json!(null)));
        // A new client, because the server's stop closed the connection.
        server.caller(session.credential()).get("/v1/me").fails(401, "invalid token");
    }
    let trail = server.facts().deployment_audit();
    for action in ["user.password.set", "user.email.change", "user.disable", "user.enable", "user.second_factor.reset"]
    {
        let found: Vec<_> = trail.iter().filter(|event| event.action == action).collect();
        assert_eq!(found.len(), 2, "{action}");
        assert!(found.iter().all(|event| !event.detail.contains('@')), "{action}");
    }
    assert!(!server.log().contains("another one of this test"));
}

fn a_person_who_is_switched_off_is_gone_when_the_command_ends(backend: Backend) {
    let server = Server::start(backend, Options::default());
    server.facts().add_member(PERSON, BuiltInRole::Admin);
    for _ in 0..5 {
        let mut session = server.signed_in(PERSON);
        let [key] = texts(&session.post("/v1/me/keys", &json!({"name": "a"})).expect(201), ["secret"]);
        assert!(server.anyone().is_valid(&key), "and remembered from now on");
        server.command(&["person", "disable", "--email", PERSON], "").succeeds();
        assert!(!server.anyone().is_valid(&key));
        session.get("/v1/me").fails(401, "invalid token");
        server.command(&["person", "enable", "--email", PERSON], "").succeeds();
        assert!(server.anyone().is_valid(&key));
    }
}
