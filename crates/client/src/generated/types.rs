//! What travels: the bodies of requests and answers, from `docs/reference/openapi.json`.
//!
//! Written by `cargo xtask check --write`; changes by hand do not last.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Secret;
use crate::double_option;

/// The invitation code and the person who accepts it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AcceptInvitation {
    pub code: Secret,
    /// The name of a person without an account. Defaults to the e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The password of the existing account, or the password for the new account: 12–1024 characters. Not needed if
    /// `Authorization` carries a session of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
}

/// The new member.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AcceptedInvitation {
    /// Whether the request created the account.
    pub new_account: bool,
    pub org_id: String,
    pub role: String,
    pub user_id: String,
}

/// An access scope. Times are in UTC with milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AccessScope {
    #[serde(rename = "accessScopeId")]
    pub access_scope_id: String,
    /// The number of actors. Only present if it was requested.
    #[serde(rename = "actorCount", default, skip_serializing_if = "Option::is_none")]
    pub actor_count: Option<u64>,
    #[serde(rename = "createdAt")]
    pub created_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether the access scope is active. Its actors are refused while it is not.
    #[serde(rename = "isActive")]
    pub is_active: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(rename = "projectId")]
    pub project_id: String,
    pub slug: String,
    #[serde(rename = "updatedAt")]
    pub updated_at: String,
}

/// An actor. Times are in UTC with milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Actor {
    /// The access scope of the actor; `null` if it acts in the whole project.
    #[serde(rename = "accessScopeId", default, skip_serializing_if = "Option::is_none")]
    pub access_scope_id: Option<String>,
    #[serde(rename = "actorId")]
    pub actor_id: String,
    /// The same as `actorId`. Only present on the short paths.
    #[serde(rename = "actorTokenId", default, skip_serializing_if = "Option::is_none")]
    pub actor_token_id: Option<String>,
    /// `device`, `user`, `server`, `agent`, `service`, `session`, `orchestrator` or `observer`.
    #[serde(rename = "actorType")]
    pub actor_type: String,
    #[serde(rename = "createdAt")]
    pub created_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(rename = "expiresAt", default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    #[serde(rename = "externalId", default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Whether `status` is `active`. Only present on the short paths.
    #[serde(rename = "isActive", default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// The same as `lastUsedAt`, under the name that earlier clients read.
    #[serde(rename = "lastConnectedAt", default, skip_serializing_if = "Option::is_none")]
    pub last_connected_at: Option<String>,
    /// The time of the last use; up to ten seconds old.
    #[serde(rename = "lastUsedAt", default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    pub name: String,
    #[serde(rename = "projectId")]
    pub project_id: String,
    /// The current status: `active`, `disabled` or `expired`.
    pub status: String,
    #[serde(rename = "updatedAt")]
    pub updated_at: String,
}

/// A list of actors of the project.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ActorIds {
    /// 1–1000 actor ids.
    #[serde(rename = "actorIds")]
    pub actor_ids: Vec<String>,
}

/// The person to add, by either `email` or `user_id`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AddMember {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// `owner`, `admin`, `member`, `viewer`, or the id of a role of this organisation.
    pub role: String,
    /// A person who shares an organisation with you.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

/// The actor may connect.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AllowedActor {
    pub client_attrs: BrokerClient,
    pub is_superuser: bool,
    /// `allow`
    pub result: String,
}

/// Topics that an actor may use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AllowedTopic {
    pub app_id: String,
    /// A pattern, in which `+` stands for one part.
    pub pattern: String,
    /// `pubSub`
    pub permission: String,
}

/// A token policy to set or preview. It replaces the current policy; a rule that is left out is not in force.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AskedPolicy {
    pub kinds: AskedTokenRules,
}

/// The rules for one kind of token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AskedTokenRule {
    /// Whether tokens of this kind may be created and rotated. Defaults to `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<bool>,
    /// The 1–64 scopes that tokens of this kind may carry. Defaults to all scopes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_scopes: Option<Vec<String>>,
    /// The lifetime of a token created without an expiry: 1–36500 days, at most `max_lifetime_days`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_lifetime_days: Option<u32>,
    /// A token stops being valid after this many days without use: 1–36500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_days: Option<u32>,
    /// The maximum lifetime: 1–36500 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_lifetime_days: Option<u32>,
}

/// The rules by kind of token. A kind that is left out has no rules.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AskedTokenRules {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<AskedTokenRule>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<AskedTokenRule>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal: Option<AskedTokenRule>,
}

/// The number of actors changed and unchanged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AssignedActors {
    /// The number of actors that were moved.
    pub changed: u64,
    /// The number of actors that already were in the requested state.
    pub unchanged: u64,
}

/// An event of the audit trail.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AuditEvent {
    pub action: String,
    /// Who caused the event: `user:<id>`, `token:<id>`, `policy:<id>`, `service`, `system` or `anonymous`.
    pub actor: String,
    /// The time of the event, with microseconds.
    pub at: String,
    /// Further details, depending on the action.
    pub detail: Map<String, Value>,
    /// The SHA-256 over all fields above and the hash of the previous event. Save `seq` and `hash` to verify the trail
    /// later.
    pub hash: String,
    /// The hash of the previous event.
    pub prev_hash: String,
    /// The `X-Request-ID` of the request that caused the event.
    pub request_id: String,
    /// The sequence number, starting at 1, without gaps.
    pub seq: u64,
    /// The id of the affected resource, in the form used by the rest of the API.
    pub target_id: String,
    /// The kind of the affected resource; empty if there is none.
    pub target_kind: String,
}

/// Authorisation server metadata (RFC 8414, section 2).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AuthorizationServer {
    pub grant_types_supported: Vec<String>,
    pub introspection_endpoint: String,
    pub introspection_endpoint_auth_methods_supported: Vec<String>,
    pub issuer: String,
    /// `none`, because there is no authorisation endpoint. The standard requires the field, and allows no empty list.
    pub response_types_supported: Vec<String>,
    pub revocation_endpoint: String,
    pub revocation_endpoint_auth_methods_supported: Vec<String>,
    pub scopes_supported: Vec<String>,
    pub service_documentation: String,
    pub token_endpoint: String,
    pub token_endpoint_auth_methods_supported: Vec<String>,
}

/// A coverage baseline.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The commit that was measured, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The coverage in percent.
    pub coverage: f64,
    pub repo: String,
    /// The time of the measurement.
    pub timestamp: String,
}

/// A current or past baseline.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BaselineEntry {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The coverage in percent.
    pub coverage: f64,
    /// The time at which the baseline was set.
    pub set_at: String,
    /// Who set the baseline: `user:<id>` or `token:<id>`.
    pub set_by: String,
    /// The time of the measurement.
    pub timestamp: String,
}

/// A page of the baselines of a repository.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BaselineHistory {
    pub history: Vec<BaselineEntry>,
    /// Send this as `cursor` to get the next page; `null` on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    pub repo: String,
}

/// The tokens to validate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchRequest {
    /// The tokens as presented, at most 1000. Duplicates are allowed.
    pub tokens: Vec<Secret>,
}

/// The same body as the validation of this token alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum BatchResult {
    /// [`ValidToken`]
    ValidToken(Box<ValidToken>),
    /// [`InvalidToken`]
    InvalidToken(Box<InvalidToken>),
}

/// The results of a batch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchResults {
    /// One result per token, in the order of the request.
    pub results: Vec<BatchResult>,
}

/// Whether the actor may connect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum BrokerAdmission {
    /// [`AllowedActor`]
    AllowedActor(Box<AllowedActor>),
    /// [`DeniedActor`]
    DeniedActor(Box<DeniedActor>),
}

/// A project, in a broker's words.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BrokerApp {
    pub active_subscriptions: Vec<String>,
    /// Always empty, as are the next fields: this service keeps no lobbies, subscriptions or hooks of a broker.
    pub allowed_lobbies: Vec<String>,
    pub allowed_topics: Vec<AllowedTopic>,
    pub app_id: String,
    pub app_name: String,
    pub app_slug: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hydration_webhook: Option<bool>,
    pub topic_webhooks: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger_webhook: Option<bool>,
}

/// The connected actor: who it is and what it may use. What this service sets no limit for is `null`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BrokerClient {
    pub actor_token_id: String,
    pub actor_type: String,
    /// The project, as the one application of a broker.
    pub apps: Vec<BrokerApp>,
    /// When the connection must end, in seconds since 1970; `null` if the token does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_expires_at: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connections: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_message_size_bytes: Option<u32>,
    pub organization_id: String,
    pub persistent_session: bool,
    pub project_id: String,
    pub project_name: String,
    /// The access scope of the actor. Absent if it acts in the whole project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_slug: Option<String>,
    pub session_expiry_seconds: u32,
}

/// The actor, and what it wants to use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BrokerQuestion {
    /// The `actor_token_id` of the connection.
    #[serde(rename = "actorTokenId")]
    pub actor_token_id: String,
    /// A topic, or a pattern in which `+` stands for one part.
    pub pattern: String,
}

/// The actor that is connected.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BrokerRevalidation {
    /// The `actor_token_id` of the connection.
    #[serde(rename = "actorTokenId")]
    pub actor_token_id: String,
}

