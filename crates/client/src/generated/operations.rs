//! One method for each operation, from `docs/reference/openapi.json`.
//!
//! Written by `cargo xtask check --write`; changes by hand do not last.

use crate::call::{Call, Download};
use crate::{Client, Result, types};

/// Optional parameters of [`Client::list_actors_bound`].
#[derive(Debug, Clone, Default)]
pub struct ListActorsBoundOptions {
    /// The page number, starting at 1.
    pub page: Option<u64>,
    /// Entries per page: 1–100; larger values count as 100. Defaults to 10. Where the response is a bare list: 1–10000,
    /// and defaults to 10000.
    pub limit: Option<u64>,
    /// The sort order: `slug`, `name`, `createdAt` or `updatedAt`, followed by `:ASC` or `:DESC`. Defaults to
    /// `createdAt:DESC`.
    pub order_by: Option<String>,
    /// The sort field alone, for clients that send the field and the direction separately.
    pub sort_by: Option<String>,
    /// The sort direction, used with `sortBy`.
    pub sort_order: Option<String>,
    /// Only entries whose name or slug contains this text, ignoring case. For actors: name or external id.
    pub search: Option<String>,
    /// Only actors in this access scope; `null` for actors outside every access scope.
    pub access_scope_id: Option<String>,
}

/// Optional parameters of [`Client::list_audit`].
#[derive(Debug, Clone, Default)]
pub struct ListAuditOptions {
    /// Only events after this sequence number. Use `next_cursor` of the previous page, or the `seq` of the last event
    /// you have seen to poll for new events.
    pub after: Option<String>,
    /// Events per page: 1–1000. Defaults to 100.
    pub limit: Option<u32>,
    /// Only events with this action, such as `token.create`.
    pub action: Option<String>,
    /// Only events caused by this actor: `user:<id>`, `token:<id>`, `policy:<id>`, `service`, `system` or `anonymous`.
    pub actor: Option<String>,
    /// Only events on the resource with this id.
    pub target: Option<String>,
    /// Only events at or after this time (RFC 3339).
    pub from: Option<String>,
    /// Only events before this time (RFC 3339).
    pub to: Option<String>,
    /// The sort order: `oldest` first or `newest` first. Defaults to `oldest`.
    pub order: Option<String>,
}

/// Optional parameters of [`Client::export_audit`].
#[derive(Debug, Clone, Default)]
pub struct ExportAuditOptions {
    /// Only events after this sequence number, to extend an earlier file. Defaults to the whole trail.
    pub after: Option<String>,
}

/// Optional parameters of [`Client::verify_audit`].
#[derive(Debug, Clone, Default)]
pub struct VerifyAuditOptions {
    /// Continue after this event: `next_cursor` of the previous response, or a `head` saved earlier.
    pub after: Option<String>,
    /// A `head` saved earlier, which must still be part of the trail. Without it, a trail that was truncated or
    /// recomputed as a whole cannot be told from an intact one.
    pub expect_head: Option<String>,
}

/// Optional parameters of [`Client::forward`].
#[derive(Debug, Clone, Default)]
pub struct ForwardOptions {
    /// A required scope. May be repeated: all of them are required.
    pub scope: Vec<String>,
    /// An alternative scope. May be repeated: one of them is required.
    pub any: Vec<String>,
    /// The name of a route table, whose row for the original request defines what is required. The original request is
    /// read from `X-Forwarded-Method`, `X-Forwarded-Uri` and, if the table names hosts, `X-Forwarded-Host`.
    pub routes: Option<String>,
    /// `allow` lets a CORS preflight request (`X-Forwarded-Method: OPTIONS` with `Origin` and
    /// `Access-Control-Request-Method`) pass without a credential.
    pub preflight: Option<String>,
}

/// Optional parameters of [`Client::get_badge`].
#[derive(Debug, Clone, Default)]
pub struct GetBadgeOptions {
    /// Only executions of this branch. Defaults to all branches.
    pub branch: Option<String>,
}

/// Optional parameters of [`Client::list_baseline_history`].
#[derive(Debug, Clone, Default)]
pub struct ListBaselineHistoryOptions {
    /// Entries per page: 1–100. Defaults to 10.
    pub limit: Option<u32>,
    /// `next_cursor` of the previous page.
    pub cursor: Option<String>,
}

/// Optional parameters of [`Client::list_executions`].
#[derive(Debug, Clone, Default)]
pub struct ListExecutionsOptions {
    /// Entries per page: 1–100. Defaults to 10.
    pub limit: Option<u32>,
    /// `next_cursor` of the previous page.
    pub cursor: Option<String>,
}

/// Optional parameters of [`Client::submit_execution`].
#[derive(Debug, Clone, Default)]
pub struct SubmitExecutionOptions {
    /// A retry with the same key records nothing and returns the same execution.
    pub idempotency_key: Option<String>,
}

/// Optional parameters of [`Client::report_github_leaks`].
#[derive(Debug, Clone, Default)]
pub struct ReportGithubLeaksOptions {
    /// The identifier of the public key: the SHA-256 of its PEM text.
    pub github_public_key_identifier: Option<String>,
    /// The ECDSA P-256 signature with SHA-256 over the body, as DER in Base64.
    pub github_public_key_signature: Option<String>,
}

/// Optional parameters of [`Client::receive_github_alert`].
#[derive(Debug, Clone, Default)]
pub struct ReceiveGithubAlertOptions {
    /// The type of the event; `secret_scanning_alert` is acted on.
    pub x_git_hub_event: Option<String>,
    /// `sha256=` and the HMAC-SHA-256 of the body, in hexadecimal.
    pub x_hub_signature_256: Option<String>,
}

/// Optional parameters of [`Client::report_gitlab_leaks`].
#[derive(Debug, Clone, Default)]
pub struct ReportGitlabLeaksOptions {
    /// The identifier of the public key: the SHA-256 of its PEM text.
    pub gitlab_public_key_identifier: Option<String>,
    /// The ECDSA P-256 signature with SHA-256 over the body, as DER in Base64.
    pub gitlab_public_key_signature: Option<String>,
}

/// Optional parameters of [`Client::receive_gitlab_alert`].
#[derive(Debug, Clone, Default)]
pub struct ReceiveGitlabAlertOptions {
    /// The secret token of the webhook.
    pub x_gitlab_token: Option<String>,
    /// With a signing token: the id of the delivery.
    pub webhook_id: Option<String>,
    /// With a signing token: when the delivery was signed, in seconds after 1970. At most five minutes from now.
    pub webhook_timestamp: Option<String>,
    /// With a signing token: the signature of Standard Webhooks.
    pub webhook_signature: Option<String>,
}

/// Optional parameters of [`Client::list_keys`].
#[derive(Debug, Clone, Default)]
pub struct ListKeysOptions {
    /// Only tokens with this status: `active`, `rotating`, `revoked` or `expired`.
    pub status: Option<String>,
    /// Only tokens whose name contains this text, ignoring case.
    pub name: Option<String>,
    /// Only tokens with this id, or with this text in the name, description, `external_id` or hint.
    pub q: Option<String>,
    /// Only tokens that were granted exactly this scope.
    pub scope: Option<String>,
    /// Only tokens created by `user:<id>`, `token:<id>`, `policy:<id>`, `service` or `system`.
    pub created_by: Option<String>,
    /// Only tokens bound to this project.
    pub project_id: Option<String>,
    /// Only tokens with this label.
    pub agent_type: Option<String>,
    /// Only tokens with this `external_id`.
    pub external_id: Option<String>,
    /// Only tokens created more than this many days ago and not used since.
    pub unused_days: Option<u32>,
    /// Only tokens that expire before this time (RFC 3339).
    pub expires_before: Option<String>,
    /// Only tokens that were revoked, or whose grace period ended, after this time (RFC 3339).
    pub revoked_after: Option<String>,
    /// Entries per page: 1–1000. Defaults to 100.
    pub limit: Option<u32>,
    /// `next_cursor` of the previous page.
    pub cursor: Option<String>,
}

/// Optional parameters of [`Client::create_key`].
#[derive(Debug, Clone, Default)]
pub struct CreateKeyOptions {
    /// A retry with the same key creates no second token.
    pub idempotency_key: Option<String>,
}

/// Optional parameters of [`Client::rotate_key`].
#[derive(Debug, Clone, Default)]
pub struct RotateKeyOptions {
    /// A retry with the same key creates no second token.
    pub idempotency_key: Option<String>,
}

/// Optional parameters of [`Client::list_organizations`].
#[derive(Debug, Clone, Default)]
pub struct ListOrganizationsOptions {
    /// Entries per page: 1–1000. Defaults to 100.
    pub limit: Option<u32>,
    /// `next_cursor` of the previous page.
    pub cursor: Option<String>,
}

/// Optional parameters of [`Client::list_invitations`].
#[derive(Debug, Clone, Default)]
pub struct ListInvitationsOptions {
    /// Entries per page: 1–1000. Defaults to 100.
    pub limit: Option<u32>,
    /// `next_cursor` of the previous page.
    pub cursor: Option<String>,
}

/// Optional parameters of [`Client::list_members`].
#[derive(Debug, Clone, Default)]
pub struct ListMembersOptions {
    /// Entries per page: 1–1000. Defaults to 100.
    pub limit: Option<u32>,
    /// `next_cursor` of the previous page.
    pub cursor: Option<String>,
}

/// Optional parameters of [`Client::list_projects`].
#[derive(Debug, Clone, Default)]
pub struct ListProjectsOptions {
    /// The page number, starting at 1.
    pub page: Option<u64>,
    /// Entries per page: 1–100; larger values count as 100. Defaults to 10. Where the response is a bare list: 1–10000,
    /// and defaults to 10000.
    pub limit: Option<u64>,
    /// The sort order: `slug`, `name`, `createdAt` or `updatedAt`, followed by `:ASC` or `:DESC`. Defaults to
    /// `createdAt:DESC`.
    pub order_by: Option<String>,
    /// The sort field alone, for clients that send the field and the direction separately.
    pub sort_by: Option<String>,
    /// The sort direction, used with `sortBy`.
    pub sort_order: Option<String>,
    /// Only entries whose name or slug contains this text, ignoring case. For actors: name or external id.
    pub search: Option<String>,
}

/// Optional parameters of [`Client::delete_project`].
#[derive(Debug, Clone, Default)]
pub struct DeleteProjectOptions {
    /// What to do if it has actors. `unassign` (the default) removes them from it; `reject` answers 409.
    pub if_assigned: Option<String>,
    /// `true` deletes nothing and returns what the deletion would affect.
    pub dry_run: Option<bool>,
}

