//! `POST /v1/sessions`: successful sign-ins, and what failed ones reveal.

use serde_json::{Value, json};
use token_domain::person::BuiltInRole;

use crate::support::{Backend, Options, Request, Server, both, eventually, later, texts};

both!(
    the_right_password_opens_a_session,
    every_denial_is_the_same,
    a_denial_is_recorded_without_what_was_typed,
    failures_back_off,
    a_success_ends_the_back_off,
    two_hundred_guesses_run_few_hashes,
    a_session_is_for_one_organisation,
    bad_requests_name_the_field,
    the_token_is_nowhere_in_clear,
);

fn the_right_password_opens_a_session(backend: Backend) {
    let server = Server::start(backend, Options::default().with("sessions.ttl_seconds", 3600));
    let sign_in = json!({"email": "  OWNER@acme.EXAMPLE ", "password": Server::PASSWORD, "organization": "acme"});
    let before = later(3600);
    let answer =
        server.anyone().ask(Request::new("POST", "/v1/sessions").header("User-Agent", "it/1.0").json(&sign_in));
    let made = answer.expect(201);
    let after = later(3600);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let [id, token, user_id, org_id, expires_at] = texts(&made, ["id", "token", "user_id", "org_id", "expires_at"]);
    assert_eq!(made.as_object().unwrap().len(), 6);
    assert_eq!(made["role"], "owner");
    let digits = token.strip_prefix("nls_").unwrap();
    assert!(digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{token}");
    assert!(before <= expires_at && expires_at <= after, "{before} {expires_at} {after}");

    let mut caller = server.caller(&token);
    let me = caller.get("/v1/me").expect(200);
    assert_eq!((&me["user_id"], &me["org_id"], &me["role"]), (&json!(user_id), &json!(org_id), &json!("owner")));
    let listed = caller.get("/v1/sessions").expect(200)["sessions"][0].clone();
    assert_eq!((&listed["id"], &listed["agent"], &listed["current"]), (&json!(id), &json!("it/1.0"), &json!(true)));

    let facts = server.facts();
    let event = facts.audit().into_iter().find(|event| event.action == "session.create").unwrap();
    assert_eq!((event.target_kind.as_str(), event.target_id.as_str()), ("session", id.as_str()));
}

fn every_denial_is_the_same(backend: Backend) {
    let server = Server::start(backend, Options::default().with("rate_limit.sign_in_attempts", 1_000));
    let facts = server.facts();
    facts.add_organization("elsewhere");
    facts.add_person("homeless@acme.example");
    let disabled = facts.add_member("disabled@acme.example", BuiltInRole::Member);
    facts.disable(&disabled);
    let rows = [
        json!({"email": Server::OWNER, "password": "another password of this test"}),
        json!({"email": Server::OWNER, "password": ""}),
        json!({"email": Server::OWNER, "password": "short"}),
        json!({"email": Server::OWNER, "password": "x".repeat(1_025)}),
        json!({"email": Server::OWNER, "password": format!("{} ", Server::PASSWORD)}),
        json!({"email": Server::OWNER, "password": Server::PASSWORD.to_uppercase()}),
        json!({"email": "nobody@acme.example", "password": Server::PASSWORD}),
        json!({"email": "not an address", "password": Server::PASSWORD}),
        json!({"email": "", "password": Server::PASSWORD}),
        json!({"email": "x".repeat(5_000), "password": Server::PASSWORD}),
        json!({"email": "disabled@acme.example", "password": Server::PASSWORD}),
        json!({"email": "homeless@acme.example", "password": Server::PASSWORD}),
        json!({"email": Server::OWNER, "password": Server::PASSWORD, "organization": "elsewhere"}),
        json!({"email": Server::OWNER, "password": Server::PASSWORD, "organization": "nowhere"}),
        json!({"email": Server::OWNER, "password": Server::PASSWORD, "organization": "org_00000000000000000000000000"}),
    ];
    let model = server.anyone().post("/v1/sessions", &rows[0]);
    let body = model.fails(401, "invalid credentials");
    assert_eq!(body.as_object().unwrap().len(), 3);
    assert!(model.header("www-authenticate").is_some());
    for row in &rows {
        assert_eq!(server.anyone().post("/v1/sessions", row).bare(), model.bare(), "{row:.120}");
    }
    // The right password still works.
    server.owner();
}

fn a_denial_is_recorded_without_what_was_typed(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let typed = json!({"email": "s3cret-in-the-wrong-field", "password": "s3cret of a person"});
    let denied =
        server.anyone().ask(Request::new("POST", "/v1/sessions").header("X-Request-ID", "denied-1").json(&typed));
    denied.fails(401, "invalid credentials");
    let events = server.facts().deployment_audit();
    let event = events.iter().find(|event| event.action == "session.create.denied").unwrap();
    assert_eq!(event.request_id, "denied-1");
    let detail: Value = serde_json::from_str(&event.detail).unwrap();
    assert_eq!(detail.as_object().unwrap().keys().collect::<Vec<_>>(), ["account", "client_ip"]);
    let account = detail["account"].as_str().unwrap();
    assert!(account.len() == 32 && account.bytes().all(|digit| digit.is_ascii_hexdigit()), "a digest: {account}");
    server.says(&["session.create.denied", "denied-1"]);
    assert!(!server.log().contains("s3cret"));
}

fn failures_back_off(backend: Backend) {
    let options = Options::default().with("rate_limit.sign_in_attempts", 3);
    let server = Server::start(backend, options);
    let wrong = json!({"email": Server::OWNER, "password": "not the password here"});
    let right = json!({"email": Server::OWNER, "password": Server::PASSWORD});
    let mut caller = server.anyone();
    for _ in 0..3 {
        caller.post("/v1/sessions", &wrong).fails(401, "invalid credentials");
    }
    let hashes = server.metrics().slow_hashes();
    let refused = caller.post("/v1/sessions", &right);
    refused.fails(429, "too many requests");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    assert_eq!(server.metrics().slow_hashes(), hashes, "refused before any work");
    // Other accounts are not affected, and an unknown account backs off in the same way.
    let facts = server.facts();
    facts.add_member("other@acme.example", BuiltInRole::Member);
    server.signed_in("other@acme.example");
    let unknown = json!({"email": "nobody@acme.example", "password": "not the password here"});
    for _ in 0..3 {
        caller.post("/v1/sessions", &unknown).fails(401, "invalid credentials");
    }
    caller.post("/v1/sessions", &unknown).fails(429, "too many requests");
    // The wait ends when the answer said it would.
    eventually("the end of the wait", || (caller.post("/v1/sessions", &right).status == 201).then_some(()));
}

fn a_success_ends_the_back_off(backend: Backend) {
    let server = Server::start(backend, Options::default().with("rate_limit.sign_in_attempts", 3));
    let wrong = json!({"email": Server::OWNER, "password": "not the password here"});
    let mut caller = server.anyone();
    for _ in 0..5 {
        for _ in 0..2 {
            caller.post("/v1/sessions", &wrong).fails(401, "invalid credentials");
        }
        server.owner();
    }
}

fn two_hundred_guesses_run_few_hashes(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let before = server.metrics().slow_hashes();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..20)
            .map(|thread| {
                let mut caller = server.anyone();
                scope.spawn(move || {
                    let guess = |n: usize| json!({"email": Server::OWNER, "password": format!("a guess {thread} {n}")});
                    (0..10).map(|n| caller.post("/v1/sessions", &guess(n)).status).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|status| matches!(status, 401 | 429)), "{statuses:?}");
    // Ten attempts are free; on a slow machine one or two waits have ended meanwhile.
    let hashes = server.metrics().slow_hashes() - before;
    assert!(hashes <= 14, "{hashes} of 200 guesses were worked on");
    assert!(server.anyone().get("/health").status == 200);
}

fn a_session_is_for_one_organisation(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let facts = server.facts();
    let elsewhere = facts.add_organization("aardvark");
    facts.join(elsewhere, &facts.user(Server::OWNER), BuiltInRole::Viewer);
    let sign_in = |organization: Option<&str>| {
        let mut body = json!({"email": Server::OWNER, "password": Server::PASSWORD});
        if let Some(organization) = organization {
            body["organization"] = organization.into();
        }
        server.anyone().post("/v1/sessions", &body).expect(201)
    };
    let first = sign_in(None);
    assert_eq!(first["role"], "owner", "the one joined first");
    let own = facts.organization(Server::ORGANIZATION).id;
    let plain = own.uuid().to_string();
    for name in ["acme", &own.to_string(), &plain] {
        assert_eq!(sign_in(Some(name))["org_id"], first["org_id"], "{name}");
    }
    let other = sign_in(Some("aardvark"));
    assert_eq!((&other["org_id"], &other["role"]), (&json!(elsewhere.to_string()), &json!("viewer")));

    // Objects of one organisation are not visible in the other.
    let mut here = server.caller(first["token"].as_str().unwrap());
    let mut there = server.caller(other["token"].as_str().unwrap());
    let [id] = texts(&here.create("here"), ["id"]);
    there.get(&format!("/v1/tokens/{id}")).fails(404, "not found");
    there.post("/v1/tokens", &json!({"name": "x", "scopes": ["read"]})).fails(403, "insufficient scope");
    // One's own sessions are listed together.
    assert!(there.get("/v1/sessions").expect(200)["sessions"].as_array().unwrap().len() >= 5);
}

fn bad_requests_name_the_field(backend: Backend) {
    let server = Server::start(backend, Options::default());
    for (body, field) in [
        (json!({"password": "x"}), "email"),
        (json!({"email": "x"}), "password"),
        (json!({"email": 1, "password": "x"}), "email"),
        (json!({"email": "x", "password": ["s3cret"]}), "password"),
        (json!({"email": "x", "password": "x", "organization": "Not A Slug"}), "organization"),
        (json!({"email": "x", "password": "x", "organization": ""}), "organization"),
    ] {
        let answer = server.anyone().post("/v1/sessions", &body);
        assert_eq!(answer.fails(400, "invalid request")["field"], field, "{body}");
        assert!(!answer.text().contains("s3cret"));
    }
}

fn the_token_is_nowhere_in_clear(backend: Backend) {
    let mut server = Server::start(backend, Options::default());
    let owner = server.owner();
    let token = owner.credential().to_owned();
    let digits = token.strip_prefix("nls_").unwrap();
    let raw: Vec<u8> =
        (0..64).step_by(2).map(|place| u8::from_str_radix(&digits[place..place + 2], 16).unwrap()).collect();
    server.stop();
    let dump = server.database.dump();
    let holds = |what: &[u8]| dump.windows(what.len()).any(|window| window == what);
    // The dump of PostgreSQL writes bytes as hexadecimal digits, so both forms are searched.
    assert!(!holds(digits.as_bytes()) && !holds(&raw));
    assert!(!holds(Server::PASSWORD.as_bytes()));
    assert!(holds(Server::OWNER.as_bytes()), "the dump is of this database");
    assert!(!server.log().contains(digits) && !server.log().contains(Server::PASSWORD));
}
