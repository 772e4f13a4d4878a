//! Compatibility with OAuth libraries: authentication, errors, revocation and metadata documents. Introspection itself
//! is tested in `validate::introspect`.

use serde_json::json;

use crate::support::{Answer, Backend, Client, Options, Request, Server, both, texts};

both!(
    a_resource_server_authenticates_as_libraries_do,
    errors_are_in_the_words_of_the_standards,
    a_token_of_another_organization_is_inactive,
    whoever_holds_a_token_may_revoke_it,
    a_caller_revokes_within_their_organization,
    metadata_names_the_public_address_and_nothing_else,
    challenges_name_the_resource_metadata,
);

const INTROSPECT: &str = "/v1/oauth/introspect";
const REVOKE: &str = "/v1/oauth/revoke";
const URL: &str = "https://tokens.example.org/authority";

fn post(client: &mut Client, path: &str, authorization: Option<String>, form: &str) -> Answer {
    let request = Request::new("POST", path).header("Content-Type", "application/x-www-form-urlencoded").body(form);
    client.ask(match authorization {
        Some(value) => request.header("Authorization", value),
        None => request,
    })
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", data_encoding::BASE64.encode(format!("{user}:{password}").as_bytes()))
}

fn a_resource_server_authenticates_as_libraries_do(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id, may] = texts(&owner.create_with("may", &["authority:introspect"]), ["id", "secret"]);
    let [token] = texts(&owner.create("asked about"), ["secret"]);
    let mut caller = server.anyone();
    let question = format!("token={token}");
    let posted = format!("token={token}&client_id=any&client_secret={may}");
    let encoded = may.replace('_', "%5F");
    for (authorization, form) in [
        (Some(format!("Bearer {may}")), &question),
        (Some(basic(&id, &may)), &question),
        (Some(basic("anybody", &may)), &question),
        (Some(basic("", &encoded)), &question),
        (None, &posted),
        (None, &format!("client_secret={encoded}&token={token}&client_id=")),
        (Some(format!("Bearer {may}")), &posted),
        // A credential of another system is ignored.
        (Some(basic("aladdin", "open sesame")), &posted),
        (Some(format!("Bearer {may}")), &format!("token={token}&client_secret=of+another+kind")),
    ] {
        // Answered by a read, then from the cache.
        for _ in 0..2 {
            let answer = post(&mut caller, INTROSPECT, authorization.clone(), form);
            assert_eq!(answer.expect(200)["active"], true, "{authorization:?} {form}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
    }
}

fn errors_are_in_the_words_of_the_standards(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [may] = texts(&owner.create_with("may", &["authority:introspect"]), ["secret"]);
    let [may_not] = texts(&owner.create("may not"), ["secret"]);
    let mut caller = server.anyone();
    let unissued = "nlp_00112233445566778899aabbccddeeff550c911c";
    let bearer = |token: &str| Some(format!("Bearer {token}"));
    let (challenges_bearer, challenges_basic) = ("Bearer realm=\"nolapse\"", "Basic realm=\"nolapse\"");
    for (authorization, form, status, error, challenge) in [
        (None, "token=x".to_owned(), 401, "invalid_client", Some(challenges_bearer)),
        (bearer(unissued), "token=x".to_owned(), 401, "invalid_client", Some(challenges_bearer)),
        (Some(basic("any", unissued)), "token=x".to_owned(), 401, "invalid_client", Some(challenges_basic)),
        (Some(basic("any", "other")), "token=x".to_owned(), 401, "invalid_client", Some(challenges_basic)),
        (None, format!("token=x&client_secret={unissued}"), 401, "invalid_client", Some(challenges_bearer)),
        (bearer(&may_not), "token=x".to_owned(), 403, "insufficient_scope", Some(challenges_bearer)),
        (bearer(&may), String::new(), 400, "invalid_request", None),
        (bearer(&may), "token=a&token=b".to_owned(), 400, "invalid_request", None),
        (bearer(&may), "token=%zz".to_owned(), 400, "invalid_request", None),
        (bearer(&may), format!("token=x&client_secret={may_not}"), 400, "invalid_request", None),
        // A caller without the right gets no error about the form.
        (None, String::new(), 401, "invalid_client", Some(challenges_bearer)),
        (bearer(&may_not), "x".repeat(70_000), 403, "insufficient_scope", Some(challenges_bearer)),
    ] {
        let answer = post(&mut server.anyone(), INTROSPECT, authorization.clone(), &form);
        let body = answer.fails(status, error);
        assert!(body["error_description"].as_str().is_some_and(|text| text == body["message"]), "{body}");
        let found = answer.header("www-authenticate");
        assert!(
            found.is_some() == challenge.is_some()
                && found.unwrap_or_default().starts_with(challenge.unwrap_or_default()),
            "{authorization:?} {form}: {found:?}"
        );
    }
    for (authorization, form, status, error) in [
        (None, "", 400, "invalid_request"),
        (None, "token_type_hint=access_token", 400, "invalid_request"),
        (bearer(unissued), "token=x", 401, "invalid_client"),
        (Some(basic("any", unissued)), "token=x", 401, "invalid_client"),
    ] {
        post(&mut caller, REVOKE, authorization, form).fails(status, error);
    }
}

/// The secrets of a token that may introspect, and of a token of another organisation.
fn here_and_elsewhere(server: &Server) -> (String, String) {
    let facts = server.facts();
    let elsewhere = facts.add_organization("elsewhere");
    let person = facts.add_person("owner@elsewhere.example");
    facts.join(elsewhere, &person, token_domain::person::BuiltInRole::Owner);
    drop(facts);
    let [here] = texts(&server.owner().create_with("here", &["authority:introspect"]), ["secret"]);
    let [foreign] = texts(&server.signed_in("owner@elsewhere.example").create("foreign"), ["secret"]);
    (here, foreign)
}

fn a_token_of_another_organization_is_inactive(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let (here, foreign) = here_and_elsewhere(&server);
    let mut caller = server.caller(&here);
    for _ in 0..2 {
        // The second time the token is in the cache.
        let answer = post(&mut caller, INTROSPECT, None, &format!("token={foreign}"));
        assert_eq!((answer.status, answer.text()), (200, r#"{"active":false}"#));
        assert!(server.anyone().is_valid(&foreign));
        assert_eq!(post(&mut caller, INTROSPECT, None, &format!("token={here}")).expect(200)["active"], true);
    }
}

fn whoever_holds_a_token_may_revoke_it(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let mut anybody = server.anyone();
    for form in ["token={}", "token_type_hint=refresh_token&token={}", "token={}&client_id=x&more=1"] {
        let [id, secret] = texts(&owner.create("a"), ["id", "secret"]);
        assert!(anybody.is_valid(&secret));
        let form = form.replace("{}", &secret);
        for _ in 0..2 {
            // A repeated revocation and an unknown token get 200 too.
            let answer = post(&mut anybody, REVOKE, None, &form);
            assert_eq!((answer.status, answer.text()), (200, ""));
            assert!(!anybody.is_valid(&secret));
        }
        // A token can revoke itself, also when it is presented as the credential.
        assert_eq!(post(&mut anybody, REVOKE, Some(basic("any", &secret)), &form).status, 200);
        let events = owner.get(&format!("/v1/audit?action=token.revoke&target={id}")).expect(200);
        let events = events["events"].as_array().unwrap().clone();
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(events[0]["actor"], format!("token:{id}"));
    }
    for token in ["nlp_00112233445566778899aabbccddeeff550c911c", "nlp_", "anything", "%F0%9F%94%91", ""] {
        assert_eq!(post(&mut anybody, REVOKE, None, &format!("token={token}")).status, 200, "{token}");
    }
    let session = owner.credential().to_owned();
    assert_eq!(post(&mut anybody, REVOKE, None, &format!("token={session}")).status, 200);
    assert_eq!(owner.get("/v1/me").status, 200, "a session is no token");
}

fn a_caller_revokes_within_their_organization(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let (here, foreign) = here_and_elsewhere(&server);
    let mut anybody = server.anyone();
    let bearer = Some(format!("Bearer {here}"));
    assert_eq!(post(&mut anybody, REVOKE, bearer.clone(), &format!("token={foreign}")).status, 200);
    assert!(anybody.is_valid(&foreign), "another organisation's token is out of reach");
    let [own] = texts(&server.owner().create("own"), ["secret"]);
    assert_eq!(post(&mut anybody, REVOKE, bearer, &format!("token={own}")).status, 200);
    assert!(!anybody.is_valid(&own));
    assert_eq!(post(&mut anybody, REVOKE, None, &format!("token={foreign}")).status, 200);
    assert!(!anybody.is_valid(&foreign), "its holder needs no credential");
}

fn metadata_names_the_public_address_and_nothing_else(backend: Backend) {
    const PATHS: [&str; 3] = [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource",
        "/.well-known/nolapse-tokens",
    ];
    let unnamed = Server::start(backend, Options::default());
    for path in PATHS {
        // Without a configured URL there is none: `Host` is not used, because the client chooses it.
        unnamed
            .anyone()
            .ask(Request::new("GET", path).header("X-Forwarded-Host", "evil.example"))
            .fails(404, "not found");
    }
    drop(unnamed);
    let server = Server::start(backend, Options::default().with("server.public_url", format!("{URL}/")));
    let mut anybody = server.anyone();
    let [authority, resource, addresses] = PATHS.map(|path| anybody.get(path).expect(200));
    assert_eq!(authority["issuer"], URL);
    assert_eq!(authority["introspection_endpoint"], format!("{URL}{INTROSPECT}"));
    assert_eq!(authority["revocation_endpoint"], format!("{URL}{REVOKE}"));
    assert_eq!(authority["response_types_supported"], json!(["none"]));
    assert_eq!(resource["resource"], URL);
    assert_eq!(resource["authorization_servers"], json!([URL]));
    assert_eq!(addresses["revoke"], format!("{URL}/v1/credentials/revoke"));
    // The URLs in the metadata work.
    for (address, status) in [
        (&authority["introspection_endpoint"], 401),
        (&authority["revocation_endpoint"], 400),
        (&addresses["introspect"], 401),
        (&addresses["revoke"], 400),
        (&addresses["validate"], 400),
    ] {
        let path = address.as_str().unwrap().strip_prefix(URL).unwrap();
        assert_eq!(anybody.call(path).status, status, "{path}");
    }
    let [secret] = texts(&server.owner().create_with("a", &["authority:introspect"]), ["secret"]);
    let answer = post(&mut anybody, INTROSPECT, Some(format!("Bearer {secret}")), &format!("token={secret}"));
    assert_eq!(answer.expect(200)["iss"], URL);
}

fn challenges_name_the_resource_metadata(backend: Backend) {
    let server = Server::start(backend, Options::default().with("server.public_url", URL));
    let [secret] = texts(&server.owner().create("a"), ["secret"]);
    let expected = format!(", resource_metadata=\"{URL}/.well-known/oauth-protected-resource\"");
    let unissued = "nlp_00112233445566778899aabbccddeeff550c911c";
    for (credential, path, status) in [
        (unissued, "/v1/tokens", 401),
        (unissued, "/v1/auth/forward", 401),
        (unissued, "/v1/auth/forward/scope/read/a", 401),
        (secret.as_str(), "/v1/tokens", 403),
        (secret.as_str(), "/v1/auth/forward?scope=admin", 403),
    ] {
        for body in [false, true] {
            let request = Request::new("GET", path).bearer(credential);
            let answer = server.anyone().ask(if body { request.body("x") } else { request });
            assert_eq!(answer.status, status);
            let challenge = answer.header("www-authenticate").unwrap();
            assert!(
                challenge.starts_with("Bearer realm=\"nolapse\", error=") && challenge.ends_with(&expected),
                "{challenge}"
            );
        }
    }
    let denied = server.anyone().validate(unissued);
    assert!(denied.header("www-authenticate").unwrap().ends_with(&expected));
    let basic = post(&mut server.anyone(), INTROSPECT, Some(basic("a", "b")), "token=x");
    assert_eq!(basic.header("www-authenticate"), Some("Basic realm=\"nolapse\", charset=\"UTF-8\""));
}
