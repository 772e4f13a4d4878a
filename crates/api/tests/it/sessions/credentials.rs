//! The accepted places of a credential, and the answers to invalid ones.

use crate::support::{Backend, Options, Request, Server, both, texts};

both!(a_credential_stands_in_one_of_its_places, two_credentials_are_one_too_many, bad_credentials);

fn a_credential_stands_in_one_of_its_places(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [token] = texts(&owner.create_with("a", &["tokens:read"]), ["secret"]);
    let session = owner.credential().to_owned();
    let basic = |user: &str, password: &str| {
        format!("Basic {}", data_encoding::BASE64.encode(format!("{user}:{password}").as_bytes()))
    };
    let get = |name: &'static str, value: String| Request::new("GET", "/v1/tokens").header(name, value);
    let good = [
        get("Authorization", format!("Bearer {token}")),
        get("Authorization", format!("Bearer {session}")),
        get("authorization", format!("bEaReR   {token}  ")),
        get("Authorization", format!("Api-Key {token}")),
        get("Authorization", format!("API-KEY {token}")),
        get("X-API-Key", token.clone()),
        get("x-api-key", token.clone()),
        get("X-API-Key", token.clone()).bearer(&token),
        get("Authorization", basic("anybody", &token)),
        get("Authorization", basic("", &token.replace('_', "%5F"))),
        // A credential of another system is ignored beside a token.
        get("Authorization", basic("aladdin", "open sesame")).header("X-API-Key", token.clone()),
        get("Authorization", "Bearer eyJhbGciOiJub25lIn0.e30.".to_owned()).header("X-API-Key", token.clone()),
        get("X-API-Key", "an application's own".to_owned()).bearer(&token),
        get("X-API-Key", String::new()).bearer(&token),
        get("Authorization", String::new()).header("X-API-Key", token.clone()),
        get("Authorization", "  ".to_owned()).header("X-API-Key", token.clone()),
    ];
    for request in good {
        let shown = format!("{request:?}");
        assert_eq!(server.anyone().ask(request).status, 200, "{shown}");
    }
    let bad = [
        get("Authorization", format!("Api-Key {session}")),
        get("X-API-Key", session.clone()),
        get("Authorization", token.clone()),
        get("Authorization", format!("Basic {token}")),
        get("Authorization", "Bearer".to_owned()),
        get("Authorization", basic(&token, "")),
        get("Authorization", basic("anybody", &session)),
        get("X-API-Key", "an application's own".to_owned()),
    ];
    for request in bad {
        let shown = format!("{request:?}");
        let answer = server.anyone().ask(request);
        assert_eq!((answer.status, &answer.json()["error"]), (401, &"invalid token".into()), "{shown}");
    }
    // An empty header counts as absent.
    for name in ["X-API-Key", "Authorization"] {
        server.anyone().ask(get(name, String::new())).fails(401, "authentication required");
    }
    // A credential in a query string, a cookie or another header is not read.
    for path in [
        format!("/v1/tokens?token={token}"),
        format!("/v1/tokens?access_token={token}"),
        format!("/v1/tokens?api_key={token}"),
    ] {
        server.anyone().get(&path).fails(401, "authentication required");
    }
    for name in ["Cookie", "X-Auth-Token", "Proxy-Authorization"] {
        let request = get(name, format!("Bearer {token}"));
        server.anyone().ask(request).fails(401, "authentication required");
    }
}

fn two_credentials_are_one_too_many(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [token] = texts(&owner.create_with("a", &["tokens:read"]), ["secret"]);
    let session = owner.credential();
    for (first, second) in [(token.as_str(), session), (session, token.as_str()), (token.as_str(), "nlp_x")] {
        let both = Request::new("GET", "/v1/tokens").bearer(first).header("X-API-Key", second);
        server.anyone().ask(both).fails(400, "conflicting credentials");
    }
    let twice = Request::new("GET", "/v1/tokens").bearer(&token).bearer(session);
    server.anyone().ask(twice).fails(400, "conflicting credentials");
}

fn bad_credentials(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id, revoked] = texts(&owner.create_with("a", &["tokens:read"]), ["id", "secret"]);
    owner.revoke(&id);
    let none = server.anyone().get("/v1/tokens");
    none.fails(401, "authentication required");
    assert_eq!(none.header("www-authenticate"), Some(r#"Bearer realm="nolapse""#));
    let model = server.caller(&revoked).get("/v1/tokens");
    model.fails(401, "invalid token");
    assert_eq!(model.header("www-authenticate"), Some(r#"Bearer realm="nolapse", error="invalid_token""#));
    let unknown_session = format!("nls_{}", "a5".repeat(32));
    for bad in [
        "x",
        "nlp_",
        "nls_",
        &unknown_session,
        "nlp_00112233445566778899aabbccddeeff550c911c",
        "nlp_00112233445566778899aabbccddeeff550c911d",
    ] {
        assert_eq!(server.caller(bad).get("/v1/tokens").bare(), model.bare(), "{bad}");
    }
}
