//! The rows: each operation of the API as a gift, a loss or neither.

use serde_json::{Value, json};

use super::ground::{Held, World};
use crate::support::{Answer, App, Client, Request, Server, texts};

/// The kinds of credentials whose rights are taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// A session of an administrator.
    Session,
    /// A session of a person with a custom role that has the scope `admin`.
    WithRole,
    /// A token of the organisation.
    Token,
    /// A token of the organisation that a rotation made; its predecessor is still in its grace.
    Successor,
    /// A personal key of an administrator.
    Key,
    /// An actor's token.
    Actor,
}

use Holder::{Actor, Key, Session, Successor, Token, WithRole};

/// An operation that uses a right to create or change something.
#[derive(Clone, Copy)]
pub(super) struct Gift {
    pub(super) operation: &'static str,
    /// The credentials that may call it.
    pub(super) holders: &'static [Holder],
    /// Whether the request is sent without the holder's credential, though it depends on the holder's right.
    pub(super) is_anyones: bool,
    /// Whether it ends the person's other sessions, one of which the loss may be requested with.
    pub(super) ends_others: bool,
    /// Creates whatever the operation acts on; returns method, path and body of the request.
    pub(super) prepare: fn(&mut World, &mut Held) -> (String, String, Option<Value>),
}

/// An operation that takes a right away.
pub(super) struct Loss {
    pub(super) operation: &'static str,
    pub(super) what: &'static str,
    pub(super) holder: Holder,
    pub(super) take: fn(&mut World, &mut Held, &str) -> Answer,
}

const fn gift(
    operation: &'static str,
    holders: &'static [Holder],
    prepare: fn(&mut World, &mut Held) -> (String, String, Option<Value>),
) -> Gift {
    Gift { operation, holders, is_anyones: false, ends_others: false, prepare }
}

/// The gift, requested by somebody without a credential.
const fn anyones(gift: Gift) -> Gift {
    Gift { is_anyones: true, ..gift }
}

/// The gift, marked as one that ends the person's other sessions.
const fn ending_others(gift: Gift) -> Gift {
    Gift { ends_others: true, ..gift }
}

const fn loss(
    operation: &'static str,
    what: &'static str,
    holder: Holder,
    take: fn(&mut World, &mut Held, &str) -> Answer,
) -> Loss {
    Loss { operation, what, holder, take }
}

const ANYBODY: &[Holder] = &[Session, WithRole, Token, Successor, Key];
const WITH_ACTORS: &[Holder] = &[Session, WithRole, Token, Successor, Key, Actor];
const PERSONS: &[Holder] = &[Session, WithRole, Key];
/// Holders for operations on one's own account, which every role permits: a narrower role does not take them away.
const SIGNED_IN: &[Holder] = &[Session];

fn post(path: impl Into<String>, body: Value) -> (String, String, Option<Value>) {
    ("POST".to_owned(), path.into(), Some(body))
}

fn patch(path: impl Into<String>, body: Value) -> (String, String, Option<Value>) {
    ("PATCH".to_owned(), path.into(), Some(body))
}

fn put(path: impl Into<String>, body: Value) -> (String, String, Option<Value>) {
    ("PUT".to_owned(), path.into(), Some(body))
}

fn ask(client: &mut Client, method: &str, path: &str, id: &str, body: Option<&Value>) -> Answer {
    let request = Request::new(method, path).header("X-Request-ID", id);
    client.ask(match body {
        Some(body) => request.json(body),
        None => request,
    })
}

fn trust_policy(name: &str) -> Value {
    json!({
        "name": name, "preset": "github", "audience": "deploy", "match": {"repository_id": "1"}, "scopes": ["tokens:manage"]
    })
}

/// Creates an access scope; returns its id.
fn access_scope(world: &mut World) -> String {
    let asked = json!({"slug": world.fresh()});
    let made = world.owner.post(&format!("{}/scopes", world.project), &asked).expect(201);
    texts(&made, ["accessScopeId"])[0].clone()
}

/// Creates an actor; returns its id.
fn another_actor(world: &mut World) -> String {
    let asked = json!({"name": world.fresh()});
    let made = world.owner.post(&format!("{}/actors", world.project), &asked).expect(201);
    texts(&made, ["actorId"])[0].clone()
}

