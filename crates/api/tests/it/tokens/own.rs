//! `/v1/tokens/self`: a token reads and revokes itself without any scope, and rotates itself with `self:rotate`.

use serde_json::json;
use token_domain::person::BuiltInRole;

use crate::support::{Backend, Options, Request, Server, both, texts};

both!(
    a_token_sees_itself_without_a_scope,
    a_token_ends_itself_without_a_scope,
    a_token_renews_itself_with_the_scope,
    of_eight_renewals_at_once_one_wins,
    a_renewal_can_be_retried_with_a_key,
    an_actor_renews_itself,
    a_session_is_no_token,
);

fn a_token_sees_itself_without_a_scope(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create_with("a", &["files:read"]), ["id", "secret"]);
    owner.create("another");
    let mut token = server.caller(&secret);
    let seen = token.get("/v1/tokens/self").expect(200);
    assert_eq!(seen["id"], id.as_str());
    assert_eq!(seen, owner.token(&id), "the same as whoever manages it sees");
    // It can read nothing else.
    token.get(&format!("/v1/tokens/{id}")).fails(403, "insufficient scope");
    let by_key = server.anyone().ask(Request::new("GET", "/v1/tokens/self").header("X-API-Key", secret.as_str()));
    assert_eq!(by_key.expect(200)["id"], id.as_str());
}

fn a_token_ends_itself_without_a_scope(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [id, secret] = texts(&owner.create_with("a", &["files:read"]), ["id", "secret"]);
    let [_, other] = texts(&owner.create("another"), ["id", "secret"]);
    let mut token = server.caller(&secret);
    assert!(owner.is_valid(&secret));
    token.delete("/v1/tokens/self").expect(204);
    assert!(!owner.is_valid(&secret));
    token.get("/v1/tokens/self").fails(401, "invalid token");
    token.delete("/v1/tokens/self").fails(401, "invalid token");
    assert!(owner.is_valid(&other));
    let dead = owner.token(&id);
    assert_eq!((&dead["status"], &dead["revoked_reason"]), (&json!("revoked"), &json!("requested")));
    let events = server.facts().audit();
    let event = events.iter().find(|event| event.action == "token.revoke").unwrap();
    assert_eq!(event.actor, format!("token:{id}"));
}

fn a_token_renews_itself_with_the_scope(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [secret] = texts(&owner.create_with("plain", &["execute"]), ["secret"]);
    let refused = server.caller(&secret).call("/v1/tokens/self/rotate");
    assert_eq!(refused.fails(403, "insufficient scope")["missing"], json!(["self:rotate"]));

    let [id, secret] = texts(&owner.create_with("renewing", &["execute", "self:rotate"]), ["id", "secret"]);
    let asked = json!({"grace_period_seconds": 60});
    let renewed = server.caller(&secret).post("/v1/tokens/self/rotate", &asked).expect(200);
    let [successor, new_secret] = texts(&renewed, ["id", "secret"]);
    assert_eq!(renewed["scopes"], json!(["execute", "self:rotate"]));
    assert_eq!((&renewed["old_token_id"], &renewed["old_token_status"]), (&json!(id), &json!("rotating")));
    assert!(owner.is_valid(&secret) && owner.is_valid(&new_secret));
    assert_eq!(owner.token(&successor)["created_by"], format!("token:{id}"));
    server.caller(&secret).call("/v1/tokens/self/rotate").fails(409, "token is rotating");
    // The successor can rotate itself too, here without a grace.
    let asked = json!({"grace_period_seconds": 0});
    let [third] = texts(&server.caller(&new_secret).post("/v1/tokens/self/rotate", &asked).expect(200), ["secret"]);
    assert!(!owner.is_valid(&new_secret) && owner.is_valid(&third));
    let too_long = server.caller(&third).post("/v1/tokens/self/rotate", &json!({"grace_period_seconds": 2_592_001}));
    assert_eq!(too_long.fails(400, "invalid request")["field"], "grace_period_seconds");
}

fn of_eight_renewals_at_once_one_wins(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [secret] = texts(&owner.create_with("renewing", &["self:rotate"]), ["secret"]);
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let askers: Vec<_> =
            (0..8).map(|_| scope.spawn(|| server.caller(&secret).call("/v1/tokens/self/rotate").status)).collect();
        askers.into_iter().map(|asker| asker.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
}

fn a_renewal_can_be_retried_with_a_key(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [secret] = texts(&owner.create_with("renewing", &["self:rotate"]), ["secret"]);
    let renew = |key: &str| {
        server.caller(&secret).ask(Request::new("POST", "/v1/tokens/self/rotate").header("Idempotency-Key", key))
    };
    let [successor] = texts(&renew("once").expect(200), ["id"]);
    assert_eq!(renew("once").fails(409, "request already carried out")["id"], successor.as_str());
    renew("twice").fails(409, "token is rotating");
}

fn an_actor_renews_itself(backend: Backend) {
    let server = Server::start(backend, Options::default());
    let mut owner = server.owner();
    let [org] = texts(&owner.get("/v1/me").expect(200), ["org_id"]);
    let projects = format!("/v1/organizations/{org}/projects");
    let [project] = texts(&owner.post(&projects, &json!({"slug": "fleet"})).expect(201), ["projectId"]);
    let actors = format!("{projects}/{project}/actors");
    let made = owner.post(&actors, &json!({"name": "pump", "expiresAt": "2999-01-01T00:00:00.000Z"})).expect(201);
    let [actor, secret] = texts(&made, ["actorId", "accessToken"]);
    let mut device = server.caller(&secret);
    let before = device.get("/v1/tokens/self").expect(200);
    assert_eq!((&before["kind"], &before["project_id"]), (&json!("actor"), &json!(project)));
    let renewed = device.post("/v1/tokens/self/rotate", &json!({"grace_period_seconds": 0})).expect(200);
    let [new_secret] = texts(&renewed, ["secret"]);
    assert!(!owner.is_valid(&secret));
    let detail = owner.post("/v1/auth/validate", &json!({"token": new_secret, "detail": true})).expect(200);
    assert_eq!((&detail["kind"], &detail["actor_id"]), (&json!("actor"), &json!(actor)));
    assert_eq!(detail["expires_at"], "2999-01-01T00:00:00Z");
    // Disabling the actor also applies to its rotated token.
    owner.patch(&format!("{actors}/{actor}"), &json!({"isActive": false})).expect(200);
    assert!(!owner.is_valid(&new_secret));
}

fn a_session_is_no_token(backend: Backend) {
    let server = Server::start(backend, Options::default());
    server.facts().add_member("viewer@acme.example", BuiltInRole::Viewer);
    let mut owner = server.owner();
    for answer in [
        owner.get("/v1/tokens/self"),
        owner.delete("/v1/tokens/self"),
        owner.call("/v1/tokens/self/rotate"),
        server.signed_in("viewer@acme.example").get("/v1/tokens/self"),
    ] {
        answer.fails(403, "forbidden");
    }
    // `self` is not an id: the path has only its own methods.
    owner.patch("/v1/tokens/self", &json!({"name": "b"})).fails(405, "method not allowed");
}
