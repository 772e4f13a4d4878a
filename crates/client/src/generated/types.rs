//! What travels: the bodies of requests and answers, from `docs/reference/openapi.json`.
//!
//! Written by `cargo xtask check --write`; changes by hand do not last.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Secret;
use crate::double_option;

/// The code, and who accepts it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AcceptInvitation {
    pub code: Secret,
    /// The name of somebody without an account; their address if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The password of one's account, or, without an account, the one to have from now on: 12–1024 characters. Not needed
    /// with a session of the account in `Authorization`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
}

/// A member just made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AcceptedInvitation {
    /// Whether the account was made by this.
    pub new_account: bool,
    pub org_id: String,
    pub role: String,
    pub user_id: String,
}

/// An access scope. Times are UTC to the millisecond.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AccessScope {
    #[serde(rename = "accessScopeId")]
    pub access_scope_id: String,
    /// Only where it was asked for.
    #[serde(rename = "actorCount", default, skip_serializing_if = "Option::is_none")]
    pub actor_count: Option<u64>,
    #[serde(rename = "createdAt")]
    pub created_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether its actors may act at all.
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

/// An actor. Times are UTC to the millisecond.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Actor {
    /// `null`: the whole project.
    #[serde(rename = "accessScopeId", default, skip_serializing_if = "Option::is_none")]
    pub access_scope_id: Option<String>,
    #[serde(rename = "actorId")]
    pub actor_id: String,
    /// `actorId` once more; in the short form only.
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
    /// Whether `status` is `active`; in the short form only.
    #[serde(rename = "isActive", default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// The same time as `lastUsedAt`, under the name that clients of connecting actors read.
    #[serde(rename = "lastConnectedAt", default, skip_serializing_if = "Option::is_none")]
    pub last_connected_at: Option<String>,
    /// Up to ten seconds behind.
    #[serde(rename = "lastUsedAt", default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    pub name: String,
    #[serde(rename = "projectId")]
    pub project_id: String,
    /// `active`, `disabled` or `expired`, as of now.
    pub status: String,
    #[serde(rename = "updatedAt")]
    pub updated_at: String,
}

/// Actors of the project.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ActorIds {
    /// 1–1000 ids.
    #[serde(rename = "actorIds")]
    pub actor_ids: Vec<String>,
}

/// Whom to add: either `email` or `user_id`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AddMember {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// `owner`, `admin`, `member`, `viewer`, or the id of a role of this organisation.
    pub role: String,
    /// Somebody you share an organisation with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

/// A policy to set or try out, in place of the one in force. What is left out is not asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AskedPolicy {
    pub kinds: AskedTokenRules,
}

/// What is to be asked of one kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AskedTokenRule {
    /// Whether such tokens may be made and rotated; `true` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<bool>,
    /// 1–64 scopes that such tokens can carry; anything if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_scopes: Option<Vec<String>>,
    /// 1–36500, at most `max_lifetime_days`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_lifetime_days: Option<u32>,
    /// 1–36500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_days: Option<u32>,
    /// 1–36500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_lifetime_days: Option<u32>,
}

/// Rules by kind of token; nothing is asked of a kind that is left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AskedTokenRules {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<AskedTokenRule>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<AskedTokenRule>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal: Option<AskedTokenRule>,
}

/// What became of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AssignedActors {
    /// Those that are somewhere else than before.
    pub changed: u64,
    /// Those that already were as asked.
    pub unchanged: u64,
}

/// An event of the trail.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AuditEvent {
    pub action: String,
    /// `user:<id>`, `token:<id>`, `policy:<id>`, `service`, `system` or `anonymous`.
    pub actor: String,
    /// To the microsecond.
    pub at: String,
    /// More, depending on the action.
    pub detail: Map<String, Value>,
    /// SHA-256 over all of the above and the hash before; `seq` and `hash` are what to remember of a trail.
    pub hash: String,
    /// The hash of the event before it.
    pub prev_hash: String,
    /// The `X-Request-ID` of the request that did it.
    pub request_id: String,
    /// Its number: from 1, without gaps.
    pub seq: u64,
    /// Its id, as the rest of the API shows it.
    pub target_id: String,
    /// What it was done to; empty when there is nothing.
    pub target_kind: String,
}

/// Authorisation server metadata (RFC 8414 §2).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AuthorizationServer {
    pub grant_types_supported: Vec<String>,
    pub introspection_endpoint: String,
    pub introspection_endpoint_auth_methods_supported: Vec<String>,
    pub issuer: String,
    /// None: there is no authorisation endpoint. Required by the standard all the same.
    pub response_types_supported: Vec<String>,
    pub revocation_endpoint: String,
    pub revocation_endpoint_auth_methods_supported: Vec<String>,
    pub scopes_supported: Vec<String>,
    pub service_documentation: String,
    pub token_endpoint: String,
    pub token_endpoint_auth_methods_supported: Vec<String>,
}

/// A baseline.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The commit it was measured on, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Percent.
    pub coverage: f64,
    pub repo: String,
    /// When it was measured.
    pub timestamp: String,
}

/// A baseline that is or was in force.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BaselineEntry {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Percent.
    pub coverage: f64,
    /// When it came into force.
    pub set_at: String,
    /// By whom: `user:<id>` or `token:<id>`.
    pub set_by: String,
    /// When it was measured.
    pub timestamp: String,
}

/// A page of a repository's baselines.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BaselineHistory {
    pub history: Vec<BaselineEntry>,
    /// Send it as `cursor` for the next page; `null` on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    pub repo: String,
}

/// The tokens that are asked about.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchRequest {
    /// As presented; at most 1000. The same may come more than once.
    pub tokens: Vec<Secret>,
}

/// The body that asking about the token alone would have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum BatchResult {
    /// [`ValidToken`]
    ValidToken(Box<ValidToken>),
    /// [`InvalidToken`]
    InvalidToken(Box<InvalidToken>),
}

/// What is known about them. For the API document: the answer is put together from bytes that are ready.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchResults {
    /// One for each token, in the order they were asked about.
    pub results: Vec<BatchResult>,
}

/// The filters of the list of tokens, of which at least one is given.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BulkFilter {
    /// Only those with this label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<String>,
    /// Only those made by `user:<id>`, `token:<id>`, `policy:<id>`, `service` or `system`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Only those that end by themselves before this moment; RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_before: Option<String>,
    /// Only those of this holder in the caller's own system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// `organization`, `personal` or `actor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// 1–1000; 100 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only those with this in their name, without regard to case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// One owner's: `user:<id>` or `actor:<id>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Only those bound to this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Only those with this in their name, description, `external_id` or hint, or with this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Only those revoked, or past their grace, after this moment; RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_after: Option<String>,
    /// Only those that carry this scope by this very name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Only `active`, `rotating`, `revoked` or `expired` ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Only those made more than so many days ago and not used since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_days: Option<u32>,
}

