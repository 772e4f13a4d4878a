//! `/v1/me`: one's own account.

use serde_json::json;
use token_domain::person::BuiltInRole;

use crate::support::{Backend, Options, Server, both, texts};

both!(
    a_person_sees_themselves,
    a_name_changes_and_an_address_is_asked_for,
    an_address_of_somebody_else_is_asked_for_like_any_other,
    a_new_password_ends_all_other_sessions,
    the_current_password_is_asked_for,
    a_token_of_the_organisation_is_nobody,
    a_password_that_is_tried_first_is_not_chosen,
);

fn a_person_sees_themselves(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let me = owner.get("/v1/me").expect(200);
    let keys: Vec<&str> = me.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["email", "email_verified", "name", "org_id", "pending_email", "role", "scopes", "user_id"]);
    assert_eq!((&me["email"], &me["name"], &me["role"]), (&json!(Server::OWNER), &json!("Owner"), &json!("owner")));
    let scopes = me["scopes"].as_array().unwrap();
    assert!(scopes.contains(&json!("admin")) && scopes.contains(&json!("tokens:manage")), "{scopes:?}");
}

fn a_name_changes_and_an_address_is_asked_for(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let before = owner.get("/v1/me").expect(200);
    let changed = owner.patch("/v1/me", &json!({"name": " Ada Lovelace ", "role": "viewer"})).expect(200);
    assert_eq!((&changed["name"], &changed["role"]), (&json!("Ada Lovelace"), &json!("owner")));
    let changed = owner.patch("/v1/me", &json!({"email": "Ada@Acme.example"})).expect(200);
    assert_eq!(
        (&changed["email"], &changed["pending_email"], &changed["name"]),
        (&json!(Server::OWNER), &json!("Ada@Acme.example"), &json!("Ada Lovelace"))
    );
    assert_eq!(changed["user_id"], before["user_id"]);
    assert_eq!(owner.patch("/v1/me", &json!({})).expect(200), changed);
    assert_eq!(owner.get("/v1/me").expect(200), changed);

    server.signed_in(Server::OWNER);
    let new = json!({"email": "ada@acme.example", "password": Server::PASSWORD});
    server.anyone().post("/v1/sessions", &new).fails(401, "invalid credentials");
    // The current address in another spelling counts as unchanged, and cancels the requested change.
    let changed = owner.patch("/v1/me", &json!({"email": "Owner@Acme.example"})).expect(200);
    assert_eq!((&changed["email"], &changed["pending_email"]), (&json!("Owner@Acme.example"), &json!(null)));
    for (body, field) in [
        (json!({"name": ""}), "name"),
        (json!({"name": "a\u{202e}b"}), "name"),
        (json!({"email": "no address"}), "email"),
        (json!({"email": ""}), "email"),
        (json!({"email": 1}), "email"),
    ] {
        assert_eq!(owner.patch("/v1/me", &body).fails(400, "invalid request")["field"], field, "{body}");
    }
    let events = server.facts().audit();
    let change = events.iter().rfind(|event| event.action == "user.update").unwrap();
    assert!(!change.detail.contains("Ada") && !change.detail.contains('@'), "{}", change.detail);
}

fn an_address_of_somebody_else_is_asked_for_like_any_other(backend: Backend) {
    let server = Server::start(backend, Options::default());
    server.facts().add_member("other@acme.example", BuiltInRole::Member);
    let mut owner = server.owner();
    let mut answers = ["other@acme.example", "OTHER@ACME.example", "nobody@acme.example"].map(|email| {
        let mut answer = owner.patch("/v1/me", &json!({ "email": email })).expect(200);
        assert_eq!(answer["pending_email"].take(), json!(email));
        answer
    });
    answers.rotate_left(1);
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "nothing tells which of them have accounts: {answers:?}"
    );
    server.signed_in("other@acme.example");
}