/// Whether the actor may stay connected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum BrokerStanding {
    /// [`ValidActor`]
    ValidActor(Box<ValidActor>),
    /// [`InvalidActor`]
    InvalidActor(Box<InvalidActor>),
}

/// The token that an actor connects with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BrokerValidation {
    /// The token as presented. Anything but a token of an actor is denied.
    #[serde(rename = "accessToken")]
    pub access_token: Secret,
}

/// The filters of the list of tokens. At least one is required.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BulkFilter {
    /// Only tokens with this label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<String>,
    /// Only tokens created by `user:<id>`, `token:<id>`, `policy:<id>`, `service` or `system`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// `next_cursor` of the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Only tokens that expire before this time (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_before: Option<String>,
    /// Only tokens with this `external_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Only tokens of this kind: `organization`, `personal` or `actor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Entries per page: 1–1000. Defaults to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only tokens whose name contains this text, ignoring case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only tokens of this owner: `user:<id>` or `actor:<id>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Only tokens bound to this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Only tokens with this id, or with this text in the name, description, `external_id` or hint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Only tokens that were revoked, or whose grace period ended, after this time (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_after: Option<String>,
    /// Only tokens that were granted exactly this scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Only tokens with this status: `active`, `rotating`, `revoked` or `expired`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Only tokens created more than this many days ago and not used since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_days: Option<u32>,
}

/// The tokens to revoke, by either `ids` or `filter`, and the reason.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BulkRevoke {
    /// Only report what would be revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// The expected number of tokens. If the number is different, nothing is revoked and the answer is 409.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_count: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<BulkFilter>,
    /// 1–1000 ids of tokens of the organisation. Tokens that are unknown, revoked or expired are not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<String>>,
    /// An optional comment of up to 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// `leaked`, `replaced`, `person_left`, `unused` or `other`.
    pub reason: String,
}

/// The tokens that were revoked, or that would be revoked after a dry run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BulkRevokedView {
    /// The tokens with the most uses in the last 24 hours, at most ten.
    pub busiest: Vec<Busy>,
    /// The number of valid tokens that were selected.
    pub matched: u64,
    /// The number of tokens that this request revoked.
    pub revoked: u64,
}

/// A token in use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Busy {
    pub token: Token,
    /// The number of successful validations in the last 24 hours.
    pub uses: u64,
}

/// All scopes and presets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    pub presets: Vec<ScopePreset>,
    pub scopes: Vec<Scope>,
}

/// The current and the new password.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ChangePassword {
    pub current_password: Secret,
    /// The new password: 12–1024 characters.
    pub new_password: Secret,
}

/// The resources that a deletion would affect.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Concerned {
    #[serde(rename = "accessScopes")]
    pub access_scopes: u64,
    pub actors: u64,
    /// The number of valid tokens of its actors and of valid tokens bound to it.
    #[serde(rename = "liveTokens")]
    pub live_tokens: u64,
}

/// The mailed code and the new password.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ConfirmPasswordReset {
    pub code: Secret,
    /// The new password: 12–1024 characters.
    pub new_password: Secret,
}

/// A code of the authenticator app.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ConfirmTotp {
    /// Six digits.
    pub code: Secret,
}

/// The actor to create.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateActor {
    /// An access scope of this project. Defaults to none: the actor then acts in the whole project.
    #[serde(rename = "accessScopeId", default, skip_serializing_if = "Option::is_none")]
    pub access_scope_id: Option<String>,
    /// `device`, `user`, `server`, `agent`, `service`, `session`, `orchestrator` or `observer`. Defaults to `device`.
    #[serde(rename = "actorType", default, skip_serializing_if = "Option::is_none")]
    pub actor_type: Option<String>,
    /// 1–500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When the actor and its tokens expire (RFC 3339).
    #[serde(rename = "expiresAt", default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The identifier of the actor in another system: 1–255 characters.
    #[serde(rename = "externalId", default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// A JSON object of at most 4 KiB and 8 levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// 1–255 characters.
    pub name: String,
    /// The scopes of its token, which the caller must have as well. Defaults to `self:rotate` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
}

/// The person to invite.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateInvitation {
    pub email: String,
    /// `owner`, `admin`, `member`, `viewer`, or the id of a role of this organisation.
    pub role: String,
}

/// The key to create. It belongs to the caller, in the caller's organisation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateKey {
    /// A label: empty, or up to 64 of `a–z`, `0–9`, `_`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<String>,
    /// Up to 32 networks in CIDR notation from which the token may be used. Defaults to any address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_networks: Option<Vec<String>>,
    /// The purpose of the token: up to 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When the token expires (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The lifetime in days, as an alternative to `expires_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_days: Option<u32>,
    /// The identifier of the holder in your own system: up to 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Data about the holder for gateways: a JSON object of up to 4 KiB and 8 levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// 1–100 characters.
    pub name: String,
    /// A project of the organisation to bind the key to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// 1–64 scopes of the catalogue, which the caller's role must have. Defaults to the default scopes of the
    /// catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
}

/// The organisation to create.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateOrganization {
    /// 1–100 characters. Defaults to the slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// At most 100 lower-case letters, digits and inner hyphens. Cannot be changed later.
    pub slug: String,
}

/// The project to create.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateProject {
    /// 1–100 characters. Defaults to the slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// 1–100 lower-case letters, digits and inner hyphens; unique in the organisation. Cannot be changed later.
    pub slug: String,
}

/// The role to create.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateRole {
    /// 1–100 characters. Must not be the same as, or look like, the name of another role.
    pub name: String,
    /// 1–64 scopes of the catalogue, which the caller must have as well.
    pub scopes: Vec<String>,
}

/// The access scope to create.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateScope {
    /// 1–500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether the access scope is active. Its actors are refused while it is not. Defaults to `true`.
    #[serde(rename = "isActive", default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// A JSON object of at most 4 KiB and 8 levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// 1–255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// 1–100 lower-case letters, digits and inner hyphens; unique in the project. Cannot be changed later.
    pub slug: String,
}

/// The token to create. It belongs to the caller's organisation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateToken {
    /// A label: empty, or up to 64 of `a–z`, `0–9`, `_`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<String>,
    /// Up to 32 networks in CIDR notation from which the token may be used. Defaults to any address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_networks: Option<Vec<String>>,
    /// The purpose of the token: up to 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When the token expires (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The lifetime in days, as an alternative to `expires_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_days: Option<u32>,
    /// The identifier of the holder in your own system: up to 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Data about the holder for gateways: a JSON object of up to 4 KiB and 8 levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// 1–100 characters.
    pub name: String,
    /// A project of the organisation to bind the token to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// 1–64 scopes of the catalogue, which the caller must have as well.
    pub scopes: Vec<String>,
}

/// The trust policy to create.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateTrustPolicy {
    /// An actor of that project. The tokens then belong to the actor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<String>,
    /// The required `aud` claim. Defaults to the public address of this deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Whether the policy is enabled. Defaults to `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The issuer of the identity tokens, exactly as in `iss`. May be left out for `github`, `buildkite` and
    /// `terraform`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The conditions on claims, all of which must hold: a string, `{"in": […]}` or `{"glob": …}`, where `*` does not
    /// match `/`. A claim name that begins with `/` is a path into a JSON object. A policy for an issuer that is shared
    /// by all its customers needs a condition on a claim that cannot be transferred, such as a numeric id.
    #[serde(rename = "match")]
    pub match_: Map<String, Value>,
    /// 1–100 characters. Tokens issued under the policy have the same name.
    pub name: String,
    /// The identity provider. Defaults to the one that a shared issuer belongs to, otherwise `generic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// A project to bind the tokens to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// 1–64 scopes, which the caller must have as well.
    pub scopes: Vec<String>,
    /// The lifetime of the tokens: 60–3600 seconds. Defaults to 900.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u32>,
}

/// The webhook to create.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateWebhook {
    /// What the webhook is for: up to 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether events are sent. Defaults to `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The types of events to send.
    pub events: Vec<String>,
    /// Where events are sent: an https URL. Addresses of private networks are refused unless the operator allows them.
    pub url: String,
}

/// The token that was created.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreatedToken {
    /// A free label without effect on access.
    pub agent_type: String,
    /// The networks from which the token may be used; `null` for any address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_networks: Option<Vec<String>>,
    pub created_at: String,
    /// Who created the token: `user:<id>`, `token:<id>`, `policy:<id>`, `service` or `system`.
    pub created_by: String,
    /// The purpose of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The identifier of the holder in your own system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_period_ends_at: Option<String>,
    /// The first characters of the token, to recognise it by.
    pub hint: String,
    /// The id of the token.
    pub id: String,
    /// The kind of the token: `organization`, `personal` or `actor`.
    pub kind: String,
    /// The time of the last use; up to ten seconds old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    /// The last five addresses from which the token was used, latest first. Empty if validations do not send an
    /// address.
    pub last_used_from: Vec<UsedFrom>,
    /// Data about the holder for gateways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    pub name: String,
    /// The project that the token is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
    /// The comment given at the revocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_note: Option<String>,
    /// `leaked`, `replaced`, `person_left`, `unused` or `other` if given at the revocation; otherwise `requested`,
    /// `superseded`, `rotation_cancelled`, `leaked`, `owner_removed` or `policy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_to: Option<String>,
    pub scopes: Vec<String>,
    /// The token itself. Shown only once.
    pub secret: Secret,
    /// The current status: `active`, `rotating`, `revoked` or `expired`.
    pub status: String,
    /// Scopes that have no effect because a scope they require is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warnings: Option<Vec<Warning>>,
}