/// Which tokens to revoke, and why. `ids` or `filter`, not both.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BulkRevoke {
    /// Only say what would happen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// How many tokens there were when the caller looked: 409 when that has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_count: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<BulkFilter>,
    /// 1–1000 of the organisation's tokens; those that are dead already or not there are not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<String>>,
    /// What else there is to say: up to 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// `leaked`, `replaced`, `person_left`, `unused` or `other`.
    pub reason: String,
}

/// What became of them, or would.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BulkRevokedView {
    /// Those with the most uses since a day ago, at most ten.
    pub busiest: Vec<Busy>,
    /// Live tokens that were chosen.
    pub matched: u64,
    /// Of those, how many were revoked by this request.
    pub revoked: u64,
}

/// A token that is in use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Busy {
    pub token: Token,
    /// How often it was found good since a day ago.
    pub uses: u64,
}

/// Every scope there is, and ready choices of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    pub presets: Vec<ScopePreset>,
    pub scopes: Vec<Scope>,
}

/// The old and the new.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ChangePassword {
    pub current_password: Secret,
    /// 12–1024 characters.
    pub new_password: Secret,
}

/// What a deletion would take away.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Concerned {
    #[serde(rename = "accessScopes")]
    pub access_scopes: u64,
    pub actors: u64,
    /// Tokens of its actors, and tokens bound to it.
    #[serde(rename = "liveTokens")]
    pub live_tokens: u64,
}

/// A code of the app.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ConfirmTotp {
    /// Six digits.
    pub code: Secret,
}

/// An actor to make.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateActor {
    /// An access scope of this project; the whole project if left out.
    #[serde(rename = "accessScopeId", default, skip_serializing_if = "Option::is_none")]
    pub access_scope_id: Option<String>,
    /// `device`, `user`, `server`, `agent`, `service`, `session`, `orchestrator` or `observer`;
    /// `device` if left out.
    #[serde(rename = "actorType", default, skip_serializing_if = "Option::is_none")]
    pub actor_type: Option<String>,
    /// 1–500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it and its tokens end; RFC 3339.
    #[serde(rename = "expiresAt", default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// What another system calls it; 1–255 characters.
    #[serde(rename = "externalId", default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// An object of at most 4 KiB and 8 levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// 1–255 characters.
    pub name: String,
    /// What its token may do, none of it beyond the caller's own; `self:rotate` alone if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
}

/// Whom to invite.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateInvitation {
    pub email: String,
    /// `owner`, `admin`, `member`, `viewer`, or the id of a role of this organisation.
    pub role: String,
}

/// A key to make. It is the caller's own, in the caller's organisation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateKey {
    /// A label: empty, or up to 64 of `a–z`, `0–9`, `_`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<String>,
    /// Where it may be used from: up to 32 networks in CIDR notation; from anywhere if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_networks: Option<Vec<String>>,
    /// What it is for: up to 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it ends; RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Or: in how many days it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_days: Option<u32>,
    /// Its holder in the caller's own system: up to 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// What a gateway wants to know about the holder: an object of up to 4 KiB, 8 levels deep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// 1–100 characters.
    pub name: String,
    /// A project of the organisation to bind the key to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// 1–64 scopes of the catalogue, none beyond the caller's role; the catalogue's defaults if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
}

/// An organisation to make.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateOrganization {
    /// 1–100 characters; the slug if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Lower-case letters, digits and inner hyphens; at most 100. Never changes.
    pub slug: String,
}

/// A project to make.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateProject {
    /// 1–100 characters; the slug if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// 1–100 lower-case letters, digits and inner hyphens; unique in the organisation, for good.
    pub slug: String,
}

/// A role to make.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateRole {
    /// 1–100 characters that no other role's name looks like.
    pub name: String,
    /// 1–64 scopes of the catalogue, none beyond the caller's own.
    pub scopes: Vec<String>,
}

/// An access scope to make.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateScope {
    /// 1–500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether its actors may act at all; they may if left out.
    #[serde(rename = "isActive", default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// An object of at most 4 KiB and 8 levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// 1–255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// 1–100 lower-case letters, digits and inner hyphens; unique in the project, for good.
    pub slug: String,
}

/// A token to make. The organisation is always the caller's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateToken {
    /// A label: empty, or up to 64 of `a–z`, `0–9`, `_`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<String>,
    /// Where it may be used from: up to 32 networks in CIDR notation; from anywhere if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_networks: Option<Vec<String>>,
    /// What it is for: up to 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it ends; RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Or: in how many days it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_days: Option<u32>,
    /// Its holder in the caller's own system: up to 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// What a gateway wants to know about the holder: an object of up to 4 KiB, 8 levels deep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// 1–100 characters.
    pub name: String,
    /// A project of the organisation to bind the token to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// 1–64 scopes of the catalogue, none beyond the caller's own.
    pub scopes: Vec<String>,
}

/// A policy to make.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreateTrustPolicy {
    /// An actor of that project, for tokens of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<String>,
    /// What `aud` must be; the public address of this deployment if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Whether it is in force; `true` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Who signs the identity tokens, exactly as in `iss`; may be left out for `github`, `buildkite` and `terraform`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What each claim must be, all of them: a text, `{"in": […]}` or `{"glob": …}`, where `*` stays within `/`. A name that
    /// begins with `/` points into an object. An issuer that everybody shares needs a claim that cannot change hands.
    #[serde(rename = "match")]
    pub match_: Map<String, Value>,
    /// 1–100 characters; tokens made under it are called so.
    pub name: String,
    /// What is known of the identity provider; follows from an issuer that everybody shares, else `generic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// A project to bind the tokens to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// 1–64 scopes, none beyond the caller's own.
    pub scopes: Vec<String>,
    /// How long a token lives: 60–3600 seconds, 900 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u32>,
}

