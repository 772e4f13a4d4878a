//! An organisation whose workloads get tokens under trust policies alone: what is refused from then on, and what goes on.

use std::thread;

use serde_json::{Value, json};
use test_issuer::{AUDIENCE, Issuer};

use crate::support::{Answer, Backend, Client, Options, Request, Server, both, texts};
use crate::trust::exchange;

both!(
    no_static_token_is_made_any_more_and_what_there_is_goes_on,
    who_switches_it_off_is_signed_in,
    a_token_that_is_made_while_it_is_switched_on_was_made_before,
    the_pages_say_what_remains,
);

fn options() -> Options {
    Options::default()
        .with("server.public_url", AUDIENCE)
        .with("outbound.allowed_networks", "127.0.0.0/8")
        .with("tokens.legacy_lookup", true)
        .with("sessions.service_token", SERVICE_TOKEN)
}

const SERVICE_TOKEN: &str = "a-service-token-of-forty-characters-long";

fn organization(owner: &mut Client) -> String {
    format!("/v1/organizations/{}", texts(&owner.get("/v1/me").expect(200), ["org_id"])[0])
}

fn switch(owner: &mut Client, trust_only: bool) {
    let path = organization(owner);
    assert_eq!(owner.patch(&path, &json!({ "trust_only": trust_only })).expect(200)["trust_only"], trust_only);
}

#[track_caller]
fn refused(answer: &Answer) {
    let said = answer.fails(403, "forbidden by policy");
    let message = said["message"].as_str().unwrap();
    assert!(message.contains("POST /v1/oauth/token"), "{message}");
}

fn no_static_token_is_made_any_more_and_what_there_is_goes_on(backend: Backend) {
    let (server, issuer) = (Server::start(backend, options()), Issuer::start());
    let mut owner = server.owner();
    let path = organization(&mut owner);
    assert_eq!(owner.get(&path).expect(200)["trust_only"], false);
    let policy = json!({
        "name": "deploy", "issuer": issuer.url, "scopes": ["execute", "self:rotate"],
        "match": {"sub": {"glob": "repo:acme/*:ref:refs/heads/main"}, "repository_id": "42"},
    });
    owner.post(&format!("{path}/trust-policies"), &policy).expect(201);
    let [id, old] = texts(&owner.create_with("old", &["execute", "self:rotate"]), ["id", "secret"]);
    let [rotating, _] = texts(&owner.create("rotating"), ["id", "secret"]);
    owner.rotate(&rotating, &json!({}));
    let [key_id, _] = texts(&owner.post("/v1/me/keys", &json!({"name": "key"})).expect(201), ["id", "secret"]);
    let [project] =
        texts(&owner.post(&format!("{path}/projects"), &json!({"slug": "fleet"})).expect(201), ["projectId"]);
    let actors = format!("{path}/projects/{project}/actors");
    let [actor] = texts(&owner.post(&actors, &json!({"name": "pump"})).expect(201), ["actorId"]);
    switch(&mut owner, true);

    let body = json!({"name": "new", "scopes": ["execute"]});
    refused(&owner.post("/v1/tokens", &body));
    refused(&owner.ask(Request::new("POST", "/v1/tokens").json(&body).header("Idempotency-Key", "k")));
    refused(&owner.post(&format!("/v1/tokens/{id}/rotate"), &json!({})));
    refused(&server.caller(&old).post("/v1/tokens/self/rotate", &json!({})));
    let items = json!({"items": [{
        "hash": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "algorithm": "sha256", "encoding": "hex",
        "name": "imported", "scopes": ["read"],
    }]});
    let imported = owner.post("/v1/tokens/import", &items).expect(200);
    assert!(imported.to_string().contains("under trust policies alone"), "{imported}");

    // What there is goes on and can be ended; a rotation is taken back; people and devices are not concerned.
    assert!(server.anyone().is_valid(&old));
    owner.post(&format!("/v1/tokens/{rotating}/rotate/cancel"), &json!({})).expect(200);
    owner.patch(&format!("/v1/tokens/{id}"), &json!({"name": "older"})).expect(200);
    owner.post("/v1/me/keys", &json!({"name": "other"})).expect(201);
    owner.post(&format!("/v1/me/keys/{key_id}/rotate"), &json!({})).expect(200);
    owner.post(&actors, &json!({"name": "valve"})).expect(201);
    owner.post(&format!("{actors}/{actor}/rotate"), &json!({})).expect(200);

    // A job gets its token, and does not make it last.
    let told = exchange(&server, &issuer.token(&json!({})), &[]).expect(200);
    let [short] = texts(&told, ["access_token"]);
    assert!(server.anyone().is_valid(&short));
    refused(&server.caller(&short).post("/v1/tokens/self/rotate", &json!({})));
    owner.revoke(&id);

    switch(&mut owner, false);
    owner.create("new");
    let events = owner.get("/v1/audit?action=organization.update").expect(200)["events"].clone();
    let details: Vec<&Value> = events.as_array().unwrap().iter().map(|event| &event["detail"]["trust_only"]).collect();
    assert_eq!(details.len(), 2, "{events}");
    assert!(details.contains(&&json!(true)) && details.contains(&&json!(false)), "{events}");
}