fn a_new_password_ends_all_other_sessions(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let (mut first, mut second) = (server.owner(), server.owner());
    let [token] = texts(&first.create("a"), ["secret"]);
    let new = "пароль из букв 🔑🔑";
    let change = json!({"current_password": Server::PASSWORD, "new_password": new});
    let answer = first.post("/v1/me/password", &change);
    assert_eq!((answer.status, answer.text()), (204, ""));
    first.get("/v1/me").expect(200);
    second.get("/v1/me").fails(401, "invalid token");
    assert!(first.is_valid(&token));
    let sign_in =
        |password: &str| server.anyone().post("/v1/sessions", &json!({"email": Server::OWNER, "password": password}));
    sign_in(Server::PASSWORD).fails(401, "invalid credentials");
    sign_in(new).expect(201);
    let events = server.facts().audit();
    let event = events.iter().find(|event| event.action == "user.password.change").unwrap();
    assert_eq!(event.detail, r#"{"sessions_ended":1}"#);
}

fn the_current_password_is_asked_for(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let (mut owner, mut other) = (server.owner(), server.owner());
    let change = |current: &str, new: &str| json!({"current_password": current, "new_password": new});
    owner.post("/v1/me/password", &change("not the password", "a new one of length")).fails(403, "wrong password");
    owner.post("/v1/me/password", &change("", "a new one of length")).fails(403, "wrong password");
    // Random letters, because repetitive passwords are refused.
    let mut state = 1_u64;
    let letters = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b"abcdefghijklmnopqrstuvwxyz012345"[usize::try_from(state >> 59).unwrap()])
    });
    let long: &str = &letters.take(1_025).collect::<String>();
    for new in ["", "elevenchars", long] {
        let refused = owner.post("/v1/me/password", &change(Server::PASSWORD, new));
        assert_eq!(refused.fails(400, "invalid request")["field"], "new_password", "{new:.20}");
    }
    for (body, field) in [
        (json!({"new_password": "a new one of length"}), "current_password"),
        (json!({"current_password": Server::PASSWORD}), "new_password"),
        (json!({"current_password": Server::PASSWORD, "new_password": 123_456_789_012_u64}), "new_password"),
    ] {
        assert_eq!(owner.post("/v1/me/password", &body).fails(400, "invalid request")["field"], field);
    }
    other.get("/v1/me").expect(200);
    server.owner();
    for new in ["twelve chars", &long[..1_024]] {
        let current = if new == "twelve chars" { Server::PASSWORD } else { "twelve chars" };
        owner.post("/v1/me/password", &change(current, new)).expect(204);
    }
}

fn a_password_that_is_tried_first_is_not_chosen(backend: Backend) {
    let server = Server::start(backend, Options::default().with("passwords.min_characters", 14));
    let mut owner = server.owner();
    for (new, part) in [
        ("Password1234!!", "common password"),
        ("qwertyuiop[]1234", "common password"),
        (Server::OWNER, "your e-mail address"),
        ("acme acme acme", "a repetition"),
        ("acme-and-18154", "your organisation"),
        ("thirteen char", "at least 14"),
    ] {
        let change = json!({"current_password": Server::PASSWORD, "new_password": new});
        let refused = owner.post("/v1/me/password", &change).fails(400, "invalid request");
        assert_eq!(refused["field"], "new_password", "{new}");
        assert!(refused["message"].as_str().unwrap().contains(part), "{refused}");
    }
    let mut empty = Server::start(backend, Options::default().unset_up());
    empty.stop();
    for (password, part) in [("password1234", "common password"), ("somebody@new.example", "your e-mail address")] {
        let setup = ["setup", "--org", "new", "--email", "somebody@new.example", "--password-stdin"];
        let said = empty.command(&setup, &format!("{password}\n"));
        assert!(said.fails(1).contains(part), "{said:?}");
    }
}

fn a_token_of_the_organisation_is_nobody(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [secret] = texts(&owner.create_with("all powerful", &["admin"]), ["secret"]);
    let mut caller = server.caller(&secret);
    caller.get("/v1/me").fails(403, "forbidden");
    caller.patch("/v1/me", &json!({"name": "x"})).fails(403, "forbidden");
    caller.get("/v1/sessions").fails(403, "forbidden");
    caller.delete("/v1/sessions").fails(403, "forbidden");
    let change = json!({"current_password": Server::PASSWORD, "new_password": "a new one of length"});
    caller.post("/v1/me/password", &change).fails(403, "forbidden");
    owner.get("/v1/me").expect(200);
}
