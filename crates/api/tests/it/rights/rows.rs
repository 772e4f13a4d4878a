//! The rows: what each operation gives or takes.

use serde_json::{Value, json};

use super::{Held, World};
use crate::support::{Answer, Client, Request, Server, texts};

/// Who holds the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// An administrator who is signed in.
    Session,
    /// A token of the organisation.
    Token,
    /// A personal key of an administrator.
    Key,
}

use Holder::{Key, Session, Token};

/// An act that gives something.
#[derive(Clone, Copy)]
pub(super) struct Gift {
    pub(super) operation: &'static str,
    /// Who can do it.
    pub(super) holders: &'static [Holder],
    /// Whether it is sent by somebody without the holder's credential, whose right it stands on all the same.
    pub(super) is_anyones: bool,
    /// Makes what it is tried on; the method, path and body of the request.
    pub(super) prepare: fn(&mut World, &mut Held) -> (String, String, Option<Value>),
}

/// An act that takes a right away.
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
    Gift { operation, holders, is_anyones: false, prepare }
}

/// The same, sent by somebody else.
const fn anyones(gift: Gift) -> Gift {
    Gift { is_anyones: true, ..gift }
}

const fn loss(
    operation: &'static str,
    what: &'static str,
    holder: Holder,
    take: fn(&mut World, &mut Held, &str) -> Answer,
) -> Loss {
    Loss { operation, what, holder, take }
}

const ANYBODY: &[Holder] = &[Session, Token, Key];
const PERSONS: &[Holder] = &[Session, Key];

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

fn own_id(held: &Held) -> String {
    held.token.clone().unwrap()
}

/// The person's membership.
fn seat(world: &World, held: &Held) -> String {
    format!("{}/members/{}", world.org, held.person.as_ref().unwrap().0)
}

/// Another session of the person's.
fn other(held: &mut Held) -> &mut Client {
    &mut held.person.as_mut().unwrap().1
}

fn revoke(world: &mut World, held: &mut Held, id: &str) -> Answer {
    ask(&mut world.owner, "DELETE", &format!("/v1/tokens/{}", own_id(held)), id, None)
}

/// By whoever holds it, without a credential.
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
    // It lists itself as the current one.
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

/// Every act that takes a right away.
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
    loss("remove_member", "the person is removed", Session, remove),
    loss("edit_member", "the person is switched off", Session, disable),
    loss("edit_member", "the person is made a viewer", Session, demote),
];

/// Every act that gives something by a right and records it in the trail of the organisation it belongs to.
#[rustfmt::skip]
pub(super) const GIFTS: &[Gift] = &[
    gift("create_token", ANYBODY, |world, _| post("/v1/tokens", json!({"name": world.fresh(), "scopes": ["admin"]}))),
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
    // The role of administrators, which none but an administrator gives.
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
        // There may only be so many.
        world.clear_roles();
        post(format!("{}/roles", world.org), json!({"name": world.fresh(), "scopes": ["roles:write"]}))
    }),
    gift("create_project", ANYBODY, |world, _| post(format!("{}/projects", world.org), json!({"slug": world.fresh()}))),
    gift("create_scope", ANYBODY, |world, _| post(format!("{}/scopes", world.project), json!({"slug": world.fresh()}))),
    gift("create_actor", ANYBODY, |world, _| {
        post(format!("{}/actors", world.project), json!({"name": world.fresh(), "scopes": ["read"]}))
    }),
    gift("rotate_actor", ANYBODY, |world, _| {
        let asked = json!({"name": world.fresh()});
        let made = world.owner.post(&format!("{}/actors", world.project), &asked).expect(201);
        post(format!("{}/actors/{}/rotate", world.project, texts(&made, ["actorId"])[0]), json!({}))
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
    gift("set_baseline", ANYBODY, |world, _| {
        put(format!("/v1/baselines/{}", world.fresh()), json!({"coverage": 70, "commit": "0123456789abcdef"}))
    }),
    gift("edit_project", ANYBODY, |world, _| patch(world.project.clone(), json!({"name": world.fresh()}))),
    gift("rotate_self", &[Token, Key], |_, _| post("/v1/tokens/self/rotate", json!({}))),
    gift("prove_session", &[Session], |_, _| {
        post("/v1/sessions/current/proof", json!({"password": Server::PASSWORD}))
    }),
    gift("create_key", PERSONS, |world, _| post("/v1/me/keys", json!({"name": world.fresh(), "scopes": ["tokens:manage"]}))),
];

/// Operations without a row, and why.
#[rustfmt::skip]
pub(super) const NEITHER: &[&str] = &[
    // Made into pairs below, since they are about sessions or about another trail.
    "switch_session", "create_session", "create_for_person", "create_organization",
    // Of a person and their own account, held alone like a change of the password.
    "start_totp", "confirm_totp", "delete_totp", "create_recovery_codes", "edit_me",
    // The same verb on something else: made by the same function as one of the rows.
    "cancel_key_rotation", "edit_key", "edit_actor", "edit_role", "edit_scope", "assign_actors",
    "unassign_actor", "unassign_actors",
    // Take away, from nobody who holds a right here, or as one of the rows does.
    "bulk_revoke_tokens", "revoke_with_reason",
    "delete_trust_policy", "delete_actor", "delete_invitation", "delete_project", "delete_role", "delete_scope", "revoke_self",
    "leave_organization", "report_github_leaks", "report_gitlab_leaks",
    // Record a fact about source code, or happen before there are rights.
    "submit_execution", "enforce", "run_setup",
    // By an identity token, and under the policy as it is in that change: see the tests of trust policies.
    "exchange_token",
    // Only look.
    "get_trust_policy", "list_trust_attempts", "list_trust_policies", "test_trust_policies", "test_trust_policy",
    "count_tokens", "lookup_token",
    "check_topic", "evaluate_scopes", "export_audit", "forward", "get_actor", "get_addresses", "get_authorization_server", "get_badge", "get_baseline",
    "get_catalog", "get_execution", "get_key", "get_me", "get_namespace", "get_organization", "get_organization_usage", "get_policy",
    "get_project", "get_protected_resource", "get_role", "get_scope", "get_self", "get_token", "get_totp", "get_usage", "health",
    "introspect", "list_actors", "list_audit", "list_baseline_history", "list_executions", "list_invitations",
    "list_keys", "list_members", "list_nodes", "list_organizations", "list_projects", "list_repositories", "list_roles",
    "list_scope_actors", "list_scopes", "list_sessions", "list_tokens", "metrics", "preview_policy", "ready",
    "validate", "validate_batch", "verify_audit",
];