/// A token just made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CreatedToken {
    /// A label without effect on access.
    pub agent_type: String,
    /// Where it may be used from; `null` for anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_networks: Option<Vec<String>>,
    pub created_at: String,
    /// `user:<id>`, `token:<id>`, `policy:<id>`, `service` or `system`.
    pub created_by: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Its holder in the caller's own system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_period_ends_at: Option<String>,
    /// How the token begins, to recognise it by.
    pub hint: String,
    /// Its id.
    pub id: String,
    /// `organization`, `personal` or `actor`.
    pub kind: String,
    /// Up to ten seconds behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    /// The addresses it was used from last, at most five, the last first. Empty where those who ask about it name none.
    pub last_used_from: Vec<UsedFrom>,
    /// What a gateway wants to know about the holder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    pub name: String,
    /// The project it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
    /// What else was said when it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_note: Option<String>,
    /// `leaked`, `replaced`, `person_left`, `unused` or `other` as whoever revoked it said; else `requested`, `superseded`,
    /// `rotation_cancelled`, `leaked`, `owner_removed` or `policy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_to: Option<String>,
    pub scopes: Vec<String>,
    /// Shown once.
    pub secret: Secret,
    /// `active`, `rotating`, `revoked` or `expired`, as of now.
    pub status: String,
    /// Scopes that will not work for want of a companion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warnings: Option<Vec<Warning>>,
}

/// The password, and the second factor once more.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DeleteTotp {
    /// Six digits of the app, or else `recovery_code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Secret>,
    pub password: Secret,
    /// One of the recovery codes, which is used up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_code: Option<Secret>,
}

/// What to change; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EditActor {
    /// An access scope of this project; `null` for the whole project.
    #[serde(rename = "accessScopeId", default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub access_scope_id: Option<Option<String>>,
    /// `device`, `user`, `server`, `agent`, `service`, `session`, `orchestrator` or `observer`.
    #[serde(rename = "actorType", default, skip_serializing_if = "Option::is_none")]
    pub actor_type: Option<String>,
    /// 1–500 characters; `null` for none.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub description: Option<Option<String>>,
    /// When it and its tokens end; RFC 3339, `null` for never.
    #[serde(rename = "expiresAt", default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Option<String>>,
    /// What another system calls it; `null` for nothing.
    #[serde(rename = "externalId", default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub external_id: Option<Option<String>>,
    /// The same as a yes or no, for clients that think of it so.
    #[serde(rename = "isActive", default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub is_active: Option<Option<bool>>,
    /// An object of at most 4 KiB and 8 levels; `null` for none.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Option<Map<String, Value>>>,
    /// 1–255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `active` or `disabled`.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub status: Option<Option<String>>,
}

/// What to change; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EditMe {
    /// Takes a session that was proven lately: `POST /v1/sessions/current/proof`.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub email: Option<Option<String>>,
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub name: Option<Option<String>>,
}

/// What to change; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EditMember {
    /// `owner`, `admin`, `member`, `viewer`, or the id of a role of this organisation.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub role: Option<Option<String>>,
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub status: Option<Option<MemberStatus>>,
}

/// What to change; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EditOrganization {
    /// 1–100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether its people need a second factor. A session of somebody without one is then good for setting one up only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_second_factor: Option<bool>,
    /// The slug it has, if it is sent at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
}

/// What to change; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EditProject {
    /// 1–100 characters; `null` for the slug.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub name: Option<Option<String>>,
    /// The slug it has, if it is sent at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
}

/// What to change; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EditRole {
    /// 1–100 characters that no other role's name looks like.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub name: Option<Option<String>>,
    /// 1–64 scopes of the catalogue, none beyond the caller's own, in the place of those it has.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Option<Vec<String>>>,
}

/// What to change; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EditScope {
    /// 1–500 characters; `null` for none.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub description: Option<Option<String>>,
    /// Whether its actors may act at all.
    #[serde(rename = "isActive", default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub is_active: Option<Option<bool>>,
    /// An object of at most 4 KiB and 8 levels; `null` for none.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Option<Map<String, Value>>>,
    /// 1–255 characters; `null` for none.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub name: Option<Option<String>>,
    /// The slug it has, if it is sent at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
}

/// What to change; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EditToken {
    /// A label: empty, or up to 64 of `a–z`, `0–9`, `_`.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<Option<String>>,
    /// Up to 500 characters; `null` takes it away.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub description: Option<Option<String>>,
    /// Up to 255 characters; `null` takes it away.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub external_id: Option<Option<String>>,
    /// An object of up to 4 KiB; `null` takes it away.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Option<Map<String, Value>>>,
    /// 1–100 characters.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub name: Option<Option<String>>,
}

/// What to change; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EditTrustPolicy {
    /// An actor of that project; `null` for tokens of the organisation.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<Option<String>>,
    /// What `aud` must be; `null` for the public address of this deployment.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub audience: Option<Option<String>>,
    /// Whether it is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// What each claim must be, in place of all conditions before.
    #[serde(rename = "match", default, skip_serializing_if = "Option::is_none")]
    pub match_: Option<Map<String, Value>>,
    /// 1–100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A project to bind the tokens to; `null` for none.
    #[serde(default, with = "double_option", skip_serializing_if = "Option::is_none")]
    pub project_id: Option<Option<String>>,
    /// 1–64 scopes, none beyond the caller's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// How long a token lives: 60–3600 seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u32>,
}

/// A good token, presented from where it may not be used.
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

/// A coverage to judge: the body of a submission, of which the branch and the commit may be left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Enforce {
    /// What to measure it against, in percent, instead of the repository's baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Percent, 0–100, kept to four decimals.
    pub coverage: f64,
    /// The drop in points that fails; 1 if left out. Not below `warn_threshold`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_threshold: Option<f64>,
    /// Another name of `commit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_sha: Option<String>,
    pub repo: String,
    /// Whether a warning stops the build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict_mode: Option<bool>,
    /// The drop in points that warns; 0.5 if left out. The sign does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn_threshold: Option<f64>,
}

/// What a build is told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Enforcement {
    /// What it was measured against; its own coverage where there was nothing.
    pub baseline: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    pub coverage: f64,
    /// Coverage less baseline, in points, with a sign and two places.
    pub delta: String,
    /// What the build should exit with: 1 on failure, and on a warning in strict mode.
    pub exit_code: u32,
    /// `pass`, `warn` or `fail`.
    pub outcome: String,
    pub repo: String,
}

/// Any error.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Error {
    /// Short and stable, for programs.
    pub error: String,
    /// `message` once more, where the words are those of OAuth 2.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
    /// The field or parameter that was not acceptable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What to do about it, for people; may change.
    pub message: String,
    /// The scopes that were not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Vec<String>>,
    /// The status once more.
    #[serde(rename = "statusCode")]
    pub status_code: u32,
}

/// What is compared with what.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EvaluateScopes {
    /// Scopes as a token would carry them; at most 256.
    pub granted: Vec<String>,
    /// Scopes as an operation would ask for them, all of them; at most 256.
    pub required: Vec<String>,
}