/// Creates another key of the person; returns its id.
fn key(world: &mut World, held: &mut Held) -> String {
    let asked = json!({"name": world.fresh(), "scopes": ["tokens:read"]});
    texts(&other(held).post("/v1/me/keys", &asked).expect(201), ["id"])[0].clone()
}

fn own_id(held: &Held) -> String {
    held.id.clone().unwrap()
}

/// The path of the person's membership.
fn seat(world: &World, held: &Held) -> String {
    format!("{}/members/{}", world.org, held.person.as_ref().unwrap().id)
}

/// The client of the person's other session.
fn other(held: &mut Held) -> &mut Client {
    &mut held.person.as_mut().unwrap().other
}

fn revoke(world: &mut World, held: &mut Held, id: &str) -> Answer {
    ask(&mut world.owner, "DELETE", &format!("/v1/tokens/{}", own_id(held)), id, None)
}

/// Revokes the token as its holder, by RFC 7009, without another credential.
fn give_up(world: &mut World, held: &mut Held, id: &str) -> Answer {
    let form = format!("token={}", held.credential);
    world.server.anyone().ask(Request::new("POST", "/v1/oauth/revoke").header("X-Request-ID", id).body(form))
}

fn report(world: &mut World, held: &mut Held, id: &str) -> Answer {
    ask(
        &mut world.server.anyone(),
        "POST",
        "/v1/credentials/revoke",
        id,
        Some(&json!({"credentials": [held.credential]})),
    )
}

fn supersede(world: &mut World, held: &mut Held, id: &str) -> Answer {
    let body = json!({"grace_period_seconds": 0});
    ask(&mut world.owner, "POST", &format!("/v1/tokens/{}/rotate", own_id(held)), id, Some(&body))
}

fn supersede_key(_: &mut World, held: &mut Held, id: &str) -> Answer {
    let path = format!("/v1/me/keys/{}/rotate", own_id(held));
    ask(other(held), "POST", &path, id, Some(&json!({"grace_period_seconds": 0})))
}

fn revoke_key(_: &mut World, held: &mut Held, id: &str) -> Answer {
    let path = format!("/v1/me/keys/{}", own_id(held));
    ask(other(held), "DELETE", &path, id, None)
}

fn sign_out(world: &mut World, held: &mut Held, id: &str) -> Answer {
    ask(&mut world.server.caller(&held.credential), "DELETE", "/v1/sessions/current", id, None)
}

fn end_session(world: &mut World, held: &mut Held, id: &str) -> Answer {
    let sessions = world.server.caller(&held.credential).get("/v1/sessions");
    // The session to be ended is the one that its own list marks as current.
    let sessions = sessions.expect(200)["sessions"].as_array().unwrap().clone();
    let own = sessions.iter().find(|session| session["current"] == true).unwrap();
    let path = format!("/v1/sessions/{}", texts(own, ["id"])[0]);
    ask(other(held), "DELETE", &path, id, None)
}

fn sign_out_everywhere(_: &mut World, held: &mut Held, id: &str) -> Answer {
    ask(other(held), "DELETE", "/v1/sessions", id, None)
}

fn change_password(_: &mut World, held: &mut Held, id: &str) -> Answer {
    let body = json!({"current_password": Server::PASSWORD, "new_password": "another one of this test"});
    ask(other(held), "POST", "/v1/me/password", id, Some(&body))
}

fn reset_password(world: &mut World, held: &mut Held, id: &str) -> Answer {
    let person = &held.person.as_ref().unwrap().id;
    let confirm = || {
        let code = world.server.facts().add_reset_code(person);
        let body = json!({"code": code, "new_password": "another one of this test"});
        ask(&mut world.server.anyone(), "POST", "/v1/password-resets/confirm", id, Some(&body))
    };
    // A code is for one address, which the gift may change between the mail and this request.
    match confirm() {
        refused if refused.status == 401 => confirm(),
        answer => answer,
    }
}

fn remove(world: &mut World, held: &mut Held, id: &str) -> Answer {
    let path = seat(world, held);
    ask(&mut world.owner, "DELETE", &path, id, None)
}

fn disable(world: &mut World, held: &mut Held, id: &str) -> Answer {
    let path = seat(world, held);
    ask(&mut world.owner, "PATCH", &path, id, Some(&json!({"status": "disabled"})))
}

fn demote(world: &mut World, held: &mut Held, id: &str) -> Answer {
    let path = seat(world, held);
    ask(&mut world.owner, "PATCH", &path, id, Some(&json!({"role": "viewer"})))
}