/// Optional parameters of [`Client::list_actors`].
#[derive(Debug, Clone, Default)]
pub struct ListActorsOptions {
    /// The page number, starting at 1.
    pub page: Option<u64>,
    /// Entries per page: 1–100; larger values count as 100. Defaults to 10. Where the response is a bare list: 1–10000,
    /// and defaults to 10000.
    pub limit: Option<u64>,
    /// The sort order: `slug`, `name`, `createdAt` or `updatedAt`, followed by `:ASC` or `:DESC`. Defaults to
    /// `createdAt:DESC`.
    pub order_by: Option<String>,
    /// The sort field alone, for clients that send the field and the direction separately.
    pub sort_by: Option<String>,
    /// The sort direction, used with `sortBy`.
    pub sort_order: Option<String>,
    /// Only entries whose name or slug contains this text, ignoring case. For actors: name or external id.
    pub search: Option<String>,
    /// Only actors in this access scope; `null` for actors outside every access scope.
    pub access_scope_id: Option<String>,
}

/// Optional parameters of [`Client::list_scopes`].
#[derive(Debug, Clone, Default)]
pub struct ListScopesOptions {
    /// The page number, starting at 1.
    pub page: Option<u64>,
    /// Entries per page: 1–100; larger values count as 100. Defaults to 10. Where the response is a bare list: 1–10000,
    /// and defaults to 10000.
    pub limit: Option<u64>,
    /// The sort order: `slug`, `name`, `createdAt` or `updatedAt`, followed by `:ASC` or `:DESC`. Defaults to
    /// `createdAt:DESC`.
    pub order_by: Option<String>,
    /// The sort field alone, for clients that send the field and the direction separately.
    pub sort_by: Option<String>,
    /// The sort direction, used with `sortBy`.
    pub sort_order: Option<String>,
    /// Only entries whose name or slug contains this text, ignoring case. For actors: name or external id.
    pub search: Option<String>,
    /// `true` adds the number of actors to each access scope as `actorCount`.
    pub with_actor_count: Option<bool>,
}

/// Optional parameters of [`Client::delete_scope`].
#[derive(Debug, Clone, Default)]
pub struct DeleteScopeOptions {
    /// What to do if it has actors. `unassign` (the default) removes them from it; `reject` answers 409.
    pub if_assigned: Option<String>,
    /// `true` deletes nothing and returns what the deletion would affect.
    pub dry_run: Option<bool>,
    /// The page number, starting at 1.
    pub page: Option<u64>,
    /// Entries per page: 1–100; larger values count as 100. Defaults to 10. Where the response is a bare list: 1–10000,
    /// and defaults to 10000.
    pub limit: Option<u64>,
    /// The sort order: `slug`, `name`, `createdAt` or `updatedAt`, followed by `:ASC` or `:DESC`. Defaults to
    /// `createdAt:DESC`.
    pub order_by: Option<String>,
    /// The sort field alone, for clients that send the field and the direction separately.
    pub sort_by: Option<String>,
    /// The sort direction, used with `sortBy`.
    pub sort_order: Option<String>,
    /// Only entries whose name or slug contains this text, ignoring case. For actors: name or external id.
    pub search: Option<String>,
}

/// Optional parameters of [`Client::list_scope_actors`].
#[derive(Debug, Clone, Default)]
pub struct ListScopeActorsOptions {
    /// The page number, starting at 1.
    pub page: Option<u64>,
    /// Entries per page: 1–100; larger values count as 100. Defaults to 10. Where the response is a bare list: 1–10000,
    /// and defaults to 10000.
    pub limit: Option<u64>,
    /// The sort order: `slug`, `name`, `createdAt` or `updatedAt`, followed by `:ASC` or `:DESC`. Defaults to
    /// `createdAt:DESC`.
    pub order_by: Option<String>,
    /// The sort field alone, for clients that send the field and the direction separately.
    pub sort_by: Option<String>,
    /// The sort direction, used with `sortBy`.
    pub sort_order: Option<String>,
    /// Only entries whose name or slug contains this text, ignoring case. For actors: name or external id.
    pub search: Option<String>,
}

/// Optional parameters of [`Client::preview_policy`].
#[derive(Debug, Clone, Default)]
pub struct PreviewPolicyOptions {
    /// Tokens per page: 1–1000. Defaults to 100.
    pub limit: Option<u32>,
    /// `next_cursor` of the previous response.
    pub cursor: Option<String>,
}

/// Optional parameters of [`Client::get_organization_usage`].
#[derive(Debug, Clone, Default)]
pub struct GetOrganizationUsageOptions {
    /// The start (RFC 3339), rounded down to a whole step. Defaults to one day (hours) or thirty days (days) before
    /// `to`. At most 31 days of hours, or 400 days.
    pub from: Option<String>,
    /// The end (RFC 3339), rounded up to a whole step. Defaults to now.
    pub to: Option<String>,
    /// The length of a step: `hour` or `day`, in UTC. Defaults to `hour`.
    pub step: Option<String>,
}

/// Optional parameters of [`Client::list_deliveries`].
#[derive(Debug, Clone, Default)]
pub struct ListDeliveriesOptions {
    /// Entries per page: 1–100. Defaults to 10.
    pub limit: Option<u32>,
    /// `next_cursor` of the previous page.
    pub cursor: Option<String>,
}

/// Optional parameters of [`Client::list_repositories`].
#[derive(Debug, Clone, Default)]
pub struct ListRepositoriesOptions {
    /// Entries per page: 1–1000. Defaults to 100.
    pub limit: Option<u32>,
    /// `next_cursor` of the previous page.
    pub cursor: Option<String>,
}

/// Optional parameters of [`Client::list_scopes_bound`].
#[derive(Debug, Clone, Default)]
pub struct ListScopesBoundOptions {
    /// The page number, starting at 1.
    pub page: Option<u64>,
    /// Entries per page: 1–100; larger values count as 100. Defaults to 10. Where the response is a bare list: 1–10000,
    /// and defaults to 10000.
    pub limit: Option<u64>,
    /// The sort order: `slug`, `name`, `createdAt` or `updatedAt`, followed by `:ASC` or `:DESC`. Defaults to
    /// `createdAt:DESC`.
    pub order_by: Option<String>,
    /// The sort field alone, for clients that send the field and the direction separately.
    pub sort_by: Option<String>,
    /// The sort direction, used with `sortBy`.
    pub sort_order: Option<String>,
    /// Only entries whose name or slug contains this text, ignoring case. For actors: name or external id.
    pub search: Option<String>,
    /// `true` adds the number of actors to each access scope as `actorCount`.
    pub with_actor_count: Option<bool>,
}

/// Optional parameters of [`Client::delete_scope_bound`].
#[derive(Debug, Clone, Default)]
pub struct DeleteScopeBoundOptions {
    /// What to do if it has actors. `unassign` (the default) removes them from it; `reject` answers 409.
    pub if_assigned: Option<String>,
    /// `true` deletes nothing and returns what the deletion would affect.
    pub dry_run: Option<bool>,
    /// The page number, starting at 1.
    pub page: Option<u64>,
    /// Entries per page: 1–100; larger values count as 100. Defaults to 10. Where the response is a bare list: 1–10000,
    /// and defaults to 10000.
    pub limit: Option<u64>,
    /// The sort order: `slug`, `name`, `createdAt` or `updatedAt`, followed by `:ASC` or `:DESC`. Defaults to
    /// `createdAt:DESC`.
    pub order_by: Option<String>,
    /// The sort field alone, for clients that send the field and the direction separately.
    pub sort_by: Option<String>,
    /// The sort direction, used with `sortBy`.
    pub sort_order: Option<String>,
    /// Only entries whose name or slug contains this text, ignoring case. For actors: name or external id.
    pub search: Option<String>,
}

/// Optional parameters of [`Client::list_scope_actors_bound`].
#[derive(Debug, Clone, Default)]
pub struct ListScopeActorsBoundOptions {
    /// The page number, starting at 1.
    pub page: Option<u64>,
    /// Entries per page: 1–100; larger values count as 100. Defaults to 10. Where the response is a bare list: 1–10000,
    /// and defaults to 10000.
    pub limit: Option<u64>,
    /// The sort order: `slug`, `name`, `createdAt` or `updatedAt`, followed by `:ASC` or `:DESC`. Defaults to
    /// `createdAt:DESC`.
    pub order_by: Option<String>,
    /// The sort field alone, for clients that send the field and the direction separately.
    pub sort_by: Option<String>,
    /// The sort direction, used with `sortBy`.
    pub sort_order: Option<String>,
    /// Only entries whose name or slug contains this text, ignoring case. For actors: name or external id.
    pub search: Option<String>,
}

/// Optional parameters of [`Client::list_tokens`].
#[derive(Debug, Clone, Default)]
pub struct ListTokensOptions {
    /// Only tokens with this status: `active`, `rotating`, `revoked` or `expired`.
    pub status: Option<String>,
    /// Only tokens whose name contains this text, ignoring case.
    pub name: Option<String>,
    /// Only tokens with this id, or with this text in the name, description, `external_id` or hint.
    pub q: Option<String>,
    /// Only tokens that were granted exactly this scope.
    pub scope: Option<String>,
    /// Only tokens created by `user:<id>`, `token:<id>`, `policy:<id>`, `service` or `system`.
    pub created_by: Option<String>,
    /// Only tokens bound to this project.
    pub project_id: Option<String>,
    /// Only tokens with this label.
    pub agent_type: Option<String>,
    /// Only tokens with this `external_id`.
    pub external_id: Option<String>,
    /// Only tokens created more than this many days ago and not used since.
    pub unused_days: Option<u32>,
    /// Only tokens that expire before this time (RFC 3339).
    pub expires_before: Option<String>,
    /// Only tokens that were revoked, or whose grace period ended, after this time (RFC 3339).
    pub revoked_after: Option<String>,
    /// Entries per page: 1–1000. Defaults to 100.
    pub limit: Option<u32>,
    /// `next_cursor` of the previous page.
    pub cursor: Option<String>,
    /// Only tokens of this kind: `organization`, `personal` or `actor`.
    pub kind: Option<String>,
    /// Only tokens of this owner: `user:<id>` or `actor:<id>`.
    pub owner: Option<String>,
}

/// Optional parameters of [`Client::create_token`].
#[derive(Debug, Clone, Default)]
pub struct CreateTokenOptions {
    /// A retry with the same key creates no second token.
    pub idempotency_key: Option<String>,
}

/// Optional parameters of [`Client::count_tokens`].
#[derive(Debug, Clone, Default)]
pub struct CountTokensOptions {
    /// Only tokens with this status: `active`, `rotating`, `revoked` or `expired`.
    pub status: Option<String>,
    /// Only tokens whose name contains this text, ignoring case.
    pub name: Option<String>,
    /// Only tokens with this id, or with this text in the name, description, `external_id` or hint.
    pub q: Option<String>,
    /// Only tokens that were granted exactly this scope.
    pub scope: Option<String>,
    /// Only tokens created by `user:<id>`, `token:<id>`, `policy:<id>`, `service` or `system`.
    pub created_by: Option<String>,
    /// Only tokens bound to this project.
    pub project_id: Option<String>,
    /// Only tokens with this label.
    pub agent_type: Option<String>,
    /// Only tokens with this `external_id`.
    pub external_id: Option<String>,
    /// Only tokens created more than this many days ago and not used since.
    pub unused_days: Option<u32>,
    /// Only tokens that expire before this time (RFC 3339).
    pub expires_before: Option<String>,
    /// Only tokens that were revoked, or whose grace period ended, after this time (RFC 3339).
    pub revoked_after: Option<String>,
    /// Entries per page: 1–1000. Defaults to 100.
    pub limit: Option<u32>,
    /// `next_cursor` of the previous page.
    pub cursor: Option<String>,
    /// Only tokens of this kind: `organization`, `personal` or `actor`.
    pub kind: Option<String>,
    /// Only tokens of this owner: `user:<id>` or `actor:<id>`.
    pub owner: Option<String>,
}

