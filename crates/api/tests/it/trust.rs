//! CI without stored secrets: trust policies, and the exchange of identity tokens under them, with the tests' own
//! issuer.

use std::thread;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use test_issuer::{AUDIENCE, Issuer, Manner, encode, now};

use crate::support::{Answer, Backend, Client, Options, Request, Server, both, eventually, texts};

both!(
    a_job_gets_a_short_token_for_its_identity_token,
    an_identity_token_is_exchanged_once,
    what_cannot_be_believed_is_refused,
    jobs_that_a_policy_does_not_mean_are_refused,
    keys_are_kept_and_their_rotation_is_followed,
    an_issuer_that_misbehaves_is_503,
    an_issuer_on_a_private_network_is_never_connected_to,
    the_more_specific_policy_counts_and_a_tie_asks_which,
    a_policy_has_no_more_than_its_maker,
    a_policy_that_means_nobody_in_particular_is_refused,
    a_policy_is_changed_and_switched_off,
    a_test_explains_claim_by_claim,
    an_actor_gets_tokens_of_its_own,
    an_address_may_exchange_so_often_an_hour,
    tokens_that_jobs_still_use_are_listed,
);

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

fn options() -> Options {
    Options::default().with("server.public_url", AUDIENCE).with("outbound.allowed_networks", "127.0.0.0/8")
}

/// The path of the owner's organisation.
fn organization(owner: &mut Client) -> String {
    format!("/v1/organizations/{}", texts(&owner.get("/v1/me").expect(200), ["org_id"])[0])
}

fn policy(issuer: &Issuer, changes: &Value) -> Value {
    let mut policy = json!({
        "name": "deploy", "issuer": issuer.url, "scopes": ["execute", "read"],
        "match": {"sub": {"glob": "repo:acme/*:ref:refs/heads/main"}, "repository_id": "42"},
    });
    for (name, value) in changes.as_object().unwrap() {
        policy[name] = value.clone();
    }
    policy
}

/// Makes a policy; returns its path and its id.
fn trust(owner: &mut Client, issuer: &Issuer, changes: &Value) -> (String, String) {
    let path = format!("{}/trust-policies", organization(owner));
    let [id] = texts(&owner.post(&path, &policy(issuer, changes)).expect(201), ["id"]);
    (format!("{path}/{id}"), id)
}

pub(crate) fn exchange(server: &Server, token: &str, more: &[(&str, &str)]) -> Answer {
    let mut fields = vec![("grant_type", GRANT), ("subject_token", token), ("subject_token_type", ID_TOKEN)];
    fields.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    fields.extend_from_slice(more);
    let field = |(name, value): &(&str, &str)| format!("{name}={}", value.replace(':', "%3A").replace(' ', "+"));
    let form = fields.iter().map(field).collect::<Vec<_>>().join("&");
    let request = Request::new("POST", "/v1/oauth/token").header("Content-Type", "application/x-www-form-urlencoded");
    server.anyone().ask(request.body(form))
}

fn outcomes(owner: &mut Client, policy: &str) -> Vec<(String, Value)> {
    let attempts = owner.get(&format!("{policy}/attempts")).expect(200)["attempts"].clone();
    attempts.as_array().unwrap().iter().map(|one| (texts(one, ["outcome"])[0].clone(), one["claim"].clone())).collect()
}

fn tokens_that_jobs_still_use_are_listed(backend: Backend) {
    let options = options().with("usage.flush_interval_seconds", 1);
    let (server, issuer) = (Server::start(backend, options), Issuer::start());
    let mut owner = server.owner();
    let (path, _) = trust(&mut owner, &issuer, &json!({}));
    let listed = |owner: &mut Client| {
        let tokens = owner.get(&format!("{path}/static-tokens")).expect(200)["tokens"].clone();
        tokens.as_array().unwrap().clone()
    };
    let [id, stored] = texts(&owner.create_with("stored in CI", &["execute"]), ["id", "secret"]);
    owner.create_with("never used", &["execute"]);
    let [elsewhere] = texts(&owner.create_with("used elsewhere", &["execute"]), ["secret"]);
    let validate = |token: &str, address: &str| json!({"token": token, "ip": address});
    owner.post("/v1/auth/validate", &validate(&stored, "127.0.0.1")).expect(200);
    owner.post("/v1/auth/validate", &validate(&elsewhere, "203.0.113.9")).expect(200);
    assert!(listed(&mut owner).is_empty(), "nothing was exchanged under the policy");
    let told = exchange(&server, &issuer.token(&json!({})), &[]).expect(200);
    let [short] = texts(&told, ["access_token"]);
    owner.post("/v1/auth/validate", &validate(&short, "127.0.0.1")).expect(200);
    let found = eventually("the stored token", || Some(listed(&mut owner)).filter(|found| !found.is_empty()));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["id"], &found[0]["name"]), (&json!(id), &json!("stored in CI")));
    assert_eq!((&found[0]["address"], &found[0]["scopes"]), (&json!("127.0.0.1"), &json!(["execute"])));
    owner.delete(&format!("/v1/tokens/{id}")).expect(204);
    assert!(listed(&mut owner).is_empty());
}