fn end_member_sessions(world: &mut World, held: &mut Held, id: &str) -> Answer {
    let path = format!("{}/sessions", seat(world, held));
    ask(&mut world.owner, "DELETE", &path, id, None)
}

fn leave(world: &mut World, held: &mut Held, id: &str) -> Answer {
    let path = format!("{}/members/me", world.org);
    ask(other(held), "DELETE", &path, id, None)
}

fn revoke_with_reason(world: &mut World, held: &mut Held, id: &str) -> Answer {
    let path = format!("/v1/tokens/{}/revoke", own_id(held));
    ask(&mut world.owner, "POST", &path, id, Some(&json!({"reason": "leaked"})))
}

fn revoke_many(world: &mut World, held: &mut Held, id: &str) -> Answer {
    let body = json!({"ids": [own_id(held)], "reason": "other"});
    ask(&mut world.owner, "POST", "/v1/tokens/bulk-revoke", id, Some(&body))
}

fn revoke_self(world: &mut World, held: &mut Held, id: &str) -> Answer {
    ask(&mut world.server.caller(&held.credential), "DELETE", "/v1/tokens/self", id, None)
}

fn take_back(world: &mut World, held: &mut Held, id: &str) -> Answer {
    ask(&mut world.owner, "POST", &format!("/v1/tokens/{}/rotate/cancel", own_id(held)), id, None)
}

fn set_factor_up(_: &mut World, held: &mut Held, id: &str) -> Answer {
    let [secret] = texts(&other(held).call("/v1/me/totp").expect(201), ["secret"]);
    let code = App::new(&secret).code();
    ask(other(held), "POST", "/v1/me/totp/confirm", id, Some(&json!({"code": code})))
}

fn narrow_role(world: &mut World, held: &mut Held, id: &str) -> Answer {
    let path = format!("{}/roles/{}", world.org, own_id(held));
    ask(&mut world.owner, "PATCH", &path, id, Some(&json!({"scopes": ["org:read"]})))
}

/// Takes `admin` from the person's role but leaves the scopes that the routes require: the person may still call them,
/// but may no longer grant `admin` by them.
fn keep_the_routes(world: &mut World, held: &mut Held, id: &str) -> Answer {
    let path = format!("{}/roles/{}", world.org, own_id(held));
    let scopes = [
        "tokens:manage",
        "tokens:read",
        "actors:manage",
        "actors:read",
        "org.memberships:manage",
        "org.memberships:read",
        "user",
    ];
    ask(&mut world.owner, "PATCH", &path, id, Some(&json!({ "scopes": scopes })))
}

fn delete_role(world: &mut World, held: &mut Held, id: &str) -> Answer {
    let path = format!("{}/roles/{}", world.org, own_id(held));
    ask(&mut world.owner, "DELETE", &path, id, None)
}

/// The actor's path.
fn actor(world: &World, held: &Held) -> String {
    format!("{}/actors/{}", world.project, own_id(held))
}

fn switch_actor_off(world: &mut World, held: &mut Held, id: &str) -> Answer {
    let path = actor(world, held);
    ask(&mut world.owner, "PATCH", &path, id, Some(&json!({"status": "disabled"})))
}

fn delete_actor(world: &mut World, held: &mut Held, id: &str) -> Answer {
    let path = actor(world, held);
    ask(&mut world.owner, "DELETE", &path, id, None)
}

fn supersede_actor(world: &mut World, held: &mut Held, id: &str) -> Answer {
    let path = format!("{}/rotate", actor(world, held));
    ask(&mut world.owner, "POST", &path, id, Some(&json!({"grace_period_seconds": 0})))
}

/// The loss of [`keep_the_routes`].
pub(super) const KEEPS_THE_ROUTES: &str = "the person's role keeps the routes, and loses what is given by them";

