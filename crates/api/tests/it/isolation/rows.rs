//! One row for each operation: the object it acts on, the request, and the status of its success.
//!
//! A new operation fails the matrix until it has a row. The rows are sorted by the operations' ids.

use serde_json::{Value, json};

use super::side::{Names, Subject};
use crate::support::Server;

/// Who may call an operation, beyond the scope that the document names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum For {
    /// Anybody; a credential is not read.
    Anybody,
    /// Anybody; a credential is optional but must be valid.
    AnybodyGood,
    /// Credentials with the scope.
    Holders,
    /// People with the scope: a token has no account and no sessions (403).
    People,
    /// Tokens with the scope: a session is valid for this service only, so here it is an invalid credential (401).
    TokensAlone,
    /// Credentials with the scope that are bound to a project; others get 400.
    Bound,
    /// Credentials with the scope that are bound to no project; others get 403.
    Unbound,
    /// Tokens with the scope; a session gets 403.
    Tokens,
    /// The service token only.
    Service,
    /// Credentials with `admin` in the organisation that set-up made, and the service token; others get 404.
    Operators,
}

/// How a request names an object, and so how one of another organisation is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tells {
    /// By ids in the path, if there are any: 404.
    Path,
    /// By `org` in the query: 403 `forbidden`.
    Query,
    /// By a name that every organisation may use for an object of its own: nothing is foreign.
    Nothing,
}

/// How to call an operation so that it succeeds.
pub(super) struct Row {
    pub(super) operation: &'static str,
    pub(super) whom: For,
    pub(super) subject: Subject,
    pub(super) body: Option<fn(&Names) -> Value>,
    pub(super) query: &'static str,
    pub(super) tells: Tells,
    pub(super) succeeds: u16,
}

const fn row(operation: &'static str, whom: For, subject: Subject, succeeds: u16) -> Row {
    Row { operation, whom, subject, body: None, query: "", tells: Tells::Path, succeeds }
}

impl Row {
    /// Whether the service token is accepted, so that a text in no format of ours is a guess of it.
    pub(super) fn takes_service_token(&self) -> bool {
        matches!(self.whom, Service | Operators) || self.operation == "delete_session"
    }