/// The password and a proof of the second factor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DeleteTotp {
    /// A six-digit code of the authenticator app; alternatively `recovery_code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Secret>,
    pub password: Secret,
    /// One of the recovery codes. Each can be used once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_code: Option<Secret>,
}

/// A page of deliveries.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DeliveryList {
    pub deliveries: Vec<WebhookDelivery>,
    /// The cursor of the next page; `null` on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The actor may not connect. Why is not said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DeniedActor {
    pub is_superuser: bool,
    /// `deny`
    pub result: String,
}

/// The changes. Fields that are left out stay unchanged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EditActor {
    /// An access scope of this project; `null` for the whole project.
    #[serde(rename = "accessScopeId", default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub access_scope_id: Option<Option<String>>,
    /// `device`, `user`, `server`, `agent`, `service`, `session`, `orchestrator` or `observer`.
    #[serde(rename = "actorType", default, skip_serializing_if = "Option::is_none")]
    pub actor_type: Option<String>,
    /// 1–500 characters; `null` removes it.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub description: Option<Option<String>>,
    /// When the actor and its tokens expire (RFC 3339); `null` for never.
    #[serde(rename = "expiresAt", default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Option<String>>,
    /// The identifier of the actor in another system; `null` removes it.
    #[serde(rename = "externalId", default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub external_id: Option<Option<String>>,
    /// A boolean alternative to `status`.
    #[serde(rename = "isActive", default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub is_active: Option<Option<bool>>,
    /// A JSON object of at most 4 KiB and 8 levels; `null` removes it.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Option<Map<String, Value>>>,
    /// 1–255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `active` or `disabled`.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub status: Option<Option<String>>,
}

/// The changes. Fields that are left out stay unchanged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EditMe {
    /// The new e-mail address. Requires a session with a recent proof: `POST /v1/sessions/current/proof`.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub email: Option<Option<String>>,
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub name: Option<Option<String>>,
}

/// The changes. Fields that are left out stay unchanged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EditMember {
    /// `owner`, `admin`, `member`, `viewer`, or the id of a role of this organisation.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub role: Option<Option<String>>,
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub status: Option<Option<MemberStatus>>,
}

/// The changes. Fields that are left out stay unchanged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EditOrganization {
    /// What is done with a token of the organisation that a code host reports as leaked: `revoke` it, `rotate_grace_1h`
    /// (it ends within an hour, and its successor's secret is shown to whoever rotates the successor), or only `notify`.
    /// Whoever holds a token can always revoke it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leak_action: Option<String>,
    /// 1–100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether members need a second factor. A session of a member without one can then only set one up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_second_factor: Option<bool>,
    /// The current slug, if sent at all; it cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// Whether tokens of the organisation are made under trust policies alone: none is created, imported or rotated any more.
    /// Those that exist are valid until they end. Personal keys and tokens of actors are not concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_only: Option<bool>,
}

/// The changes. Fields that are left out stay unchanged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EditProject {
    /// 1–100 characters; `null` resets it to the slug.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub name: Option<Option<String>>,
    /// The current slug, if sent at all; it cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
}

/// The changes. Fields that are left out stay unchanged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EditRole {
    /// 1–100 characters. Must not be the same as, or look like, the name of another role.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub name: Option<Option<String>>,
    /// 1–64 scopes of the catalogue, which the caller must have as well. They replace the current scopes.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Option<Vec<String>>>,
}

/// The changes. Fields that are left out stay unchanged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EditScope {
    /// 1–500 characters; `null` removes it.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub description: Option<Option<String>>,
    /// Whether the access scope is active. Its actors are refused while it is not.
    #[serde(rename = "isActive", default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub is_active: Option<Option<bool>>,
    /// A JSON object of at most 4 KiB and 8 levels; `null` removes it.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Option<Map<String, Value>>>,
    /// 1–255 characters; `null` removes it.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub name: Option<Option<String>>,
    /// The current slug, if sent at all; it cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
}

/// The changes. Fields that are left out stay unchanged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EditToken {
    /// A label: empty, or up to 64 of `a–z`, `0–9`, `_`.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<Option<String>>,
    /// Up to 500 characters; `null` removes it.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub description: Option<Option<String>>,
    /// Up to 255 characters; `null` removes it.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub external_id: Option<Option<String>>,
    /// A JSON object of up to 4 KiB; `null` removes it.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Option<Map<String, Value>>>,
    /// 1–100 characters.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub name: Option<Option<String>>,
}

/// The changes. Fields that are left out stay unchanged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EditTrustPolicy {
    /// An actor of that project; `null` for tokens of the organisation.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<Option<String>>,
    /// The required `aud` claim; `null` for the public address of this deployment.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub audience: Option<Option<String>>,
    /// Whether the policy is enabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The conditions on claims. They replace the current conditions.
    #[serde(rename = "match", default, skip_serializing_if = "Option::is_none")]
    pub match_: Option<Map<String, Value>>,
    /// 1–100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A project to bind the tokens to; `null` for none.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub project_id: Option<Option<String>>,
    /// 1–64 scopes, which the caller must have as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// The lifetime of the tokens: 60–3600 seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u32>,
}

/// The changes. Fields that are left out stay unchanged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EditWebhook {
    /// What the webhook is for: up to 500 characters; `null` for nothing.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub description: Option<Option<String>>,
    /// Whether events are sent. Events of the time while a webhook is disabled are not sent later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The types of events to send. They replace the current ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<String>>,
    /// Where events are sent: an https URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A valid token that was presented from outside its allowed networks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ElsewhereToken {
    /// `address not allowed`
    pub error: String,
    pub message: String,
    #[serde(rename = "statusCode")]
    pub status_code: u32,
    /// `true`
    pub valid: bool,
}

/// The coverage to evaluate. Same as a submission, with `branch` and `commit` optional.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Enforce {
    /// The baseline to compare with, in percent. Defaults to the baseline of the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The coverage in percent: 0–100, with up to four decimals.
    pub coverage: f64,
    /// The drop in percentage points from which the build fails. Defaults to 1. Must not be below `warn_threshold`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_threshold: Option<f64>,
    /// An alternative name of `commit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_sha: Option<String>,
    pub repo: String,
    /// Whether a warning also fails the build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict_mode: Option<bool>,
    /// The drop in percentage points from which the build gets a warning. Defaults to 0.5. The sign is ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn_threshold: Option<f64>,
}

/// The verdict for the build.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Enforcement {
    /// The baseline that was compared with; the coverage itself if there was none.
    pub baseline: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    pub coverage: f64,
    /// The coverage minus the baseline in percentage points, with a sign and two decimals.
    pub delta: String,
    /// The exit code for the build: 1 on failure, and on a warning in strict mode.
    pub exit_code: u32,
    /// `pass`, `warn` or `fail`.
    pub outcome: String,
    pub repo: String,
}

/// The body of every error.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Error {
    /// A short, stable code for programs.
    pub error: String,
    /// The same as `message`. Only present in OAuth 2.0 responses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
    /// The field or parameter that is not acceptable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What to do about the error, for people. The text may change.
    pub message: String,
    /// The scopes that are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Vec<String>>,
    /// The HTTP status code.
    #[serde(rename = "statusCode")]
    pub status_code: u32,
}

/// The scopes to compare.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EvaluateScopes {
    /// The scopes of a token, at most 256.
    pub granted: Vec<String>,
    /// The scopes that an operation requires, all of them; at most 256.
    pub required: Vec<String>,
}

/// A page of audit events.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EventList {
    pub events: Vec<AuditEvent>,
    /// Send this as `after` to get the next page; `null` on the last page. A page may have fewer entries than `limit`
    /// and still not be the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A recorded submission and its verdict.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// The baseline that was compared with, in percent; the coverage itself if there was none.
    pub baseline: f64,
    pub branch: String,
    pub commit: String,
    /// The coverage in percent.
    pub coverage: f64,
    pub created_at: String,
    /// The coverage minus the baseline in percentage points, with a sign and two decimals.
    pub delta: String,
    /// The exit code for the build: 1 on failure, and on a warning in strict mode.
    pub exit_code: u32,
    /// The id of the execution.
    pub id: String,
    /// `pass`, `warn` or `fail`.
    pub outcome: String,
    pub repo: String,
}