/// Optional parameters of [`Client::rotate_self`].
#[derive(Debug, Clone, Default)]
pub struct RotateSelfOptions {
    /// A retry with the same key creates no second token.
    pub idempotency_key: Option<String>,
}

/// Optional parameters of [`Client::rotate_token`].
#[derive(Debug, Clone, Default)]
pub struct RotateTokenOptions {
    /// A retry with the same key creates no second token.
    pub idempotency_key: Option<String>,
}

/// Optional parameters of [`Client::get_usage`].
#[derive(Debug, Clone, Default)]
pub struct GetUsageOptions {
    /// The start (RFC 3339), rounded down to a whole step. Defaults to one day (hours) or thirty days (days) before
    /// `to`. At most 31 days of hours, or 400 days.
    pub from: Option<String>,
    /// The end (RFC 3339), rounded up to a whole step. Defaults to now.
    pub to: Option<String>,
    /// The length of a step: `hour` or `day`, in UTC. Defaults to `hour`.
    pub step: Option<String>,
}

impl Client {
    /// Get the addresses for checking and revoking a token that was found.
    ///
    /// `GET /.well-known/nolapse-tokens`
    pub fn get_addresses(&self) -> Result<types::WellKnownAddresses> {
        Call::new(self, "GET", "/.well-known/nolapse-tokens").send()
    }

    /// Get the OAuth authorisation server metadata (RFC 8414).
    ///
    /// `GET /.well-known/oauth-authorization-server`
    pub fn get_authorization_server(&self) -> Result<types::AuthorizationServer> {
        Call::new(self, "GET", "/.well-known/oauth-authorization-server").send()
    }

    /// Get the OAuth protected resource metadata (RFC 9728).
    ///
    /// `GET /.well-known/oauth-protected-resource`
    pub fn get_protected_resource(&self) -> Result<types::ProtectedResource> {
        Call::new(self, "GET", "/.well-known/oauth-protected-resource").send()
    }

    /// Check that the process is running.
    ///
    /// `GET /health`
    pub fn health(&self) -> Result<types::Health> {
        Call::new(self, "GET", "/health").send()
    }

    /// Get the metrics in a Prometheus format.
    ///
    /// `GET /metrics`
    pub fn metrics(&self) -> Result<Download> {
        Call::new(self, "GET", "/metrics").send_for_bytes()
    }

    /// Check that the service can answer requests: the database is reachable and the cache feed is current.
    ///
    /// `GET /ready`
    pub fn ready(&self) -> Result<types::Health> {
        Call::new(self, "GET", "/ready").send()
    }

    /// List the project's actors.
    ///
    /// `GET /v1/actors`
    pub fn list_actors_bound(&self, options: &ListActorsBoundOptions) -> Result<Vec<types::Actor>> {
        Call::new(self, "GET", "/v1/actors")
            .query("page", options.page.as_ref())
            .query("limit", options.limit.as_ref())
            .query("orderBy", options.order_by.as_ref())
            .query("sortBy", options.sort_by.as_ref())
            .query("sortOrder", options.sort_order.as_ref())
            .query("search", options.search.as_ref())
            .query("accessScopeId", options.access_scope_id.as_ref())
            .send()
    }

    /// Create an actor and its token.
    ///
    /// `POST /v1/actors`
    pub fn create_actor_bound(&self, body: &types::CreateActor) -> Result<types::MadeActor> {
        Call::new(self, "POST", "/v1/actors").json(body).send()
    }

    /// Delete an actor and its tokens.
    ///
    /// `DELETE /v1/actors/{actor_id}`
    pub fn delete_actor_bound(&self, actor_id: &str) -> Result<()> {
        Call::new(self, "DELETE", "/v1/actors/").segment(actor_id).send_for_nothing()
    }

    /// Get an actor.
    ///
    /// `GET /v1/actors/{actor_id}`
    pub fn get_actor_bound(&self, actor_id: &str) -> Result<types::Actor> {
        Call::new(self, "GET", "/v1/actors/").segment(actor_id).send()
    }

    /// Update an actor.
    ///
    /// `PATCH /v1/actors/{actor_id}`
    pub fn edit_actor_bound(&self, actor_id: &str, body: &types::EditActor) -> Result<types::Actor> {
        Call::new(self, "PATCH", "/v1/actors/").segment(actor_id).json(body).send()
    }

    /// Check whether an actor may use a topic.
    ///
    /// `GET /v1/actors/{actor_id}/check`
    pub fn check_topic_bound(&self, actor_id: &str, topic: &str) -> Result<types::TopicCheck> {
        Call::new(self, "GET", "/v1/actors/").segment(actor_id).path("/check").query("topic", Some(&topic)).send()
    }

    /// Rotate the token of an actor.
    ///
    /// `POST /v1/actors/{actor_id}/rotate`
    pub fn rotate_actor_bound(&self, actor_id: &str, body: &types::RotateActor) -> Result<types::RotatedActor> {
        Call::new(self, "POST", "/v1/actors/").segment(actor_id).path("/rotate").json(body).send()
    }

    /// List the events of the audit trail.
    ///
    /// `GET /v1/audit`
    pub fn list_audit(&self, options: &ListAuditOptions) -> Result<types::EventList> {
        Call::new(self, "GET", "/v1/audit")
            .query("after", options.after.as_ref())
            .query("limit", options.limit.as_ref())
            .query("action", options.action.as_ref())
            .query("actor", options.actor.as_ref())
            .query("target", options.target.as_ref())
            .query("from", options.from.as_ref())
            .query("to", options.to.as_ref())
            .query("order", options.order.as_ref())
            .send()
    }

    /// Export the audit trail as NDJSON.
    ///
    /// `GET /v1/audit/export`
    pub fn export_audit(&self, options: &ExportAuditOptions) -> Result<Download> {
        Call::new(self, "GET", "/v1/audit/export").query("after", options.after.as_ref()).send_for_bytes()
    }

    /// Verify the audit trail.
    ///
    /// `GET /v1/audit/verify`
    pub fn verify_audit(&self, options: &VerifyAuditOptions) -> Result<types::Verification> {
        Call::new(self, "GET", "/v1/audit/verify")
            .query("after", options.after.as_ref())
            .query("expect_head", options.expect_head.as_ref())
            .send()
    }

    /// Authorise a request on behalf of a gateway.
    ///
    /// `GET /v1/auth/forward`
    pub fn forward(&self, options: &ForwardOptions) -> Result<()> {
        Call::new(self, "GET", "/v1/auth/forward")
            .query("scope", options.scope.iter())
            .query("any", options.any.iter())
            .query("routes", options.routes.as_ref())
            .query("preflight", options.preflight.as_ref())
            .send_for_nothing()
    }

    /// Validate a token.
    ///
    /// `POST /v1/auth/validate`
    pub fn validate(&self, body: &types::ValidateRequest) -> Result<types::ValidToken> {
        Call::new(self, "POST", "/v1/auth/validate").json(body).send()
    }

    /// Validate many tokens.
    ///
    /// `POST /v1/auth/validate/batch`
    pub fn validate_batch(&self, body: &types::BatchRequest) -> Result<types::BatchResults> {
        Call::new(self, "POST", "/v1/auth/validate/batch").json(body).send()
    }

    /// Get the coverage badge of a repository.
    ///
    /// `GET /v1/badge/{org}/{repo}`
    pub fn get_badge(&self, org: &str, repo: &str, options: &GetBadgeOptions) -> Result<Download> {
        Call::new(self, "GET", "/v1/badge/")
            .segment(org)
            .path("/")
            .segment(repo)
            .query("branch", options.branch.as_ref())
            .send_for_bytes()
    }

    /// Get the current baseline of a repository.
    ///
    /// `GET /v1/baselines`
    pub fn get_baseline(&self, org: &str, repo: &str) -> Result<types::Baseline> {
        Call::new(self, "GET", "/v1/baselines").query("org", Some(&org)).query("repo", Some(&repo)).send()
    }

    /// Set the baseline of a repository.
    ///
    /// `PUT /v1/baselines/{repo}`
    pub fn set_baseline(&self, repo: &str, body: &types::SetBaseline) -> Result<types::Baseline> {
        Call::new(self, "PUT", "/v1/baselines/").segment(repo).json(body).send()
    }

    /// List the past and current baselines of a repository.
    ///
    /// `GET /v1/baselines/{repo}/history`
    pub fn list_baseline_history(
        &self,
        repo: &str,
        options: &ListBaselineHistoryOptions,
    ) -> Result<types::BaselineHistory> {
        Call::new(self, "GET", "/v1/baselines/")
            .segment(repo)
            .path("/history")
            .query("limit", options.limit.as_ref())
            .query("cursor", options.cursor.as_ref())
            .send()
    }

    /// Revoke leaked tokens by their secrets.
    ///
    /// `POST /v1/credentials/revoke`
    pub fn revoke_credentials(&self, body: &types::FoundCredentials) -> Result<()> {
        Call::new(self, "POST", "/v1/credentials/revoke").json(body).send_for_nothing()
    }

    /// Evaluate a coverage without recording it.
    ///
    /// `POST /v1/enforcements`
    pub fn enforce(&self, body: &types::Enforce) -> Result<types::Enforcement> {
        Call::new(self, "POST", "/v1/enforcements").json(body).send()
    }

    /// List the executions of a repository.
    ///
    /// `GET /v1/executions`
    pub fn list_executions(
        &self,
        org: &str,
        repo: &str,
        options: &ListExecutionsOptions,
    ) -> Result<types::ExecutionList> {
        Call::new(self, "GET", "/v1/executions")
            .query("org", Some(&org))
            .query("repo", Some(&repo))
            .query("limit", options.limit.as_ref())
            .query("cursor", options.cursor.as_ref())
            .send()
    }

    /// Submit a coverage run.
    ///
    /// `POST /v1/executions`
    pub fn submit_execution(
        &self,
        options: &SubmitExecutionOptions,
        body: &types::SubmitExecution,
    ) -> Result<types::Execution> {
        Call::new(self, "POST", "/v1/executions")
            .header("Idempotency-Key", options.idempotency_key.as_ref())
            .json(body)
            .send()
    }