fn who_switches_it_off_is_signed_in(backend: Backend) {
    let server = Server::start(backend, options());
    let mut owner = server.owner();
    let path = organization(&mut owner);
    let [all] = texts(&owner.create_with("all", &["admin"]), ["secret"]);
    let [key] =
        texts(&owner.post("/v1/me/keys", &json!({"name": "a", "scopes": ["org:write"]})).expect(201), ["secret"]);
    let (mut all, mut key) = (server.caller(&all), server.caller(&key));
    for wrong in [Value::Null, json!("yes"), json!(1)] {
        let refused = owner.patch(&path, &json!({ "trust_only": wrong }));
        assert_eq!(refused.fails(400, "invalid request")["field"], "trust_only", "{wrong}");
    }
    key.patch(&path, &json!({"trust_only": true})).fails(403, "session needed");
    all.patch(&path, &json!({"trust_only": true})).expect(200);
    all.patch(&path, &json!({"trust_only": false})).fails(403, "session needed");
    let asked = json!({"email": Server::OWNER, "organization": Server::ORGANIZATION});
    let made = server.caller(SERVICE_TOKEN).post("/v1/sessions/create", &asked).expect(201);
    let mut unproven = server.caller(&texts(&made, ["token"])[0]);
    unproven.patch(&path, &json!({"trust_only": false})).fails(403, "recent proof needed");
    owner.patch(&path, &json!({"trust_only": false})).expect(200);
}

fn a_token_that_is_made_while_it_is_switched_on_was_made_before(backend: Backend) {
    let server = Server::start(backend, options());
    let mut owner = server.owner();
    let session = owner.credential().to_owned();
    let makers: Vec<_> = (0..4)
        .map(|maker| {
            let mut caller = server.caller(&session);
            thread::spawn(move || {
                let mut made = Vec::new();
                for number in 0..50 {
                    let answer =
                        caller.post("/v1/tokens", &json!({"name": format!("{maker}-{number}"), "scopes": ["read"]}));
                    if answer.status == 403 {
                        break;
                    }
                    made.push(texts(&answer.expect(201), ["id"])[0].clone());
                }
                made
            })
        })
        .collect();
    thread::sleep(std::time::Duration::from_millis(100));
    switch(&mut owner, true);
    let after: usize = owner.get("/v1/tokens?limit=1000").expect(200)["tokens"].as_array().unwrap().len();
    let made: usize = makers.into_iter().map(|maker| maker.join().unwrap().len()).sum();
    let listed = owner.get("/v1/tokens?limit=1000").expect(200)["tokens"].as_array().unwrap().len();
    assert_eq!((listed, made), (after, after), "none was made after the answer");
}

fn the_pages_say_what_remains(backend: Backend) {
    let server = Server::start(backend, options());
    let mut owner = server.owner();
    let mut browser = crate::pages::browser::Browser::of_owner(&server);
    assert!(browser.page("/trust").contains("No static token of the organisation is valid."));
    owner.create("one");
    let [ended] = texts(&owner.create("two"), ["id"]);
    owner.create("three");
    owner.revoke(&ended);
    assert!(browser.page("/trust").contains("2 static tokens of the organisation are still valid."));
    let fields = [("what", "organization"), ("organization", "Acme"), ("trust_only", "1")];
    assert_eq!(browser.submit("/settings", &fields).status, 303);
    assert!(browser.page("/settings").contains("name=\"trust_only\" value=\"1\" checked"));
    let page = browser.page("/trust");
    assert!(page.contains("still valid; no further one is created, imported or rotated."), "{page}");
    let form = browser.page("/tokens/new");
    let nonce = crate::pages::browser::hidden(&form, "_nonce");
    let typed = [("name", "a"), ("scope", "execute"), ("expires", "30d"), ("_nonce", nonce.as_str())];
    let refused = browser.submit("/tokens/new", &typed);
    assert!(refused.status >= 400 && refused.text().contains("make a trust policy instead"), "{}", refused.text());
    assert_eq!(browser.submit("/settings", &fields[..2]).status, 303);
    assert!(!browser.page("/trust").contains("no further one"));
}