/// A page of events.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EventList {
    pub events: Vec<AuditEvent>,
    /// Send it as `after` for the next page; `null` on the last, and only there: a page of a search may be short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A recorded submission and what its build is told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// What it was measured against, in percent; its own coverage where there was nothing.
    pub baseline: f64,
    pub branch: String,
    pub commit: String,
    /// Percent.
    pub coverage: f64,
    pub created_at: String,
    /// Coverage less baseline, in points, with a sign and two places.
    pub delta: String,
    /// What the build should exit with: 1 on failure, and on a warning in strict mode.
    pub exit_code: u32,
    /// Its id.
    pub id: String,
    /// `pass`, `warn` or `fail`.
    pub outcome: String,
    pub repo: String,
}

/// An execution with everything that is known of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExecutionDetail {
    /// What it was measured against, in percent; its own coverage where there was nothing.
    pub baseline: f64,
    pub branch: String,
    pub commit: String,
    /// Percent.
    pub coverage: f64,
    pub created_at: String,
    /// Coverage less baseline, in points, with a sign and two places.
    pub delta: String,
    /// What the build should exit with: 1 on failure, and on a warning in strict mode.
    pub exit_code: u32,
    /// From which drop on it failed, in points.
    pub fail_threshold: f64,
    /// Its id.
    pub id: String,
    /// `pass`, `warn` or `fail`.
    pub outcome: String,
    pub repo: String,
    pub strict_mode: bool,
    /// `user:<id>` or `token:<id>`.
    pub submitted_by: String,
    /// When it was measured, if the build said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
    /// From which drop on it warned, in points.
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
    /// Send it as `cursor` for the next page; `null` on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// How many executions the repository has in all.
    pub total: u64,
}

/// An event that is not as it was written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FirstBad {
    /// `missing`, `changed`, `unlinked`, `replaced`, `cut_off`, `added` or `unreadable`.
    pub fault: String,
    /// The same for people.
    pub message: String,
    /// Its number.
    pub seq: u64,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FoundCredentials {
    /// As found; at most 1000 texts. What is no token of this deployment is passed over.
    pub credentials: Vec<Secret>,
}

/// What a probe is told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// `ok`
    pub status: String,
}

/// A token that would be hit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HitToken {
    /// A label without effect on access.
    pub agent_type: String,
    /// Where it may be used from; `null` for anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_networks: Option<Vec<String>>,
    pub created_at: String,
    /// `user:<id>`, `token:<id>`, `policy:<id>`, `service` or `system`.
    pub created_by: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Its holder in the caller's own system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_period_ends_at: Option<String>,
    /// How the token begins, to recognise it by.
    pub hint: String,
    /// Its id.
    pub id: String,
    /// `organization`, `personal` or `actor`.
    pub kind: String,
    /// Up to ten seconds behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    /// The addresses it was used from last, at most five, the last first. Empty where those who ask about it name none.
    pub last_used_from: Vec<UsedFrom>,
    /// What a gateway wants to know about the holder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    pub name: String,
    /// The project it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// `idle`, `lifetime`, `scopes`, `kind`.
    pub reasons: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
    /// What else was said when it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_note: Option<String>,
    /// `leaked`, `replaced`, `person_left`, `unused` or `other` as whoever revoked it said; else `requested`, `superseded`,
    /// `rotation_cancelled`, `leaked`, `owner_removed` or `policy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_to: Option<String>,
    pub scopes: Vec<String>,
    /// `active`, `rotating`, `revoked` or `expired`, as of now.
    pub status: String,
}

/// What is known about it (RFC 7662 §2.2). Of a token that is not good, or another organisation's: `active` alone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Introspection {
    /// The slug of the actor's access scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_scope: Option<String>,
    /// Whether it is good.
    pub active: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<String>,
    /// The token's id: each token is a client of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// When it ends, in seconds since 1970; left out when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<u64>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<u64>,
    /// This deployment, by `server.public_url`; left out without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// The token's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// `organization`, `personal` or `actor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// What it may do, separated by spaces: its scopes as granted, then all that they cover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Whose it is: the id of the organisation, the person or the actor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// `Bearer`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
}

/// The token that is asked about (RFC 7662 §2.1).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct IntrospectionRequest {
    /// As presented.
    pub token: Secret,
    /// What sort of token it may be. Not needed: there is one sort.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type_hint: Option<String>,
}

/// Not a good token; the same bytes whatever the reason.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct InvalidToken {
    /// `invalid token`
    pub error: String,
    /// `false`
    pub valid: bool,
}

/// An invitation nobody has accepted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Invitation {
    pub created_at: String,
    /// `user:<id>` or `token:<id>`.
    pub created_by: String,
    pub email: String,
    pub expires_at: String,
    pub id: String,
    /// What the role is called.
    pub role: String,
    /// The id of the role, unless it is built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_id: Option<String>,
    /// `pending` or `expired`.
    pub status: String,
}

/// A page of invitations.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct InvitationList {
    pub invitations: Vec<Invitation>,
    /// Send it as `cursor` for the next page; `null` on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A good token without the scopes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LackingToken {
    /// `insufficient scope`
    pub error: String,
    pub message: String,
    /// The scopes that are lacking.
    pub missing: Vec<String>,
    #[serde(rename = "statusCode")]
    pub status_code: u32,
    /// `true`
    pub valid: bool,
}

/// What became of one finding. For the API document.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LeakFeedback {
    /// `true_positive`, also when it was revoked before, or `false_positive`.
    pub label: String,
    /// The SHA-256 of the token, in Base64.
    pub token_hash: String,
    /// As it came.
    pub token_type: String,
}

/// One finding. For the API document.
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

/// Which tokens to list. All conditions hold together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ListTokensQuery {
    /// Only those with this label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_type: Option<String>,
    /// Only those made by `user:<id>`, `token:<id>`, `policy:<id>`, `service` or `system`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Only those that end by themselves before this moment; RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_before: Option<String>,
    /// Only those of this holder in the caller's own system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// 1–1000; 100 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only those with this in their name, without regard to case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only those bound to this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Only those with this in their name, description, `external_id` or hint, or with this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Only those revoked, or past their grace, after this moment; RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_after: Option<String>,
    /// Only those that carry this scope by this very name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Only `active`, `rotating`, `revoked` or `expired` ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Only those made more than so many days ago and not used since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_days: Option<u32>,
}

/// A secret that was found somewhere.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LookupToken {
    /// The token as it was found.
    pub token: Secret,
}