    /// Get an execution.
    ///
    /// `GET /v1/executions/{execution_id}`
    pub fn get_execution(&self, execution_id: &str) -> Result<types::ExecutionDetail> {
        Call::new(self, "GET", "/v1/executions/").segment(execution_id).send()
    }

    /// Decide whether an actor that is connected to a message broker may use a topic.
    ///
    /// `POST /v1/internal/actors/check-room-access`
    pub fn check_room_access(&self, body: &types::BrokerQuestion) -> Result<types::RoomAccess> {
        Call::new(self, "POST", "/v1/internal/actors/check-room-access").json(body).send()
    }

    /// Decide whether an actor may stay connected to a message broker.
    ///
    /// `POST /v1/internal/actors/revalidate`
    pub fn revalidate_actor(&self, body: &types::BrokerRevalidation) -> Result<types::BrokerStanding> {
        Call::new(self, "POST", "/v1/internal/actors/revalidate").json(body).send()
    }

    /// Decide whether an actor may connect to a message broker.
    ///
    /// `POST /v1/internal/actors/validate`
    pub fn validate_actor(&self, body: &types::BrokerValidation) -> Result<types::BrokerAdmission> {
        Call::new(self, "POST", "/v1/internal/actors/validate").json(body).send()
    }

    /// Accept an invitation.
    ///
    /// `POST /v1/invitations/accept`
    pub fn accept_invitation(&self, body: &types::AcceptInvitation) -> Result<types::AcceptedInvitation> {
        Call::new(self, "POST", "/v1/invitations/accept").json(body).send()
    }

    /// Report leaked tokens in the format of GitHub secret scanning.
    ///
    /// `POST /v1/leaks/github`
    pub fn report_github_leaks(
        &self,
        options: &ReportGithubLeaksOptions,
        body: &[types::LeakFinding],
    ) -> Result<Vec<types::LeakFeedback>> {
        Call::new(self, "POST", "/v1/leaks/github")
            .header("Github-Public-Key-Identifier", options.github_public_key_identifier.as_ref())
            .header("Github-Public-Key-Signature", options.github_public_key_signature.as_ref())
            .json(body)
            .send()
    }

    /// Receive an alert of GitHub secret scanning.
    ///
    /// `POST /v1/leaks/github-alerts`
    pub fn receive_github_alert(
        &self,
        options: &ReceiveGithubAlertOptions,
        body: &types::GitHubAlertEvent,
    ) -> Result<()> {
        Call::new(self, "POST", "/v1/leaks/github-alerts")
            .header("X-GitHub-Event", options.x_git_hub_event.as_ref())
            .header("X-Hub-Signature-256", options.x_hub_signature_256.as_ref())
            .json(body)
            .send_for_nothing()
    }

    /// Report leaked tokens in the format of GitLab secret detection.
    ///
    /// `POST /v1/leaks/gitlab`
    pub fn report_gitlab_leaks(
        &self,
        options: &ReportGitlabLeaksOptions,
        body: &[types::LeakFinding],
    ) -> Result<Vec<types::LeakFeedback>> {
        Call::new(self, "POST", "/v1/leaks/gitlab")
            .header("Gitlab-Public-Key-Identifier", options.gitlab_public_key_identifier.as_ref())
            .header("Gitlab-Public-Key-Signature", options.gitlab_public_key_signature.as_ref())
            .json(body)
            .send()
    }

    /// Receive a finding of GitLab secret detection.
    ///
    /// `POST /v1/leaks/gitlab-alerts`
    pub fn receive_gitlab_alert(
        &self,
        options: &ReceiveGitlabAlertOptions,
        body: &types::GitLabVulnerabilityEvent,
    ) -> Result<()> {
        Call::new(self, "POST", "/v1/leaks/gitlab-alerts")
            .header("X-Gitlab-Token", options.x_gitlab_token.as_ref())
            .header("webhook-id", options.webhook_id.as_ref())
            .header("webhook-timestamp", options.webhook_timestamp.as_ref())
            .header("webhook-signature", options.webhook_signature.as_ref())
            .json(body)
            .send_for_nothing()
    }

    /// Get your account.
    ///
    /// `GET /v1/me`
    pub fn get_me(&self) -> Result<types::Me> {
        Call::new(self, "GET", "/v1/me").send()
    }

    /// Change your name or request a change of your e-mail address.
    ///
    /// `PATCH /v1/me`
    pub fn edit_me(&self, body: &types::EditMe) -> Result<types::Me> {
        Call::new(self, "PATCH", "/v1/me").json(body).send()
    }

    /// Verify your e-mail address.
    ///
    /// `POST /v1/me/email`
    pub fn verify_email(&self, body: &types::VerifyEmail) -> Result<types::Me> {
        Call::new(self, "POST", "/v1/me/email").json(body).send()
    }

    /// List your personal keys.
    ///
    /// `GET /v1/me/keys`
    pub fn list_keys(&self, options: &ListKeysOptions) -> Result<types::TokenList> {
        Call::new(self, "GET", "/v1/me/keys")
            .query("status", options.status.as_ref())
            .query("name", options.name.as_ref())
            .query("q", options.q.as_ref())
            .query("scope", options.scope.as_ref())
            .query("created_by", options.created_by.as_ref())
            .query("project_id", options.project_id.as_ref())
            .query("agent_type", options.agent_type.as_ref())
            .query("external_id", options.external_id.as_ref())
            .query("unused_days", options.unused_days.as_ref())
            .query("expires_before", options.expires_before.as_ref())
            .query("revoked_after", options.revoked_after.as_ref())
            .query("limit", options.limit.as_ref())
            .query("cursor", options.cursor.as_ref())
            .send()
    }

    /// Create a personal key.
    ///
    /// `POST /v1/me/keys`
    pub fn create_key(&self, options: &CreateKeyOptions, body: &types::CreateKey) -> Result<types::CreatedToken> {
        Call::new(self, "POST", "/v1/me/keys")
            .header("Idempotency-Key", options.idempotency_key.as_ref())
            .json(body)
            .send()
    }

    /// Revoke one of your personal keys.
    ///
    /// `DELETE /v1/me/keys/{key_id}`
    pub fn revoke_key(&self, key_id: &str) -> Result<()> {
        Call::new(self, "DELETE", "/v1/me/keys/").segment(key_id).send_for_nothing()
    }

    /// Get one of your personal keys.
    ///
    /// `GET /v1/me/keys/{key_id}`
    pub fn get_key(&self, key_id: &str) -> Result<types::Token> {
        Call::new(self, "GET", "/v1/me/keys/").segment(key_id).send()
    }

    /// Update one of your personal keys.
    ///
    /// `PATCH /v1/me/keys/{key_id}`
    pub fn edit_key(&self, key_id: &str, body: &types::EditToken) -> Result<types::Token> {
        Call::new(self, "PATCH", "/v1/me/keys/").segment(key_id).json(body).send()
    }

    /// Rotate one of your personal keys.
    ///
    /// `POST /v1/me/keys/{key_id}/rotate`
    pub fn rotate_key(
        &self,
        key_id: &str,
        options: &RotateKeyOptions,
        body: &types::RotateToken,
    ) -> Result<types::RotatedToken> {
        Call::new(self, "POST", "/v1/me/keys/")
            .segment(key_id)
            .path("/rotate")
            .header("Idempotency-Key", options.idempotency_key.as_ref())
            .json(body)
            .send()
    }

    /// Cancel the rotation of one of your personal keys.
    ///
    /// `POST /v1/me/keys/{key_id}/rotate/cancel`
    pub fn cancel_key_rotation(&self, key_id: &str) -> Result<types::Token> {
        Call::new(self, "POST", "/v1/me/keys/").segment(key_id).path("/rotate/cancel").send()
    }

    /// Get the mail about tokens that you get.
    ///
    /// `GET /v1/me/notices`
    pub fn get_notices(&self) -> Result<types::Notices> {
        Call::new(self, "GET", "/v1/me/notices").send()
    }

    /// Choose the mail about tokens that you get.
    ///
    /// `PUT /v1/me/notices`
    pub fn set_notices(&self, body: &types::SetNotices) -> Result<types::Notices> {
        Call::new(self, "PUT", "/v1/me/notices").json(body).send()
    }

    /// Change your password.
    ///
    /// `POST /v1/me/password`
    pub fn change_password(&self, body: &types::ChangePassword) -> Result<()> {
        Call::new(self, "POST", "/v1/me/password").json(body).send_for_nothing()
    }

    /// Create new recovery codes.
    ///
    /// `POST /v1/me/recovery-codes`
    pub fn create_recovery_codes(&self, body: &types::NewRecoveryCodes) -> Result<types::RecoveryCodes> {
        Call::new(self, "POST", "/v1/me/recovery-codes").json(body).send()
    }

    /// Remove your second factor and its recovery codes.
    ///
    /// `DELETE /v1/me/totp`
    pub fn delete_totp(&self, body: &types::DeleteTotp) -> Result<()> {
        Call::new(self, "DELETE", "/v1/me/totp").json(body).send_for_nothing()
    }

    /// Get the state of your second factor.
    ///
    /// `GET /v1/me/totp`
    pub fn get_totp(&self) -> Result<types::TotpStatus> {
        Call::new(self, "GET", "/v1/me/totp").send()
    }

    /// Start setting up a second factor.
    ///
    /// `POST /v1/me/totp`
    pub fn start_totp(&self) -> Result<types::NewTotp> {
        Call::new(self, "POST", "/v1/me/totp").send()
    }

    /// Confirm a second factor with its first code.
    ///
    /// `POST /v1/me/totp/confirm`
    pub fn confirm_totp(&self, body: &types::ConfirmTotp) -> Result<types::RecoveryCodes> {
        Call::new(self, "POST", "/v1/me/totp/confirm").json(body).send()
    }

    /// List the nodes that share the database.
    ///
    /// `GET /v1/nodes`
    pub fn list_nodes(&self) -> Result<types::NodeList> {
        Call::new(self, "GET", "/v1/nodes").send()
    }

    /// Introspect a token (RFC 7662).
    ///
    /// `POST /v1/oauth/introspect`
    pub fn introspect(&self, body: &types::IntrospectionRequest) -> Result<types::Introspection> {
        Call::new(self, "POST", "/v1/oauth/introspect").form(body).send()
    }

    /// Revoke a token by its secret (RFC 7009).
    ///
    /// `POST /v1/oauth/revoke`
    pub fn revoke_presented(&self, body: &types::RevocationRequest) -> Result<()> {
        Call::new(self, "POST", "/v1/oauth/revoke").form(body).send_for_nothing()
    }

    /// Exchange the identity token of a CI job or another workload for a short-lived token (RFC 8693).
    ///
    /// `POST /v1/oauth/token`
    pub fn exchange_token(&self, body: &types::TokenExchangeRequest) -> Result<types::TokenExchangeResponse> {
        Call::new(self, "POST", "/v1/oauth/token").form(body).send()
    }

