//! Sends ten thousand secrets in all places where a client may put one by mistake. None may be in the log, the
//! database, the metrics or an answer afterwards.
//!
//! Secrets of every format contain the same mark, so that one search of the output finds any of them. Secrets issued by
//! the service are searched one by one.

use std::collections::HashMap;

use serde_json::{Value, json};
use token_format::PlainToken;

use crate::support::{Backend, Chance, Client, Options, Request, Server, Wire, both, texts};

both!(no_secret_is_ever_written_down);

/// The mark in every secret of a client: six bytes, written as hexadecimal digits.
const MARK: [u8; 6] = [0xde, 0xad, 0xbe, 0xef, 0x5e, 0xc4];
const MARK_DIGITS: &str = "deadbeef5ec4";
/// The number of secrets sent.
const SECRETS: usize = 10_000;
const NEW_PASSWORD: &str = "another password, long and secret";

/// A place for a secret: the bytes of a request that carries it there.
struct Place {
    name: &'static str,
    request: fn(secret: &str, session: &str) -> Vec<u8>,
}

fn raw(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    format!("{method} {path} HTTP/1.1\r\nHost: it\r\n{length}{headers}\r\n{body}").into_bytes()
}

fn bearer(text: &str) -> String {
    format!("Authorization: Bearer {text}\r\n")
}

