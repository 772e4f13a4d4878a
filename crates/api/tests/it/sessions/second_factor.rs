//! Second factors in the API: set-up with an app, sign-in, and the requirement of an organisation.

use serde_json::{Value, json};
use token_domain::person::{BuiltInRole, SecondFactorRule};

use crate::support::{Answer, App, Backend, Client, Options, Server, both, enrol, texts};

both!(
    it_is_set_up_and_asked_for,
    what_is_missing_or_wrong_is_said_to_those_with_the_password_only,
    guesses_are_answered_429,
    recovery_codes_are_made_anew,
    an_organisation_may_ask_for_one,
    who_asks_others_has_one,
    the_secret_is_nowhere_in_clear,
    bad_requests_name_the_field,
);

/// Signs the owner in with address, password and these fields.
fn sign_in(server: &Server, more: &Value) -> Answer {
    sign_in_as(server, Server::OWNER, more)
}

fn sign_in_as(server: &Server, email: &str, more: &Value) -> Answer {
    let mut body = json!({"email": email, "password": Server::PASSWORD});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    server.anyone().post("/v1/sessions", &body)
}

fn it_is_set_up_and_asked_for(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let (mut owner, mut elsewhere) = (server.owner(), server.owner());
    let none = json!({"enabled": false, "enabled_at": Value::Null, "recovery_codes_left": 0, "required": false});
    assert_eq!(owner.get("/v1/me/totp").expect(200), none);
    let begun = owner.call("/v1/me/totp");
    assert_eq!(begun.header("cache-control"), Some("no-store"));
    let [secret, uri] = texts(&begun.expect(201), ["secret", "otpauth_uri"]);
    let expected = format!(
        "otpauth://totp/nolapse%20tokens:owner%40acme.example?secret={secret}&issuer=nolapse%20tokens&algorithm=SHA1&digits=6&period=30"
    );
    assert_eq!(uri, expected);
    owner.post("/v1/me/totp/confirm", &json!({"code": App::new(&secret).wrong()})).fails(403, "wrong code");
    server.owner();

    let (mut app, recovery) = enrol(&mut owner);
    assert_eq!(recovery.len(), 10);
    let status = owner.get("/v1/me/totp").expect(200);
    assert_eq!((&status["enabled"], &status["recovery_codes_left"]), (&json!(true), &json!(10)));
    owner.call("/v1/me/totp").fails(409, "second factor already set up");
    elsewhere.get("/v1/me").fails(401, "invalid token");

    sign_in(&server, &json!({})).fails(401, "second factor required");
    let code = app.code();
    let signed_in = sign_in(&server, &json!({"code": code})).expect(201);
    assert!(signed_in.get("second_factor_required").is_none(), "{signed_in}");
    sign_in(&server, &json!({"code": code})).fails(401, "wrong code");
    sign_in(&server, &json!({"recovery_code": recovery[0].to_uppercase()})).expect(201);
    sign_in(&server, &json!({"recovery_code": recovery[0]})).fails(401, "wrong code");

    let wrong = json!({"password": "not the password", "recovery_code": recovery[1]});
    let remove =
        |owner: &mut Client, body: &Value| owner.ask(crate::support::Request::new("DELETE", "/v1/me/totp").json(body));
    remove(&mut owner, &wrong).fails(403, "wrong password");
    let wrong = json!({"password": Server::PASSWORD, "recovery_code": recovery[0]});
    remove(&mut owner, &wrong).fails(403, "wrong code");
    let right = json!({"password": Server::PASSWORD, "recovery_code": recovery[1]});
    assert_eq!(remove(&mut owner, &right).status, 204);
    remove(&mut owner, &right).fails(409, "no second factor");
    server.owner();

    let events = server.facts().audit();
    let actions: Vec<&str> =
        events.iter().map(|event| event.action.as_str()).filter(|a| a.starts_with("user.")).collect();
    let expected = [
        "user.second_factor.begin",
        "user.confirm.denied",
        "user.second_factor.begin",
        "user.second_factor.enable",
        "user.confirm.denied",
        "user.confirm.denied",
        "user.second_factor.disable",
    ];
    assert_eq!(actions, expected);
}