    /// List your organisations.
    ///
    /// `GET /v1/organizations`
    pub fn list_organizations(&self, options: &ListOrganizationsOptions) -> Result<types::OrganizationList> {
        Call::new(self, "GET", "/v1/organizations")
            .query("limit", options.limit.as_ref())
            .query("cursor", options.cursor.as_ref())
            .send()
    }

    /// Create an organisation.
    ///
    /// `POST /v1/organizations`
    pub fn create_organization(&self, body: &types::CreateOrganization) -> Result<types::Organization> {
        Call::new(self, "POST", "/v1/organizations").json(body).send()
    }

    /// Get an organisation.
    ///
    /// `GET /v1/organizations/{org_id}`
    pub fn get_organization(&self, org_id: &str) -> Result<types::Organization> {
        Call::new(self, "GET", "/v1/organizations/").segment(org_id).send()
    }

    /// Change an organisation: its name, whether its members need a second factor, what is done about leaked tokens, and
    /// whether workloads get tokens under trust policies alone.
    ///
    /// `PATCH /v1/organizations/{org_id}`
    pub fn edit_organization(&self, org_id: &str, body: &types::EditOrganization) -> Result<types::Organization> {
        Call::new(self, "PATCH", "/v1/organizations/").segment(org_id).json(body).send()
    }

    /// List the open invitations.
    ///
    /// `GET /v1/organizations/{org_id}/invitations`
    pub fn list_invitations(&self, org_id: &str, options: &ListInvitationsOptions) -> Result<types::InvitationList> {
        Call::new(self, "GET", "/v1/organizations/")
            .segment(org_id)
            .path("/invitations")
            .query("limit", options.limit.as_ref())
            .query("cursor", options.cursor.as_ref())
            .send()
    }

    /// Invite a person by e-mail address.
    ///
    /// `POST /v1/organizations/{org_id}/invitations`
    pub fn create_invitation(&self, org_id: &str, body: &types::CreateInvitation) -> Result<types::NewInvitation> {
        Call::new(self, "POST", "/v1/organizations/").segment(org_id).path("/invitations").json(body).send()
    }

    /// Withdraw an invitation.
    ///
    /// `DELETE /v1/organizations/{org_id}/invitations/{invitation_id}`
    pub fn delete_invitation(&self, org_id: &str, invitation_id: &str) -> Result<()> {
        Call::new(self, "DELETE", "/v1/organizations/")
            .segment(org_id)
            .path("/invitations/")
            .segment(invitation_id)
            .send_for_nothing()
    }

    /// List the members of an organisation.
    ///
    /// `GET /v1/organizations/{org_id}/members`
    pub fn list_members(&self, org_id: &str, options: &ListMembersOptions) -> Result<types::MemberList> {
        Call::new(self, "GET", "/v1/organizations/")
            .segment(org_id)
            .path("/members")
            .query("limit", options.limit.as_ref())
            .query("cursor", options.cursor.as_ref())
            .send()
    }

    /// Add a member.
    ///
    /// `POST /v1/organizations/{org_id}/members`
    pub fn add_member(&self, org_id: &str, body: &types::AddMember) -> Result<types::Outcome> {
        Call::new(self, "POST", "/v1/organizations/").segment(org_id).path("/members").json(body).send()
    }

    /// Leave the organisation.
    ///
    /// `DELETE /v1/organizations/{org_id}/members/me`
    pub fn leave_organization(&self, org_id: &str) -> Result<()> {
        Call::new(self, "DELETE", "/v1/organizations/").segment(org_id).path("/members/me").send_for_nothing()
    }

    /// Remove a member.
    ///
    /// `DELETE /v1/organizations/{org_id}/members/{user_id}`
    pub fn remove_member(&self, org_id: &str, user_id: &str) -> Result<()> {
        Call::new(self, "DELETE", "/v1/organizations/")
            .segment(org_id)
            .path("/members/")
            .segment(user_id)
            .send_for_nothing()
    }

    /// Change the role of a member, or disable or enable the member in this organisation.
    ///
    /// `PATCH /v1/organizations/{org_id}/members/{user_id}`
    pub fn edit_member(&self, org_id: &str, user_id: &str, body: &types::EditMember) -> Result<types::Member> {
        Call::new(self, "PATCH", "/v1/organizations/")
            .segment(org_id)
            .path("/members/")
            .segment(user_id)
            .json(body)
            .send()
    }

    /// End all sessions of a member in the organisation.
    ///
    /// `DELETE /v1/organizations/{org_id}/members/{user_id}/sessions`
    pub fn end_member_sessions(&self, org_id: &str, user_id: &str) -> Result<()> {
        Call::new(self, "DELETE", "/v1/organizations/")
            .segment(org_id)
            .path("/members/")
            .segment(user_id)
            .path("/sessions")
            .send_for_nothing()
    }

    /// List the sessions of a member in the organisation.
    ///
    /// `GET /v1/organizations/{org_id}/members/{user_id}/sessions`
    pub fn list_member_sessions(&self, org_id: &str, user_id: &str) -> Result<types::MemberSessionList> {
        Call::new(self, "GET", "/v1/organizations/")
            .segment(org_id)
            .path("/members/")
            .segment(user_id)
            .path("/sessions")
            .send()
    }

    /// List the projects of the organisation.
    ///
    /// `GET /v1/organizations/{org_id}/projects`
    pub fn list_projects(&self, org_id: &str, options: &ListProjectsOptions) -> Result<types::PageProject> {
        Call::new(self, "GET", "/v1/organizations/")
            .segment(org_id)
            .path("/projects")
            .query("page", options.page.as_ref())
            .query("limit", options.limit.as_ref())
            .query("orderBy", options.order_by.as_ref())
            .query("sortBy", options.sort_by.as_ref())
            .query("sortOrder", options.sort_order.as_ref())
            .query("search", options.search.as_ref())
            .send()
    }

    /// Create a project.
    ///
    /// `POST /v1/organizations/{org_id}/projects`
    pub fn create_project(&self, org_id: &str, body: &types::CreateProject) -> Result<types::Project> {
        Call::new(self, "POST", "/v1/organizations/").segment(org_id).path("/projects").json(body).send()
    }

    /// Delete a project with its access scopes and actors.
    ///
    /// `DELETE /v1/organizations/{org_id}/projects/{project_id}`
    pub fn delete_project(
        &self,
        org_id: &str,
        project_id: &str,
        options: &DeleteProjectOptions,
    ) -> Result<Option<types::Concerned>> {
        Call::new(self, "DELETE", "/v1/organizations/")
            .segment(org_id)
            .path("/projects/")
            .segment(project_id)
            .query("ifAssigned", options.if_assigned.as_ref())
            .query("dryRun", options.dry_run.as_ref())
            .send_perhaps()
    }

    /// Get a project.
    ///
    /// `GET /v1/organizations/{org_id}/projects/{project_id}`
    pub fn get_project(&self, org_id: &str, project_id: &str) -> Result<types::Project> {
        Call::new(self, "GET", "/v1/organizations/").segment(org_id).path("/projects/").segment(project_id).send()
    }

    /// Rename a project.
    ///
    /// `PATCH /v1/organizations/{org_id}/projects/{project_id}`
    pub fn edit_project(&self, org_id: &str, project_id: &str, body: &types::EditProject) -> Result<types::Project> {
        Call::new(self, "PATCH", "/v1/organizations/")
            .segment(org_id)
            .path("/projects/")
            .segment(project_id)
            .json(body)
            .send()
    }

    /// List the project's actors.
    ///
    /// `GET /v1/organizations/{org_id}/projects/{project_id}/actors`
    pub fn list_actors(&self, org_id: &str, project_id: &str, options: &ListActorsOptions) -> Result<types::PageActor> {
        Call::new(self, "GET", "/v1/organizations/")
            .segment(org_id)
            .path("/projects/")
            .segment(project_id)
            .path("/actors")
            .query("page", options.page.as_ref())
            .query("limit", options.limit.as_ref())
            .query("orderBy", options.order_by.as_ref())
            .query("sortBy", options.sort_by.as_ref())
            .query("sortOrder", options.sort_order.as_ref())
            .query("search", options.search.as_ref())
            .query("accessScopeId", options.access_scope_id.as_ref())
            .send()
    }

    /// Create an actor and its token.
    ///
    /// `POST /v1/organizations/{org_id}/projects/{project_id}/actors`
    pub fn create_actor(&self, org_id: &str, project_id: &str, body: &types::CreateActor) -> Result<types::MadeActor> {
        Call::new(self, "POST", "/v1/organizations/")
            .segment(org_id)
            .path("/projects/")
            .segment(project_id)
            .path("/actors")
            .json(body)
            .send()
    }

    /// Delete an actor and its tokens.
    ///
    /// `DELETE /v1/organizations/{org_id}/projects/{project_id}/actors/{actor_id}`
    pub fn delete_actor(&self, org_id: &str, project_id: &str, actor_id: &str) -> Result<()> {
        Call::new(self, "DELETE", "/v1/organizations/")
            .segment(org_id)
            .path("/projects/")
            .segment(project_id)
            .path("/actors/")
            .segment(actor_id)
            .send_for_nothing()
    }

    /// Get an actor.
    ///
    /// `GET /v1/organizations/{org_id}/projects/{project_id}/actors/{actor_id}`
    pub fn get_actor(&self, org_id: &str, project_id: &str, actor_id: &str) -> Result<types::Actor> {
        Call::new(self, "GET", "/v1/organizations/")
            .segment(org_id)
            .path("/projects/")
            .segment(project_id)
            .path("/actors/")
            .segment(actor_id)
            .send()
    }

    /// Update an actor.
    ///
    /// `PATCH /v1/organizations/{org_id}/projects/{project_id}/actors/{actor_id}`
    pub fn edit_actor(
        &self,
        org_id: &str,
        project_id: &str,
        actor_id: &str,
        body: &types::EditActor,
    ) -> Result<types::Actor> {
        Call::new(self, "PATCH", "/v1/organizations/")
            .segment(org_id)
            .path("/projects/")
            .segment(project_id)
            .path("/actors/")
            .segment(actor_id)
            .json(body)
            .send()
    }

    /// Check whether an actor may use a topic.
    ///
    /// `GET /v1/organizations/{org_id}/projects/{project_id}/actors/{actor_id}/check`
    pub fn check_topic(
        &self,
        org_id: &str,
        project_id: &str,
        actor_id: &str,
        topic: &str,
    ) -> Result<types::TopicCheck> {
        Call::new(self, "GET", "/v1/organizations/")
            .segment(org_id)
            .path("/projects/")
            .segment(project_id)
            .path("/actors/")
            .segment(actor_id)
            .path("/check")
            .query("topic", Some(&topic))
            .send()
    }