/// Every operation that takes a right away.
pub(super) const LOSSES: &[Loss] = &[
    loss("revoke_token", "the token is revoked", Token, revoke),
    loss("revoke_presented", "the token is revoked by whoever holds it", Token, give_up),
    loss("revoke_credentials", "the key is reported as leaked", Key, report),
    loss("rotate_token", "the token is rotated without a grace", Token, supersede),
    loss("revoke_key", "the key is revoked", Key, revoke_key),
    loss("rotate_key", "the key is rotated without a grace", Key, supersede_key),
    loss("remove_member", "the key's owner is removed", Key, remove),
    loss("edit_member", "the key's owner is switched off", Key, disable),
    loss("edit_member", "the key's owner is made a viewer", Key, demote),
    loss("delete_current", "the person signs out", Session, sign_out),
    loss("delete_session", "the session is ended from another one", Session, end_session),
    loss("delete_all", "the person signs out everywhere", Session, sign_out_everywhere),
    loss("change_password", "the person changes the password", Session, change_password),
    loss("confirm_password_reset", "the person sets a password by a mailed code", Session, reset_password),
    loss("remove_member", "the person is removed", Session, remove),
    loss("edit_member", "the person is switched off", Session, disable),
    loss("edit_member", "the person is made a viewer", Session, demote),
    loss("end_member_sessions", "an administrator ends the person's sessions", Session, end_member_sessions),
    loss("revoke_with_reason", "the token is revoked for a reason", Token, revoke_with_reason),
    loss("bulk_revoke_tokens", "the token is revoked among many", Token, revoke_many),
    loss("revoke_self", "the token revokes itself", Token, revoke_self),
    loss("cancel_rotation", "the rotation that made the token is taken back", Successor, take_back),
    loss("leave_organization", "the key's owner leaves", Key, leave),
    loss("leave_organization", "the person leaves", Session, leave),
    loss("confirm_totp", "the person sets a second factor up in another session", Session, set_factor_up),
    loss("edit_role", "the person's role is narrowed", WithRole, narrow_role),
    loss("edit_role", KEEPS_THE_ROUTES, WithRole, keep_the_routes),
    loss("delete_role", "the person's role is deleted", WithRole, delete_role),
    loss("edit_actor", "the actor is switched off", Actor, switch_actor_off),
    loss("delete_actor", "the actor is deleted", Actor, delete_actor),
    loss("rotate_actor", "the actor's token is rotated without a grace", Actor, supersede_actor),
];