fn what_is_missing_or_wrong_is_said_to_those_with_the_password_only(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let (app, recovery) = enrol(&mut server.owner());
    let denied = json!({"email": "nobody@acme.example", "password": Server::PASSWORD});
    let model = server.anyone().post("/v1/sessions", &denied);
    model.fails(401, "invalid credentials");
    for more in [json!({}), json!({"code": app.wrong()}), json!({"recovery_code": recovery[0]})] {
        let mut body = more;
        body["email"] = Server::OWNER.into();
        body["password"] = "not the password here".into();
        assert_eq!(server.anyone().post("/v1/sessions", &body).bare(), model.bare(), "{body}");
    }
    let required = sign_in(&server, &json!({}));
    assert!(required.header("www-authenticate").is_some());
    assert_eq!(required.fails(401, "second factor required").as_object().unwrap().len(), 3);
}

fn guesses_are_answered_429(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let (mut app, recovery) = enrol(&mut server.owner());
    let wrong = json!({"code": app.wrong()});
    for _ in 0..5 {
        sign_in(&server, &wrong).fails(401, "wrong code");
    }
    let refused = sign_in(&server, &json!({"code": app.code()}));
    refused.fails(429, "too many requests");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    sign_in(&server, &json!({"recovery_code": recovery[3]})).expect(201);
    let denied = server.facts().audit();
    assert_eq!(denied.iter().filter(|event| event.action == "session.create.denied").count(), 5);
}