/// An execution with all its details.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExecutionDetail {
    /// The baseline that was compared with, in percent; the coverage itself if there was none.
    pub baseline: f64,
    pub branch: String,
    pub commit: String,
    /// The coverage in percent.
    pub coverage: f64,
    pub created_at: String,
    /// The coverage minus the baseline in percentage points, with a sign and two decimals.
    pub delta: String,
    /// The exit code for the build: 1 on failure, and on a warning in strict mode.
    pub exit_code: u32,
    /// The drop in percentage points from which the build fails.
    pub fail_threshold: f64,
    /// The id of the execution.
    pub id: String,
    /// `pass`, `warn` or `fail`.
    pub outcome: String,
    pub repo: String,
    pub strict_mode: bool,
    /// Who submitted the execution: `user:<id>` or `token:<id>`.
    pub submitted_by: String,
    /// The time of the measurement, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
    /// The drop in percentage points from which the build gets a warning.
    pub warn_threshold: f64,
}

/// An execution in a list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExecutionEntry {
    pub branch: String,
    pub created_at: String,
    pub delta: String,
    pub id: String,
    /// `pass`, `warn` or `fail`.
    pub outcome: String,
    pub repo: String,
}

/// A page of executions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExecutionList {
    pub executions: Vec<ExecutionEntry>,
    /// Send this as `cursor` to get the next page; `null` on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// The total number of executions of the repository.
    pub total: u64,
}

/// The first damaged event.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FirstBad {
    /// The kind of the fault: `missing`, `changed`, `unlinked`, `replaced`, `cut_off`, `added` or `unreadable`.
    pub fault: String,
    /// A description of the fault for people.
    pub message: String,
    /// The sequence number of the event.
    pub seq: u64,
}

/// The tokens that were found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FoundCredentials {
    /// The tokens as found, at most 1000. Strings that are not tokens of this deployment are ignored.
    pub credentials: Vec<Secret>,
}

/// The fields of GitHub's event that are used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GitHubAlertEvent {
    /// `created` and `publicly_leaked` are acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<GitHubAlertNumber>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<GitHubRepository>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GitHubAlertNumber {
    pub number: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GitHubOwner {
    pub login: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GitHubRepository {
    pub name: String,
    pub owner: GitHubOwner,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GitLabCommit {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GitLabLocation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<GitLabCommit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GitLabVulnerability {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<GitLabLocation>,
    pub project_id: u64,
    /// `secret_detection` is acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_type: Option<String>,
    /// `detected` and `confirmed` are acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// The fields of GitLab's event that are used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GitLabVulnerabilityEvent {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_attributes: Option<GitLabVulnerability>,
    /// `vulnerability` is acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_kind: Option<String>,
}

/// The answer to a health probe.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// `ok`
    pub status: String,
}

/// A token that the policy would affect.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HitToken {
    /// A free label without effect on access.
    pub agent_type: String,
    /// The networks from which the token may be used; `null` for any address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_networks: Option<Vec<String>>,
    pub created_at: String,
    /// Who created the token: `user:<id>`, `token:<id>`, `policy:<id>`, `service` or `system`.
    pub created_by: String,
    /// The purpose of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The identifier of the holder in your own system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_period_ends_at: Option<String>,
    /// The first characters of the token, to recognise it by.
    pub hint: String,
    /// The id of the token.
    pub id: String,
    /// The kind of the token: `organization`, `personal` or `actor`.
    pub kind: String,
    /// The time of the last use; up to ten seconds old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    /// The last five addresses from which the token was used, latest first. Empty if validations do not send an
    /// address.
    pub last_used_from: Vec<UsedFrom>,
    /// Data about the holder for gateways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    pub name: String,
    /// The project that the token is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Why the token is affected: `idle`, `lifetime`, `scopes`, `kind`.
    pub reasons: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
    /// The comment given at the revocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_note: Option<String>,
    /// `leaked`, `replaced`, `person_left`, `unused` or `other` if given at the revocation; otherwise `requested`,
    /// `superseded`, `rotation_cancelled`, `leaked`, `owner_removed` or `policy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_to: Option<String>,
    pub scopes: Vec<String>,
    /// The current status: `active`, `rotating`, `revoked` or `expired`.
    pub status: String,
}

/// A key of another system.
///
/// For the API document: rows are read one by one, so that a bad one does not refuse the others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportItem {
    /// `sha256`, `sha512`, `hmac-sha256`, `bcrypt`, `argon2id`, `pbkdf2-sha256`, `django` or `raw` (a key in the clear). May be
    /// left out where the form of the hash tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `hex`, `base64` or `phc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// When the key expires. RFC 3339, a date, or seconds or milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The holder in the caller's own system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The hash of the key as the other system stored it.
    pub hash: String,
    /// The length of the key in bytes. Keys longer than 71 bytes are refused under bcrypt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_length: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// The name of the token.
    pub name: String,
    /// `organization`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The first 4–24 characters of the key, if the other system kept them. A slow hash is found by them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The key was revoked: it is imported as a revoked token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
    /// The scopes of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
}

/// The result for one row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportResult {
    /// The field that is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The id of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// `created`, `would_create`, `existing` or `refused`.
    pub status: String,
}

/// The keys to import.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImportTokens {
    /// Only report what would be imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// 1–1000 rows.
    pub items: Vec<ImportItem>,
    /// With `dry_run`: a key of the other system, to find out whether one of the rows is its hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_key: Option<String>,
    /// The system that exported the rows: `kong`, `unkey`, `sanctum`, `knox`, `drf-api-key` or `better-auth`. The rows then have
    /// the fields of that system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// The scopes of every row, in place of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
}

/// The result of the import.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Imported {
    /// The number of tokens that were created, or would be.
    pub created: u64,
    pub dry_run: bool,
    /// The number of rows that were imported before.
    pub existing: u64,
    /// With `known_key`: the index of the first row with a hash of this key. Absent if no row has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_key_row: Option<u64>,
    /// The number of rows that were refused.
    pub refused: u64,
    /// One result for each row, in the same order.
    pub results: Vec<ImportResult>,
}

/// The introspection response (RFC 7662, section 2.2). Only `active` is present if the token is not valid or belongs to
/// another organisation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Introspection {
    /// The slug of the actor's access scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_scope: Option<String>,
    /// Whether the token is valid.
    pub active: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<String>,
    /// The id of the token: each token is its own client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// When the token expires, in seconds since 1970. Absent if it does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<u64>,
    /// When the token was created, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<u64>,
    /// This deployment, as in `server.public_url`. Absent if that is not configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// The id of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// The kind of the token: `organization`, `personal` or `actor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The organisation of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The scopes separated by spaces: first the scopes as granted, then all scopes they imply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The owner of the token: the id of the organisation, the person or the actor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// `Bearer`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
}

/// The token to introspect (RFC 7662, section 2.1).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct IntrospectionRequest {
    /// The token as presented.
    pub token: Secret,
    /// The type of the token. Not needed, because there is only one type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type_hint: Option<String>,
}

/// The connection must end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct InvalidActor {
    /// What the client is told: the same.
    pub disconnect_reason: String,
    /// `token_not_found`, `token_suspended` or `token_expired`.
    pub error: String,
    pub valid: bool,
}

/// The token is not valid. The response is the same for every reason.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct InvalidToken {
    /// `invalid token`
    pub error: String,
    /// `false`
    pub valid: bool,
}

/// An open invitation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Invitation {
    pub created_at: String,
    /// Who created the invitation: `user:<id>` or `token:<id>`.
    pub created_by: String,
    pub email: String,
    pub expires_at: String,
    pub id: String,
    /// The name of the role.
    pub role: String,
    /// The id of the role; `null` for a built-in role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_id: Option<String>,
    /// `pending` or `expired`.
    pub status: String,
}

/// A page of invitations.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct InvitationList {
    pub invitations: Vec<Invitation>,
    /// Send this as `cursor` to get the next page; `null` on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A valid token that lacks required scopes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LackingToken {
    /// `insufficient scope`
    pub error: String,
    pub message: String,
    /// The scopes that are missing.
    pub missing: Vec<String>,
    #[serde(rename = "statusCode")]
    pub status_code: u32,
    /// `true`
    pub valid: bool,
}

/// The result for one finding.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LeakFeedback {
    /// `true_positive` for a token of this deployment, even if it was revoked before; otherwise `false_positive`.
    pub label: String,
    /// The SHA-256 of the token, in Base64.
    pub token_hash: String,
    /// The type as reported.
    pub token_type: String,
}

/// One finding.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LeakFinding {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    pub token: Secret,
    #[serde(rename = "type")]
    pub type_: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Filters for the list of tokens, all of which must match.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ListTokensQuery {
    /// Only tokens with this label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<String>,
    /// Only tokens created by `user:<id>`, `token:<id>`, `policy:<id>`, `service` or `system`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// `next_cursor` of the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Only tokens that expire before this time (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_before: Option<String>,
    /// Only tokens with this `external_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Entries per page: 1–1000. Defaults to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only tokens whose name contains this text, ignoring case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only tokens bound to this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Only tokens with this id, or with this text in the name, description, `external_id` or hint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Only tokens that were revoked, or whose grace period ended, after this time (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_after: Option<String>,
    /// Only tokens that were granted exactly this scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Only tokens with this status: `active`, `rotating`, `revoked` or `expired`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Only tokens created more than this many days ago and not used since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_days: Option<u32>,
}

