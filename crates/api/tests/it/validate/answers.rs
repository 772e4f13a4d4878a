//! Status, headers and bytes of all answers.

use serde_json::{Value, json};

use crate::support::{Answer, Backend, Options, Request, Server, both, eventually, later, texts};

both!(
    a_good_token_has_exactly_three_keys,
    every_bad_token_gets_the_same_bytes,
    what_cannot_be_read_gets_one_400,
    what_can_be_read_is_answered_whatever_its_spelling,
    required_scopes,
    detail_shows_everything,
    detail_of_a_rotating_token,
    a_long_body_is_refused,
    other_methods_are_refused,
    a_body_in_pieces_gets_what_a_whole_one_gets,
    no_credential_is_asked_for_or_looked_at,
);

const INVALID: &str = r#"{"valid":false,"error":"invalid token"}"#;
const MALFORMED: &str = r#"{"error":"malformed request"}"#;

fn a_good_token_has_exactly_three_keys(backend: Backend) {
    let server = Server::start(backend, Options::default().bcrypt());
    let mut owner = server.owner();
    let [org] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    let rows: [(&[&str], &str); 2] =
        [(&["execute"], r#"["execute"]"#), (&["scans:read", "admin", "read"], r#"["scans:read","admin","read"]"#)];
    for (scopes, shown) in rows {
        let [secret] = texts(&owner.create_with("a", scopes), ["secret"]);
        let exact = format!(r#"{{"valid":true,"org_id":"{org}","scopes":{shown}}}"#);
        // Read from the store, from the cache, and after the background work of the first read.
        for _ in 0..5 {
            let answer = server.anyone().validate(&secret);
            assert_eq!((answer.status, answer.text()), (200, exact.as_str()));
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert!(answer.header("x-request-id").is_some());
        }
    }
    assert!(org.starts_with("org_") && org.len() == 30, "{org}");
}

fn every_bad_token_gets_the_same_bytes(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [revoked_id, revoked] = texts(&owner.create("revoked"), ["id", "secret"]);
    assert!(owner.is_valid(&revoked));
    owner.revoke(&revoked_id);
    let [id, superseded] = texts(&owner.create("superseded"), ["id", "secret"]);
    let [live] = texts(&owner.rotate(&id, &json!({"grace_period_seconds": 0})), ["secret"]);
    let expiring = json!({"name": "expired", "scopes": ["execute"], "expires_at": later(2)});
    let [expired] = texts(&owner.post("/v1/tokens", &expiring).expect(201), ["secret"]);
    eventually("the expiry", || (owner.validate(&expired).status == 401).then_some(()));

    let unknown = "nlp_00112233445566778899aabbccddeeff550c911c".to_owned();
    let other_end = if live.ends_with('0') { '1' } else { '0' };
    let mistyped = format!("{}{other_end}", &live[..live.len() - 1]);
    let session = owner.credential().to_owned();
    let tokens = [
        revoked,
        superseded,
        expired,
        unknown,
        mistyped,
        session,
        String::new(),
        " ".to_owned(),
        format!(" {live}"),
        format!("{live} "),
        format!("{live}\n"),
        live.to_uppercase(),
        live.replace("nlp_", ""),
        format!("Bearer {live}"),
        "nlp_".to_owned(),
        format!("nlp_{}", "z".repeat(40)),
        format!("nlp_{}", "0".repeat(3_000)),
        "ключ 🔑 \u{0}".to_owned(),
        "' OR 1=1 --".to_owned(),
        "%6e%6c%70".to_owned(),
    ];
    let model = server.anyone().validate("");
    assert_eq!((model.status, model.text()), (401, INVALID));
    assert_eq!(model.header("www-authenticate"), Some(r#"Bearer realm="nolapse", error="invalid_token""#));
    assert_eq!(model.header("content-type"), Some("application/json"));
    for token in &tokens {
        for more in [json!({}), json!({"detail": true}), json!({"required_scopes": ["admin", "fly"]})] {
            let mut body = json!({ "token": token });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let answer = server.anyone().post("/v1/auth/validate", &body);
            assert_eq!(answer.bare(), model.bare(), "{body}");
        }
    }
    assert!(owner.is_valid(&live));
}

fn what_cannot_be_read_gets_one_400(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let [live] = texts(&server.owner().create("a"), ["secret"]);
    let texts = [
        String::new(),
        "{".to_owned(),
        "{}".to_owned(),
        "null".to_owned(),
        "7".to_owned(),
        format!("\"{live}\""),
        format!("[\"{live}\"]"),
        format!("[\"{live}\",null,null]"),
        r#"{"token":null}"#.to_owned(),
        r#"{"token":7}"#.to_owned(),
        r#"{"token":["x"]}"#.to_owned(),
        r#"{"token":{}}"#.to_owned(),
        format!(r#"{{"Token":"{live}"}}"#),
        format!(r#"{{"token":"{live}"}}x"#),
        format!(r#"{{"token":"{live}",}}"#),
        format!(r#"{{"token":"{live}","token":"{live}"}}"#),
        format!(r#"{{"token":"{live}","required_scopes":"execute"}}"#),
        format!(r#"{{"token":"{live}","required_scopes":[7]}}"#),
        format!(r#"{{"token":"{live}","required_scopes":{{}}}}"#),
        format!(r#"{{"token":"{live}","detail":"yes"}}"#),
        format!(r#"{{"token":"{live}","detail":1}}"#),
        format!("token={live}"),
        format!("{{'token':'{live}'}}"),
        format!("{}{}", "[".repeat(2_000), "]".repeat(2_000)),
        format!("\u{feff}{{\"token\":\"{live}\"}}"),
    ];
    let mut bodies: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
    bodies.push(b"{\"token\":\"\xff\xfe\"}".to_vec());
    bodies.push(vec![0; 10]);
    bodies.push([br#"{"token":""#.as_slice(), &[0xc0, 0x80], br#""}"#].concat());
    for body in bodies {
        let shown = String::from_utf8_lossy(&body).chars().take(80).collect::<String>();
        let answer = server.anyone().ask(Request::new("POST", "/v1/auth/validate").body(body));
        assert_eq!((answer.status, answer.text()), (400, MALFORMED), "{shown}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{shown}");
        assert_eq!(answer.header("www-authenticate"), None, "{shown}");
    }
    let without = server.anyone().ask(Request::new("POST", "/v1/auth/validate"));
    assert_eq!((without.status, without.text()), (400, MALFORMED));
}

fn what_can_be_read_is_answered_whatever_its_spelling(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let [live] = texts(&server.owner().create("a"), ["secret"]);
    let escaped = live.bytes().fold(String::new(), |text, letter| text + &format!("\\u{letter:04x}"));
    for body in [
        format!(r#"{{"token":"{live}"}}"#),
        format!("\r\n\t {{ \"token\" :\n \"{live}\" }} \n"),
        format!(r#"{{"token":"{escaped}"}}"#),
        format!(r#"{{"\u0074oken":"{live}"}}"#),
        format!(r#"{{"token":"{live}","required_scopes":null,"detail":null}}"#),
        format!(r#"{{"token":"{live}","required_scopes":[],"detail":false}}"#),
        format!(r#"{{"a":{{"b":[1,null,{{}}]}},"token":"{live}","org_id":"x","a":2}}"#),
    ] {
        for content_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("nonsense")] {
            let mut request = Request::new("POST", "/v1/auth/validate").body(body.clone());
            if let Some(content_type) = content_type {
                request = request.header("Content-Type", content_type);
            }
            server.anyone().ask(request).expect(200);
        }
    }
}

fn required_scopes(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [secret] = texts(&owner.create_with("a", &["scans", "read", "org:read", "issues:manage"]), ["secret"]);
    let mut ask =
        |required: &[&str]| owner.post("/v1/auth/validate", &json!({"token": secret, "required_scopes": required}));
    let covered: [&[&str]; 5] =
        [&[], &["scans"], &["scans:read", "scans:stop"], &["read", "org:read", "read"], &["issues:manage"]];
    for required in covered {
        assert_eq!(ask(required).expect(200).as_object().unwrap().len(), 3, "{required:?}");
    }
    let rows: [(&[&str], &[&str]); 8] = [
        (&["execute"], &["execute"]),
        (&["read", "issues:read"], &["issues:read"]),
        // A scope does not include a dotted sub-scope or another action.
        (&["org.memberships:read"], &["org.memberships:read"]),
        (&["org:write"], &["org:write"]),
        // If only the companion is missing, the answer names the companion.
        (&["scans:run"], &["projects:read"]),
        // No token covers a scope that the catalogue does not have, and the answer names it.
        (&["fly"], &["fly"]),
        (&["read", "fly:high"], &["fly:high"]),
        (&["Not A Scope \"\r\n"], &["Not A Scope \"\r\n"]),
    ];
    for (required, missing) in rows {
        let answer = ask(required);
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{required:?}");
        let body = answer.expect(403);
        assert_eq!((&body["valid"], &body["error"]), (&json!(true), &json!("insufficient scope")), "{required:?}");
        assert_eq!((&body["missing"], &body["statusCode"]), (&json!(missing), &json!(403)), "{required:?}");
        assert!(answer.text().starts_with(r#"{"valid":true,"error":"insufficient scope","#), "{}", answer.text());
    }
    let challenge = ask(&["execute", "issues:read"]);
    assert_eq!(
        challenge.header("www-authenticate"),
        Some(r#"Bearer realm="nolapse", error="insufficient_scope", scope="execute issues:read""#)
    );

    let [admin] = texts(&owner.create_with("admin", &["admin"]), ["secret"]);
    let everything = ["execute", "scans:run", "org.memberships:manage", "tokens:manage"];
    owner.post("/v1/auth/validate", &json!({"token": admin, "required_scopes": everything})).expect(200);
    owner.post("/v1/auth/validate", &json!({"token": admin, "required_scopes": ["fly"]})).expect(403);
}

fn detail_shows_everything(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [org] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    let expires_at = later(3600);
    let asked = json!({"name": "a", "scopes": ["execute"], "agent_type": "robot", "expires_at": expires_at});
    let made = owner.post("/v1/tokens", &asked).expect(201);
    let [id, secret, created_at] = texts(&made, ["id", "secret", "created_at"]);
    let mut seen = owner.post("/v1/auth/validate", &json!({"token": secret, "detail": true})).expect(200);
    let used = seen["last_used_at"].take();
    assert!(used.is_string(), "this use counts");
    let expected = json!({
        "valid": true, "org_id": org, "scopes": ["execute"], "token_id": id, "kind": "organization", "name": "a",
        "status": "active", "agent_type": "robot", "created_at": created_at, "expires_at": expires_at,
        "grace_period_ends_at": null, "last_used_at": null, "owner": {"type": "organization", "id": org},
    });
    assert_eq!(seen, expected);
    let answer = owner.post("/v1/auth/validate", &json!({"token": secret, "detail": true}));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    // A new name shows at once, despite the caches.
    owner.patch(&format!("/v1/tokens/{id}"), &json!({"name": "renamed"})).expect(200);
    let seen = owner.post("/v1/auth/validate", &json!({"token": secret, "detail": true})).expect(200);
    assert_eq!(seen["name"], "renamed");
    let lacking = json!({"token": secret, "detail": true, "required_scopes": ["admin"]});
    assert_eq!(owner.post("/v1/auth/validate", &lacking).expect(403)["missing"], json!(["admin"]));
}

fn detail_of_a_rotating_token(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id, old] = texts(&owner.create("a"), ["id", "secret"]);
    assert!(owner.is_valid(&old));
    let rotated = owner.rotate(&id, &json!({"grace_period_seconds": 60}));
    let seen = owner.post("/v1/auth/validate", &json!({"token": old, "detail": true})).expect(200);
    assert_eq!(
        (&seen["status"], &seen["grace_period_ends_at"]),
        (&json!("rotating"), &rotated["grace_period_ends_at"])
    );
    let seen = owner.post("/v1/auth/validate", &json!({"token": rotated["secret"], "detail": true})).expect(200);
    assert_eq!((&seen["status"], &seen["grace_period_ends_at"]), (&json!("active"), &Value::Null));
    assert_eq!(seen["token_id"], rotated["id"]);
}

fn a_long_body_is_refused(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let [live] = texts(&server.owner().create("a"), ["secret"]);
    let padded = |length: usize| {
        let body = format!(r#"{{"token":"{live}"}}"#);
        Request::new("POST", "/v1/auth/validate").body(format!("{body}{}", " ".repeat(length - body.len())))
    };
    server.anyone().ask(padded(4 * 1024)).expect(200);
    let refused: Answer = server.anyone().ask(padded(4 * 1024 + 1));
    refused.fails(413, "payload too large");
}

fn other_methods_are_refused(backend: Backend) {
    let server = Server::start(backend, Options::default());
    for method in ["GET", "PUT", "DELETE", "PATCH", "TRACE"] {
        let refused = server.anyone().ask(Request::new(method, "/v1/auth/validate"));
        refused.fails(405, "method not allowed");
        assert_eq!(refused.header("allow"), Some("POST"), "{method}");
    }
}

/// The fast path answers a whole question about a cached token, but never a chunked one.
fn a_body_in_pieces_gets_what_a_whole_one_gets(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [live] = texts(&owner.create_with("live", &["scans"]), ["secret"]);
    let [id, revoked] = texts(&owner.create("revoked"), ["id", "secret"]);
    owner.revoke(&id);
    let unknown = "nlp_00112233445566778899aabbccddeeff550c911c";
    let mut caller = server.anyone();
    for token in [&live, &revoked, unknown, "nlp_mistyped"] {
        caller.validate(token);
        for more in [
            json!({}),
            json!({"required_scopes": ["scans:read"]}),
            json!({"required_scopes": ["execute", "fly"]}),
            json!({"detail": false}),
            json!({"required_scopes": null, "detail": null}),
        ] {
            let mut question = more.clone();
            question["token"] = json!(token);
            let whole = Request::new("POST", "/v1/auth/validate?x=1").json(&question);
            let pieces = whole.clone().chunked();
            assert_eq!(caller.ask(whole).bare(), caller.ask(pieces).bare(), "{question}");
        }
    }
    for body in ["", "{}", "[]", "{\"token\":1}", "{\"token\":\"a\"", "\u{feff}{}"] {
        let whole = Request::new("POST", "/v1/auth/validate").body(body);
        let pieces = whole.clone().chunked();
        assert_eq!(caller.ask(whole).bare(), caller.ask(pieces).bare(), "{body}");
    }
    let metrics = server.metrics();
    assert!(metrics.validations("live") >= 8 && metrics.validations("revoked") >= 10, "each is counted once");
}

fn no_credential_is_asked_for_or_looked_at(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [live] = texts(&owner.create("a"), ["secret"]);
    let body = json!({ "token": live });
    for header in ["Bearer nonsense".to_owned(), format!("Bearer {}", owner.credential()), "Basic eA==".to_owned()] {
        let request = Request::new("POST", "/v1/auth/validate").header("Authorization", header).json(&body);
        server.anyone().ask(request).expect(200);
    }
    let elsewhere = Request::new("POST", "/v1/auth/validate").header("X-API-Key", live.clone()).json(&json!({}));
    server.anyone().ask(elsewhere).expect(400);
    let in_query = format!("/v1/auth/validate?token={live}");
    server.anyone().ask(Request::new("POST", &in_query).json(&json!({}))).expect(400);
}