fn recovery_codes_are_made_anew(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    owner.post("/v1/me/recovery-codes", &json!({"code": "123456"})).fails(409, "no second factor");
    let (mut app, old) = enrol(&mut owner);
    owner.post("/v1/me/recovery-codes", &json!({"code": app.wrong()})).fails(403, "wrong code");
    let made = owner.post("/v1/me/recovery-codes", &json!({"code": app.code()})).expect(200);
    let new: Vec<&str> = made["recovery_codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
    assert!(new.len() == 10 && !new.contains(&old[0].as_str()));
    sign_in(&server, &json!({"recovery_code": old[0]})).fails(401, "wrong code");
    sign_in(&server, &json!({"recovery_code": new[0]})).expect(201);
}

fn an_organisation_may_ask_for_one(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let facts = server.facts();
    facts.add_member("member@acme.example", BuiltInRole::Member);
    let mut before = server.signed_in("member@acme.example");
    facts.set_second_factor_rule(SecondFactorRule::Required);

    let signed_in = sign_in_as(&server, "member@acme.example", &json!({})).expect(201);
    assert_eq!(signed_in["second_factor_required"], true);
    let mut confined = server.caller(signed_in["token"].as_str().unwrap());
    for path in ["/v1/me", "/v1/sessions", "/v1/tokens", "/v1/audit", "/v1/executions?org=acme&repo=x"] {
        for client in [&mut confined, &mut before] {
            let refused = client.get(path);
            refused.fails(403, "second factor required");
        }
    }
    confined
        .post("/v1/me/password", &json!({"current_password": "x", "new_password": "y"}))
        .fails(403, "second factor required");
    confined.delete("/v1/sessions").fails(403, "second factor required");
    let status = confined.get("/v1/me/totp").expect(200);
    assert_eq!((&status["enabled"], &status["required"]), (&json!(false), &json!(true)));

    let (_, recovery) = enrol(&mut confined);
    confined.get("/v1/me").expect(200);
    before.get("/v1/me").fails(401, "invalid token");
    let whole = sign_in_as(&server, "member@acme.example", &json!({"recovery_code": recovery[0]})).expect(201);
    assert!(whole.get("second_factor_required").is_none());

    // A person who removed their second factor, or never had one, may still leave.
    let removal = json!({"password": Server::PASSWORD, "recovery_code": recovery[1]});
    assert_eq!(confined.ask(crate::support::Request::new("DELETE", "/v1/me/totp").json(&removal)).status, 204);
    confined.get("/v1/me").fails(403, "second factor required");
    confined.delete("/v1/sessions/current").expect(204);
    confined.get("/v1/me/totp").fails(401, "invalid token");
    facts.set_second_factor_rule(SecondFactorRule::Optional);
    server.signed_in("member@acme.example").get("/v1/me").expect(200);
}

fn who_asks_others_has_one(backend: Backend) {
    let server = Server::start(backend, Options::default());
    server.facts().add_member("member@acme.example", BuiltInRole::Member);
    let mut member = server.signed_in("member@acme.example");
    let mut owner = server.owner();
    let [org] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    let path = format!("/v1/organizations/{org}");
    assert_eq!(owner.get(&path).expect(200)["require_second_factor"], false);
    for wrong in [Value::Null, json!("yes")] {
        let refused = owner.patch(&path, &json!({"require_second_factor": wrong}));
        assert_eq!(refused.fails(400, "invalid request")["field"], "require_second_factor", "{wrong}");
    }
    let ask = json!({"require_second_factor": true, "name": "Renamed"});
    owner.patch(&path, &ask).fails(409, "no second factor");
    assert_ne!(owner.get(&path).expect(200)["name"], "Renamed", "all of it or nothing");
    member.patch(&path, &ask).fails(403, "insufficient scope");

    enrol(&mut owner);
    let asked = owner.patch(&path, &ask).expect(200);
    assert_eq!((&asked["require_second_factor"], &asked["name"]), (&json!(true), &json!("Renamed")));
    owner.get("/v1/me").expect(200);
    member.get("/v1/me").fails(403, "second factor required");
    owner.patch(&path, &json!({"require_second_factor": false})).expect(200);
    member.get("/v1/me").expect(200);
    let events = server.facts().audit();
    let rules: Vec<&str> =
        events.iter().filter(|e| e.action == "organization.update").map(|e| e.detail.as_str()).collect();
    assert_eq!(rules, [r#"{"name":"Renamed","second_factor":"required"}"#, r#"{"second_factor":"optional"}"#]);
}

fn the_secret_is_nowhere_in_clear(backend: Backend) {
    let mut server = Server::start(backend, Options::default());
    let (app, recovery) = enrol(&mut server.owner());
    sign_in(&server, &json!({"recovery_code": recovery[0]})).expect(201);
    server.stop();
    let dump = server.database.dump();
    let holds = |what: &[u8]| dump.windows(what.len()).any(|window| window == what);
    // Hexadecimal, as the dump of PostgreSQL writes bytes.
    let digits = data_encoding::HEXLOWER.encode(app.secret.expose());
    assert!(!holds(app.secret.expose()) && !holds(digits.as_bytes()) && !holds(app.secret.to_base32().as_bytes()));
    for code in &recovery {
        assert!(!holds(code.as_bytes()) && !holds(code.replace('-', "").as_bytes()));
        assert!(!server.log().contains(code.as_str()));
    }
    assert!(holds(Server::OWNER.as_bytes()), "the dump is of this database");
    assert!(!server.log().contains(app.secret.to_base32().as_str()));
}

fn bad_requests_name_the_field(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    for (path, body, field) in [
        ("/v1/me/totp/confirm", json!({}), "code"),
        ("/v1/me/totp/confirm", json!({"code": 123_456}), "code"),
        ("/v1/me/totp/confirm", json!({"code": "12345"}), "code"),
        ("/v1/me/recovery-codes", json!({}), "code"),
        ("/v1/me/recovery-codes", json!({"code": "123456", "recovery_code": "x"}), "recovery_code"),
        ("/v1/me/recovery-codes", json!({"recovery_code": "x"}), "recovery_code"),
        ("/v1/sessions", json!({"email": "x", "password": "x", "code": "x"}), "code"),
        ("/v1/sessions", json!({"email": "x", "password": "x", "recovery_code": ""}), "recovery_code"),
    ] {
        assert_eq!(owner.post(path, &body).fails(400, "invalid request")["field"], field, "{path} {body}");
    }
    let body = json!({"code": "123456"});
    let refused = owner.ask(crate::support::Request::new("DELETE", "/v1/me/totp").json(&body));
    assert_eq!(refused.fails(400, "invalid request")["field"], "password");
}