/// Every operation that uses a right to create or change something and records that in the organisation's audit trail.
#[rustfmt::skip]
pub(super) const GIFTS: &[Gift] = &[
    gift("create_token", ANYBODY, |world, _| post("/v1/tokens", json!({"name": world.fresh(), "scopes": ["admin"]}))),
    gift("import_tokens", ANYBODY, |world, _| {
        let name = world.fresh();
        let number = name.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let item = json!({"name": name, "hash": format!("{number:064x}"), "scopes": ["admin"]});
        post("/v1/tokens/import", json!({"items": [item]}))
    }),
    gift("rotate_token", ANYBODY, |world, _| {
        let name = world.fresh();
        let [id] = texts(&world.owner.create_with(&name, &["admin"]), ["id"]);
        post(format!("/v1/tokens/{id}/rotate"), json!({}))
    }),
    gift("cancel_rotation", ANYBODY, |world, _| {
        let name = world.fresh();
        let [id] = texts(&world.owner.create_with(&name, &["admin"]), ["id"]);
        world.owner.rotate(&id, &json!({}));
        ("POST".to_owned(), format!("/v1/tokens/{id}/rotate/cancel"), None)
    }),
    gift("edit_token", ANYBODY, |world, _| {
        let name = world.fresh();
        let [id] = texts(&world.owner.create_with(&name, &["read"]), ["id"]);
        patch(format!("/v1/tokens/{id}"), json!({"name": "another"}))
    }),
    gift("create_invitation", ANYBODY, |world, _| {
        let email = format!("{}@guests.example", world.fresh());
        post(format!("{}/invitations", world.org), json!({"email": email, "role": "admin"}))
    }),
    // Invites as an administrator, a role that only administrators may give.
    anyones(gift("accept_invitation", ANYBODY, |world, held| {
        let asked = json!({"email": format!("{}@guests.example", world.fresh()), "role": "admin"});
        let path = format!("{}/invitations", world.org);
        let made = world.server.caller(&held.credential).post(&path, &asked).expect(201);
        post("/v1/invitations/accept", json!({"code": made["code"], "password": Server::PASSWORD}))
    })),
    gift("add_member", ANYBODY, |world, _| {
        let email = format!("{}@guests.example", world.fresh());
        post(format!("{}/members", world.org), json!({"email": email, "role": "admin"}))
    }),
    gift("create_role", ANYBODY, |world, _| {
        // An organisation has a cap on roles.
        world.clear_roles();
        post(format!("{}/roles", world.org), json!({"name": world.fresh(), "scopes": ["roles:write"]}))
    }),
    gift("create_project", ANYBODY, |world, _| post(format!("{}/projects", world.org), json!({"slug": world.fresh()}))),
    gift("create_scope", ANYBODY, |world, _| post(format!("{}/scopes", world.project), json!({"slug": world.fresh()}))),
    gift("create_actor", ANYBODY, |world, _| {
        post(format!("{}/actors", world.project), json!({"name": world.fresh(), "scopes": ["read"]}))
    }),
    gift("rotate_actor", ANYBODY, |world, _| {
        let actor = another_actor(world);
        post(format!("{}/actors/{actor}/rotate", world.project), json!({}))
    }),
    gift("edit_organization", ANYBODY, |world, _| patch(world.org.clone(), json!({"name": world.fresh()}))),
    gift("set_policy", ANYBODY, |world, _| put(format!("{}/token-policy", world.org), json!({"kinds": {}}))),
    gift("create_trust_policy", ANYBODY, |world, _| {
        world.clear_trust_policies();
        post(format!("{}/trust-policies", world.org), trust_policy(&world.fresh()))
    }),
    gift("edit_trust_policy", ANYBODY, |world, _| {
        world.clear_trust_policies();
        let path = format!("{}/trust-policies", world.org);
        let made = trust_policy(&world.fresh());
        let [id] = texts(&world.owner.post(&path, &made).expect(201), ["id"]);
        patch(format!("{path}/{id}"), json!({"ttl": 60}))
    }),
    gift("create_webhook", ANYBODY, |world, _| {
        world.clear_webhooks();
        let made = json!({"url": "https://127.0.0.1:9/hook", "events": ["project.delete"]});
        post(format!("{}/webhooks", world.org), made)
    }),
    gift("edit_webhook", ANYBODY, |world, _| {
        let path = world.webhook();
        patch(path, json!({"url": "https://127.0.0.1:9/other"}))
    }),
    gift("rotate_webhook_secret", ANYBODY, |world, _| {
        let path = world.webhook();
        ("POST".to_owned(), format!("{path}/rotate-secret"), None)
    }),
    gift("test_webhook", ANYBODY, |world, _| {
        let path = world.webhook();
        ("POST".to_owned(), format!("{path}/test"), None)
    }),
    gift("set_baseline", WITH_ACTORS, |world, _| {
        put(format!("/v1/baselines/{}", world.fresh()), json!({"coverage": 70, "commit": "0123456789abcdef"}))
    }),
    gift("edit_project", WITH_ACTORS, |world, _| patch(world.project.clone(), json!({"name": world.fresh()}))),
    gift("rotate_self", &[Token, Key, Actor], |_, _| post("/v1/tokens/self/rotate", json!({}))),
    gift("prove_session", &[Session], |_, _| {
        post("/v1/sessions/current/proof", json!({"password": Server::PASSWORD}))
    }),
    gift("start_totp", SIGNED_IN, |_, _| ("POST".to_owned(), "/v1/me/totp".to_owned(), None)),
    ending_others(gift("confirm_totp", SIGNED_IN, |world, held| {
        let app = held.app.get_or_insert_with(|| {
            let begun = world.server.caller(&held.credential).call("/v1/me/totp").expect(201);
            App::new(&texts(&begun, ["secret"])[0])
        });
        post("/v1/me/totp/confirm", json!({"code": app.code()}))
    })),
    ending_others(gift("delete_totp", SIGNED_IN, |world, held| {
        world.enrol(held);
        let body = json!({"password": Server::PASSWORD, "recovery_code": held.codes.pop().unwrap()});
        ("DELETE".to_owned(), "/v1/me/totp".to_owned(), Some(body))
    })),
    gift("create_recovery_codes", SIGNED_IN, |world, held| {
        world.enrol(held);
        post("/v1/me/recovery-codes", json!({"recovery_code": held.codes.pop().unwrap()}))
    }),
    gift("edit_me", SIGNED_IN, |world, _| {
        patch("/v1/me", json!({"name": world.fresh(), "email": format!("{}@guests.example", world.fresh())}))
    }),
    gift("verify_email", SIGNED_IN, |world, held| {
        let address = format!("{}@guests.example", world.fresh());
        let code = world.server.facts().add_address_code(&held.person.as_ref().unwrap().email, &address);
        post("/v1/me/email", json!({"code": code}))
    }),
    gift("edit_member", ANYBODY, |world, _| {
        let member = world.bystander();
        let role = if world.fresh().ends_with(['0', '2', '4', '6', '8']) { "member" } else { "viewer" };
        patch(format!("{}/members/{member}", world.org), json!({"role": role}))
    }),
    gift("edit_role", ANYBODY, |world, _| {
        world.clear_roles();
        let role = world.role(&["roles:read"]);
        patch(format!("{}/roles/{role}", world.org), json!({"name": world.fresh(), "scopes": ["roles:write"]}))
    }),
    gift("edit_scope", ANYBODY, |world, _| {
        let scope = access_scope(world);
        patch(format!("{}/scopes/{scope}", world.project), json!({"name": world.fresh()}))
    }),
    gift("edit_actor", ANYBODY, |world, _| {
        let actor = another_actor(world);
        patch(format!("{}/actors/{actor}", world.project), json!({"name": world.fresh()}))
    }),
    gift("assign_actors", ANYBODY, |world, _| {
        let (actor, scope) = (another_actor(world), access_scope(world));
        post(format!("{}/scopes/{scope}/actors", world.project), json!({"actorIds": [actor]}))
    }),
    gift("edit_key", PERSONS, |world, held| {
        let key = key(world, held);
        patch(format!("/v1/me/keys/{key}"), json!({"name": world.fresh()}))
    }),
    gift("rotate_key", PERSONS, |world, held| post(format!("/v1/me/keys/{}/rotate", key(world, held)), json!({}))),
    gift("cancel_key_rotation", PERSONS, |world, held| {
        let path = format!("/v1/me/keys/{}/rotate", key(world, held));
        other(held).post(&path, &json!({})).expect(200);
        ("POST".to_owned(), format!("{path}/cancel"), None)
    }),
    // A key makes one with the scope `user`, which a viewer's key may have too: creating a key with a key takes
    // `tokens:manage`, whatever the new key's scopes.
    gift("create_key", PERSONS, |world, held| {
        let scope = if held.credential.starts_with("nlp_") { "user" } else { "tokens:manage" };
        post("/v1/me/keys", json!({"name": world.fresh(), "scopes": [scope]}))
    }),
];