/// The secret that was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LookupToken {
    /// The token as it was found.
    pub token: Secret,
}

/// The actor that was created.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MadeActor {
    /// The access scope of the actor; `null` if it acts in the whole project.
    #[serde(rename = "accessScopeId", default, skip_serializing_if = "Option::is_none")]
    pub access_scope_id: Option<String>,
    /// The token of the actor. Shown only once.
    #[serde(rename = "accessToken")]
    pub access_token: Secret,
    #[serde(rename = "actorId")]
    pub actor_id: String,
    /// The same as `actorId`. Only present on the short paths.
    #[serde(rename = "actorTokenId", default, skip_serializing_if = "Option::is_none")]
    pub actor_token_id: Option<String>,
    /// `device`, `user`, `server`, `agent`, `service`, `session`, `orchestrator` or `observer`.
    #[serde(rename = "actorType")]
    pub actor_type: String,
    #[serde(rename = "createdAt")]
    pub created_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(rename = "expiresAt", default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    #[serde(rename = "externalId", default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Whether `status` is `active`. Only present on the short paths.
    #[serde(rename = "isActive", default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// The same as `lastUsedAt`, under the name that earlier clients read.
    #[serde(rename = "lastConnectedAt", default, skip_serializing_if = "Option::is_none")]
    pub last_connected_at: Option<String>,
    /// The time of the last use; up to ten seconds old.
    #[serde(rename = "lastUsedAt", default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    pub name: String,
    #[serde(rename = "projectId")]
    pub project_id: String,
    /// The current status: `active`, `disabled` or `expired`.
    pub status: String,
    #[serde(rename = "updatedAt")]
    pub updated_at: String,
}

/// The two bodies of a 400. The second one names the `ip` or header that is not acceptable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MalformedQuestion {
    /// [`UnreadableQuestion`]
    UnreadableQuestion(Box<UnreadableQuestion>),
    /// [`Error`]
    Error(Box<Error>),
}

/// The account, its organisation and the scopes of this credential.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Me {
    pub email: String,
    /// Whether the address is verified: for the whole deployment, or by an organisation whose invitation was accepted, for that
    /// organisation. An unverified address cannot be used to add the person to an organisation.
    pub email_verified: bool,
    pub name: String,
    pub org_id: String,
    /// A requested new address that is not verified yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_email: Option<String>,
    pub role: String,
    /// All scopes that this credential has at present.
    pub scopes: Vec<String>,
    pub user_id: String,
}

/// A member of an organisation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub email: String,
    /// When the person became a member.
    pub joined_at: String,
    pub name: String,
    /// The name of the role.
    pub role: String,
    /// The id of the role; `null` for a built-in role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_id: Option<String>,
    /// `active`, or `disabled` while the member's sessions and keys are refused.
    pub status: String,
    pub user_id: String,
}

/// A page of members.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MemberList {
    pub members: Vec<Member>,
    /// Send this as `cursor` to get the next page; `null` on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The active sessions of a member.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MemberSessionList {
    pub sessions: Vec<Session>,
}

/// The status of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MemberStatus {
    /// `active`
    #[serde(rename = "active")]
    Active,
    /// `disabled`
    #[serde(rename = "disabled")]
    Disabled,
    /// A word this client does not know.
    #[serde(untagged)]
    Other(String),
}

impl std::fmt::Display for MemberStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Other(word) => word,
        })
    }
}

impl From<&str> for MemberStatus {
    fn from(word: &str) -> Self {
        match word {
            "active" => Self::Active,
            "disabled" => Self::Disabled,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// An effective topic.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Namespaced {
    pub topic: String,
}

/// The invitation that was created.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NewInvitation {
    /// The invitation code: `nli_` and 64 hexadecimal digits. Shown only once. Hand it to the invited person. Where mail is
    /// configured, the person is also sent another code of the same invitation.
    pub code: Secret,
    pub created_at: String,
    /// Who created the invitation: `user:<id>` or `token:<id>`.
    pub created_by: String,
    pub email: String,
    pub expires_at: String,
    pub id: String,
    /// The name of the role.
    pub role: String,
    /// The id of the role; `null` for a built-in role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_id: Option<String>,
    /// `pending` or `expired`.
    pub status: String,
}

/// A proof of the second factor, so that an open session alone cannot create recovery codes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NewRecoveryCodes {
    /// A six-digit code of the authenticator app; alternatively `recovery_code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Secret>,
    /// One of the current recovery codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_code: Option<Secret>,
}

/// The session that was created.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NewSession {
    pub expires_at: String,
    pub id: String,
    pub org_id: String,
    pub role: String,
    /// `true` if the organisation requires a second factor that the person does not have: the session can then only set
    /// one up (`POST /v1/me/totp`). Otherwise absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_factor_required: Option<bool>,
    /// The session token: `nls_` and 64 hexadecimal digits. Shown only once.
    pub token: Secret,
    pub user_id: String,
}

/// A second factor that is waiting for confirmation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NewTotp {
    /// The secret as a URI, to be shown as a QR code for the authenticator app.
    pub otpauth_uri: Secret,
    /// The secret in base 32 (32 letters and digits), for typing into the authenticator app. Shown only once.
    pub secret: Secret,
}

/// The nodes that share the database.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeList {
    /// The nodes in the order of registration. Empty with SQLite, which a single process serves.
    pub nodes: Vec<NodeView>,
    /// Whether every node is strict, so that a change that takes rights away holds on all of them when it is answered.
    pub strict: bool,
}

/// A node that shares the database with others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeView {
    /// Where the node is reached: `cluster.advertise` of its configuration, or what it listens on. Null for a node that does
    /// not listen yet, and for one of an earlier version.
    pub address: Option<String>,
    /// The number of log entries that the node has applied.
    pub applied: u64,
    /// The age of the oldest change in the log that the node has not reported to have applied, in milliseconds; 0 if there is
    /// none. A node reports every 100 ms, and at once when it hears of a change.
    pub applied_lag_ms: u64,
    /// The number of log entries that another node has applied and this one has not reported yet.
    pub behind: u64,
    /// When the node answers a change that takes rights away: `strict` or `relaxed`.
    pub consistency: String,
    /// The id of the node. It changes at every start.
    pub id: String,
    /// The greatest remaining time for which the node may answer from memory, in milliseconds; 0 if the node has stopped
    /// reporting.
    pub lease_remaining_ms: u64,
    /// The newest migration known to the node's program.
    pub migration: String,
    /// When the node last reported.
    pub seen_at: String,
    pub started_at: String,
    /// The id of the key that tags are made with. It must be the same on all nodes; otherwise a token costs a
    /// slow hash each time it moves to another node.
    pub tag_key: String,
    /// The version of the program.
    pub version: String,
}

/// The answer to a readiness probe while the service is not ready.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NotReady {
    pub error: String,
    /// The parts that are not ready: `setup` is not done, `database` does not answer, `disk` accepts no changes,
    /// `lease` is not held, `stopping`.
    pub failing: Vec<String>,
    /// The parts that are not ready, for people.
    pub message: String,
    #[serde(rename = "statusCode")]
    pub status_code: u32,
}

/// The mail about tokens that you get. Mail about leaked and reused tokens cannot be switched off.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Notices {
    /// Whether you get mail 30, 7 and 1 days before a token ends.
    pub token_expiring: bool,
    /// Whether you get mail when a token is used from an address that it had not been used from before.
    pub token_new_address: bool,
}

/// An organisation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Organization {
    pub created_at: String,
    pub id: String,
    /// What is done with a token that a code host reports as leaked.
    pub leak_action: String,
    pub name: String,
    /// Whether members need a second factor.
    pub require_second_factor: bool,
    /// The role of the person who makes the request; `null` for a token of the organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The id of that role; `null` for a built-in role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_id: Option<String>,
    pub slug: String,
    /// The maximum number of valid tokens; `null` for no maximum. Only the operator can change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_cap: Option<u32>,
    /// Whether tokens of the organisation are made under trust policies alone.
    pub trust_only: bool,
    pub updated_at: String,
}

/// A page of organisations.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OrganizationList {
    /// Send this as `cursor` to get the next page; `null` on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    pub organizations: Vec<Organization>,
}

/// The usage of all tokens of an organisation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OrganizationUsage {
    /// The start of the first step.
    pub from: String,
    /// The length of a step: `hour` or `day`.
    pub step: String,
    /// The end of the last step.
    pub to: String,
    pub total: UsageCounts,
    /// All steps, oldest first, including steps without a use.
    pub usage: Vec<UsageStep>,
}

/// The new member, or the invitation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Outcome {
    /// [`Member`]
    Member(Box<Member>),
    /// [`NewInvitation`]
    NewInvitation(Box<NewInvitation>),
}

/// The owner of a token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Owner {
    pub id: String,
    /// `organization`, `user` or `actor`.
    #[serde(rename = "type")]
    pub type_: String,
}

/// A page of a list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PageAccessScope {
    pub data: Vec<AccessScope>,
    pub meta: PageMeta,
}

/// A page of a list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PageActor {
    pub data: Vec<Actor>,
    pub meta: PageMeta,
}