    /// Rotate the token of an actor.
    ///
    /// `POST /v1/organizations/{org_id}/projects/{project_id}/actors/{actor_id}/rotate`
    pub fn rotate_actor(
        &self,
        org_id: &str,
        project_id: &str,
        actor_id: &str,
        body: &types::RotateActor,
    ) -> Result<types::RotatedActor> {
        Call::new(self, "POST", "/v1/organizations/")
            .segment(org_id)
            .path("/projects/")
            .segment(project_id)
            .path("/actors/")
            .segment(actor_id)
            .path("/rotate")
            .json(body)
            .send()
    }

    /// List the access scopes of the project.
    ///
    /// `GET /v1/organizations/{org_id}/projects/{project_id}/scopes`
    pub fn list_scopes(
        &self,
        org_id: &str,
        project_id: &str,
        options: &ListScopesOptions,
    ) -> Result<types::PageAccessScope> {
        Call::new(self, "GET", "/v1/organizations/")
            .segment(org_id)
            .path("/projects/")
            .segment(project_id)
            .path("/scopes")
            .query("page", options.page.as_ref())
            .query("limit", options.limit.as_ref())
            .query("orderBy", options.order_by.as_ref())
            .query("sortBy", options.sort_by.as_ref())
            .query("sortOrder", options.sort_order.as_ref())
            .query("search", options.search.as_ref())
            .query("withActorCount", options.with_actor_count.as_ref())
            .send()
    }

    /// Create an access scope.
    ///
    /// `POST /v1/organizations/{org_id}/projects/{project_id}/scopes`
    pub fn create_scope(
        &self,
        org_id: &str,
        project_id: &str,
        body: &types::CreateScope,
    ) -> Result<types::AccessScope> {
        Call::new(self, "POST", "/v1/organizations/")
            .segment(org_id)
            .path("/projects/")
            .segment(project_id)
            .path("/scopes")
            .json(body)
            .send()
    }

    /// Delete an access scope.
    ///
    /// `DELETE /v1/organizations/{org_id}/projects/{project_id}/scopes/{scope_id}`
    pub fn delete_scope(
        &self,
        org_id: &str,
        project_id: &str,
        scope_id: &str,
        options: &DeleteScopeOptions,
    ) -> Result<Option<types::PageActor>> {
        Call::new(self, "DELETE", "/v1/organizations/")
            .segment(org_id)
            .path("/projects/")
            .segment(project_id)
            .path("/scopes/")
            .segment(scope_id)
            .query("ifAssigned", options.if_assigned.as_ref())
            .query("dryRun", options.dry_run.as_ref())
            .query("page", options.page.as_ref())
            .query("limit", options.limit.as_ref())
            .query("orderBy", options.order_by.as_ref())
            .query("sortBy", options.sort_by.as_ref())
            .query("sortOrder", options.sort_order.as_ref())
            .query("search", options.search.as_ref())
            .send_perhaps()
    }

    /// Get an access scope.
    ///
    /// `GET /v1/organizations/{org_id}/projects/{project_id}/scopes/{scope_id}`
    pub fn get_scope(&self, org_id: &str, project_id: &str, scope_id: &str) -> Result<types::AccessScope> {
        Call::new(self, "GET", "/v1/organizations/")
            .segment(org_id)
            .path("/projects/")
            .segment(project_id)
            .path("/scopes/")
            .segment(scope_id)
            .send()
    }

    /// Update an access scope.
    ///
    /// `PATCH /v1/organizations/{org_id}/projects/{project_id}/scopes/{scope_id}`
    pub fn edit_scope(
        &self,
        org_id: &str,
        project_id: &str,
        scope_id: &str,
        body: &types::EditScope,
    ) -> Result<types::AccessScope> {
        Call::new(self, "PATCH", "/v1/organizations/")
            .segment(org_id)
            .path("/projects/")
            .segment(project_id)
            .path("/scopes/")
            .segment(scope_id)
            .json(body)
            .send()
    }

    /// Remove actors from an access scope.
    ///
    /// `DELETE /v1/organizations/{org_id}/projects/{project_id}/scopes/{scope_id}/actors`
    pub fn unassign_actors(
        &self,
        org_id: &str,
        project_id: &str,
        scope_id: &str,
        body: &types::ActorIds,
    ) -> Result<types::AssignedActors> {
        Call::new(self, "DELETE", "/v1/organizations/")
            .segment(org_id)
            .path("/projects/")
            .segment(project_id)
            .path("/scopes/")
            .segment(scope_id)
            .path("/actors")
            .json(body)
            .send()
    }

    /// List the actors of an access scope.
    ///
    /// `GET /v1/organizations/{org_id}/projects/{project_id}/scopes/{scope_id}/actors`
    pub fn list_scope_actors(
        &self,
        org_id: &str,
        project_id: &str,
        scope_id: &str,
        options: &ListScopeActorsOptions,
    ) -> Result<types::PageActor> {
        Call::new(self, "GET", "/v1/organizations/")
            .segment(org_id)
            .path("/projects/")
            .segment(project_id)
            .path("/scopes/")
            .segment(scope_id)
            .path("/actors")
            .query("page", options.page.as_ref())
            .query("limit", options.limit.as_ref())
            .query("orderBy", options.order_by.as_ref())
            .query("sortBy", options.sort_by.as_ref())
            .query("sortOrder", options.sort_order.as_ref())
            .query("search", options.search.as_ref())
            .send()
    }

    /// Move actors into an access scope.
    ///
    /// `POST /v1/organizations/{org_id}/projects/{project_id}/scopes/{scope_id}/actors`
    pub fn assign_actors(
        &self,
        org_id: &str,
        project_id: &str,
        scope_id: &str,
        body: &types::ActorIds,
    ) -> Result<types::AssignedActors> {
        Call::new(self, "POST", "/v1/organizations/")
            .segment(org_id)
            .path("/projects/")
            .segment(project_id)
            .path("/scopes/")
            .segment(scope_id)
            .path("/actors")
            .json(body)
            .send()
    }

    /// Remove one actor from an access scope.
    ///
    /// `DELETE /v1/organizations/{org_id}/projects/{project_id}/scopes/{scope_id}/actors/{actor_id}`
    pub fn unassign_actor(&self, org_id: &str, project_id: &str, scope_id: &str, actor_id: &str) -> Result<()> {
        Call::new(self, "DELETE", "/v1/organizations/")
            .segment(org_id)
            .path("/projects/")
            .segment(project_id)
            .path("/scopes/")
            .segment(scope_id)
            .path("/actors/")
            .segment(actor_id)
            .send_for_nothing()
    }

    /// Get the effective topic of an actor in this access scope.
    ///
    /// `GET /v1/organizations/{org_id}/projects/{project_id}/scopes/{scope_id}/namespace`
    pub fn get_namespace(
        &self,
        org_id: &str,
        project_id: &str,
        scope_id: &str,
        topic: &str,
    ) -> Result<types::Namespaced> {
        Call::new(self, "GET", "/v1/organizations/")
            .segment(org_id)
            .path("/projects/")
            .segment(project_id)
            .path("/scopes/")
            .segment(scope_id)
            .path("/namespace")
            .query("topic", Some(&topic))
            .send()
    }

    /// List the roles of an organisation.
    ///
    /// `GET /v1/organizations/{org_id}/roles`
    pub fn list_roles(&self, org_id: &str) -> Result<types::RoleList> {
        Call::new(self, "GET", "/v1/organizations/").segment(org_id).path("/roles").send()
    }

    /// Create a role.
    ///
    /// `POST /v1/organizations/{org_id}/roles`
    pub fn create_role(&self, org_id: &str, body: &types::CreateRole) -> Result<types::Role> {
        Call::new(self, "POST", "/v1/organizations/").segment(org_id).path("/roles").json(body).send()
    }

    /// Delete a role.
    ///
    /// `DELETE /v1/organizations/{org_id}/roles/{role_id}`
    pub fn delete_role(&self, org_id: &str, role_id: &str) -> Result<()> {
        Call::new(self, "DELETE", "/v1/organizations/")
            .segment(org_id)
            .path("/roles/")
            .segment(role_id)
            .send_for_nothing()
    }

    /// Get a role.
    ///
    /// `GET /v1/organizations/{org_id}/roles/{role_id}`
    pub fn get_role(&self, org_id: &str, role_id: &str) -> Result<types::Role> {
        Call::new(self, "GET", "/v1/organizations/").segment(org_id).path("/roles/").segment(role_id).send()
    }

    /// Update a role.
    ///
    /// `PATCH /v1/organizations/{org_id}/roles/{role_id}`
    pub fn edit_role(&self, org_id: &str, role_id: &str, body: &types::EditRole) -> Result<types::Role> {
        Call::new(self, "PATCH", "/v1/organizations/")
            .segment(org_id)
            .path("/roles/")
            .segment(role_id)
            .json(body)
            .send()
    }

    /// Get the token policy of the organisation.
    ///
    /// `GET /v1/organizations/{org_id}/token-policy`
    pub fn get_policy(&self, org_id: &str) -> Result<types::TokenPolicy> {
        Call::new(self, "GET", "/v1/organizations/").segment(org_id).path("/token-policy").send()
    }

    /// Set the token policy of the organisation.
    ///
    /// `PUT /v1/organizations/{org_id}/token-policy`
    pub fn set_policy(&self, org_id: &str, body: &types::AskedPolicy) -> Result<types::TokenPolicy> {
        Call::new(self, "PUT", "/v1/organizations/").segment(org_id).path("/token-policy").json(body).send()
    }

    /// Preview the effect of a token policy without setting it.
    ///
    /// `POST /v1/organizations/{org_id}/token-policy/preview`
    pub fn preview_policy(
        &self,
        org_id: &str,
        options: &PreviewPolicyOptions,
        body: &types::AskedPolicy,
    ) -> Result<types::PolicyPreview> {
        Call::new(self, "POST", "/v1/organizations/")
            .segment(org_id)
            .path("/token-policy/preview")
            .query("limit", options.limit.as_ref())
            .query("cursor", options.cursor.as_ref())
            .json(body)
            .send()
    }

    /// List the trust policies.
    ///
    /// `GET /v1/organizations/{org_id}/trust-policies`
    pub fn list_trust_policies(&self, org_id: &str) -> Result<types::TrustPolicyList> {
        Call::new(self, "GET", "/v1/organizations/").segment(org_id).path("/trust-policies").send()
    }

    /// Create a trust policy for the workloads of an identity provider.
    ///
    /// `POST /v1/organizations/{org_id}/trust-policies`
    pub fn create_trust_policy(&self, org_id: &str, body: &types::CreateTrustPolicy) -> Result<types::TrustPolicy> {
        Call::new(self, "POST", "/v1/organizations/").segment(org_id).path("/trust-policies").json(body).send()
    }

    /// Test all trust policies of the organisation with an identity token.
    ///
    /// `POST /v1/organizations/{org_id}/trust-policies/test`
    pub fn test_trust_policies(&self, org_id: &str, body: &types::TestTrustPolicies) -> Result<types::TrustTest> {
        Call::new(self, "POST", "/v1/organizations/").segment(org_id).path("/trust-policies/test").json(body).send()
    }