/// Operations without a row, and why.
#[rustfmt::skip]
pub(super) const NEITHER: &[&str] = &[
    // Tested in `sessions`: their events are in other trails, or they replace the credential of later requests.
    "switch_session", "create_session", "create_for_person",
    // Recorded in the trail of the new organisation, by the function that records the others.
    "create_organization",
    // The same function as `assign_actors`.
    "unassign_actor", "unassign_actors",
    // Take no right from the holders above, or take it by the function of another row.
    "delete_trust_policy", "delete_webhook", "delete_invitation", "delete_project", "delete_scope", "report_github_leaks", "report_gitlab_leaks",
    "receive_github_alert", "receive_gitlab_alert",
    // Record a fact about source code, or run before anybody has rights.
    "submit_execution", "enforce", "run_setup", "request_password_reset",
    // Takes an identity token, and reads the trust policy in its own transaction: see the tests of trust policies.
    "exchange_token",
    // Records nothing for a delivery that waits, as after a test; the checks are those of `test_webhook`.
    "replay_delivery",
    // Gives no right: which mail a person gets.
    "set_notices",
    // Read only.
    "get_notices", "get_webhook", "list_deliveries", "list_webhooks",
    "get_trust_policy", "list_static_tokens", "list_trust_attempts", "list_trust_policies", "test_trust_policies", "test_trust_policy",
    "count_tokens", "lookup_token",
    "check_room_access", "check_topic", "evaluate_scopes", "export_audit", "forward", "get_actor", "get_addresses", "get_authorization_server", "get_badge", "get_baseline",
    "get_catalog", "get_execution", "get_key", "get_me", "get_namespace", "get_organization", "get_organization_usage", "get_policy",
    "get_project", "get_protected_resource", "get_role", "get_scope", "get_self", "get_token", "get_totp", "get_usage", "health",
    "introspect", "list_actors", "list_audit", "list_baseline_history", "list_executions", "list_invitations",
    "list_keys", "list_member_sessions", "list_members", "list_nodes", "list_organizations", "list_projects", "list_repositories", "list_roles",
    "list_scope_actors", "list_scopes", "list_sessions", "list_tokens", "metrics", "preview_policy", "ready", "revalidate_actor",
    "validate", "validate_actor", "validate_batch", "verify_audit",
];