    const fn body(mut self, body: fn(&Names) -> Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Sets the query, in which `{name}` is replaced by the subject's value of that name.
    const fn query(mut self, query: &'static str, tells: Tells) -> Self {
        self.query = query;
        self.tells = tells;
        self
    }
}

fn nothing(_: &Names) -> Value {
    json!({})
}

fn name(names: &Names) -> Value {
    json!({"name": names["fresh"]})
}

fn offer(names: &Names) -> Value {
    json!({"email": format!("{}@invited.example", names["fresh"]), "role": names["managers"]})
}

/// Names a token of the caller's organisation: ids of other organisations are ignored, like unknown ones.
fn bulk(names: &Names) -> Value {
    json!({"ids": [names["token_id"]], "reason": "unused", "dry_run": true})
}

fn import(_: &Names) -> Value {
    json!({"items": [{"name": "x", "hash": "0".repeat(64), "scopes": ["tokens:manage"]}], "dry_run": true})
}

fn role(names: &Names) -> Value {
    json!({"name": names["fresh"], "scopes": ["roles:write"]})
}

/// A trust policy whose scope all callers that may change it have.
pub(super) fn trust_policy(names: &Names) -> Value {
    json!({"name": names["fresh"], "preset": "github", "match": {"repository_id": "1"}, "scopes": ["tokens:manage"]})
}

/// A webhook at an address that is not allowed, so that nothing is ever connected to.
pub(super) fn webhook(_: &Names) -> Value {
    json!({"url": "https://127.0.0.1:9/hook", "events": ["token.revoke"]})
}

fn slug(names: &Names) -> Value {
    json!({"slug": names["fresh"]})
}

fn actors(names: &Names) -> Value {
    json!({"actorIds": [names["actor_id"]]})
}

fn execution(names: &Names) -> Value {
    json!({"repo": names["fresh"], "branch": "main", "commit": "0123456789abcdef", "coverage": 80})
}

use For::{Anybody, AnybodyGood, Bound, Holders, Operators, People, Service, Tokens, TokensAlone, Unbound};
use Subject::{
    AccessScope, AccessScopeWithActor, Actor, EmptyProject, Execution, Invitation, Itself, Key, Member, Nothing,
    Oneself, Role, RotatingKey, RotatingToken, Session, Token, TrustPolicy, Webhook,
};

/// Every operation.
#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    row("accept_invitation", Anybody, Nothing, 401).body(|_| json!({"code": "nli_0", "password": Server::PASSWORD})),
    row("add_member", Unbound, Nothing, 201).body(offer),
    row("assign_actors", Holders, AccessScopeWithActor, 200).body(actors),
    row("assign_actors_bound", Bound, AccessScopeWithActor, 200).body(actors),
    row("bulk_revoke_tokens", Holders, Token, 200).body(bulk),
    row("cancel_key_rotation", People, RotatingKey, 200),
    row("cancel_rotation", Holders, RotatingToken, 200),
    row("change_password", People, Nothing, 204)
        .body(|_| json!({"current_password": Server::PASSWORD, "new_password": Server::PASSWORD})),
    row("check_room_access", Holders, Nothing, 200).body(|_| json!({"actorTokenId": "x", "pattern": "a/b/c"})),
    row("check_topic", Holders, Actor, 200).query("topic=a/b", Tells::Path),
    row("check_topic_bound", Bound, Actor, 200).query("topic=a/b", Tells::Path),
    row("confirm_password_reset", Anybody, Nothing, 401)
        .body(|_| json!({"code": "nlr_0", "new_password": "an unlikely string of words 7"})),
    row("confirm_totp", People, Nothing, 409).body(|_| json!({"code": "123456"})),
    row("count_tokens", Holders, Nothing, 200),
    row("create_actor", Holders, Nothing, 201).body(name),
    row("create_actor_bound", Bound, Nothing, 201).body(name),
    row("create_for_person", Service, Nothing, 201)
        .body(|_| json!({"email": Server::OWNER, "organization": Server::ORGANIZATION})),
    row("create_invitation", Unbound, Nothing, 201).body(offer),
    row("create_key", People, Nothing, 201).body(name),
    row("create_organization", People, Nothing, 201).body(slug),
    row("create_project", Holders, Nothing, 201).body(slug),
    row("create_recovery_codes", People, Nothing, 409).body(|_| json!({"code": "123456"})),
    row("create_role", Unbound, Nothing, 201).body(role),
    row("create_scope", Holders, Nothing, 201).body(slug),
    row("create_scope_bound", Bound, Nothing, 201).body(slug),
    row("create_session", Anybody, Nothing, 201)
        .body(|_| json!({"email": Server::OWNER, "password": Server::PASSWORD})),
    row("create_token", Holders, Nothing, 201)
        .body(|names| json!({"name": names["fresh"], "scopes": ["tokens:manage"]})),
    row("create_trust_policy", Unbound, Nothing, 201).body(trust_policy),
    row("create_webhook", Unbound, Nothing, 201).body(webhook),
    row("delete_actor", Holders, Actor, 204),
    row("delete_actor_bound", Bound, Actor, 204),
    row("delete_all", People, Nothing, 204),
    row("delete_current", People, Nothing, 204),
    row("delete_invitation", Unbound, Invitation, 204),
    row("delete_project", Holders, EmptyProject, 204),
    row("delete_role", Unbound, Role, 204),
    row("delete_scope", Holders, AccessScope, 204),
    row("delete_scope_bound", Bound, AccessScope, 204),
    row("delete_session", People, Session, 204),
    row("delete_totp", People, Nothing, 409)
        .body(|_| json!({"password": Server::PASSWORD, "code": "123456"})),
    row("delete_trust_policy", Unbound, TrustPolicy, 204),
    row("delete_webhook", Unbound, Webhook, 204),
    row("edit_actor", Holders, Actor, 200).body(name),
    row("edit_actor_bound", Bound, Actor, 200).body(name),
    row("edit_key", People, Key, 200).body(name),
    row("edit_me", People, Nothing, 200).body(|_| json!({})),
    row("edit_member", Unbound, Member, 200).body(|_| json!({"status": "disabled"})),
    row("edit_organization", Unbound, Nothing, 200).body(name),
    row("edit_project", Holders, Nothing, 200).body(name),
    row("edit_role", Unbound, Role, 200).body(role),
    row("edit_scope", Holders, AccessScope, 200).body(name),
    row("edit_scope_bound", Bound, AccessScope, 200).body(name),
    row("edit_token", Holders, Token, 200).body(name),
    row("edit_trust_policy", Unbound, TrustPolicy, 200).body(name),
    row("edit_webhook", Unbound, Webhook, 200).body(|_| json!({"description": "a"})),
    row("end_member_sessions", Unbound, Member, 204),
    row("enforce", Holders, Nothing, 200).body(execution),
    row("evaluate_scopes", Anybody, Nothing, 200).body(|_| json!({"granted": [], "required": []})),
    row("exchange_token", Anybody, Nothing, 400)
        .body(|_| json!("grant_type=password&subject_token=a&subject_token_type=b")),
    row("export_audit", Unbound, Nothing, 200),
    row("forward", TokensAlone, Nothing, 200),
    row("get_actor", Holders, Actor, 200),
    row("get_actor_bound", Bound, Actor, 200),
    row("get_addresses", Anybody, Nothing, 200),
    row("get_authorization_server", Anybody, Nothing, 200),
    row("get_badge", Anybody, Execution, 200),
    row("get_baseline", Holders, Execution, 200).query("org={org}&repo={repo}", Tells::Query),
    row("get_catalog", Anybody, Nothing, 200),
    row("get_execution", Holders, Execution, 200),
    row("get_key", People, Key, 200),
    row("get_me", People, Nothing, 200),
    row("get_namespace", Holders, AccessScope, 200).query("topic=a/b", Tells::Path),
    row("get_namespace_bound", Bound, AccessScope, 200).query("topic=a/b", Tells::Path),
    row("get_notices", People, Nothing, 200),
    row("get_organization", Holders, Nothing, 200),
    row("get_organization_usage", Unbound, Nothing, 200),
    row("get_policy", Holders, Nothing, 200),
    row("get_project", Holders, Nothing, 200),
    row("get_protected_resource", Anybody, Nothing, 200),
    row("get_role", Unbound, Role, 200),
    row("get_scope", Holders, AccessScope, 200),
    row("get_scope_bound", Bound, AccessScope, 200),
    row("get_self", Tokens, Itself, 200),
    row("get_token", Holders, Token, 200),
    row("get_totp", People, Nothing, 200),
    row("get_trust_policy", Unbound, TrustPolicy, 200),
    row("get_usage", Holders, Token, 200),
    row("get_webhook", Unbound, Webhook, 200),
    row("health", Anybody, Nothing, 200),
    row("import_tokens", Unbound, Nothing, 200).body(import),
    row("introspect", Holders, Nothing, 200).body(|_| json!("token=nlp_00112233445566778899aabbccddeeff550c911c")),
    row("leave_organization", People, Oneself, 204),
    row("list_actors", Holders, Nothing, 200),
    row("list_actors_bound", Bound, Nothing, 200),
    row("list_audit", Unbound, Nothing, 200),
    row("list_baseline_history", Holders, Execution, 200),
    row("list_deliveries", Unbound, Webhook, 200),
    row("list_executions", Holders, Execution, 200).query("org={org}&repo={repo}", Tells::Query),
    row("list_invitations", Unbound, Invitation, 200),
    row("list_keys", People, Nothing, 200),
    row("list_member_sessions", Unbound, Member, 200),
    row("list_members", Unbound, Nothing, 200),
    row("list_nodes", Operators, Nothing, 200),
    row("list_organizations", Holders, Nothing, 200),
    row("list_projects", Holders, Nothing, 200),
    row("list_repositories", Holders, Nothing, 200),
    row("list_roles", Unbound, Nothing, 200),
    row("list_scope_actors", Holders, AccessScopeWithActor, 200),
    row("list_scope_actors_bound", Bound, AccessScopeWithActor, 200),
    row("list_scopes", Holders, Nothing, 200),
    row("list_scopes_bound", Bound, Nothing, 200),
    row("list_sessions", People, Nothing, 200),
    row("list_static_tokens", Unbound, TrustPolicy, 200),
    row("list_tokens", Holders, Nothing, 200),
    row("list_trust_attempts", Unbound, TrustPolicy, 200),
    row("list_trust_policies", Unbound, Nothing, 200),
    row("list_webhooks", Unbound, Nothing, 200),
    row("lookup_token", Holders, Nothing, 404).body(|_| json!({"token": "nlp_0"})),
    row("metrics", Anybody, Nothing, 200),
    row("preview_policy", Holders, Nothing, 200).body(|_| json!({"kinds": {}})),
    row("prove_session", People, Nothing, 200).body(|_| json!({"password": Server::PASSWORD})),
    row("ready", Anybody, Nothing, 200),
    // This server accepts no alerts.
    row("receive_github_alert", Anybody, Nothing, 404).body(|_| json!({})),
    row("receive_gitlab_alert", Anybody, Nothing, 404).body(|_| json!({})),
    row("remove_member", Unbound, Member, 204),
    row("replay_delivery", Unbound, Webhook, 202),
    row("report_github_leaks", Anybody, Nothing, 404).body(|_| json!([])),
    row("report_gitlab_leaks", Anybody, Nothing, 404).body(|_| json!([])),
    // This server sends no mail.
    row("request_password_reset", Anybody, Nothing, 409).body(|_| json!({"email": "ada@example.org"})),
    row("revalidate_actor", Holders, Nothing, 200).body(|_| json!({"actorTokenId": "x"})),
    row("revoke_credentials", Anybody, Nothing, 202)
        .body(|_| json!({"credentials": ["nlp_00112233445566778899aabbccddeeff550c911c"]})),
    row("revoke_key", People, Key, 204),
    row("revoke_presented", AnybodyGood, Nothing, 200)
        .body(|_| json!("token=nlp_ffffffffffffffffffffffffffffffffb527d37d")),
    row("revoke_self", Tokens, Itself, 204),
    row("revoke_token", Holders, Token, 204),
    row("revoke_with_reason", Holders, Token, 204).body(|_| json!({"reason": "replaced"})),
    row("rotate_actor", Holders, Actor, 200),
    row("rotate_actor_bound", Bound, Actor, 200),
    row("rotate_key", People, Key, 200).body(nothing),
    row("rotate_self", Tokens, Itself, 200).body(nothing),
    row("rotate_token", Holders, Token, 200).body(nothing),
    row("rotate_webhook_secret", Unbound, Webhook, 200),
    row("run_setup", Anybody, Nothing, 409)
        .body(|_| json!({"code": "x", "organization": "third", "email": "a@b.example", "password": Server::PASSWORD})),
    row("set_baseline", Holders, Execution, 200).query("", Tells::Nothing).body(|_| json!({"coverage": 70, "commit": "0123456789abcdef"})),
    row("set_notices", People, Nothing, 200)
        .body(|names| json!({"token_expiring": names["fresh"].ends_with('1'), "token_new_address": true})),
    row("set_policy", Holders, Nothing, 200).body(|_| json!({"kinds": {}})),
    row("start_totp", People, Nothing, 201),
    row("submit_execution", Holders, Nothing, 201).body(execution),
    row("switch_session", People, Nothing, 201).body(|names| json!({"organization": names["org_id"]})),
    row("test_trust_policies", Unbound, Nothing, 200).body(|_| json!({"claims": {"sub": "x"}})),
    row("test_trust_policy", Unbound, TrustPolicy, 200).body(|_| json!({"claims": {"sub": "x"}})),
    row("test_webhook", Unbound, Webhook, 202),
    row("unassign_actor", Holders, AccessScopeWithActor, 204),
    row("unassign_actor_bound", Bound, AccessScopeWithActor, 204),
    row("unassign_actors", Holders, AccessScopeWithActor, 200).body(actors),
    row("unassign_actors_bound", Bound, AccessScopeWithActor, 200).body(actors),
    row("validate", Anybody, Nothing, 401).body(|_| json!({"token": "nlp_00112233445566778899aabbccddeeff550c911c"})),
    row("validate_actor", Holders, Nothing, 200).body(|_| json!({"accessToken": "x"})),
    row("validate_batch", Holders, Nothing, 200).body(|_| json!({"tokens": ["nlp_00112233445566778899aabbccddeeff550c911c"]})),
    row("verify_audit", Unbound, Nothing, 200),
    row("verify_email", People, Nothing, 403).body(|_| json!({"code": "nle_0"})),
];