fn a_job_gets_a_short_token_for_its_identity_token(backend: Backend) {
    let (server, issuer) = (Server::start(backend, options()), Issuer::start());
    let mut owner = server.owner();
    let (path, id) = trust(&mut owner, &issuer, &json!({}));
    let identity = issuer.token(&json!({}));
    let answer = exchange(&server, &identity, &[]);
    let told = answer.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(told["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
    assert_eq!((&told["token_type"], &told["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert_eq!((&told["scope"], &told["policy_id"]), (&json!("execute read"), &json!(id)));
    let [token] = texts(&told, ["access_token"]);
    let detail = json!({"token": token, "detail": true, "required_scopes": ["execute"]});
    let detail = server.anyone().post("/v1/auth/validate", &detail).expect(200);
    assert_eq!((&detail["name"], &detail["kind"]), (&json!("deploy"), &json!("organization")));
    assert_eq!(detail["metadata"]["subject"], "repo:acme/api:ref:refs/heads/main");
    let made = owner.get(&format!("/v1/tokens?created_by=policy:{id}")).expect(200)["tokens"].clone();
    assert_eq!(made.as_array().map(Vec::len), Some(1), "{made}");
    assert_eq!(made[0]["created_by"], format!("policy:{id}"));

    // A token that rotates itself keeps its expiry.
    let renewing = json!({"name": "renewing", "scopes": ["self:rotate"], "ttl": 60});
    let (_, renewing) = trust(&mut owner, &issuer, &renewing);
    let told = exchange(&server, &issuer.token(&json!({})), &[("policy_id", &renewing)]).expect(200);
    assert_eq!(told["expires_in"], 60);
    let [short] = texts(&told, ["access_token"]);
    let before = server.caller(&short).get("/v1/tokens/self").expect(200)["expires_at"].clone();
    let rotated = server.caller(&short).post("/v1/tokens/self/rotate", &json!({})).expect(200);
    let after = server.caller(&texts(&rotated, ["secret"])[0]).get("/v1/tokens/self").expect(200);
    assert_eq!(after["expires_at"], before);

    let fewer = exchange(&server, &issuer.token(&json!({})), &[("policy_id", &id), ("scope", "read")]).expect(200);
    assert_eq!(fewer["scope"], "read");
    let wider = exchange(&server, &issuer.token(&json!({})), &[("policy_id", &id), ("scope", "read tokens:manage")]);
    wider.fails(400, "invalid_scope");

    let attempts = owner.get(&format!("{path}/attempts")).expect(200)["attempts"].clone();
    let found: Vec<&Value> = attempts.as_array().unwrap().iter().map(|one| &one["outcome"]).collect();
    assert_eq!(found, ["scopes_exceeded", "exchanged", "exchanged"]);
    assert_eq!(attempts[2]["token_id"], detail["token_id"]);
    assert_eq!(attempts[2]["address"], "127.0.0.1");
    let events = owner.get(&format!("/v1/audit?action=token.create&actor=policy:{id}")).expect(200)["events"].clone();
    assert_eq!(events.as_array().map(Vec::len), Some(2), "{events}");
    assert_eq!(events[0]["detail"]["subject"], "repo:acme/api:ref:refs/heads/main");
    assert_eq!(owner.get("/v1/audit/verify").expect(200)["ok"], true);
    assert!(!server.log().contains(&identity) && !server.log().contains(&token), "no secret is in the log");
    let metadata = server.anyone().get("/.well-known/oauth-authorization-server").expect(200);
    assert_eq!(metadata["token_endpoint"], format!("{AUDIENCE}/v1/oauth/token"));
    assert_eq!(metadata["grant_types_supported"], json!([GRANT]));
}

fn an_identity_token_is_exchanged_once(backend: Backend) {
    let (server, issuer) = (Server::start(backend, options()), Issuer::start());
    let mut owner = server.owner();
    let (path, _) = trust(&mut owner, &issuer, &json!({}));
    for identity in [issuer.token(&json!({})), issuer.token(&json!({"jti": null}))] {
        let statuses: Vec<u16> = thread::scope(|scope| {
            let tries: Vec<_> = (0..8).map(|_| scope.spawn(|| exchange(&server, &identity, &[]).status)).collect();
            tries.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [200, 400].contains(status)), "{statuses:?}");
        exchange(&server, &identity, &[]).fails(400, "invalid_grant");
    }
    // Another identity token with the same `jti` counts as the same.
    let named = json!({"jti": "the only one"});
    exchange(&server, &issuer.token(&named), &[]).expect(200);
    let told = exchange(&server, &issuer.token(&named), &[]).fails(400, "invalid_grant");
    assert!(told["error_description"].as_str().unwrap().contains("already exchanged"), "{told}");
    let made = owner.get("/v1/tokens").expect(200)["tokens"].as_array().unwrap().len();
    assert_eq!(made, 3);
    assert!(outcomes(&mut owner, &path).iter().any(|(outcome, _)| outcome == "replayed"));
}

fn what_cannot_be_believed_is_refused(backend: Backend) {
    let (server, issuer, stranger) = (Server::start(backend, options()), Issuer::start(), Issuer::start());
    let mut owner = server.owner();
    trust(&mut owner, &issuer, &json!({}));
    let claims = issuer.claims(&json!({}));
    let good = issuer.token(&json!({}));
    let unsigned = |alg: &str| format!("{}.{}.", encode(&json!({ "alg": alg })), encode(&claims));
    let by_public_key = {
        let signed = format!("{}.{}", encode(&json!({"alg": "HS256", "kid": "first"})), encode(&claims));
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &issuer.public_key());
        format!("{signed}.{}", BASE64URL_NOPAD.encode(ring::hmac::sign(&key, signed.as_bytes()).as_ref()))
    };
    let header = json!({"alg": "ES256", "kid": "first"});
    let changed = {
        let parts: Vec<&str> = good.split('.').collect();
        format!("{}.{}.{}", parts[0], encode(&issuer.claims(&json!({"repository_id": "43"}))), parts[2])
    };
    let rows = [
        ("none", unsigned("none"), "invalid_grant"),
        ("None", unsigned("None"), "invalid_grant"),
        ("HS256 under the public key", by_public_key, "invalid_grant"),
        ("of a stranger", stranger.sign(&header, &claims), "invalid_grant"),
        ("of an issuer that nobody trusts", stranger.token(&json!({})), "invalid_grant"),
        ("changed", changed, "invalid_grant"),
        (
            "an access token",
            issuer.sign(&json!({"alg": "ES256", "kid": "first", "typ": "at+jwt"}), &claims),
            "invalid_grant",
        ),
        ("critical", issuer.sign(&json!({"alg": "ES256", "kid": "first", "crit": ["exp"]}), &claims), "invalid_grant"),
        (
            "its own key",
            issuer.sign(&json!({"alg": "ES256", "kid": "second", "jku": "http://127.0.0.1:9/"}), &claims),
            "invalid_grant",
        ),
        ("another audience", issuer.token(&json!({"aud": "https://example.org"})), "invalid_grant"),
        ("two audiences", issuer.token(&json!({"aud": [AUDIENCE, "https://example.org"]})), "invalid_grant"),
        ("no audience", issuer.token(&json!({"aud": null})), "invalid_grant"),
        ("expired", issuer.token(&json!({"exp": now() - 31, "iat": now() - 100})), "invalid_grant"),
        ("no end", issuer.token(&json!({"exp": null})), "invalid_grant"),
        ("not yet", issuer.token(&json!({"nbf": now() + 600})), "invalid_grant"),
        ("old", issuer.token(&json!({"iat": now() - 1_000})), "invalid_grant"),
        ("no issuer", issuer.token(&json!({"iss": null})), "invalid_grant"),
        ("an issuer with a slash", issuer.token(&json!({"iss": format!("{}/", issuer.url)})), "invalid_grant"),
        ("another repository", issuer.token(&json!({"repository_id": "43"})), "unauthorized_client"),
        ("another branch", issuer.token(&json!({"sub": "repo:acme/api:ref:refs/heads/a/main"})), "unauthorized_client"),
        ("too long", "x".repeat(16 * 1024 + 1), "invalid_request"),
        ("a long one of an issuer", issuer.token(&json!({"padding": "x".repeat(16 * 1024)})), "invalid_request"),
        ("nothing", String::new(), "invalid_request"),
        ("no token", "a.b".to_owned(), "invalid_request"),
        ("ours", texts(&owner.create("ours"), ["secret"])[0].clone(), "invalid_request"),
    ];
    for (what, token, error) in rows {
        let answer = exchange(&server, &token, &[]);
        assert_eq!((answer.status, &answer.json()["error"]), (400, &json!(error)), "{what}: {}", answer.text());
    }
    for (fields, error) in [
        ([("grant_type", "password")].as_slice(), "unsupported_grant_type"),
        (&[("subject_token_type", "urn:ietf:params:oauth:token-type:access_token")], "invalid_request"),
        (&[("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token")], "invalid_request"),
        (&[("actor_token", "x")], "invalid_request"),
        (&[("resource", "https://example.org")], "invalid_target"),
        (&[("audience", "nobody")], "invalid_target"),
        (&[("policy_id", "x")], "invalid_request"),
        (&[("policy_id", "018f0000-0000-7000-8000-000000000001")], "unauthorized_client"),
        (&[("scope", "no:such")], "invalid_scope"),
    ] {
        let body = exchange(&server, &good, fields).fails(400, error);
        assert_eq!(body["error_description"], body["message"], "{fields:?}");
    }
    assert_eq!(stranger.asked(), 0, "an issuer that no policy names is not asked");
    exchange(&server, &good, &[("resource", AUDIENCE), ("audience", Server::ORGANIZATION)]).expect(200);
    let made = owner.get("/v1/tokens").expect(200)["tokens"].as_array().unwrap().len();
    assert_eq!(made, 2, "one by the owner, one for the good token");
}

fn jobs_that_a_policy_does_not_mean_are_refused(backend: Backend) {
    let (server, issuer) = (Server::start(backend, options()), Issuer::start());
    let mut owner = server.owner();
    // The preset for GitHub Enterprise requires an issuer URL that the test cannot serve on its port. GitLab's preset
    // has the same rule and allows any URL.
    let gitlab = json!({"preset": "gitlab", "match": {"project_id": "7", "ref_protected": "true"}});
    let (path, _) = trust(&mut owner, &issuer, &gitlab);
    let job = |changes: Value| {
        let mut claims = json!({"project_id": "7", "ref_protected": "true", "pipeline_source": "push"});
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        issuer.token(&claims)
    };
    for (changes, error) in [
        (json!({"pipeline_source": "merge_request_event"}), "unauthorized_client"),
        (json!({"pipeline_source": "external_pull_request_event"}), "unauthorized_client"),
        (json!({"ref_protected": "false"}), "unauthorized_client"),
        (json!({"ref_protected": null}), "unauthorized_client"),
        (json!({"project_id": "8"}), "unauthorized_client"),
    ] {
        exchange(&server, &job(changes.clone()), &[]).fails(400, error);
    }
    exchange(&server, &job(json!({})), &[]).expect(200);
    let expected = [
        ("exchanged".to_owned(), Value::Null),
        ("claims_differ".to_owned(), json!("ref_protected")),
        ("claims_differ".to_owned(), json!("ref_protected")),
        ("refused_by_default".to_owned(), Value::Null),
        ("refused_by_default".to_owned(), Value::Null),
    ];
    assert_eq!(outcomes(&mut owner, &path), expected, "jobs of other projects are not recorded here");
    // Accepted if the policy names the event.
    let named = json!({"project_id": "7", "pipeline_source": {"in": ["push", "merge_request_event"]}});
    owner.patch(&path, &json!({ "match": named })).expect(200);
    exchange(&server, &job(json!({"pipeline_source": "merge_request_event"})), &[]).expect(200);
}

fn keys_are_kept_and_their_rotation_is_followed(backend: Backend) {
    let (server, issuer) = (Server::start(backend, options()), Issuer::start());
    let mut owner = server.owner();
    trust(&mut owner, &issuer, &json!({}));
    for _ in 0..3 {
        exchange(&server, &issuer.token(&json!({})), &[]).expect(200);
    }
    assert_eq!(issuer.asked(), 2, "a discovery document and a key set");
    let old = issuer.token(&json!({}));
    issuer.rotate("second");
    exchange(&server, &issuer.token(&json!({})), &[]).expect(200);
    assert_eq!(issuer.asked(), 4, "a name that is not known is looked for");
    exchange(&server, &old, &[]).fails(400, "invalid_grant");
    issuer.rotate("third");
    for _ in 0..3 {
        exchange(&server, &issuer.token(&json!({})), &[]).fails(400, "invalid_grant");
    }
    assert_eq!(issuer.asked(), 4, "and not again within a minute, whatever names are made up");
}

fn an_issuer_that_misbehaves_is_503(backend: Backend) {
    let server = Server::start(backend, options());
    let mut owner = server.owner();
    let elsewhere = Issuer::start();
    for manner in [
        Manner::Redirects(format!("{}/.well-known/openid-configuration", elsewhere.url)),
        Manner::KeysAt("http://169.254.169.254/latest/meta-data".to_owned()),
        Manner::KeysAt("http://10.0.0.1/keys".to_owned()),
        Manner::Keys(10 * 1024 * 1024),
        Manner::SomebodyElse,
        Manner::Fails,
        Manner::Drips,
    ] {
        let issuer = Issuer::start();
        let (_, id) = trust(&mut owner, &issuer, &json!({}));
        issuer.behave(manner.clone());
        let answer = exchange(&server, &issuer.token(&json!({})), &[("policy_id", &id)]);
        assert_eq!(answer.status, 503, "{manner:?}: {}", answer.text());
        answer.fails(503, "unavailable");
    }
    assert_eq!(elsewhere.asked(), 0, "redirects that were followed");
    let issuer = Issuer::start();
    trust(&mut owner, &issuer, &json!({}));
    issuer.behave(Manner::OnlyRs256);
    exchange(&server, &issuer.token(&json!({})), &[]).fails(400, "invalid_grant");
    assert_eq!(owner.get("/v1/tokens").expect(200)["tokens"], json!([]));
}

fn an_issuer_on_a_private_network_is_never_connected_to(backend: Backend) {
    let issuer = Issuer::start();
    let server = Server::start(backend, options().with("outbound.allowed_networks", "10.0.0.0/8"));
    let mut owner = server.owner();
    trust(&mut owner, &issuer, &json!({}));
    exchange(&server, &issuer.token(&json!({})), &[]).fails(503, "unavailable");
    assert_eq!(issuer.asked(), 0);
    server.says(&["outbound.allowed_networks"]);
}

fn the_more_specific_policy_counts_and_a_tie_asks_which(backend: Backend) {
    let (server, issuer) = (Server::start(backend, options()), Issuer::start());
    let facts = server.facts();
    let elsewhere = facts.add_organization("elsewhere");
    let person = facts.add_person("owner@elsewhere.example");
    facts.join(elsewhere, &person, token_domain::person::BuiltInRole::Owner);
    drop(facts);
    let mut owner = server.owner();
    let (_, wide) = trust(&mut owner, &issuer, &json!({}));
    let narrow =
        json!({"sub": {"glob": "repo:acme/*:ref:refs/heads/main"}, "repository_id": "42", "ref": "refs/heads/main"});
    let (path, narrow) = trust(&mut owner, &issuer, &json!({ "match": narrow }));
    let under = |fields: &[(&str, &str)]| exchange(&server, &issuer.token(&json!({})), fields);
    assert_eq!(under(&[]).expect(200)["policy_id"], json!(narrow));
    assert_eq!(under(&[("policy_id", &wide)]).expect(200)["policy_id"], json!(wide));
    let twin = json!({"name": "deploy as well", "match": owner_match(&server, &path)});
    let (twin, _) = trust(&mut owner, &issuer, &twin);
    let told = under(&[]).fails(400, "invalid_request");
    assert!(told["error_description"].as_str().unwrap().contains("policy_id"), "{told}");
    assert_eq!(under(&[("policy_id", &narrow)]).expect(200)["policy_id"], json!(narrow));
    owner.delete(&twin).expect(204);
    under(&[]).expect(200);

    // Another organisation makes a policy for the same workload: the request must then name the organisation.
    let mut stranger = server.signed_in("owner@elsewhere.example");
    let specific = json!({"sub": "repo:acme/api:ref:refs/heads/main", "repository_id": "42", "ref": "refs/heads/main", "event_name": "push"});
    let (_, theirs) = trust(&mut stranger, &issuer, &json!({ "match": specific }));
    under(&[]).fails(400, "invalid_request");
    assert_eq!(under(&[("audience", Server::ORGANIZATION)]).expect(200)["policy_id"], json!(narrow));
    assert_eq!(under(&[("audience", "elsewhere")]).expect(200)["policy_id"], json!(theirs));
    under(&[("audience", "elsewhere"), ("policy_id", &narrow)]).fails(400, "unauthorized_client");
}

fn owner_match(server: &Server, path: &str) -> Value {
    server.owner().get(path).expect(200)["match"].clone()
}

fn a_policy_has_no_more_than_its_maker(backend: Backend) {
    let (server, issuer) = (Server::start(backend, options()), Issuer::start());
    let mut owner = server.owner();
    let path = format!("{}/trust-policies", organization(&mut owner));
    let [secret] = texts(&owner.create_with("maker", &["tokens:manage", "read"]), ["secret"]);
    let mut maker = server.caller(&secret);
    let refused = maker.post(&path, &policy(&issuer, &json!({}))).fails(403, "insufficient scope");
    assert_eq!(refused["missing"], json!(["execute"]));
    let made = maker.post(&path, &policy(&issuer, &json!({"scopes": ["read"]}))).expect(201);
    let own = format!("{path}/{}", texts(&made, ["id"])[0]);
    maker.patch(&own, &json!({"scopes": ["read", "execute"]})).fails(403, "insufficient scope");
    maker.patch(&own, &json!({"ttl": 60})).expect(200);
    let (others, _) = trust(&mut owner, &issuer, &json!({}));
    // Another condition would give the policy's scopes to other workloads.
    let everybody = json!({"match": {"sub": {"glob": "repo:*"}, "repository_id": "43"}});
    maker.patch(&others, &everybody).fails(403, "insufficient scope");
    maker.patch(&others, &json!({"enabled": false, "ttl": 61})).fails(403, "insufficient scope");
    assert_eq!(maker.patch(&others, &json!({"enabled": false})).expect(200)["enabled"], false);
    maker.patch(&others, &json!({"enabled": true})).fails(403, "insufficient scope");
    exchange(&server, &issuer.token(&json!({})), &[]).expect(200);
    // The policy belongs to the organisation: it remains when its creator is revoked.
    let [id] = texts(&maker.get("/v1/tokens/self").expect(200), ["id"]);
    owner.revoke(&id);
    exchange(&server, &issuer.token(&json!({})), &[]).expect(200);
    maker.post(&path, &policy(&issuer, &json!({"scopes": ["read"]}))).fails(401, "invalid token");
}

fn a_policy_that_means_nobody_in_particular_is_refused(backend: Backend) {
    let (server, issuer) = (Server::start(backend, options()), Issuer::start());
    let mut owner = server.owner();
    let path = format!("{}/trust-policies", organization(&mut owner));
    let github = "https://token.actions.githubusercontent.com";
    for (changes, field) in [
        (json!({"match": {}}), "match"),
        (json!({"match": {"sub": "x"}}), "match"),
        (json!({"match": {"repository_id": "42", "ref": "x"}}), "match"),
        (json!({"match": {"sub": {"glob": "*"}, "a": "b"}}), "match"),
        (json!({"match": {"sub": "x", "aud": "y"}}), "match"),
        (json!({"match": []}), "match"),
        (json!({"issuer": github, "match": {"repository": "acme/api", "ref": "refs/heads/main"}}), "match"),
        (json!({"issuer": github, "match": {"repository_id": {"glob": "4*"}}}), "match"),
        (json!({"issuer": github, "preset": "generic"}), "preset"),
        (json!({"preset": "travis"}), "preset"),
        (json!({"preset": "buildkite"}), "issuer"),
        (json!({"issuer": "ftp://example.org"}), "issuer"),
        (json!({"issuer": "https://user@example.org"}), "issuer"),
        (json!({"issuer": "https://example.org/?a=b"}), "issuer"),
        (json!({"issuer": "example.org"}), "issuer"),
        (json!({"issuer": null}), "issuer"),
        (json!({"audience": ""}), "audience"),
        (json!({"scopes": []}), "scopes"),
        (json!({"scopes": ["no:such"]}), "scopes"),
        (json!({"ttl": 59}), "ttl"),
        (json!({"ttl": 3601}), "ttl"),
        (json!({"name": ""}), "name"),
        (json!({"project_id": "x"}), "project_id"),
        (json!({"project_id": "018f0000-0000-7000-8000-000000000001"}), "project_id"),
        (json!({"actor_id": "018f0000-0000-7000-8000-000000000001"}), "actor_id"),
    ] {
        let refused = owner.post(&path, &policy(&issuer, &changes));
        assert_eq!((refused.status, &refused.json()["field"]), (400, &json!(field)), "{changes}: {}", refused.text());
    }
    assert_eq!(owner.get(&path).expect(200)["trust_policies"], json!([]));
    let made = json!({"name": "actions", "preset": "github", "match": {"repository_id": 42}, "scopes": ["execute"]});
    let made = owner.post(&path, &made).expect(201);
    assert_eq!((&made["issuer"], &made["audience"], &made["ttl"]), (&json!(github), &json!(AUDIENCE), &json!(900)));
    assert_eq!((&made["match"], &made["warnings"][0]["claim"]), (&json!({"repository_id": "42"}), &json!("ref")));
    // Without a public URL there is no default audience, and without an opened network no issuer by `http`.
    let bare = Server::start(backend, Options::default());
    let mut owner = bare.owner();
    let path = format!("{}/trust-policies", organization(&mut owner));
    let made = json!({"name": "a", "preset": "github", "match": {"repository_id": "1"}, "scopes": ["execute"]});
    assert_eq!(owner.post(&path, &made).fails(400, "invalid request")["field"], "audience");
    assert_eq!(owner.post(&path, &policy(&issuer, &json!({}))).fails(400, "invalid request")["field"], "issuer");
}

fn a_policy_is_changed_and_switched_off(backend: Backend) {
    let (server, issuer) = (Server::start(backend, options()), Issuer::start());
    let mut owner = server.owner();
    let (path, id) = trust(&mut owner, &issuer, &json!({}));
    let before = owner.get(&path).expect(200);
    assert_eq!(owner.patch(&path, &json!({})).expect(200), before, "nothing to change");
    for (change, field) in [
        (json!({"issuer": "https://example.org"}), "issuer"),
        (json!({"preset": "gitlab"}), "preset"),
        (json!({"name": null}), "name"),
        (json!({"match": null}), "match"),
        (json!({"match": {"sub": "x"}}), "match"),
        (json!({"enabled": "no"}), "enabled"),
    ] {
        assert_eq!(owner.patch(&path, &change).fails(400, "invalid request")["field"], field, "{change}");
    }
    let audience = json!({"audience": "deploy", "scopes": ["execute", "execute"], "name": "another"});
    let changed = owner.patch(&path, &audience).expect(200);
    assert_eq!((&changed["audience"], &changed["scopes"]), (&json!("deploy"), &json!(["execute"])));
    exchange(&server, &issuer.token(&json!({})), &[]).fails(400, "invalid_grant");
    exchange(&server, &issuer.token(&json!({"aud": "deploy"})), &[]).expect(200);
    owner.patch(&path, &json!({"audience": null, "enabled": false})).expect(200);
    exchange(&server, &issuer.token(&json!({})), &[]).fails(400, "invalid_grant");
    exchange(&server, &issuer.token(&json!({})), &[("policy_id", &id)]).fails(400, "unauthorized_client");
    let found: Vec<String> = outcomes(&mut owner, &path).into_iter().map(|(outcome, _)| outcome).collect();
    assert_eq!(found, ["policy_disabled", "exchanged", "wrong_audience"]);
    owner.delete(&path).expect(204);
    for gone in [owner.get(&path), owner.patch(&path, &json!({})), owner.delete(&path)] {
        gone.fails(404, "not found");
    }
    let actions = ["trust_policy.create", "trust_policy.update", "trust_policy.delete"];
    for (action, expected) in actions.into_iter().zip([1, 2, 1]) {
        let events = owner.get(&format!("/v1/audit?action={action}&target={id}")).expect(200)["events"].clone();
        assert_eq!(events.as_array().map(Vec::len), Some(expected), "{action}: {events}");
    }
}

fn a_test_explains_claim_by_claim(backend: Backend) {
    let (server, issuer) = (Server::start(backend, options()), Issuer::start());
    let mut owner = server.owner();
    let (path, id) = trust(&mut owner, &issuer, &json!({}));
    let identity = issuer.token(&json!({}));
    let told = owner.post(&format!("{path}/test"), &json!({ "jwt": identity })).expect(200);
    assert_eq!((&told["accepted"], &told["policy_id"]), (&json!(true), &json!(id)), "{told}");
    let checks: Vec<(&Value, &Value)> =
        told["checks"].as_array().unwrap().iter().map(|one| (&one["check"], &one["passed"])).collect();
    let passed = json!(true);
    assert_eq!(checks, [(&json!("signature"), &passed), (&json!("audience"), &passed), (&json!("time"), &passed)]);
    // The test recorded no attempt, and the identity token can still be exchanged.
    assert_eq!(outcomes(&mut owner, &path), []);
    exchange(&server, &identity, &[]).expect(200);

    let all = format!("{}/trust-policies/test", organization(&mut owner));
    let told =
        owner.post(&all, &json!({"claims": issuer.claims(&json!({"repository_id": "43", "ref": null}))})).expect(200);
    assert_eq!((&told["accepted"], &told["policy_id"], &told["checks"]), (&json!(false), &Value::Null, &json!([])));
    let claims = told["policies"][0]["claims"].as_array().unwrap().clone();
    let differing: Vec<&Value> = claims.iter().filter(|claim| claim["accepted"] == false).collect();
    assert_eq!(differing, [&json!({"claim": "repository_id", "expected": "42", "actual": "43", "accepted": false})]);
    let stranger = Issuer::start();
    let told = owner.post(&all, &json!({"jwt": stranger.token(&json!({}))})).expect(200);
    assert_eq!((&told["accepted"], &told["checks"][0]["passed"]), (&json!(false), &json!(false)));
    assert_eq!(stranger.asked(), 0, "an issuer that no policy names is not asked");
    for body in [json!({}), json!({"jwt": "x", "claims": {}}), json!({"jwt": "x"})] {
        assert_eq!(owner.post(&all, &body).fails(400, "invalid request")["field"], "jwt", "{body}");
    }
}

fn an_actor_gets_tokens_of_its_own(backend: Backend) {
    let (server, issuer) = (Server::start(backend, options()), Issuer::start());
    let mut owner = server.owner();
    let projects = format!("{}/projects", organization(&mut owner));
    let [project] = texts(&owner.post(&projects, &json!({"slug": "fleet"})).expect(201), ["projectId"]);
    let actors = format!("{projects}/{project}/actors");
    let [actor] = texts(&owner.post(&actors, &json!({"name": "deployer"})).expect(201), ["actorId"]);
    let of_actor = json!({"project_id": project, "actor_id": actor, "scopes": ["execute"]});
    let (path, _) = trust(&mut owner, &issuer, &of_actor);
    let [token] = texts(&exchange(&server, &issuer.token(&json!({})), &[]).expect(200), ["access_token"]);
    let detail = server.anyone().post("/v1/auth/validate", &json!({"token": token, "detail": true})).expect(200);
    assert_eq!(
        (&detail["kind"], &detail["actor_id"], &detail["project_id"]),
        (&json!("actor"), &json!(actor), &json!(project))
    );
    owner.patch(&format!("{actors}/{actor}"), &json!({"status": "disabled"})).expect(200);
    assert!(!server.anyone().is_valid(&token));
    exchange(&server, &issuer.token(&json!({})), &[]).fails(400, "unauthorized_client");
    owner.delete(&format!("{actors}/{actor}")).expect(204);
    exchange(&server, &issuer.token(&json!({})), &[]).fails(400, "unauthorized_client");
    let found: Vec<String> = outcomes(&mut owner, &path).into_iter().map(|(outcome, _)| outcome).collect();
    assert_eq!(found, ["limits", "limits", "exchanged"]);
}

fn an_address_may_exchange_so_often_an_hour(backend: Backend) {
    let (server, issuer) = (Server::start(backend, options().with("rate_limit.token_exchanges", 3)), Issuer::start());
    let mut owner = server.owner();
    trust(&mut owner, &issuer, &json!({}));
    for _ in 0..3 {
        exchange(&server, &issuer.token(&json!({})), &[]).expect(200);
    }
    let refused = exchange(&server, &issuer.token(&json!({})), &[]);
    refused.fails(429, "temporarily_unavailable");
    assert!(refused.header("retry-after").is_some());
}