const PLACES: [Place; 43] = [
    Place {
        name: "validated",
        request: |s, _| raw("POST", "/v1/auth/validate", "", &json!({ "token": s }).to_string()),
    },
    Place {
        name: "validated in detail",
        request: |s, _| {
            raw(
                "POST",
                "/v1/auth/validate",
                "",
                &json!({"token": s, "detail": true, "required_scopes": [s]}).to_string(),
            )
        },
    },
    Place {
        name: "validated with more behind",
        request: |s, _| raw("POST", "/v1/auth/validate", "", &json!({"token": format!("{s}\r\n{s}")}).to_string()),
    },
    Place {
        name: "validated, cut off",
        request: |s, _| raw("POST", "/v1/auth/validate", "", &format!("{{\"token\":\"{s}\"")),
    },
    Place { name: "validated as a list", request: |s, _| raw("POST", "/v1/auth/validate", "", &format!("[\"{s}\"]")) },
    Place { name: "validated as a form", request: |s, _| raw("POST", "/v1/auth/validate", "", &format!("token={s}")) },
    Place {
        name: "validated in the query",
        request: |s, _| raw("POST", &format!("/v1/auth/validate?token={s}"), "", "{}"),
    },
    Place { name: "validated, too long", request: |s, _| raw("POST", "/v1/auth/validate", "", &s.repeat(200)) },
    Place { name: "bearer", request: |s, _| raw("GET", "/v1/tokens", &bearer(s), "") },
    Place {
        name: "bearer of a change",
        request: |s, _| raw("POST", "/v1/tokens", &bearer(s), r#"{"name":"a","scopes":["execute"]}"#),
    },
    Place { name: "api key", request: |s, _| raw("GET", "/v1/tokens", &format!("X-API-Key: {s}\r\n"), "") },
    Place {
        name: "api key scheme",
        request: |s, _| raw("GET", "/v1/tokens", &format!("Authorization: Api-Key {s}\r\n"), ""),
    },
    Place { name: "basic", request: |s, _| raw("GET", "/v1/tokens", &format!("Authorization: Basic {s}\r\n"), "") },
    Place { name: "no scheme", request: |s, _| raw("GET", "/v1/tokens", &format!("Authorization: {s}\r\n"), "") },
    Place {
        name: "two credentials",
        request: |s, session| raw("GET", "/v1/tokens", &format!("{}X-API-Key: {s}\r\n", bearer(session)), ""),
    },
    Place { name: "path", request: |s, session| raw("GET", &format!("/v1/tokens/{s}"), &bearer(session), "") },
    Place {
        name: "path of a change",
        request: |s, session| raw("DELETE", &format!("/v1/tokens/{s}"), &bearer(session), ""),
    },
    Place {
        name: "path of a rotation",
        request: |s, session| raw("POST", &format!("/v1/tokens/{s}/rotate"), &bearer(session), "{}"),
    },
    Place {
        name: "path of a session",
        request: |s, session| raw("DELETE", &format!("/v1/sessions/{s}"), &bearer(session), ""),
    },
    Place { name: "unknown path", request: |s, _| raw("GET", &format!("/{s}/{s}?{s}"), "", "") },
    Place { name: "cursor", request: |s, session| raw("GET", &format!("/v1/tokens?cursor={s}"), &bearer(session), "") },
    Place {
        name: "filter",
        request: |s, session| raw("GET", &format!("/v1/tokens?status={s}&access_token={s}"), &bearer(session), ""),
    },
    Place { name: "limit", request: |s, session| raw("GET", &format!("/v1/tokens?limit={s}"), &bearer(session), "") },
    Place {
        name: "body that is no JSON",
        request: |s, session| raw("POST", "/v1/tokens", &bearer(session), &format!("{{\"name\": {s}}}")),
    },
    Place {
        name: "wrong type",
        request: |s, session| {
            raw("POST", "/v1/tokens", &bearer(session), &json!({"name": "a", "scopes": s}).to_string())
        },
    },
    Place {
        name: "expiry",
        request: |s, session| {
            raw(
                "POST",
                "/v1/tokens",
                &bearer(session),
                &json!({"name": "a", "scopes": ["execute"], "expires_at": s}).to_string(),
            )
        },
    },
    Place {
        name: "days",
        request: |s, session| {
            raw(
                "POST",
                "/v1/tokens",
                &bearer(session),
                &json!({"name": "a", "scopes": ["execute"], "expires_in_days": s}).to_string(),
            )
        },
    },
    Place {
        name: "project",
        request: |s, session| {
            raw(
                "POST",
                "/v1/tokens",
                &bearer(session),
                &json!({"name": "a", "scopes": ["execute"], "project_id": s}).to_string(),
            )
        },
    },
    Place {
        name: "unknown field",
        request: |s, session| {
            raw(
                "POST",
                "/v1/tokens",
                &bearer(session),
                &json!({"name": "", "scopes": ["execute"], "secret": s}).to_string(),
            )
        },
    },
    Place {
        name: "agent type",
        request: |s, session| {
            raw(
                "POST",
                "/v1/tokens",
                &bearer(session),
                &json!({"name": "a", "scopes": ["execute"], "agent_type": format!("{s}!")}).to_string(),
            )
        },
    },
    Place {
        name: "sign-in",
        request: |s, _| raw("POST", "/v1/sessions", "", &json!({"email": s, "password": s}).to_string()),
    },
    Place {
        name: "name of a token",
        request: |s, session| {
            let body = json!({"name": format!("the key {s}"), "scopes": ["execute"]}).to_string();
            raw("POST", "/v1/tokens", &bearer(session), &body)
        },
    },
    Place {
        name: "what the client of a sign-in calls itself",
        request: |s, _| {
            let body = json!({"email": "nobody@example.org", "password": "x"}).to_string();
            raw("POST", "/v1/sessions", &format!("User-Agent: {s}\r\n"), &body)
        },
    },
    Place {
        name: "sign-in, wrong type",
        request: |s, _| raw("POST", "/v1/sessions", "", &json!({"email": "a", "password": [s]}).to_string()),
    },
    Place {
        name: "sign-in, organisation",
        request: |s, _| {
            raw(
                "POST",
                "/v1/sessions",
                "",
                &json!({"email": "a", "password": "b", "organization": format!("{s}_")}).to_string(),
            )
        },
    },
    Place {
        name: "service token",
        request: |s, _| {
            raw("POST", "/v1/sessions/create", &bearer(s), r#"{"email":"a@b.example","organization":"acme"}"#)
        },
    },
    Place {
        name: "password",
        request: |s, session| {
            raw(
                "POST",
                "/v1/me/password",
                &bearer(session),
                &json!({"current_password": s, "new_password": s}).to_string(),
            )
        },
    },
    Place {
        name: "set-up code",
        request: |s, _| {
            raw(
                "POST",
                "/v1/setup",
                "",
                &json!({"code": s, "organization": "a", "email": "a@b.example", "password": format!("{s} {s}")})
                    .to_string(),
            )
        },
    },
    Place {
        name: "common headers",
        request: |s, _| {
            raw(
                "GET",
                "/health",
                &format!("Cookie: s={s}\r\nReferer: https://x.example/{s}\r\nUser-Agent: {s}\r\nOrigin: {s}\r\n"),
                "",
            )
        },
    },
    Place {
        name: "headers of a change",
        request: |s, session| {
            raw(
                "POST",
                "/v1/tokens",
                &format!(
                    "{}User-Agent: {s}\r\nContent-Type: {s}\r\nIf-Match: {s}\r\nX-Forwarded-For: {s}\r\n",
                    bearer(session)
                ),
                r#"{"name":"","scopes":[]}"#,
            )
        },
    },
    Place { name: "method", request: |s, _| raw(&s.to_uppercase(), "/v1/tokens", "", "") },
    Place { name: "not HTTP", request: |s, _| format!("{s}\r\n\r\n").into_bytes() },
    Place { name: "bad header", request: |s, _| raw("GET", "/v1/tokens", &format!("{s}\r\n"), "") },
];

/// Places whose texts are stored.
const KEPT: [&str; 2] = ["name of a token", "what the client of a sign-in calls itself"];

/// A secret in one of the formats that clients have, with the mark in it.
fn secret(chance: &mut Chance) -> String {
    let digits = format!("{MARK_DIGITS}{}", chance.hex(52));
    match chance.below(4) {
        0 => {
            let mut random = [0; 16];
            random[..6].copy_from_slice(&MARK);
            random[6..14].copy_from_slice(&chance.number().to_be_bytes());
            PlainToken::from_random(random).expose().to_owned()
        }
        1 => format!("nlp_{}", &digits[..40]),
        2 => format!("nls_{digits}"),
        _ => format!("x{digits}"),
    }
}

fn no_secret_is_ever_written_down(backend: Backend) {
    let options = Options::default()
        .with("log.filter", "debug")
        .with("rate_limit.sign_in_attempts", 1_000)
        .with("sessions.service_token", "a-service-token-of-forty-characters-long");
    let mut server = Server::start(backend, options);
    let mut issued = issue(&server);
    let session = server.owner().credential().to_owned();
    issued.push(session.clone());

    let mut chance = Chance::seeded(0x005e_c4e7);
    let mut wire = Wire::open(server.address()).unwrap();
    for number in 0..SECRETS {
        let place = &PLACES[number % PLACES.len()];
        let mut secret = secret(&mut chance);
        // In a stored text, only secrets of this service can be recognised.
        if KEPT.contains(&place.name) && secret.starts_with('x') {
            secret = format!("nls_{}", &secret[1..]);
        }
        wire.send(&(place.request)(&secret, &session)).unwrap();
        let answer = wire.answer(false).unwrap_or_else(|error| panic!("{}: {error}", place.name));
        // A credential of another system is ignored beside one of this service.
        let is_ignored = place.name == "common headers" || (place.name == "two credentials" && secret.starts_with('x'));
        assert!(answer.status >= 400 || is_ignored, "{}: {answer:?}", place.name);
        assert!(answer.status < 500, "{}: {answer:?}", place.name);
        let shown = format!("{:?} {}", answer.headers, String::from_utf8_lossy(&answer.body)).to_lowercase();
        assert!(!shown.contains(MARK_DIGITS), "{}: {shown}", place.name);
        if answer.header("connection") == Some("close") || answer.header("x-request-id").is_none() {
            wire = Wire::open(server.address()).unwrap();
        }
    }
    a_request_id_is_no_place_for_a_secret(&mut server.caller(&session), &mut chance);

    let metrics = server.anyone().get("/metrics");
    server.stop();
    let dump = server.database.dump();
    assert!(contains(&dump, Server::OWNER.as_bytes()), "the dump is of this database");
    let log = server.log();
    assert!(log.lines().count() > SECRETS / 4, "the log is of this server");
    for (what, bytes) in
        [("the database", dump.as_slice()), ("the log", log.as_bytes()), ("the metrics", &metrics.body)]
    {
        if let Some(at) = position(bytes, MARK_DIGITS.as_bytes()).or_else(|| position(bytes, &MARK)) {
            let around = &bytes[at.saturating_sub(300)..(at + 100).min(bytes.len())];
            panic!("a client's secret is in {what}: {}", String::from_utf8_lossy(around));
        }
        for password in [Server::PASSWORD, NEW_PASSWORD] {
            assert!(!contains(bytes, password.as_bytes()), "a password is in {what}");
        }
        let found = found(bytes, &issued);
        assert!(found.is_empty(), "{} of {} issued secrets are in {what}: {found:?}", found.len(), issued.len());
    }
}

/// Secrets that the service makes and shows once.
fn issue(server: &Server) -> Vec<String> {
    let mut owner = server.owner();
    let mut issued = vec![owner.credential().to_owned()];
    for number in 0..50 {
        let [id, secret] = texts(&owner.create(&format!("issued {number}")), ["id", "secret"]);
        let rotated: Value = owner.rotate(&id, &json!({}));
        let [successor] = texts(&rotated, ["secret"]);
        let mut holder = server.caller(&secret);
        assert!(holder.is_valid(&secret) && holder.is_valid(&successor));
        holder.get("/v1/tokens").fails(403, "insufficient scope");
        if number % 2 == 0 {
            owner.revoke(&id);
            holder.get("/v1/tokens").fails(401, "invalid token");
        }
        issued.extend([secret, successor]);
    }
    for _ in 0..5 {
        issued.push(server.owner().credential().to_owned());
    }
    for (current, new) in [(Server::PASSWORD, NEW_PASSWORD), (NEW_PASSWORD, Server::PASSWORD)] {
        owner.post("/v1/me/password", &json!({"current_password": current, "new_password": new})).expect(204);
    }
    issued
}

/// Request ids are stored in the audit trail, so a text that looks like a secret is not accepted as one.
fn a_request_id_is_no_place_for_a_secret(owner: &mut Client, chance: &mut Chance) {
    for _ in 0..20 {
        let mut random = [0; 16];
        random[..6].copy_from_slice(&MARK);
        random[8..].copy_from_slice(&chance.number().to_be_bytes());
        let token = PlainToken::from_random(random).expose().to_owned();
        for id in [token.clone(), format!("req-{token}"), format!("{token}.1")] {
            let request = Request::new("POST", "/v1/tokens").header("X-Request-ID", id.clone());
            let answer = owner.ask(request.json(&json!({"name": "a", "scopes": ["execute"]})));
            assert_eq!(answer.status, 201);
            assert_ne!(answer.header("x-request-id"), Some(id.as_str()));
        }
    }
}

/// The issued secrets that occur, searched by the eight characters after the part that a hint may show.
fn found<'s>(bytes: &[u8], issued: &'s [String]) -> Vec<&'s str> {
    let parts: HashMap<&[u8], &String> = issued.iter().map(|secret| (&secret.as_bytes()[9..17], secret)).collect();
    bytes.windows(8).filter_map(|window| parts.get(window).map(|secret| secret.as_str())).collect()
}

fn contains(bytes: &[u8], what: &[u8]) -> bool {
    position(bytes, what).is_some()
}

fn position(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