/// The position of the page.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PageMeta {
    /// The number of entries per page, after the maximum was applied.
    pub limit: u32,
    pub page: u64,
    /// The number of entries on all pages.
    pub total: u64,
    #[serde(rename = "totalPages")]
    pub total_pages: u64,
}

/// A page of a list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PageProject {
    pub data: Vec<Project>,
    pub meta: PageMeta,
}

/// The position of the page, in another form.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Pagination {
    pub page: u64,
    #[serde(rename = "pageCount")]
    pub page_count: u64,
    pub total: u64,
}

/// The effect of a policy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PolicyPreview {
    pub counts: PreviewCounts,
    /// Send this as `cursor` to continue; `null` if there is nothing left. One call examines at most twenty thousand
    /// tokens, and the counts cover what that call examined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    pub tokens: Vec<HitToken>,
}

/// The number of valid tokens that the policy would affect, by reason.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PreviewCounts {
    /// Tokens examined.
    pub examined: u64,
    /// Tokens affected for any reason.
    pub hit: u64,
    /// Tokens that have not been used for too long and would stop being valid.
    pub idle: u64,
    /// Tokens of a kind that is not allowed, which could not be rotated.
    pub kind: u64,
    /// Tokens with too long a lifetime, which would be shortened at the next rotation.
    pub lifetime: u64,
    /// Tokens with scopes that are not allowed, which could not be rotated.
    pub scopes: u64,
}

/// A project. Times are in UTC with milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Project {
    #[serde(rename = "createdAt")]
    pub created_at: String,
    pub name: String,
    #[serde(rename = "organizationId")]
    pub organization_id: String,
    #[serde(rename = "projectId")]
    pub project_id: String,
    pub slug: String,
    #[serde(rename = "updatedAt")]
    pub updated_at: String,
}

/// Protected resource metadata (RFC 9728, section 2).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProtectedResource {
    pub authorization_servers: Vec<String>,
    pub bearer_methods_supported: Vec<String>,
    pub resource: String,
    pub resource_documentation: String,
    pub resource_name: String,
    pub scopes_supported: Vec<String>,
}

/// One of three proofs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProveSession {
    /// A six-digit code of the authenticator app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// One of the recovery codes. Each can be used once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_code: Option<Secret>,
}

/// Why the token is revoked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// An optional comment of up to 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// `leaked`, `replaced`, `person_left`, `unused` or `other`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The new recovery codes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RecoveryCodes {
    /// Ten recovery codes, each good for one sign-in without the authenticator app. Shown only once.
    pub recovery_codes: Vec<Secret>,
}

/// The two bodies of a 403.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RefusedToken {
    /// [`LackingToken`]
    LackingToken(Box<LackingToken>),
    /// [`ElsewhereToken`]
    ElsewhereToken(Box<ElsewhereToken>),
}

/// A repository that has submitted an execution or a baseline.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Repository {
    /// The coverage of the latest execution, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<f64>,
    pub created_at: String,
    /// The number of stored executions.
    pub executions: u64,
    /// When the latest execution was submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_execution_at: Option<String>,
    pub repo: String,
}

/// A page of repositories.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RepositoryList {
    /// Send this as `cursor` to get the next page; `null` on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    pub repos: Vec<Repository>,
}

/// The address of the account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RequestPasswordReset {
    pub email: String,
}

/// The token to revoke (RFC 7009, section 2.1).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RevocationRequest {
    /// The token as presented.
    pub token: Secret,
    /// The type of the token. Not needed, because there is only one type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type_hint: Option<String>,
}

/// A role.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Role {
    /// Whether the role is built in and cannot be changed.
    pub built_in: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// The purpose of a built-in role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The id used to assign the role: the name of a built-in role, otherwise a UUID.
    pub id: String,
    pub name: String,
    /// The scopes of the role, without the scopes they imply.
    pub scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
}

/// All roles of an organisation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RoleList {
    /// The built-in roles, strongest first, then the organisation's own roles by name.
    pub roles: Vec<Role>,
}

/// Whether the actor may use the topic.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RoomAccess {
    pub allow: bool,
    /// What allows it: empty if nothing does.
    pub allowed_topics: Vec<AllowedTopic>,
}

/// The options of the rotation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RotateActor {
    /// How long the current token stays valid, in seconds: 0–2592000, or less if the deployment has a lower maximum.
    /// Defaults to the deployment's default.
    #[serde(rename = "gracePeriodSeconds", default, skip_serializing_if = "Option::is_none")]
    pub grace_period_seconds: Option<u32>,
}

/// The options of the rotation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RotateToken {
    /// How long the old token stays valid, in seconds: 0–2592000, or less if the deployment has a lower maximum.
    /// Defaults to the deployment's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_period_seconds: Option<u32>,
    /// `fixed`: the old token stays valid until its grace period ends. `first_use`: the grace period ends shortly after
    /// the first validation of the new token, if that is earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

/// The actor with its new token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RotatedActor {
    /// The access scope of the actor; `null` if it acts in the whole project.
    #[serde(rename = "accessScopeId", default, skip_serializing_if = "Option::is_none")]
    pub access_scope_id: Option<String>,
    /// The new token. Shown only once.
    #[serde(rename = "accessToken")]
    pub access_token: Secret,
    #[serde(rename = "actorId")]
    pub actor_id: String,
    /// The same as `actorId`. Only present on the short paths.
    #[serde(rename = "actorTokenId", default, skip_serializing_if = "Option::is_none")]
    pub actor_token_id: Option<String>,
    /// `device`, `user`, `server`, `agent`, `service`, `session`, `orchestrator` or `observer`.
    #[serde(rename = "actorType")]
    pub actor_type: String,
    #[serde(rename = "createdAt")]
    pub created_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(rename = "expiresAt", default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    #[serde(rename = "externalId", default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Until when the previous token stays valid; `null` if there was no valid one.
    #[serde(rename = "gracePeriodEndsAt", default, skip_serializing_if = "Option::is_none")]
    pub grace_period_ends_at: Option<String>,
    /// Whether `status` is `active`. Only present on the short paths.
    #[serde(rename = "isActive", default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// The same as `lastUsedAt`, under the name that earlier clients read.
    #[serde(rename = "lastConnectedAt", default, skip_serializing_if = "Option::is_none")]
    pub last_connected_at: Option<String>,
    /// The time of the last use; up to ten seconds old.
    #[serde(rename = "lastUsedAt", default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    pub name: String,
    #[serde(rename = "projectId")]
    pub project_id: String,
    /// The current status: `active`, `disabled` or `expired`.
    pub status: String,
    #[serde(rename = "updatedAt")]
    pub updated_at: String,
}

/// The new token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RotatedToken {
    pub agent_type: String,
    pub created_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    pub grace_period_ends_at: String,
    pub id: String,
    pub name: String,
    pub old_token_id: String,
    /// `rotating`, or `revoked` if there is no grace period.
    pub old_token_status: String,
    pub scopes: Vec<String>,
    /// The token itself. Shown only once.
    pub secret: Secret,
    /// `active`
    pub status: String,
}

/// The first organisation and its owner.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunSetup {
    /// The code from the link that the server printed.
    pub code: Secret,
    pub email: String,
    /// The name of the owner. Defaults to the e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The slug of the organisation: lower-case letters, digits and hyphens.
    pub organization: String,
    /// The name of the organisation. Defaults to the slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_name: Option<String>,
    /// The password of the owner: 12–1024 characters.
    pub password: Secret,
}

/// Rules for finding tokens in text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScanRules {
    /// How to verify the checksum of a match offline.
    pub checksum: String,
    /// A regular expression (RE2, PCRE, Go, Python, Rust) that matches tokens as issued. It does not constrain the text
    /// before a token.
    pub pattern: String,
}

/// A scope.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Scope {
    /// Whether a personal key gets the scope if it is created without scopes.
    pub default: bool,
    /// What the scope permits.
    pub description: String,
    /// The group in which the scope is listed.
    pub group: String,
    /// Further scopes that this one implies; `*` is all of them. A bare name always implies its own `name:<action>`
    /// scopes.
    pub implies: Vec<String>,
    /// The kinds of token that may carry the scope: `organization`, `personal`, `actor`.
    pub kinds: Vec<String>,
    pub name: String,
    /// Other scopes that the token must also have for this one to take effect.
    pub requires: Vec<String>,
}

/// The result of the comparison.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScopeEvaluation {
    /// Whether a token with the granted scopes has all required ones.
    pub allowed: bool,
    /// Each required scope that is granted, with the granted scope that covers it.
    pub matched: BTreeMap<String, String>,
    /// The scopes that are missing, including scopes that a required scope itself requires.
    pub missing: Vec<String>,
    /// The smallest sets of scopes that would be sufficient, least permissive first; at most eight. Empty if a required
    /// scope is unknown, because no set is sufficient then.
    pub sufficient: Vec<Vec<String>>,
    /// Names in either list that the catalogue does not have. They grant nothing and cannot be granted.
    pub unknown: Vec<String>,
}