/// An actor just made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MadeActor {
    /// `null`: the whole project.
    #[serde(rename = "accessScopeId", default, skip_serializing_if = "Option::is_none")]
    pub access_scope_id: Option<String>,
    /// Its token; shown once.
    #[serde(rename = "accessToken")]
    pub access_token: Secret,
    #[serde(rename = "actorId")]
    pub actor_id: String,
    /// `actorId` once more; in the short form only.
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
    /// Whether `status` is `active`; in the short form only.
    #[serde(rename = "isActive", default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// The same time as `lastUsedAt`, under the name that clients of connecting actors read.
    #[serde(rename = "lastConnectedAt", default, skip_serializing_if = "Option::is_none")]
    pub last_connected_at: Option<String>,
    /// Up to ten seconds behind.
    #[serde(rename = "lastUsedAt", default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    pub name: String,
    #[serde(rename = "projectId")]
    pub project_id: String,
    /// `active`, `disabled` or `expired`, as of now.
    pub status: String,
    #[serde(rename = "updatedAt")]
    pub updated_at: String,
}

/// Either kind of 400: the second names an `ip`, or a header, that is not acceptable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MalformedQuestion {
    /// [`UnreadableQuestion`]
    UnreadableQuestion(Box<UnreadableQuestion>),
    /// [`Error`]
    Error(Box<Error>),
}

/// The person, where they are and what they may do there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Me {
    pub email: String,
    /// Whether somebody has verified the address. Until then it adds nobody to an organization.
    pub email_verified: bool,
    pub name: String,
    pub org_id: String,
    /// An address that was asked for and not verified yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_email: Option<String>,
    pub role: String,
    /// Everything this credential may do now, by name.
    pub scopes: Vec<String>,
    pub user_id: String,
}

/// A member of an organisation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub email: String,
    /// Since when.
    pub joined_at: String,
    pub name: String,
    /// What the role is called.
    pub role: String,
    /// The id of the role, unless it is built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_id: Option<String>,
    /// `active`, or `disabled` while neither sessions nor keys of theirs count.
    pub status: String,
    pub user_id: String,
}

/// A page of members.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MemberList {
    pub members: Vec<Member>,
    /// Send it as `cursor` for the next page; `null` on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Live sessions of a member.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MemberSessionList {
    pub sessions: Vec<Session>,
}

/// Whether a member counts.
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

/// An invitation just made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NewInvitation {
    /// Shown once: `nli_` and 64 hexadecimal digits. Hand it to the invited person.
    pub code: Secret,
    pub created_at: String,
    /// `user:<id>` or `token:<id>`.
    pub created_by: String,
    pub email: String,
    pub expires_at: String,
    pub id: String,
    /// What the role is called.
    pub role: String,
    /// The id of the role, unless it is built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_id: Option<String>,
    /// `pending` or `expired`.
    pub status: String,
}

/// The second factor once more, so that an open session alone gives no recovery codes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NewRecoveryCodes {
    /// Six digits of the app, or else `recovery_code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Secret>,
    /// One of the old ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_code: Option<Secret>,
}

/// A session just made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NewSession {
    pub expires_at: String,
    pub id: String,
    pub org_id: String,
    pub role: String,
    /// True where the organisation asks for a second factor that the person lacks: the session is good for setting one up
    /// (`POST /v1/me/totp`) and for nothing else. Left out otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_factor_required: Option<bool>,
    /// Shown once: `nls_` and 64 hexadecimal digits.
    pub token: Secret,
    pub user_id: String,
}

/// A second factor that waits for its first code.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NewTotp {
    /// The same for the app to scan, drawn as a QR code.
    pub otpauth_uri: Secret,
    /// Shown once: 32 letters and digits of base 32, for typing into the app.
    pub secret: Secret,
}

/// The servers that share the database.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeList {
    /// In the order they registered in. Empty where one process serves an SQLite file.
    pub nodes: Vec<NodeView>,
}

/// A server that shares the database with others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeView {
    /// Entries of the log of changes it has applied.
    pub applied: u64,
    /// Entries that another node has applied and this one has not reported yet.
    pub behind: u64,
    /// `strict` or `relaxed`: when it answers a change that takes rights away.
    pub consistency: String,
    /// Another with each start.
    pub id: String,
    /// What is left of the time for which it may answer from memory, at least; 0 when nobody knows whether it is there.
    pub lease_seconds: f64,
    /// The newest migration the program knows.
    pub migration: String,
    /// When it reported last.
    pub seen_at: String,
    pub started_at: String,
    /// Which key its tags are made with: the same on all nodes, or each token costs a slow hash on every change of node.
    pub tag_key: String,
    /// Of the program.
    pub version: String,
}

/// What a probe of readiness is told when something is missing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NotReady {
    pub error: String,
    /// Their names: `setup` is not done, `database` does not answer, `disk` takes no changes, `lease` is not held, `stopping`.
    pub failing: Vec<String>,
    /// Which parts are not ready, in words.
    pub message: String,
    #[serde(rename = "statusCode")]
    pub status_code: u32,
}

/// An organisation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Organization {
    pub created_at: String,
    pub id: String,
    pub name: String,
    /// Whether its people need a second factor.
    pub require_second_factor: bool,
    /// The role of the person whose credential it is; `null` for a token of an organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The id of that role, unless it is built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_id: Option<String>,
    pub slug: String,
    /// The most live tokens it may have; `null` for no cap. The operator's to set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_cap: Option<u32>,
    pub updated_at: String,
}

/// A page of organisations.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OrganizationList {
    /// Send it as `cursor` for the next page; `null` on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    pub organizations: Vec<Organization>,
}

/// The uses of all tokens of an organisation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OrganizationUsage {
    /// Where the first step begins.
    pub from: String,
    /// `hour` or `day`.
    pub step: String,
    /// Where the last one ends.
    pub to: String,
    pub total: UsageCounts,
    /// Every step from the oldest on, those without a use included.
    pub usage: Vec<UsageStep>,
}

/// A member, or an invitation to become one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Outcome {
    /// [`Member`]
    Member(Box<Member>),
    /// [`NewInvitation`]
    NewInvitation(Box<NewInvitation>),
}

/// Whose token it is.
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

/// Which page it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PageMeta {
    /// As granted.
    pub limit: u32,
    pub page: u64,
    /// How many there are on all pages.
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

/// The page once more.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Pagination {
    pub page: u64,
    #[serde(rename = "pageCount")]
    pub page_count: u64,
    pub total: u64,
}

