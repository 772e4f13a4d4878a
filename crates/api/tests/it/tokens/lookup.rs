//! `POST /v1/tokens/lookup`: finds a token by its secret.

use serde_json::json;
use token_domain::person::BuiltInRole;

use crate::support::{Backend, Options, Server, both, texts};

both!(a_secret_is_found_dead_or_alive_and_is_not_used, what_is_not_the_callers_is_not_there);

const LOOKUP: &str = "/v1/tokens/lookup";

fn a_secret_is_found_dead_or_alive_and_is_not_used(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create("a"), ["id", "secret"]);
    let found = owner.post(LOOKUP, &json!({"token": format!(" {secret} ")})).expect(200);
    assert_eq!((&found["id"], found.get("secret")), (&json!(id), None));
    assert_eq!(found["last_used_at"], serde_json::Value::Null, "to be looked for is not to be used");
    owner.revoke(&id);
    assert_eq!(owner.post(LOOKUP, &json!({"token": secret})).expect(200)["status"], "revoked");
}

fn what_is_not_the_callers_is_not_there(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let facts = server.facts();
    let elsewhere = facts.add_organization("elsewhere");
    let person = facts.add_person("eve@elsewhere.example");
    facts.join(elsewhere, &person, BuiltInRole::Owner);
    drop(facts);
    let mut eve = server.signed_in("eve@elsewhere.example");
    let [secret] = texts(&eve.create("hers"), ["secret"]);
    let absent = owner.post(LOOKUP, &json!({"token": "nlp_00112233445566778899aabbccddeeff550c911c"}));
    let foreign = owner.post(LOOKUP, &json!({"token": secret}));
    assert_eq!((absent.status, absent.text()), (404, foreign.text()), "foreign and absent are one");
    for text in ["", "nlp_", "hello"] {
        owner.post(LOOKUP, &json!({"token": text})).fails(404, "not found");
    }
    owner.post(LOOKUP, &json!({})).fails(400, "invalid request");
}