/// A page of access scopes, with the field names of earlier clients as well.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScopeList {
    pub data: Vec<AccessScope>,
    pub limit: u32,
    pub meta: PageMeta,
    pub page: u64,
    pub pagination: Pagination,
    pub total: u64,
    #[serde(rename = "totalPages")]
    pub total_pages: u64,
}

/// A predefined set of scopes for a common use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScopePreset {
    /// What the preset is for.
    pub description: String,
    /// The kinds of token that the preset is meant for. Each can carry all its scopes.
    pub kinds: Vec<String>,
    pub name: String,
    /// The scopes of the preset, including scopes that they require.
    pub scopes: Vec<String>,
}

/// A scope of a token and its last use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScopeUse {
    /// The hour of the last successful validation that required this scope or one it implies; `null` if there was none,
    /// for example because validations send no `required_scopes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    pub scope: String,
}

/// An active session of the caller.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// The address from which the session was last used; `null` if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The user agent of the client at sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    pub created_at: String,
    /// Whether this is the session of the request.
    pub current: bool,
    pub expires_at: String,
    pub id: String,
    /// When the session was last used; at most a minute old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    pub org_id: String,
    /// When the person last proved their identity by password or second factor, or at the identity provider; `null` if the session
    /// was created by a separate web front end, or the provider does not say when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven_at: Option<String>,
    /// The identity provider that the session was created by, whose sessions count for one organisation alone; `null` for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
}

/// The active sessions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionList {
    pub sessions: Vec<Session>,
}

/// The baseline to set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SetBaseline {
    /// The commit that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The coverage in percent: 0–100, with up to four decimals.
    pub coverage: f64,
    /// An alternative name of `commit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_sha: Option<String>,
    /// The time of the measurement (RFC 3339). Defaults to now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
}

/// The mail about tokens to get.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SetNotices {
    /// Mail 30, 7 and 1 days before a token ends.
    pub token_expiring: bool,
    /// Mail when a token is used from an address that it had not been used from before.
    pub token_new_address: bool,
}

/// What the set-up created.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SetUpDone {
    pub org_id: String,
    pub user_id: String,
}

/// The person and the organisation to sign in to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SignIn {
    /// A six-digit code of the authenticator app, if the person has a second factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Secret>,
    pub email: String,
    /// The id or slug of the organisation. Defaults to the one that the person joined first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    pub password: Secret,
    /// A recovery code instead of `code`. Each can be used once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_code: Option<Secret>,
}

/// The person, by either `email` or `user_id`, and the organisation to sign in to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SignInFor {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The id or slug of the organisation.
    pub organization: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

/// A valid token of the organisation that was not issued under a trust policy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StaticToken {
    /// The address that it was used from, and identity tokens were exchanged from.
    pub address: String,
    pub id: String,
    /// When it was last used from there.
    pub last_used_at: String,
    pub name: String,
    pub scopes: Vec<String>,
}

/// At most a hundred tokens, the last used first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StaticTokenList {
    pub tokens: Vec<StaticToken>,
}

/// The coverage run to record.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SubmitExecution {
    /// The baseline to compare with, in percent. Defaults to the baseline of the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    /// The name of the branch, up to 255 characters.
    pub branch: String,
    /// 4–64 hexadecimal digits. Required, under this name or as `head_sha`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The coverage in percent: 0–100, with up to four decimals.
    pub coverage: f64,
    /// The drop in percentage points from which the build fails. Defaults to 1. Must not be below `warn_threshold`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_threshold: Option<f64>,
    /// An alternative name of `commit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_sha: Option<String>,
    /// The name of the repository, up to 200 characters, such as `owner/name`.
    pub repo: String,
    /// Whether a warning also fails the build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict_mode: Option<bool>,
    /// The time of the measurement (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
    /// The drop in percentage points from which the build gets a warning. Defaults to 0.5. The sign is ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn_threshold: Option<f64>,
}

/// The organisation to open a session in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SwitchSession {
    /// The id or slug of the organisation.
    pub organization: String,
}

/// What to test with: either `jwt` or `claims`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TestTrustPolicies {
    /// The claims of an identity token, as an alternative to `jwt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Map<String, Value>>,
    /// An identity token. The test does not use it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt: Option<String>,
}

/// A condition and the claim that it was compared with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TestedClaim {
    pub accepted: bool,
    /// The value of the claim; `null` if it is absent, or if it is an array or an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    pub claim: String,
    /// The condition: a string, or `{"in": …}` or `{"glob": …}`.
    pub expected: String,
}

/// The result for one policy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TestedTrustPolicy {
    /// Whether the policy accepts the identity token.
    pub accepted: bool,
    /// The issuer, the audience and each condition.
    pub claims: Vec<TestedClaim>,
    pub enabled: bool,
    pub name: String,
    pub policy_id: String,
    /// Why the policy refuses the token although all claims match: the policy would have to name this type of job
    /// explicitly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// A token. Times are in UTC with seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// A free label without effect on access.
    pub agent_type: String,
    /// The networks from which the token may be used; `null` for any address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_networks: Option<Vec<String>>,
    pub created_at: String,
    /// Who created the token: `user:<id>`, `token:<id>`, `policy:<id>`, `service` or `system`.
    pub created_by: String,
    /// The purpose of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The identifier of the holder in your own system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_period_ends_at: Option<String>,
    /// The first characters of the token, to recognise it by.
    pub hint: String,
    /// The id of the token.
    pub id: String,
    /// The kind of the token: `organization`, `personal` or `actor`.
    pub kind: String,
    /// The time of the last use; up to ten seconds old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    /// The last five addresses from which the token was used, latest first. Empty if validations do not send an
    /// address.
    pub last_used_from: Vec<UsedFrom>,
    /// Data about the holder for gateways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    pub name: String,
    /// The project that the token is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
    /// The comment given at the revocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_note: Option<String>,
    /// `leaked`, `replaced`, `person_left`, `unused` or `other` if given at the revocation; otherwise `requested`,
    /// `superseded`, `rotation_cancelled`, `leaked`, `owner_removed` or `policy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_to: Option<String>,
    pub scopes: Vec<String>,
    /// The current status: `active`, `rotating`, `revoked` or `expired`.
    pub status: String,
}

/// The current access scope of an actor's token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenAccessScope {
    pub id: String,
    pub slug: String,
}

/// The number of tokens by status.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenCounts {
    pub active: u64,
    pub expired: u64,
    pub revoked: u64,
    pub rotating: u64,
}

/// The token exchange request (RFC 8693, section 2.1).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenExchangeRequest {
    /// The id or slug of the organisation. Required if policies of several organisations match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    pub grant_type: String,
    /// The id of the trust policy. Required if several match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_token_type: Option<String>,
    /// The public address of this deployment. May be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// A subset of the policy's scopes, separated by spaces. Defaults to all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The identity token of the workload.
    pub subject_token: Secret,
    pub subject_token_type: String,
}

/// The token exchange response (RFC 8693, section 2.2.1).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenExchangeResponse {
    pub access_token: Secret,
    /// The lifetime in seconds.
    pub expires_in: u64,
    pub issued_token_type: String,
    /// The trust policy under which the token was issued.
    pub policy_id: String,
    /// The scopes, separated by spaces.
    pub scope: String,
    pub token_type: String,
}

/// A page of tokens.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenList {
    /// Send this as `cursor` to get the next page; `null` on the last page. A page may have fewer entries than `limit`
    /// and still not be the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    pub tokens: Vec<Token>,
}

/// The token policy of an organisation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenPolicy {
    pub kinds: TokenRules,
    pub org_id: String,
    /// When the policy was set; `null` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// Who set the policy: `user:<id>` or `token:<id>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_by: Option<String>,
}

/// The rules for one kind of token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenRule {
    /// Whether tokens of this kind may be created and rotated.
    pub allowed: bool,
    /// The scopes that tokens of this kind may carry, together with the scopes they imply; `null` for all scopes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_scopes: Option<Vec<String>>,
    /// The lifetime in days of a token created without an expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_lifetime_days: Option<u64>,
    /// The number of days without use after which a token stops being valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_days: Option<u64>,
    /// The maximum lifetime in days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_lifetime_days: Option<u64>,
}

/// The rules by kind of token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenRules {
    /// Tokens of actors. They expire with their actor.
    pub actor: TokenRule,
    /// Tokens of the organisation itself.
    pub organization: TokenRule,
    /// Personal keys of members.
    pub personal: TokenRule,
}

/// Whether the actor may use the topic.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TopicCheck {
    pub allowed: bool,
    /// Why it may not: `actor_disabled`, `actor_expired`, `access_scope_inactive` or `outside_access_scope`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub topic: String,
}

/// The state of the second factor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TotpStatus {
    pub enabled: bool,
    /// When the second factor was set up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled_at: Option<String>,
    /// The number of unused recovery codes.
    pub recovery_codes_left: u64,
    /// Whether the organisation of this session requires a second factor.
    pub required: bool,
}

/// An exchange attempt with an identity token signed by the issuer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrustAttempt {
    /// The address of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    pub at: String,
    /// The first claim that did not match its condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    pub id: String,
    /// The outcome: `exchanged`, `wrong_audience`, `not_valid_now`, `claims_differ`, `refused_by_default`,
    /// `policy_disabled`, `ambiguous`, `replayed`, `scopes_exceeded` or `limits`.
    pub outcome: String,
    /// The `sub` claim of the identity token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The id of the issued token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_id: Option<String>,
}