    /// Delete a trust policy.
    ///
    /// `DELETE /v1/organizations/{org_id}/trust-policies/{policy_id}`
    pub fn delete_trust_policy(&self, org_id: &str, policy_id: &str) -> Result<()> {
        Call::new(self, "DELETE", "/v1/organizations/")
            .segment(org_id)
            .path("/trust-policies/")
            .segment(policy_id)
            .send_for_nothing()
    }

    /// Get a trust policy.
    ///
    /// `GET /v1/organizations/{org_id}/trust-policies/{policy_id}`
    pub fn get_trust_policy(&self, org_id: &str, policy_id: &str) -> Result<types::TrustPolicy> {
        Call::new(self, "GET", "/v1/organizations/").segment(org_id).path("/trust-policies/").segment(policy_id).send()
    }

    /// Update or disable a trust policy.
    ///
    /// `PATCH /v1/organizations/{org_id}/trust-policies/{policy_id}`
    pub fn edit_trust_policy(
        &self,
        org_id: &str,
        policy_id: &str,
        body: &types::EditTrustPolicy,
    ) -> Result<types::TrustPolicy> {
        Call::new(self, "PATCH", "/v1/organizations/")
            .segment(org_id)
            .path("/trust-policies/")
            .segment(policy_id)
            .json(body)
            .send()
    }

    /// List the recent exchange attempts under a trust policy.
    ///
    /// `GET /v1/organizations/{org_id}/trust-policies/{policy_id}/attempts`
    pub fn list_trust_attempts(&self, org_id: &str, policy_id: &str) -> Result<types::TrustAttemptList> {
        Call::new(self, "GET", "/v1/organizations/")
            .segment(org_id)
            .path("/trust-policies/")
            .segment(policy_id)
            .path("/attempts")
            .send()
    }

    /// List the tokens that the jobs of a trust policy probably still use.
    ///
    /// `GET /v1/organizations/{org_id}/trust-policies/{policy_id}/static-tokens`
    pub fn list_static_tokens(&self, org_id: &str, policy_id: &str) -> Result<types::StaticTokenList> {
        Call::new(self, "GET", "/v1/organizations/")
            .segment(org_id)
            .path("/trust-policies/")
            .segment(policy_id)
            .path("/static-tokens")
            .send()
    }

    /// Test one trust policy with an identity token.
    ///
    /// `POST /v1/organizations/{org_id}/trust-policies/{policy_id}/test`
    pub fn test_trust_policy(
        &self,
        org_id: &str,
        policy_id: &str,
        body: &types::TestTrustPolicies,
    ) -> Result<types::TrustTest> {
        Call::new(self, "POST", "/v1/organizations/")
            .segment(org_id)
            .path("/trust-policies/")
            .segment(policy_id)
            .path("/test")
            .json(body)
            .send()
    }

    /// Get the usage of the organisation's tokens.
    ///
    /// `GET /v1/organizations/{org_id}/usage`
    pub fn get_organization_usage(
        &self,
        org_id: &str,
        options: &GetOrganizationUsageOptions,
    ) -> Result<types::OrganizationUsage> {
        Call::new(self, "GET", "/v1/organizations/")
            .segment(org_id)
            .path("/usage")
            .query("from", options.from.as_ref())
            .query("to", options.to.as_ref())
            .query("step", options.step.as_ref())
            .send()
    }

    /// List the webhooks.
    ///
    /// `GET /v1/organizations/{org_id}/webhooks`
    pub fn list_webhooks(&self, org_id: &str) -> Result<types::WebhookList> {
        Call::new(self, "GET", "/v1/organizations/").segment(org_id).path("/webhooks").send()
    }

    /// Create a webhook.
    ///
    /// `POST /v1/organizations/{org_id}/webhooks`
    pub fn create_webhook(&self, org_id: &str, body: &types::CreateWebhook) -> Result<types::WebhookWithSecret> {
        Call::new(self, "POST", "/v1/organizations/").segment(org_id).path("/webhooks").json(body).send()
    }

    /// Delete a webhook, with its deliveries.
    ///
    /// `DELETE /v1/organizations/{org_id}/webhooks/{webhook_id}`
    pub fn delete_webhook(&self, org_id: &str, webhook_id: &str) -> Result<()> {
        Call::new(self, "DELETE", "/v1/organizations/")
            .segment(org_id)
            .path("/webhooks/")
            .segment(webhook_id)
            .send_for_nothing()
    }

    /// Get a webhook.
    ///
    /// `GET /v1/organizations/{org_id}/webhooks/{webhook_id}`
    pub fn get_webhook(&self, org_id: &str, webhook_id: &str) -> Result<types::Webhook> {
        Call::new(self, "GET", "/v1/organizations/").segment(org_id).path("/webhooks/").segment(webhook_id).send()
    }

    /// Update or disable a webhook.
    ///
    /// `PATCH /v1/organizations/{org_id}/webhooks/{webhook_id}`
    pub fn edit_webhook(&self, org_id: &str, webhook_id: &str, body: &types::EditWebhook) -> Result<types::Webhook> {
        Call::new(self, "PATCH", "/v1/organizations/")
            .segment(org_id)
            .path("/webhooks/")
            .segment(webhook_id)
            .json(body)
            .send()
    }

    /// List the deliveries of a webhook.
    ///
    /// `GET /v1/organizations/{org_id}/webhooks/{webhook_id}/deliveries`
    pub fn list_deliveries(
        &self,
        org_id: &str,
        webhook_id: &str,
        options: &ListDeliveriesOptions,
    ) -> Result<types::DeliveryList> {
        Call::new(self, "GET", "/v1/organizations/")
            .segment(org_id)
            .path("/webhooks/")
            .segment(webhook_id)
            .path("/deliveries")
            .query("limit", options.limit.as_ref())
            .query("cursor", options.cursor.as_ref())
            .send()
    }

    /// Send an event to a webhook again.
    ///
    /// `POST /v1/organizations/{org_id}/webhooks/{webhook_id}/deliveries/{delivery_id}/replay`
    pub fn replay_delivery(&self, org_id: &str, webhook_id: &str, delivery_id: &str) -> Result<types::WebhookDelivery> {
        Call::new(self, "POST", "/v1/organizations/")
            .segment(org_id)
            .path("/webhooks/")
            .segment(webhook_id)
            .path("/deliveries/")
            .segment(delivery_id)
            .path("/replay")
            .send()
    }

    /// Replace the secret of a webhook.
    ///
    /// `POST /v1/organizations/{org_id}/webhooks/{webhook_id}/rotate-secret`
    pub fn rotate_webhook_secret(&self, org_id: &str, webhook_id: &str) -> Result<types::WebhookWithSecret> {
        Call::new(self, "POST", "/v1/organizations/")
            .segment(org_id)
            .path("/webhooks/")
            .segment(webhook_id)
            .path("/rotate-secret")
            .send()
    }

    /// Send a test event to a webhook.
    ///
    /// `POST /v1/organizations/{org_id}/webhooks/{webhook_id}/test`
    pub fn test_webhook(&self, org_id: &str, webhook_id: &str) -> Result<types::WebhookDelivery> {
        Call::new(self, "POST", "/v1/organizations/")
            .segment(org_id)
            .path("/webhooks/")
            .segment(webhook_id)
            .path("/test")
            .send()
    }

    /// Request a new password by e-mail.
    ///
    /// `POST /v1/password-resets`
    pub fn request_password_reset(&self, body: &types::RequestPasswordReset) -> Result<()> {
        Call::new(self, "POST", "/v1/password-resets").json(body).send_for_nothing()
    }

    /// Set a new password by a mailed code.
    ///
    /// `POST /v1/password-resets/confirm`
    pub fn confirm_password_reset(&self, body: &types::ConfirmPasswordReset) -> Result<()> {
        Call::new(self, "POST", "/v1/password-resets/confirm").json(body).send_for_nothing()
    }

    /// List the repositories of the organisation.
    ///
    /// `GET /v1/repos`
    pub fn list_repositories(&self, options: &ListRepositoriesOptions) -> Result<types::RepositoryList> {
        Call::new(self, "GET", "/v1/repos")
            .query("limit", options.limit.as_ref())
            .query("cursor", options.cursor.as_ref())
            .send()
    }

    /// List the access scopes of the project.
    ///
    /// `GET /v1/scopes`
    pub fn list_scopes_bound(&self, options: &ListScopesBoundOptions) -> Result<types::ScopeList> {
        Call::new(self, "GET", "/v1/scopes")
            .query("page", options.page.as_ref())
            .query("limit", options.limit.as_ref())
            .query("orderBy", options.order_by.as_ref())
            .query("sortBy", options.sort_by.as_ref())
            .query("sortOrder", options.sort_order.as_ref())
            .query("search", options.search.as_ref())
            .query("withActorCount", options.with_actor_count.as_ref())
            .send()
    }

    /// Create an access scope.
    ///
    /// `POST /v1/scopes`
    pub fn create_scope_bound(&self, body: &types::CreateScope) -> Result<types::AccessScope> {
        Call::new(self, "POST", "/v1/scopes").json(body).send()
    }

    /// List all scopes and presets.
    ///
    /// `GET /v1/scopes/catalog`
    pub fn get_catalog(&self) -> Result<types::Catalog> {
        Call::new(self, "GET", "/v1/scopes/catalog").send()
    }

    /// Compare granted scopes with required ones.
    ///
    /// `POST /v1/scopes/evaluate`
    pub fn evaluate_scopes(&self, body: &types::EvaluateScopes) -> Result<types::ScopeEvaluation> {
        Call::new(self, "POST", "/v1/scopes/evaluate").json(body).send()
    }

    /// Delete an access scope.
    ///
    /// `DELETE /v1/scopes/{scope_id}`
    pub fn delete_scope_bound(
        &self,
        scope_id: &str,
        options: &DeleteScopeBoundOptions,
    ) -> Result<Option<types::PageActor>> {
        Call::new(self, "DELETE", "/v1/scopes/")
            .segment(scope_id)
            .query("ifAssigned", options.if_assigned.as_ref())
            .query("dryRun", options.dry_run.as_ref())
            .query("page", options.page.as_ref())
            .query("limit", options.limit.as_ref())
            .query("orderBy", options.order_by.as_ref())
            .query("sortBy", options.sort_by.as_ref())
            .query("sortOrder", options.sort_order.as_ref())
            .query("search", options.search.as_ref())
            .send_perhaps()
    }

    /// Get an access scope.
    ///
    /// `GET /v1/scopes/{scope_id}`
    pub fn get_scope_bound(&self, scope_id: &str) -> Result<types::AccessScope> {
        Call::new(self, "GET", "/v1/scopes/").segment(scope_id).send()
    }

    /// Update an access scope.
    ///
    /// `PATCH /v1/scopes/{scope_id}`
    pub fn edit_scope_bound(&self, scope_id: &str, body: &types::EditScope) -> Result<types::AccessScope> {
        Call::new(self, "PATCH", "/v1/scopes/").segment(scope_id).json(body).send()
    }