/// What a policy would do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PolicyPreview {
    pub counts: PreviewCounts,
    /// Send it as `cursor` to go on after the last token shown, or after the twenty thousand that one call looks at at most;
    /// `null` when that was all. Counts are of what a call looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    pub tokens: Vec<HitToken>,
}

/// How many live tokens would be hit, and how.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PreviewCounts {
    /// Looked at.
    pub examined: u64,
    /// Hit in any way.
    pub hit: u64,
    /// Unused for too long: would stop counting.
    pub idle: u64,
    /// Of a kind that is not allowed: could not be rotated.
    pub kind: u64,
    /// Living too long: would be cut at their next rotation.
    pub lifetime: u64,
    /// Carrying scopes that are not allowed: could not be rotated.
    pub scopes: u64,
}

/// A project. Times are UTC to the millisecond.
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

/// Protected resource metadata (RFC 9728 §2).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProtectedResource {
    pub authorization_servers: Vec<String>,
    pub bearer_methods_supported: Vec<String>,
    pub resource: String,
    pub resource_documentation: String,
    pub resource_name: String,
    pub scopes_supported: Vec<String>,
}

/// One of the three.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ProveSession {
    /// Six digits of the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// One of the recovery codes, which is used up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_code: Option<Secret>,
}

/// Why a token is revoked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// What else there is to say: up to 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// `leaked`, `replaced`, `person_left`, `unused` or `other`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Recovery codes just made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RecoveryCodes {
    /// Shown once: ten codes, each good for one sign-in without the app.
    pub recovery_codes: Vec<Secret>,
}

/// Either kind of 403.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RefusedToken {
    /// [`LackingToken`]
    LackingToken(Box<LackingToken>),
    /// [`ElsewhereToken`]
    ElsewhereToken(Box<ElsewhereToken>),
}

/// A repository known through its submissions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Repository {
    /// What the last one said, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<f64>,
    pub created_at: String,
    /// How many of its executions are kept.
    pub executions: u64,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_execution_at: Option<String>,
    pub repo: String,
}

/// A page of repositories.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RepositoryList {
    /// Send it as `cursor` for the next page; `null` on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    pub repos: Vec<Repository>,
}

/// The token that is to end (RFC 7009 §2.1).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RevocationRequest {
    /// As presented.
    pub token: Secret,
    /// What sort of token it may be. Not needed: there is one sort.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type_hint: Option<String>,
}

/// A role.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Role {
    /// Whether it stays as it is.
    pub built_in: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// What a built-in role is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What members are given: the name of a built-in role, the UUID of any other.
    pub id: String,
    pub name: String,
    /// The scopes it names; what they cover comes with them.
    pub scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
}

/// Every role of an organisation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RoleList {
    /// The built-in ones, strongest first; then the organisation's own, by name.
    pub roles: Vec<Role>,
}

/// How to rotate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RotateActor {
    /// How long the token it has still counts, in seconds; 0–2592000, or less where the deployment
    /// allows less. Its default if left out.
    #[serde(rename = "gracePeriodSeconds", default, skip_serializing_if = "Option::is_none")]
    pub grace_period_seconds: Option<u32>,
}

/// How to rotate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RotateToken {
    /// How long the old token still counts, in seconds; 0–2592000, or less where the deployment allows less. Its default
    /// if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_period_seconds: Option<u32>,
    /// `fixed`: the old token dies when its grace ends. `first_use`: a little after the new one first validates, if
    /// that is sooner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}

/// An actor with a new token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RotatedActor {
    /// `null`: the whole project.
    #[serde(rename = "accessScopeId", default, skip_serializing_if = "Option::is_none")]
    pub access_scope_id: Option<String>,
    /// Its new token; shown once.
    #[serde(rename = "accessToken")]
    pub access_token: Secret,
    #[serde(rename = "actorId")]
    pub actor_id: String,
    /// `actorId` once more; in the short form only.
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
    /// Until when the token before it counts too; `null` when there was none that counted.
    #[serde(rename = "gracePeriodEndsAt", default, skip_serializing_if = "Option::is_none")]
    pub grace_period_ends_at: Option<String>,
    /// Whether `status` is `active`; in the short form only.
    #[serde(rename = "isActive", default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// The same time as `lastUsedAt`, under the name that clients of connecting actors read.
    #[serde(rename = "lastConnectedAt", default, skip_serializing_if = "Option::is_none")]
    pub last_connected_at: Option<String>,
    /// Up to ten seconds behind.
    #[serde(rename = "lastUsedAt", default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    pub name: String,
    #[serde(rename = "projectId")]
    pub project_id: String,
    /// `active`, `disabled` or `expired`, as of now.
    pub status: String,
    #[serde(rename = "updatedAt")]
    pub updated_at: String,
}

/// The successor.
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
    /// `rotating`, or `revoked` when there was no grace.
    pub old_token_status: String,
    pub scopes: Vec<String>,
    /// Shown once.
    pub secret: Secret,
    /// `active`
    pub status: String,
}

/// The first organisation and its owner.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunSetup {
    /// From the link that the server printed.
    pub code: Secret,
    pub email: String,
    /// The owner's name; the address if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The organisation's slug: lower-case letters, digits and hyphens.
    pub organization: String,
    /// The organisation's name; its slug if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_name: Option<String>,
    /// 12–1024 characters.
    pub password: Secret,
}

/// How tokens are found in text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScanRules {
    /// What tells a token from a look-alike, with nothing asked of anybody.
    pub checksum: String,
    /// A regular expression (RE2, PCRE, Go, Python, Rust) for tokens as issued. Anything may stand before one.
    pub pattern: String,
}

/// A scope.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Scope {
    /// Whether a personal key gets it when none are named.
    pub default: bool,
    /// What it permits.
    pub description: String,
    /// The heading it stands under.
    pub group: String,
    /// Further scopes it covers; `*` is all of them. A bare name always covers its own `name:<action>` scopes.
    pub implies: Vec<String>,
    /// Which tokens may carry it: `organization`, `personal`, `actor`.
    pub kinds: Vec<String>,
    pub name: String,
    /// Companions without which it passes no check.
    pub requires: Vec<String>,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScopeEvaluation {
    /// Whether a token with the granted scopes passes a check of the required ones.
    pub allowed: bool,
    /// Each required scope that is covered, with the granted one that covers it.
    pub matched: BTreeMap<String, String>,
    /// What is not covered, companions of required scopes included.
    pub missing: Vec<String>,
    /// The smallest sets of scopes that would do, the one that permits least first; at most eight. Empty when a required
    /// scope is unknown, since nothing would do.
    pub sufficient: Vec<Vec<String>>,
    /// Names of either list that the catalogue does not have: they grant nothing, and nothing grants them.
    pub unknown: Vec<String>,
}