/// The last hundred attempts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrustAttemptList {
    pub attempts: Vec<TrustAttempt>,
}

/// A check of the identity token itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrustCheck {
    /// `signature`, `audience` or `time`.
    pub check: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    pub passed: bool,
}

/// A trust policy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrustPolicy {
    /// The actor that the tokens belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<String>,
    /// The required `aud` claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    pub created_at: String,
    /// Who created the policy: `user:<id>`, `token:<id>` or `policy:<id>`.
    pub created_by: String,
    /// Whether the policy is enabled.
    pub enabled: bool,
    pub id: String,
    /// The issuer of the identity tokens.
    pub issuer: String,
    /// The conditions on claims: a string, `{"in": […]}` or `{"glob": …}`, where `*` does not match `/`.
    #[serde(rename = "match")]
    pub match_: Map<String, Value>,
    pub name: String,
    pub org_id: String,
    /// The identity provider: `github`, `gitlab`, `buildkite`, `circleci`, `terraform`, `spacelift`, `kubernetes` or
    /// `generic`.
    pub preset: String,
    /// The project that the tokens are bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    pub scopes: Vec<String>,
    /// The lifetime of the tokens in seconds.
    pub ttl: u32,
    pub updated_at: String,
    /// Who created the policy: `user:<id>`, `token:<id>` or `policy:<id>`.
    pub updated_by: String,
    /// Weaknesses of the policy that its author should consider.
    pub warnings: Vec<TrustWarning>,
}

/// The trust policies of the organisation, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrustPolicyList {
    pub trust_policies: Vec<TrustPolicy>,
}

/// The result of the test.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrustTest {
    /// Whether a token would be issued.
    pub accepted: bool,
    /// The checks of the identity token itself; empty if `claims` were sent.
    pub checks: Vec<TrustCheck>,
    /// Why no token would be issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    pub policies: Vec<TestedTrustPolicy>,
    /// The policy under which a token would be issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<String>,
}

/// A weakness to consider.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrustWarning {
    /// The claim that the warning is about.
    pub claim: String,
    pub message: String,
}

/// The request cannot be read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UnreadableQuestion {
    /// `malformed request`
    pub error: String,
}

/// The number of validations by result.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UsageCounts {
    /// The token was valid.
    pub allowed: u64,
    /// The token was refused: revoked, expired, or its owner is disabled.
    pub denied: u64,
    /// The token was valid but lacked a required scope.
    pub insufficient: u64,
}

/// The usage of one token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UsageReport {
    /// The start of the first step.
    pub from: String,
    /// The scopes of the token, each with the time of its last use.
    pub scopes: Vec<ScopeUse>,
    /// The length of a step: `hour` or `day`.
    pub step: String,
    /// The end of the last step.
    pub to: String,
    pub token_id: String,
    pub total: UsageCounts,
    /// All steps, oldest first, including steps without a use.
    pub usage: Vec<UsageStep>,
}

/// The usage in one step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UsageStep {
    /// The token was valid.
    pub allowed: u64,
    /// The start of the step.
    pub begins_at: String,
    /// The token was refused: revoked, expired, or its owner is disabled.
    pub denied: u64,
    /// The token was valid but lacked a required scope.
    pub insufficient: u64,
}

/// An address from which a token was used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UsedFrom {
    pub address: String,
    /// The user agent of the client; `null` if a gateway validated the token on its behalf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// When the token was last used from there, to the minute.
    pub at: String,
    /// When the token was first used from there, since the address last became one of the five.
    pub first_at: String,
}

/// The actor may stay, and use this.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ValidActor {
    pub actor_token_id: String,
    pub actor_type: String,
    /// The project, as the one application of a broker.
    pub apps: Vec<BrokerApp>,
    /// When the connection must end, in seconds since 1970; `null` if the token does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_expires_at: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connections: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_message_size_bytes: Option<u32>,
    pub organization_id: String,
    pub persistent_session: bool,
    pub project_id: String,
    pub project_name: String,
    /// The access scope of the actor. Absent if it acts in the whole project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_slug: Option<String>,
    pub session_expiry_seconds: u32,
    pub valid: bool,
}

/// A valid token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ValidToken {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_scope: Option<TokenAccessScope>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The holder in the caller's own system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_period_ends_at: Option<String>,
    /// The kind of the token: `organization`, `personal` or `actor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The organisation of the token.
    pub org_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The scopes of the token.
    pub scopes: Vec<String>,
    /// `active` or `rotating`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_id: Option<String>,
    /// `true`
    pub valid: bool,
}

/// The validation request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ValidateRequest {
    /// Whether to return all details of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<bool>,
    /// The address from which the token was presented. It is checked against the allowed networks of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The required scopes, all of which the token must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_scopes: Option<Vec<String>>,
    /// The token as presented.
    pub token: Secret,
}

/// The change of the coverage and its consequence.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The coverage minus the baseline in percentage points, with a sign and two decimals.
    pub delta: String,
    /// The exit code for the build: 1 on failure, and on a warning in strict mode.
    pub exit_code: u32,
    /// `pass`, `warn` or `fail`.
    pub outcome: String,
}

/// The result of the verification.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// The number of events that were found intact.
    pub checked: u64,
    /// Whether the verification has reached the end of the trail or a damaged event.
    pub complete: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_bad: Option<FirstBad>,
    /// The last intact event: its sequence number, a full stop and its hash. Save it elsewhere and send it later as
    /// `expect_head`.
    pub head: String,
    /// Send this as `after` to continue; `null` if the verification is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Whether everything checked so far is intact.
    pub ok: bool,
}

/// The code that was mailed to the address.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct VerifyEmail {
    pub code: Secret,
}

/// A scope without effect.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Warning {
    pub message: String,
    /// The scopes that are missing.
    pub requires: Vec<String>,
    pub scope: String,
}

/// A webhook.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Webhook {
    pub created_at: String,
    /// Who created the webhook: `user:<id>` or `token:<id>`.
    pub created_by: String,
    /// What the webhook is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether events are sent.
    pub enabled: bool,
    /// The types of events that are sent.
    pub events: Vec<String>,
    /// Attempts that failed since the last one that succeeded.
    pub failures: u32,
    /// When the endpoint answered 410, which disabled the webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_at: Option<String>,
    pub id: String,
    pub org_id: String,
    /// Until when messages are signed with the previous secret as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_secret_expires_at: Option<String>,
    pub updated_at: String,
    /// Who changed the webhook last: `user:<id>`, `token:<id>` or `system`.
    pub updated_by: String,
    /// Where events are sent, by POST.
    pub url: String,
}

/// An event on its way to a webhook.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WebhookDelivery {
    /// The number of attempts since the delivery was queued.
    pub attempts: u32,
    /// When the delivery was queued: at the event, or at the last replay.
    pub created_at: String,
    /// When it was delivered, or when it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// Why the last attempt got no answer: `address_not_allowed`, `no_answer`, `secret_unavailable` or
    /// `waited_too_long`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The type of the event.
    pub event: String,
    /// The `webhook-id` of the message.
    pub id: String,
    /// When the last attempt was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_attempt_at: Option<String>,
    /// When the next attempt is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<String>,
    /// The status code that the last attempt was answered with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_code: Option<u32>,
    /// The status: `pending`, `delivered` or `failed`.
    pub status: String,
    pub webhook_id: String,
}

/// The webhooks of the organisation, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WebhookList {
    pub webhooks: Vec<Webhook>,
}

/// A webhook with a secret that was just created. It is shown once.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WebhookWithSecret {
    pub created_at: String,
    /// Who created the webhook: `user:<id>` or `token:<id>`.
    pub created_by: String,
    /// What the webhook is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether events are sent.
    pub enabled: bool,
    /// The types of events that are sent.
    pub events: Vec<String>,
    /// Attempts that failed since the last one that succeeded.
    pub failures: u32,
    /// When the endpoint answered 410, which disabled the webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_at: Option<String>,
    pub id: String,
    pub org_id: String,
    /// Until when messages are signed with the previous secret as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_secret_expires_at: Option<String>,
    /// The secret with which messages are signed, in the form of Standard Webhooks.
    pub secret: Secret,
    pub updated_at: String,
    /// Who changed the webhook last: `user:<id>`, `token:<id>` or `system`.
    pub updated_by: String,
    /// Where events are sent, by POST.
    pub url: String,
}

/// The addresses of this deployment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WellKnownAddresses {
    /// Introspects a token (RFC 7662).
    pub introspect: String,
    /// Revokes tokens that were found: `POST {"credentials": […]}`.
    pub revoke: String,
    pub rules: ScanRules,
    /// Validates a token: `POST {"token": …}`.
    pub validate: String,
}

/// The owner of the tokens to list. Defaults to the organisation itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Whose {
    /// Only tokens of this kind: `organization`, `personal` or `actor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Only tokens of this owner: `user:<id>` or `actor:<id>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}