    /// Remove actors from an access scope.
    ///
    /// `DELETE /v1/scopes/{scope_id}/actors`
    pub fn unassign_actors_bound(&self, scope_id: &str, body: &types::ActorIds) -> Result<types::AssignedActors> {
        Call::new(self, "DELETE", "/v1/scopes/").segment(scope_id).path("/actors").json(body).send()
    }

    /// List the actors of an access scope.
    ///
    /// `GET /v1/scopes/{scope_id}/actors`
    pub fn list_scope_actors_bound(
        &self,
        scope_id: &str,
        options: &ListScopeActorsBoundOptions,
    ) -> Result<Vec<types::Actor>> {
        Call::new(self, "GET", "/v1/scopes/")
            .segment(scope_id)
            .path("/actors")
            .query("page", options.page.as_ref())
            .query("limit", options.limit.as_ref())
            .query("orderBy", options.order_by.as_ref())
            .query("sortBy", options.sort_by.as_ref())
            .query("sortOrder", options.sort_order.as_ref())
            .query("search", options.search.as_ref())
            .send()
    }

    /// Move actors into an access scope.
    ///
    /// `POST /v1/scopes/{scope_id}/actors`
    pub fn assign_actors_bound(&self, scope_id: &str, body: &types::ActorIds) -> Result<types::AssignedActors> {
        Call::new(self, "POST", "/v1/scopes/").segment(scope_id).path("/actors").json(body).send()
    }

    /// Remove one actor from an access scope.
    ///
    /// `DELETE /v1/scopes/{scope_id}/actors/{actor_id}`
    pub fn unassign_actor_bound(&self, scope_id: &str, actor_id: &str) -> Result<()> {
        Call::new(self, "DELETE", "/v1/scopes/").segment(scope_id).path("/actors/").segment(actor_id).send_for_nothing()
    }

    /// Get the effective topic of an actor in this access scope.
    ///
    /// `GET /v1/scopes/{scope_id}/namespace`
    pub fn get_namespace_bound(&self, scope_id: &str, topic: &str) -> Result<types::Namespaced> {
        Call::new(self, "GET", "/v1/scopes/").segment(scope_id).path("/namespace").query("topic", Some(&topic)).send()
    }

    /// End all your sessions, including this one.
    ///
    /// `DELETE /v1/sessions`
    pub fn delete_all(&self) -> Result<()> {
        Call::new(self, "DELETE", "/v1/sessions").send_for_nothing()
    }

    /// List your sessions.
    ///
    /// `GET /v1/sessions`
    pub fn list_sessions(&self) -> Result<types::SessionList> {
        Call::new(self, "GET", "/v1/sessions").send()
    }

    /// Sign in.
    ///
    /// `POST /v1/sessions`
    pub fn create_session(&self, body: &types::SignIn) -> Result<types::NewSession> {
        Call::new(self, "POST", "/v1/sessions").json(body).send()
    }

    /// Create a session for a person who signed in elsewhere.
    ///
    /// `POST /v1/sessions/create`
    pub fn create_for_person(&self, body: &types::SignInFor) -> Result<types::NewSession> {
        Call::new(self, "POST", "/v1/sessions/create").json(body).send()
    }

    /// End the current session.
    ///
    /// `DELETE /v1/sessions/current`
    pub fn delete_current(&self) -> Result<()> {
        Call::new(self, "DELETE", "/v1/sessions/current").send_for_nothing()
    }

    /// Prove your identity again in the current session.
    ///
    /// `POST /v1/sessions/current/proof`
    pub fn prove_session(&self, body: &types::ProveSession) -> Result<types::Session> {
        Call::new(self, "POST", "/v1/sessions/current/proof").json(body).send()
    }

    /// Open a session in another organisation.
    ///
    /// `POST /v1/sessions/switch`
    pub fn switch_session(&self, body: &types::SwitchSession) -> Result<types::NewSession> {
        Call::new(self, "POST", "/v1/sessions/switch").json(body).send()
    }

    /// End one of your sessions.
    ///
    /// `DELETE /v1/sessions/{session_id}`
    pub fn delete_session(&self, session_id: &str) -> Result<()> {
        Call::new(self, "DELETE", "/v1/sessions/").segment(session_id).send_for_nothing()
    }

    /// Set up a new deployment.
    ///
    /// `POST /v1/setup`
    pub fn run_setup(&self, body: &types::RunSetup) -> Result<types::SetUpDone> {
        Call::new(self, "POST", "/v1/setup").json(body).send()
    }

    /// List the tokens of the organisation.
    ///
    /// `GET /v1/tokens`
    pub fn list_tokens(&self, options: &ListTokensOptions) -> Result<types::TokenList> {
        Call::new(self, "GET", "/v1/tokens")
            .query("status", options.status.as_ref())
            .query("name", options.name.as_ref())
            .query("q", options.q.as_ref())
            .query("scope", options.scope.as_ref())
            .query("created_by", options.created_by.as_ref())
            .query("project_id", options.project_id.as_ref())
            .query("agent_type", options.agent_type.as_ref())
            .query("external_id", options.external_id.as_ref())
            .query("unused_days", options.unused_days.as_ref())
            .query("expires_before", options.expires_before.as_ref())
            .query("revoked_after", options.revoked_after.as_ref())
            .query("limit", options.limit.as_ref())
            .query("cursor", options.cursor.as_ref())
            .query("kind", options.kind.as_ref())
            .query("owner", options.owner.as_ref())
            .send()
    }

    /// Create a token.
    ///
    /// `POST /v1/tokens`
    pub fn create_token(&self, options: &CreateTokenOptions, body: &types::CreateToken) -> Result<types::CreatedToken> {
        Call::new(self, "POST", "/v1/tokens")
            .header("Idempotency-Key", options.idempotency_key.as_ref())
            .json(body)
            .send()
    }

    /// Revoke many tokens at once.
    ///
    /// `POST /v1/tokens/bulk-revoke`
    pub fn bulk_revoke_tokens(&self, body: &types::BulkRevoke) -> Result<types::BulkRevokedView> {
        Call::new(self, "POST", "/v1/tokens/bulk-revoke").json(body).send()
    }

    /// Count the tokens of the organisation by status.
    ///
    /// `GET /v1/tokens/counts`
    pub fn count_tokens(&self, options: &CountTokensOptions) -> Result<types::TokenCounts> {
        Call::new(self, "GET", "/v1/tokens/counts")
            .query("status", options.status.as_ref())
            .query("name", options.name.as_ref())
            .query("q", options.q.as_ref())
            .query("scope", options.scope.as_ref())
            .query("created_by", options.created_by.as_ref())
            .query("project_id", options.project_id.as_ref())
            .query("agent_type", options.agent_type.as_ref())
            .query("external_id", options.external_id.as_ref())
            .query("unused_days", options.unused_days.as_ref())
            .query("expires_before", options.expires_before.as_ref())
            .query("revoked_after", options.revoked_after.as_ref())
            .query("limit", options.limit.as_ref())
            .query("cursor", options.cursor.as_ref())
            .query("kind", options.kind.as_ref())
            .query("owner", options.owner.as_ref())
            .send()
    }

    /// Import keys of another system by their hashes.
    ///
    /// `POST /v1/tokens/import`
    pub fn import_tokens(&self, body: &types::ImportTokens) -> Result<types::Imported> {
        Call::new(self, "POST", "/v1/tokens/import").json(body).send()
    }

    /// Find the token that a secret belongs to.
    ///
    /// `POST /v1/tokens/lookup`
    pub fn lookup_token(&self, body: &types::LookupToken) -> Result<types::Token> {
        Call::new(self, "POST", "/v1/tokens/lookup").json(body).send()
    }

    /// Revoke the token of this request.
    ///
    /// `DELETE /v1/tokens/self`
    pub fn revoke_self(&self) -> Result<()> {
        Call::new(self, "DELETE", "/v1/tokens/self").send_for_nothing()
    }

    /// Get the token of this request.
    ///
    /// `GET /v1/tokens/self`
    pub fn get_self(&self) -> Result<types::Token> {
        Call::new(self, "GET", "/v1/tokens/self").send()
    }

    /// Rotate the token of this request.
    ///
    /// `POST /v1/tokens/self/rotate`
    pub fn rotate_self(&self, options: &RotateSelfOptions, body: &types::RotateToken) -> Result<types::RotatedToken> {
        Call::new(self, "POST", "/v1/tokens/self/rotate")
            .header("Idempotency-Key", options.idempotency_key.as_ref())
            .json(body)
            .send()
    }

    /// Revoke a token.
    ///
    /// `DELETE /v1/tokens/{token_id}`
    pub fn revoke_token(&self, token_id: &str) -> Result<()> {
        Call::new(self, "DELETE", "/v1/tokens/").segment(token_id).send_for_nothing()
    }

    /// Get a token.
    ///
    /// `GET /v1/tokens/{token_id}`
    pub fn get_token(&self, token_id: &str) -> Result<types::Token> {
        Call::new(self, "GET", "/v1/tokens/").segment(token_id).send()
    }

    /// Update a token.
    ///
    /// `PATCH /v1/tokens/{token_id}`
    pub fn edit_token(&self, token_id: &str, body: &types::EditToken) -> Result<types::Token> {
        Call::new(self, "PATCH", "/v1/tokens/").segment(token_id).json(body).send()
    }

    /// Revoke a token and record a reason.
    ///
    /// `POST /v1/tokens/{token_id}/revoke`
    pub fn revoke_with_reason(&self, token_id: &str, body: &types::Reason) -> Result<()> {
        Call::new(self, "POST", "/v1/tokens/").segment(token_id).path("/revoke").json(body).send_for_nothing()
    }

    /// Rotate a token.
    ///
    /// `POST /v1/tokens/{token_id}/rotate`
    pub fn rotate_token(
        &self,
        token_id: &str,
        options: &RotateTokenOptions,
        body: &types::RotateToken,
    ) -> Result<types::RotatedToken> {
        Call::new(self, "POST", "/v1/tokens/")
            .segment(token_id)
            .path("/rotate")
            .header("Idempotency-Key", options.idempotency_key.as_ref())
            .json(body)
            .send()
    }

    /// Cancel the rotation of a token.
    ///
    /// `POST /v1/tokens/{token_id}/rotate/cancel`
    pub fn cancel_rotation(&self, token_id: &str) -> Result<types::Token> {
        Call::new(self, "POST", "/v1/tokens/").segment(token_id).path("/rotate/cancel").send()
    }

    /// Get the usage of a token.
    ///
    /// `GET /v1/tokens/{token_id}/usage`
    pub fn get_usage(&self, token_id: &str, options: &GetUsageOptions) -> Result<types::UsageReport> {
        Call::new(self, "GET", "/v1/tokens/")
            .segment(token_id)
            .path("/usage")
            .query("from", options.from.as_ref())
            .query("to", options.to.as_ref())
            .query("step", options.step.as_ref())
            .send()
    }
}