/// A page of access scopes, in the words of the published clients too.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScopeList {
    pub data: Vec<AccessScope>,
    pub meta: PageMeta,
    pub pagination: Pagination,
}

/// A ready choice of scopes for a common need.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScopePreset {
    /// Whom it is for.
    pub description: String,
    /// The kinds of token it is meant for; each can carry all its scopes.
    pub kinds: Vec<String>,
    pub name: String,
    /// Its scopes, companions included.
    pub scopes: Vec<String>,
}

/// A scope of a token, and whether anybody asks for it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScopeUse {
    /// The hour of the last validation that required this scope, or one that it covers, and found it. Null if there was
    /// none, as where validations name no required scopes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    pub scope: String,
}

/// A live session of the caller's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Where it was last used from; null where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What the client called itself when it signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    pub created_at: String,
    /// Whether this request came with it.
    pub current: bool,
    pub expires_at: String,
    pub id: String,
    /// When it was last used, at most a minute behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    pub org_id: String,
    /// When the person last proved to be at it, by password or second factor; null where a front end vouched for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven_at: Option<String>,
}

/// Live sessions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionList {
    pub sessions: Vec<Session>,
}

/// A baseline to put in force.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SetBaseline {
    /// The commit it was measured on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Percent, 0–100, kept to four decimals.
    pub coverage: f64,
    /// Another name of `commit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_sha: Option<String>,
    /// When it was measured; RFC 3339. Now, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
}

/// What was made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SetUpDone {
    pub org_id: String,
    pub user_id: String,
}

/// Who signs in, and where.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SignIn {
    /// Six digits of the app, where the person has a second factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Secret>,
    pub email: String,
    /// The organisation's id or slug; the first one joined if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    pub password: Secret,
    /// One of the recovery codes instead, which is used up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_code: Option<Secret>,
}

/// Who is signed in, and where. Either `email` or `user_id`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SignInFor {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The organisation's id or slug.
    pub organization: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

/// A coverage to record.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SubmitExecution {
    /// What to measure it against, in percent, instead of the repository's baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    /// As git allows it, up to 255 characters.
    pub branch: String,
    /// 4–64 hexadecimal digits. Required, under this name or as `head_sha`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Percent, 0–100, kept to four decimals.
    pub coverage: f64,
    /// The drop in points that fails; 1 if left out. Not below `warn_threshold`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_threshold: Option<f64>,
    /// Another name of `commit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_sha: Option<String>,
    /// Up to 200 characters; owners before slashes.
    pub repo: String,
    /// Whether a warning stops the build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict_mode: Option<bool>,
    /// When it was measured; RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
    /// The drop in points that warns; 0.5 if left out. The sign does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn_threshold: Option<f64>,
}

/// Where to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SwitchSession {
    /// The organisation's id or slug.
    pub organization: String,
}

/// What to try: one of the two.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TestTrustPolicies {
    /// Or the claims that one might have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Map<String, Value>>,
    /// An identity token. It is not spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt: Option<String>,
}

/// A condition beside what the token has.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TestedClaim {
    pub accepted: bool,
    /// What it is; `null` where it is absent, or a list or an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    pub claim: String,
    /// What it must be: a text, or `{"in": …}` or `{"glob": …}`.
    pub expected: String,
}

/// A policy beside the claims.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TestedTrustPolicy {
    /// Whether it fits.
    pub accepted: bool,
    /// Issuer, audience and each condition.
    pub claims: Vec<TestedClaim>,
    pub enabled: bool,
    pub name: String,
    pub policy_id: String,
    /// Why it refuses this job although all claims fit: it would have to name the sort of job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// A token. Times are UTC to the second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// A label without effect on access.
    pub agent_type: String,
    /// Where it may be used from; `null` for anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_networks: Option<Vec<String>>,
    pub created_at: String,
    /// `user:<id>`, `token:<id>`, `policy:<id>`, `service` or `system`.
    pub created_by: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Its holder in the caller's own system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_period_ends_at: Option<String>,
    /// How the token begins, to recognise it by.
    pub hint: String,
    /// Its id.
    pub id: String,
    /// `organization`, `personal` or `actor`.
    pub kind: String,
    /// Up to ten seconds behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    /// The addresses it was used from last, at most five, the last first. Empty where those who ask about it name none.
    pub last_used_from: Vec<UsedFrom>,
    /// What a gateway wants to know about the holder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    pub name: String,
    /// The project it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
    /// What else was said when it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_note: Option<String>,
    /// `leaked`, `replaced`, `person_left`, `unused` or `other` as whoever revoked it said; else `requested`, `superseded`,
    /// `rotation_cancelled`, `leaked`, `owner_removed` or `policy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_to: Option<String>,
    pub scopes: Vec<String>,
    /// `active`, `rotating`, `revoked` or `expired`, as of now.
    pub status: String,
}

/// The tenant boundary of an actor's token, as it is at the moment of the answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenAccessScope {
    pub id: String,
    pub slug: String,
}

/// How many tokens have each status, as of now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenCounts {
    pub active: u64,
    pub expired: u64,
    pub revoked: u64,
    pub rotating: u64,
}

/// What is asked for (RFC 8693 §2.1).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenExchangeRequest {
    /// The organisation, by its id or slug, where policies of several fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    pub grant_type: String,
    /// The trust policy, where several fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_token_type: Option<String>,
    /// The public address of this deployment, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Fewer scopes than the policy has, separated by spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The identity token of the workload.
    pub subject_token: Secret,
    pub subject_token_type: String,
}

/// What is given for it (RFC 8693 §2.2.1).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenExchangeResponse {
    pub access_token: Secret,
    /// In seconds.
    pub expires_in: u64,
    pub issued_token_type: String,
    /// The trust policy it was made under.
    pub policy_id: String,
    /// Separated by spaces.
    pub scope: String,
    pub token_type: String,
}

/// A page of tokens.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenList {
    /// Send it as `cursor` for the next page; `null` on the last, and only there: a page of a search may be short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    pub tokens: Vec<Token>,
}

/// What an organisation asks of its tokens.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenPolicy {
    pub kinds: TokenRules,
    pub org_id: String,
    /// When it was set; `null` where none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// `user:<id>` or `token:<id>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_by: Option<String>,
}

/// What is asked of one kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenRule {
    /// Whether such tokens may be made and rotated.
    pub allowed: bool,
    /// What it may carry, and what that covers; `null` for anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_scopes: Option<Vec<String>>,
    /// In how many days a token ends for which no end is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_lifetime_days: Option<u64>,
    /// After how many days without a use it stops counting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_days: Option<u64>,
    /// In how many days it ends at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_lifetime_days: Option<u64>,
}

/// One rule for each kind of token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenRules {
    /// Tokens of actors, which end when their actors do.
    pub actor: TokenRule,
    /// The organisation's own tokens.
    pub organization: TokenRule,
    /// Personal keys.
    pub personal: TokenRule,
}

/// Whether it may.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TopicCheck {
    pub allowed: bool,
    /// Why not: `actor_disabled`, `actor_expired`, `access_scope_inactive` or `outside_access_scope`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub topic: String,
}

/// How the person stands with their second factor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TotpStatus {
    pub enabled: bool,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled_at: Option<String>,
    /// Recovery codes that were not used.
    pub recovery_codes_left: u64,
    /// Whether the organisation of this session asks for one.
    pub required: bool,
}

/// An attempt with an identity token that the issuer signed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrustAttempt {
    /// Where it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    pub at: String,
    /// The first claim that did not meet its condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    pub id: String,
    /// `exchanged`, `wrong_audience`, `not_valid_now`, `claims_differ`, `refused_by_default`, `policy_disabled`, `ambiguous`,
    /// `replayed`, `scopes_exceeded` or `limits`.
    pub outcome: String,
    /// The `sub` of the identity token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The token that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_id: Option<String>,
}

/// The last hundred attempts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrustAttemptList {
    pub attempts: Vec<TrustAttempt>,
}

/// A look at the token itself.
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
    /// The actor the tokens are of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<String>,
    /// What `aud` must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    pub created_at: String,
    /// `user:<id>`, `token:<id>` or `policy:<id>`.
    pub created_by: String,
    /// Whether it is in force.
    pub enabled: bool,
    pub id: String,
    /// Who signs the identity tokens.
    pub issuer: String,
    /// What each claim must be: a text, `{"in": […]}` or `{"glob": …}`, where `*` stays within `/`.
    #[serde(rename = "match")]
    pub match_: Map<String, Value>,
    pub name: String,
    pub org_id: String,
    /// What is known of the identity provider: `github`, `gitlab`, `buildkite`, `circleci`, `terraform`, `spacelift`,
    /// `kubernetes` or `generic`.
    pub preset: String,
    /// The project the tokens are bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    pub scopes: Vec<String>,
    /// How long a token lives, in seconds.
    pub ttl: u32,
    pub updated_at: String,
    /// `user:<id>`, `token:<id>` or `policy:<id>`.
    pub updated_by: String,
    /// What its maker should think about.
    pub warnings: Vec<TrustWarning>,
}

/// The trust policies of an organisation, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrustPolicyList {
    pub trust_policies: Vec<TrustPolicy>,
}

/// What would become of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrustTest {
    /// Whether a token would be made.
    pub accepted: bool,
    /// The looks at the token itself; none where claims were given.
    pub checks: Vec<TrustCheck>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    pub policies: Vec<TestedTrustPolicy>,
    /// Under which policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<String>,
}

/// Something to think about.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrustWarning {
    /// The claim it is about.
    pub claim: String,
    pub message: String,
}

/// A request that cannot be read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UnreadableQuestion {
    /// `malformed request`
    pub error: String,
}

/// What became of presented tokens.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UsageCounts {
    /// The token was found good.
    pub allowed: u64,
    /// It was refused: revoked, expired, or its owner switched off.
    pub denied: u64,
    /// It was found good, and lacked a scope that was asked for.
    pub insufficient: u64,
}

/// The uses of one token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UsageReport {
    /// Where the first step begins.
    pub from: String,
    /// The token's scopes, each with the last time that it was asked for.
    pub scopes: Vec<ScopeUse>,
    /// `hour` or `day`.
    pub step: String,
    /// Where the last one ends.
    pub to: String,
    pub token_id: String,
    pub total: UsageCounts,
    /// Every step from the oldest on, those without a use included.
    pub usage: Vec<UsageStep>,
}

/// The uses of one step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UsageStep {
    /// The token was found good.
    pub allowed: u64,
    /// When it begins.
    pub begins_at: String,
    /// It was refused: revoked, expired, or its owner switched off.
    pub denied: u64,
    /// It was found good, and lacked a scope that was asked for.
    pub insufficient: u64,
}

/// An address that a token was used from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UsedFrom {
    pub address: String,
    /// What the client called itself; null where a gateway asked on its behalf.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// When it was last used from there, to the minute.
    pub at: String,
    /// When it was first used from there, as long as the address has been among the last five.
    pub first_at: String,
}

/// A good token.
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
    /// `organization`, `personal` or `actor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its organisation.
    pub org_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// What it may do.
    pub scopes: Vec<String>,
    /// `active` or `rotating`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_id: Option<String>,
    /// `true`
    pub valid: bool,
}

/// What is asked about a token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ValidateRequest {
    /// Whether to answer with everything known about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<bool>,
    /// The address that the token was presented from: what its allowed networks are judged against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// Scopes it must have; all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_scopes: Option<Vec<String>>,
    /// The token as presented.
    pub token: Secret,
}

/// How far a coverage moved and what that means.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Coverage less baseline, in points, with a sign and two places.
    pub delta: String,
    /// What the build should exit with: 1 on failure, and on a warning in strict mode.
    pub exit_code: u32,
    /// `pass`, `warn` or `fail`.
    pub outcome: String,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// How many events were found good.
    pub checked: u64,
    /// Whether the end of the trail was reached, or a bad event.
    pub complete: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_bad: Option<FirstBad>,
    /// The last good event: its number, a full stop and its hash. Remember it elsewhere and send it as `expect_head` later.
    pub head: String,
    /// Send it as `after` to go on; `null` when complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Whether all that was looked at is as it was written.
    pub ok: bool,
}

/// A scope that will not work yet.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Warning {
    pub message: String,
    /// What it also needs.
    pub requires: Vec<String>,
    pub scope: String,
}

/// Addresses of this deployment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WellKnownAddresses {
    /// RFC 7662.
    pub introspect: String,
    /// `POST {"credentials": […]}`: puts an end to tokens that were found.
    pub revoke: String,
    pub rules: ScanRules,
    /// `POST {"token": …}`: whether a token is good.
    pub validate: String,
}

/// Whose tokens to list: the organisation's own if nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Whose {
    /// `organization`, `personal` or `actor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// One owner's: `user:<id>` or `actor:<id>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}
