//! The meaning of field and parameter names on the wire: format, pattern, bounds, values, an example.
//!
//! A view declares only that `created_at` is text. This table adds, once for all schemas with the name, that every
//! `…_at` is a time, that a slug has a pattern and that a status is one of four words. A handler's own `#[schema(…)]`
//! or `#[param(…)]` wins. `cargo xtask check` refuses a document with a text or a number without a meaning.

use std::sync::LazyLock;

use authority::records::{DeliveryError, TrustOutcome};
use authority::webhooks::EVENTS;
use edge::codes::Code;
use serde_json::{Map, Value, json};
use token_domain::ScopeName;
use token_domain::access::ActorType;
use token_domain::execution::Outcome;
use token_domain::id::{self, kind};
use token_domain::text::{Email, Name, Slug};
use token_domain::token::{GraceMode, Kind, Status};
use token_domain::trust::{Conditions, Preset};

use crate::surface::oauth::{GRANT, METHODS, METHODS_OR_NONE, SUBJECT_TYPES};

/// The direction of a schema: requests may allow more than responses show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// In requests: bodies and parameters.
    Taken,
    /// In responses.
    Shown,
}

/// A UUID as text, either case.
const UUID: &str = "[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}";
/// A `TypeID` suffix: 128 bits in Crockford base32, so the first digit is at most 7.
const SUFFIX: &str = "[0-7][0-9a-hjkmnp-tv-z]{25}";
/// A name: trimmed by the server, then at least one character and no control characters.
fn name_of(longest: usize) -> String {
    // The pattern matches the first and the last character separately.
    let inner = longest.saturating_sub(2);
    format!(r"^[\t-\r ]*[^\x00-\x20\x7f-\xa0](?:[^\x00-\x1f\x7f-\x9f]{{0,{inner}}}[^\x00-\x20\x7f-\xa0])?[\t-\r ]*$")
}
/// A slug.
const SLUG: &str = "^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$";
/// The grammar of scope names.
const SCOPE: &str = "^[a-z][a-z0-9-]*(?:\\.[a-z][a-z0-9-]*)*(?::[a-z][a-z0-9-]*)?$";
/// The principal that did something.
const PRINCIPAL: &str = "^(?:(?:user|token|policy):[0-9a-f-]{36}|service|system|anonymous)$";
const SHA256: &str = "^[0-9a-f]{64}$";
const TOKEN: &str = "^nlp_[0-9a-f]{40}$";
/// A repository: parts between slashes.
const REPOSITORY: &str = r#"^[^\x00-\x20\x7f-\xa0/\\:*?"<>|#%.][^\x00-\x20\x7f-\xa0/\\:*?"<>|#%]*(?:/[^\x00-\x20\x7f-\xa0/\\:*?"<>|#%.][^\x00-\x20\x7f-\xa0/\\:*?"<>|#%]*)*$"#;
const EXAMPLE_ID: &str = "018f2f3e-4c5d-7a6b-8c7d-9e0f1a2b3c4d";
const EXAMPLE_TOKEN: &str = "nlp_00112233445566778899aabbccddeeff550c911c";
/// A header, claims and a signature (RFC 7515, section 3.1).
const JWT: &str = "^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$";
/// An identity token of GitHub with only an issuer.
const EXAMPLE_JWT: &str =
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL3Rva2VuLmFjdGlvbnMuZ2l0aHVidXNlcmNvbnRlbnQuY29tIn0.c2lnbmF0dXJl";
/// 256 zero bits.
const EXAMPLE_WEBHOOK_SECRET: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const EXAMPLE_ORG: &str = "org_01j0b3v1mmeedtx9cpdgkfhbch";

/// Not a JSON Schema keyword: `false` removes `null` from the types of a field.
const NULLABLE: &str = "nullable";

/// A row: the places it describes, and the keywords that are added there.
///
/// A place is `Schema.property`, or `property` for every schema without its own row. Parameters are named in the same
/// way, with the operation's id instead of `Schema` where it matters.
type Row = (&'static [&'static str], Value);

/// An id of this kind in a request: a UUID or a `TypeID`.
fn taken<K: id::Kind>() -> Value {
    json!({"pattern": format!("^(?:{UUID}|{}_{SUFFIX})$", K::PREFIX), "example": EXAMPLE_ID})
}

fn shown_org() -> Value {
    json!({"pattern": format!("^org_{SUFFIX}$"), "example": EXAMPLE_ORG})
}

fn shown_id() -> Value {
    json!({"format": "uuid", "example": EXAMPLE_ID})
}

fn name(longest: usize, example: &str) -> Value {
    json!({"minLength": 1, "pattern": name_of(longest), "example": example})
}

fn shown_name(longest: usize, example: &str) -> Value {
    json!({"minLength": 1, "maxLength": longest, "example": example})
}

/// The meaning for a field that may be absent but not `null`, which `utoipa` does not distinguish.
fn not_null(mut meaning: Value) -> Value {
    meaning[NULLABLE] = json!(false);
    meaning
}

/// The conditions on claims.
fn conditions() -> Value {
    let example = json!({"repository_id": "1296269", "ref": {"glob": "refs/heads/*"}});
    json!({"minProperties": 1, "maxProperties": Conditions::MOST, "example": example})
}

fn one_of(values: &[&str]) -> Value {
    json!({"enum": values, "example": values[0]})
}

fn free(example: &str) -> Value {
    json!({ "example": example })
}

/// Types of events that webhooks are told of.
fn webhook_events() -> Value {
    let all: Vec<&str> = EVENTS.iter().map(|(event, _)| *event).collect();
    json!({"minItems": 1, "items": {"enum": all}, "example": ["token.leaked", "token.revoke"]})
}

/// The meaning of an error's `message`.
fn said(message: &str) -> Value {
    json!({"minLength": 1, "maxLength": 2000, "example": message})
}

fn address(example: &str) -> Value {
    json!({"format": "uri", "example": example})
}

fn count(least: u64, most: u64, example: u64) -> Value {
    json!({"minimum": least, "maximum": most, "example": example})
}

fn time(example: &str) -> Value {
    json!({"format": "date-time", "example": example})
}

fn scopes(least: usize, most: usize, example: &[&str]) -> Value {
    json!({"minItems": least, "maxItems": most, "example": example,
        "items": {"pattern": SCOPE, "format": "scope", "example": example[0]}})
}

/// The rows for responses, which also apply to requests without a row in [`TAKEN`].
static SHOWN: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let kinds = Kind::ALL.map(Kind::as_str);
    let actor_types = ActorType::ALL.map(ActorType::as_str);
    vec![
        (&["org_id", "organizationId", "Organization.id", "Me.org_id"], shown_org()),
        (
            &["Execution.id", "ExecutionEntry.id"],
            json!({"pattern": format!("^exe_{SUFFIX}$"), "example": "exe_01kf0h4s5xe0x9c1zq4h8y2m3n"}),
        ),
        (&["id", "jti", "rotated_from", "rotated_to"], shown_id()),
        // An organisation's own id, or the UUID of a person or an actor.
        (
            &["Owner.id", "sub"],
            json!({"pattern": format!("^(?:org_{SUFFIX}|[0-9a-f-]{{36}})$"), "example": EXAMPLE_ID}),
        ),
        (&["Role.id"], json!({"pattern": "^(?:owner|admin|member|viewer|[0-9a-f-]{36})$", "example": "member"})),
        (&["target_id"], json!({"maxLength": 255, "example": EXAMPLE_ID})),
        (&["target_kind"], json!({"maxLength": 64, "example": "token"})),
        (&["request_id"], json!({"maxLength": 128, "example": "01kf0h4s5xe0x9c1"})),
        (&["action"], json!({"maxLength": 255, "pattern": "^[a-z_]+(?:\\.[a-z_]+)+$", "example": "token.create"})),
        (
            &["created_by", "set_by", "submitted_by", "updated_by", "AuditEvent.actor"],
            json!({"pattern": PRINCIPAL, "example": format!("user:{EXAMPLE_ID}")}),
        ),
        (
            &["hash", "prev_hash"],
            json!({"pattern": SHA256, "example": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}),
        ),
        (
            &["head"],
            json!({"pattern": "^[0-9]+\\.[0-9a-f]{64}$", "example": "1234.9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}),
        ),
        (&["at", "timestamp", "begins_at"], time("2026-01-15T09:32:11Z")),
        (&["AuditEvent.at"], time("2026-01-15T09:32:11.123456Z")),
        (
            &["UsageReport.from", "UsageReport.to", "OrganizationUsage.from", "OrganizationUsage.to"],
            time("2026-01-15T09:00:00Z"),
        ),
        (&["kind", "kinds"], one_of(&kinds)),
        (&["Token.status"], one_of(&Status::ALL.map(Status::as_str))),
        (&["ValidToken.status"], one_of(&["active", "rotating"])),
        (&["RotatedToken.status"], one_of(&["active"])),
        (&["old_token_status"], one_of(&["rotating", "revoked"])),
        (&["Actor.status"], one_of(&["active", "disabled", "expired"])),
        (&["Invitation.status"], one_of(&["pending", "expired"])),
        (&["Member.status"], one_of(&["active", "disabled"])),
        (&["Health.status"], one_of(&["ok"])),
        (&["actorType"], one_of(&actor_types)),
        (&["outcome"], one_of(&Outcome::ALL.map(Outcome::as_str))),
        (&["step"], one_of(&["hour", "day"])),
        (&["Owner.type"], one_of(&["organization", "user", "actor"])),
        (&["Introspection.token_type"], one_of(&["Bearer"])),
        (
            &["iss", "issuer", "introspection_endpoint", "revocation_endpoint", "service_documentation"],
            address("https://tokens.example.org"),
        ),
        (&["resource", "resource_documentation"], address("https://tokens.example.org")),
        (&["validate", "revoke", "introspect"], address("https://tokens.example.org/v1/auth/validate")),
        (&["authorization_servers"], json!({"items": address("https://tokens.example.org")})),
        (&["resource_name"], one_of(&["nolapse tokens"])),
        (&["token_endpoint"], address("https://tokens.example.org/v1/oauth/token")),
        (&["token_endpoint_auth_methods_supported"], json!({"items": {"enum": ["none"]}})),
        (&["bearer_methods_supported"], one_of(&["header"])),
        (&["introspection_endpoint_auth_methods_supported"], json!({"items": {"enum": METHODS}})),
        (&["revocation_endpoint_auth_methods_supported"], json!({"items": {"enum": METHODS_OR_NONE}})),
        (&["response_types_supported"], json!({"items": {"enum": ["none"]}})),
        (&["grant_types_supported"], json!({"items": {"enum": [GRANT]}})),
        (&["access_token"], json!({"pattern": TOKEN, "example": EXAMPLE_TOKEN})),
        (&["issued_token_type"], one_of(&["urn:ietf:params:oauth:token-type:access_token"])),
        (&["TokenExchangeResponse.token_type"], one_of(&["Bearer"])),
        (&["TokenExchangeResponse.scope"], json!({"maxLength": 8192, "example": "execute read"})),
        (&["expires_in"], count(1, 3_600, 900)),
        (&["policy_id"], shown_id()),
        (&["Webhook.url"], address("https://hooks.example.com/tokens")),
        (&["Webhook.events"], webhook_events()),
        (&["Webhook.description"], shown_name(500, "Tells the on-call channel.")),
        (
            &["WebhookWithSecret.secret"],
            json!({"pattern": "^whsec_[A-Za-z0-9+/]{43}=$", "example": EXAMPLE_WEBHOOK_SECRET}),
        ),
        (&["failures", "attempts"], count(0, u64::from(u32::MAX), 0)),
        (&["webhook_id", "WebhookDelivery.id"], shown_id()),
        (&["WebhookDelivery.event"], json!({"maxLength": 100, "example": "token.revoke"})),
        (&["WebhookDelivery.status"], one_of(&["pending", "delivered", "failed"])),
        (&["response_code"], count(100, 999, 204)),
        (&["WebhookDelivery.error"], one_of(&DeliveryError::ALL.map(DeliveryError::as_str))),
        (&["preset"], one_of(&Preset::ALL.map(Preset::as_str))),
        (&["ttl"], count(60, 3_600, 900)),
        (&["audience"], json!({"minLength": 1, "maxLength": 512, "example": "https://tokens.example.org"})),
        (&["TrustPolicy.issuer"], address("https://token.actions.githubusercontent.com")),
        (&["TrustAttempt.outcome"], one_of(&TrustOutcome::ALL.map(TrustOutcome::as_str))),
        (&["claim", "expected", "actual", "subject"], json!({"maxLength": 16_384, "example": "repository_id"})),
        (&["TrustAttempt.address", "StaticToken.address"], json!({"maxLength": 45, "example": "192.0.2.1"})),
        (&["check"], one_of(&["signature", "audience", "time"])),
        (&["refused"], json!({"maxLength": 500})),
        (&["scopes_supported"], scopes(0, 1000, &["execute"])),
        (&["ScanRules.pattern", "checksum"], json!({"minLength": 1, "maxLength": 500})),
        (
            &["token_hash"],
            json!({"pattern": "^[0-9A-Za-z+/]{43}=$", "example": "mkVSChIT8VAW0tdotfs9kESSpE7idLRNTeiAPgD7U2o="}),
        ),
        (&["LeakFeedback.token_type", "LeakFinding.type"], free("nolapse_api_token")),
        (&["label"], one_of(&["true_positive", "false_positive"])),
        (&["leak_action"], one_of(&["revoke", "rotate_grace_1h", "notify"])),
        (&["fault"], one_of(&["missing", "changed", "unlinked", "replaced", "cut_off", "added", "unreadable"])),
        (
            &["failing"],
            json!({"maxItems": 8, "items": {"enum": ["setup", "database", "disk", "lease", "feed", "ledger", "stopping"]}}),
        ),
        (
            &["TopicCheck.reason"],
            one_of(&["actor_disabled", "actor_expired", "access_scope_inactive", "outside_access_scope"]),
        ),
        // What brokers read.
        (&["AllowedActor.result"], one_of(&["allow"])),
        (&["DeniedActor.result"], one_of(&["deny"])),
        (&["permission"], one_of(&["pubSub"])),
        (
            &["InvalidActor.error", "disconnect_reason"],
            one_of(&["token_not_found", "token_suspended", "token_expired"]),
        ),
        (&["BrokerClient.actor_type"], one_of(&actor_types)),
        (&["app_name", "project_name"], json!({"minLength": 1, "maxLength": Name::LONGEST, "example": "Fleet"})),
        (&["scope_name"], json!({"minLength": 1, "maxLength": 255, "example": "Acme"})),
        (&["allowed_lobbies", "active_subscriptions"], json!({"maxItems": 0, "items": {"maxLength": 255}})),
        (&["topic_webhooks"], json!({"maxProperties": 0, "additionalProperties": {"maxLength": 255}})),
        (&["reasons"], json!({"maxItems": 4, "items": {"enum": ["idle", "lifetime", "scopes", "kind"]}})),
        (&["delta"], json!({"pattern": "^(?:[+-][0-9]+\\.[0-9]{2}|0\\.00)$", "example": "-0.50"})),
        (&["secret", "accessToken"], json!({"pattern": TOKEN, "example": EXAMPLE_TOKEN})),
        (&["NewTotp.secret"], json!({"pattern": "^[A-Z2-7]{32}$", "example": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"})),
        (
            &["otpauth_uri"],
            json!({"format": "uri", "example": "otpauth://totp/nolapse:ada%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=nolapse"}),
        ),
        (
            &["recovery_codes"],
            json!({"minItems": 10, "maxItems": 10, "items": {"pattern": "^[a-z2-7]{4}(?:-[a-z2-7]{4}){3}$"}}),
        ),
        (
            &["NewSession.token"],
            json!({"pattern": "^nls_[0-9a-f]{64}$", "example": format!("nls_{}", "0123456789abcdef".repeat(4))}),
        ),
        (
            &["NewInvitation.code"],
            json!({"pattern": "^nli_[0-9a-f]{64}$", "example": format!("nli_{}", "0123456789abcdef".repeat(4))}),
        ),
        (&["hint"], json!({"pattern": "^nlp_[0-9A-Za-z]{4}…$", "example": "nlp_0011…"})),
        (
            &["next_cursor"],
            json!({"pattern": "^[0-9A-Za-z._-]+$", "maxLength": 200, "example": "1768469531000000.018f2f3e4c5d7a6b8c7d9e0f1a2b3c4d"}),
        ),
        (
            &["slug", "Introspection.access_scope", "app_slug", "scope_slug"],
            json!({"pattern": SLUG, "maxLength": Slug::LONGEST, "example": "acme"}),
        ),
        (&["agent_type"], json!({"pattern": "^[a-z0-9_]{0,64}$", "example": "github_actions"})),
        (&["name"], shown_name(255, "CI on main")),
        (&["Scope.name", "Warning.scope", "ScopeUse.scope"], json!({"pattern": SCOPE, "example": "scans:run"})),
        (&["ScopePreset.name"], shown_name(Name::LONGEST, "CI runner")),
        (&["description"], json!({"maxLength": 500, "example": "Everything that deploys."})),
        (&["group"], json!({"maxLength": 100, "example": "scans"})),
        (
            &["email", "pending_email"],
            json!({"format": "email", "maxLength": Email::LONGEST, "example": "ada@example.org"}),
        ),
        (&["role"], shown_name(Name::LONGEST, "member")),
        (&["allowed_networks"], json!({"maxItems": 32, "items": {"maxLength": 49, "example": "192.0.2.0/24"}})),
        (&["revoked_note"], json!({"maxLength": 500, "example": "Found in a public repository."})),
        (&["external_id"], json!({"minLength": 1, "maxLength": 255, "example": "customer-4711"})),
        (&["externalId"], json!({"minLength": 1, "maxLength": 255, "example": "customer-4711"})),
        (&["agent"], json!({"maxLength": 200, "example": "curl/8.5.0"})),
        (&["provider"], json!({"pattern": "^[a-z0-9-]{1,64}$", "example": "corp"})),
        (&["address"], json!({"minLength": 2, "maxLength": 45, "example": "203.0.113.7"})),
        (&["repo"], json!({"minLength": 1, "maxLength": 200, "example": "acme/widgets"})),
        (&["branch"], json!({"minLength": 1, "maxLength": 255, "example": "main"})),
        (&["commit"], json!({"pattern": "^[0-9a-f]{4,64}$", "example": "9fceb02d0ae598e95dc970b74767f19372d61af8"})),
        (&["topic"], json!({"minLength": 1, "maxLength": 1024, "example": "acme/room/topic"})),
        (&["error"], json!({"minLength": 1, "maxLength": 500, "example": "not found"})),
        (&["message", "error_description"], said(Code::NotFound.entry().message)),
        (&["InvalidToken.error"], one_of(&["invalid token"])),
        (&["UnreadableQuestion.error"], one_of(&[Code::MalformedRequest.entry().error])),
        (&["LackingToken.error"], one_of(&["insufficient scope"])),
        (&["LackingToken.message"], said(Code::InsufficientScope.entry().message)),
        (&["ElsewhereToken.error"], one_of(&[Code::AddressNotAllowed.entry().error])),
        (&["ElsewhereToken.message"], said(Code::AddressNotAllowed.entry().message)),
        (&["NotReady.message"], said("Not ready: setup.")),
        (&["NotReady.error"], one_of(&["unavailable"])),
        (&["Error.field"], json!({"maxLength": 100, "example": "name"})),
        (&["InvalidToken.valid"], json!({"enum": [false], "example": false})),
        (&["LackingToken.valid", "ElsewhereToken.valid", "ValidToken.valid"], json!({"enum": [true], "example": true})),
        (&["LackingToken.statusCode", "ElsewhereToken.statusCode"], json!({"enum": [403], "example": 403})),
        (&["NotReady.statusCode"], json!({"enum": [503], "example": 503})),
        (&["statusCode"], count(400, 599, 404)),
        (&["exit_code"], count(0, 1, 0)),
        (&["scopes", "requires", "allowed_scopes"], scopes(0, 256, &["execute"])),
        (&["Me.scopes", "Role.scopes"], scopes(0, 1000, &["execute"])),
        (&["UsageReport.scopes"], json!({"maxItems": 256})),
        (&["Introspection.scope"], json!({"maxLength": 8192, "example": "execute read"})),
        (
            &["implies"],
            json!({"items": {"pattern": format!("^(?:\\*|{})$", SCOPE.trim_start_matches('^').trim_end_matches('$')), "example": "read"}}),
        ),
        (&["Scope.kinds", "ScopePreset.kinds"], json!({"maxItems": 3, "items": {"enum": kinds}})),
        // These may repeat names that the caller sent.
        (&["missing", "unknown"], json!({"items": {"maxLength": 4096, "example": "tokens:read"}})),
        (&["sufficient"], json!({"maxItems": 8, "items": {"items": {"pattern": SCOPE, "example": "scans"}}})),
        (
            &["matched"],
            json!({"additionalProperties": {"maxLength": 4096, "example": "scans"}, "propertyNames": {"maxLength": 4096}}),
        ),
        (&["coverage", "baseline"], json!({"minimum": 0, "maximum": 100})),
        (&["warn_threshold", "fail_threshold"], json!({"minimum": 0, "maximum": 100})),
        (&["seq", "checked", "recovery_codes_left", "exp", "iat", "auth_expires_at"], json!({"minimum": 0})),
        (&["default_lifetime_days", "idle_days", "max_lifetime_days"], count(1, 36_500, 90)),
        (&["expires_in_days"], count(1, 36_500, 90)),
        (&["PageMeta.limit"], count(1, 100, 10)),
        (&["revoked_reason"], json!({"pattern": "^[a-z_]+$", "maxLength": 64, "example": "replaced"})),
    ]
});

/// The rows for requests that accept more than, or something else than, responses show.
static TAKEN: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let actor_types = ActorType::ALL.map(ActorType::as_str);
    let statuses = Status::ALL.map(Status::as_str);
    vec![
        (
            &["created_by"],
            json!({"pattern": format!("^(?:(?:user|token|policy):{UUID}|service|system)$"),
                "example": "user:018f2f3e-4c5d-7a6b-8c7d-9e0f1a2b3c4d"}),
        ),
        (
            &["external_id", "externalId"],
            json!({"minLength": 1, "maxLength": 255, "pattern": r"^[^\x00-\x1f\x7f-\x9f]*$", "example": "customer-4711"}),
        ),
        (&["org_id"], taken::<kind::Organization>()),
        (&["token_id", "key_id"], taken::<kind::Token>()),
        (&["project_id"], taken::<kind::Project>()),
        (&["scope_id", "accessScopeId"], taken::<kind::AccessScope>()),
        (
            &["list_actors.accessScopeId", "list_actors_bound.accessScopeId"],
            json!({"pattern": format!("^(?:null|{UUID}|asc_{SUFFIX})$"), "example": EXAMPLE_ID}),
        ),
        (&["actor_id"], taken::<kind::Actor>()),
        (
            &["actorIds"],
            json!({"minItems": 1, "maxItems": 1000, "items": {"pattern": format!("^(?:{UUID}|act_{SUFFIX})$"), "example": EXAMPLE_ID}}),
        ),
        (&["user_id"], taken::<kind::User>()),
        (&["policy_id"], taken::<kind::TrustPolicy>()),
        (&["webhook_id"], taken::<kind::Webhook>()),
        (&["delivery_id"], taken::<kind::Delivery>()),
        (&["CreateWebhook.url"], json!({"maxLength": 2048, "example": "https://hooks.example.com/tokens"})),
        (&["EditWebhook.url"], not_null(json!({"maxLength": 2048, "example": "https://hooks.example.com/tokens"}))),
        (&["CreateWebhook.events"], webhook_events()),
        (&["EditWebhook.events"], not_null(webhook_events())),
        (&["EditWebhook.enabled"], not_null(json!({}))),
        (&["CreateWebhook.description", "EditWebhook.description"], name(500, "Tells the on-call channel.")),
        (&["grant_type"], one_of(&[GRANT])),
        (&["subject_token", "jwt"], json!({"pattern": JWT, "example": EXAMPLE_JWT})),
        (&["subject_token_type"], one_of(&SUBJECT_TYPES)),
        (&["requested_token_type"], one_of(&["urn:ietf:params:oauth:token-type:access_token"])),
        (&["TokenExchangeRequest.scope"], free("execute read")),
        (&["TokenExchangeRequest.audience"], free("acme")),
        (&["resource"], free("https://tokens.example.org")),
        (&["preset"], one_of(&Preset::ALL.map(Preset::as_str))),
        (&["issuer"], json!({"maxLength": 512, "example": "https://token.actions.githubusercontent.com"})),
        (
            &["audience"],
            json!({"minLength": 1, "maxLength": 512, "pattern": "^[^\\x00-\\x1f\\x7f-\\x9f]+$", "example": "https://tokens.example.org"}),
        ),
        (&["ttl"], count(60, 3_600, 900)),
        (&["CreateTrustPolicy.match"], conditions()),
        (&["EditTrustPolicy.match"], not_null(conditions())),
        (&["EditTrustPolicy.name"], not_null(name(Name::LONGEST, "CI on main"))),
        (&["EditTrustPolicy.scopes"], not_null(scopes(1, 64, &["execute"]))),
        (&["EditTrustPolicy.ttl"], not_null(count(60, 3_600, 900))),
        (&["EditTrustPolicy.enabled"], not_null(json!({}))),
        (&["session_id"], taken::<kind::Session>()),
        (&["invitation_id"], taken::<kind::Invitation>()),
        (&["execution_id"], taken::<kind::Execution>()),
        (
            &["role_id"],
            json!({"pattern": format!("^(?:owner|admin|member|viewer|{UUID}|rol_{SUFFIX})$"), "example": "member"}),
        ),
        (
            &["role"],
            json!({"pattern": format!("^(?:owner|admin|member|viewer|{UUID}|rol_{SUFFIX})$"), "example": "member"}),
        ),
        (&["name"], name(Name::LONGEST, "CI on main")),
        (&["CreateActor.name", "CreateScope.name", "EditScope.name"], name(255, "pump 7")),
        (&["EditActor.name"], not_null(name(255, "pump 7"))),
        (&["EditActor.actorType"], not_null(one_of(&actor_types))),
        (&["EditOrganization.name"], not_null(name(Name::LONGEST, "Acme"))),
        (&["EditOrganization.require_second_factor", "EditOrganization.trust_only"], not_null(json!({}))),
        (&["EditOrganization.leak_action"], not_null(one_of(&["revoke", "rotate_grace_1h", "notify"]))),
        (&["X-GitHub-Event"], free("secret_scanning_alert")),
        (&["X-Hub-Signature-256"], free(&format!("sha256={}", "0".repeat(64)))),
        (&["X-Gitlab-Token"], free("the-secret-token-of-the-webhook")),
        (&["webhook-id"], free("msg_p5jXN8AQM9LWM0D4loKWxJek")),
        (&["webhook-timestamp"], free("1768469531")),
        (&["webhook-signature"], free("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")),
        (&["GitHubOwner.login"], free("octo-org")),
        (&["GitLabCommit.sha"], free("0123456789abcdef0123456789abcdef01234567")),
        (&["GitLabLocation.file"], free("config/production.env")),
        (&["GitLabVulnerability.report_type"], free("secret_detection")),
        (&["GitLabVulnerability.state"], free("detected")),
        (&["GitLabVulnerabilityEvent.object_kind"], free("vulnerability")),
        (
            &["EditProject.slug", "EditScope.slug", "EditOrganization.slug"],
            not_null(json!({"pattern": SLUG, "maxLength": Slug::LONGEST, "example": "acme"})),
        ),
        (&["AcceptInvitation.name", "EditMe.name", "RunSetup.name"], name(Name::LONGEST, "Ada Lovelace")),
        (&["organization_name"], name(Name::LONGEST, "Acme")),
        (
            &["CreateScope.description", "EditScope.description", "CreateActor.description", "EditActor.description"],
            name(500, "Devices of one customer."),
        ),
        (
            &["search", "list_tokens.name", "list_keys.name", "count_tokens.name", "ListTokensQuery.name"],
            json!({"maxLength": 100, "pattern": "^[^\\x00]*$", "example": "ci"}),
        ),
        (
            &["organization"],
            json!({"pattern": format!("^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?|{UUID}|org_{SUFFIX})$"), "maxLength": 100, "example": "acme"}),
        ),
        (&["RunSetup.organization"], json!({"pattern": SLUG, "maxLength": Slug::LONGEST, "example": "acme"})),
        (
            &["password", "current_password"],
            json!({"format": "password", "minLength": 1, "maxLength": 1024, "example": "correct horse battery staple"}),
        ),
        (
            &["RunSetup.password", "new_password"],
            json!({"format": "password", "minLength": 12, "maxLength": 1024, "example": "an unlikely string of words 7"}),
        ),
        (&["code"], json!({"pattern": "^[0-9]{6}$", "example": "123456"})),
        (
            &["AcceptInvitation.code"],
            json!({"pattern": "^nli_[0-9a-f]{64}$", "example": format!("nli_{}", "0123456789abcdef".repeat(4))}),
        ),
        (
            &["ConfirmPasswordReset.code"],
            json!({"pattern": "^nlr_[0-9a-f]{64}$", "example": format!("nlr_{}", "0123456789abcdef".repeat(4))}),
        ),
        (
            &["VerifyEmail.code"],
            json!({"pattern": "^nle_[0-9a-f]{64}$", "example": format!("nle_{}", "0123456789abcdef".repeat(4))}),
        ),
        (&["RunSetup.code"], json!({"minLength": 1, "maxLength": 128, "example": "the code behind # in the link"})),
        (&["recovery_code"], json!({"minLength": 1, "maxLength": 64, "example": "aaaq-eaye-7p6p-37x7"})),
        (&["token"], json!({"maxLength": 512, "example": EXAMPLE_TOKEN})),
        // Of any length: a text that is not a token gets the answer for an unknown one.
        (&["IntrospectionRequest.token", "RevocationRequest.token", "LeakFinding.token"], free(EXAMPLE_TOKEN)),
        (&["credentials"], json!({"maxItems": 1000, "example": [EXAMPLE_TOKEN], "items": {"example": EXAMPLE_TOKEN}})),
        (&["LeakFinding.url"], free("https://example.com/acme/widgets/blob/9fceb02d/.env")),
        (&["LeakFinding.source"], free("commit")),
        (
            &["Github-Public-Key-Identifier", "Gitlab-Public-Key-Identifier"],
            free("bcb53661c06b4728e59d897fb6165d5c9cda0fd9cdf9d09ead458168deb7518c"),
        ),
        (
            &["Github-Public-Key-Signature", "Gitlab-Public-Key-Signature"],
            free("MEQCIQDaMKqrGnE27S0kgMrEK0eYBmyG0LeZismAEz/BgZyt7AIfXt9fErtRS4XaeSt/AO1RtBY66YcAdjxji410VQV4xg=="),
        ),
        (&["tokens"], json!({"maxItems": 1000, "example": [EXAMPLE_TOKEN], "items": {"example": EXAMPLE_TOKEN}})),
        (&["token_type_hint"], free("access_token")),
        (&["expires_at", "expiresAt"], time("2099-12-31T23:59:59Z")),
        (&["timestamp", "from", "to"], time("2026-01-15T09:32:11Z")),
        (&["scopes", "allowed_scopes"], scopes(1, 64, &["execute"])),
        // Not an enum: a name that the catalogue does not have counts as missing.
        (&["required_scopes"], json!({"example": ["execute"], "items": {"example": "execute"}})),
        (
            &["granted", "required"],
            json!({"maxItems": 256, "items": {"pattern": SCOPE, "maxLength": ScopeName::LONGEST, "example": "execute"}}),
        ),
        (&["ValidateRequest.ip"], json!({"format": "ip", "maxLength": 45, "example": "203.0.113.7"})),
        (
            &["forward.scope", "forward.any"],
            json!({"example": ["execute"], "items": {"minLength": 1, "example": "execute"}}),
        ),
        (&["forward.routes"], json!({"minLength": 1, "maxLength": 100, "example": "gateway"})),
        (&["q"], json!({"maxLength": 100, "pattern": "^[^\\x00]*$", "example": "ci"})),
        (&["scope"], json!({"pattern": SCOPE, "format": "scope", "example": "execute"})),
        (&["expires_before", "revoked_after"], time("2099-12-31T23:59:59Z")),
        (&["owner"], json!({"pattern": format!("^(?:user|actor):{UUID}$"), "example": format!("user:{EXAMPLE_ID}")})),
        (&["reason"], one_of(&["leaked", "replaced", "person_left", "unused", "other"])),
        (&["note"], name(500, "Found in a public repository.")),
        (&["ids"], json!({"minItems": 1, "maxItems": 1000, "items": taken::<kind::Token>()})),
        (&["unused_days"], count(1, 36_500, 90)),
        (&["forward.preflight"], one_of(&["allow"])),
        (&["list_executions.limit", "list_baseline_history.limit"], count(1, 100, 10)),
        (
            &[
                "Enforce.warn_threshold",
                "Enforce.fail_threshold",
                "SubmitExecution.warn_threshold",
                "SubmitExecution.fail_threshold",
            ],
            json!({"minimum": -100, "maximum": 100}),
        ),
        (
            &["verify_audit.after"],
            json!({"pattern": "^[0-9]{1,18}\\.[0-9a-f]{64}$", "example": "1234.9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}),
        ),
        // A number above the largest page is taken as the largest page.
        (
            &[
                "list_actors.limit",
                "list_actors_bound.limit",
                "list_scopes.limit",
                "list_scopes_bound.limit",
                "list_projects.limit",
                "list_scope_actors.limit",
                "list_scope_actors_bound.limit",
                "delete_scope.limit",
                "delete_scope_bound.limit",
            ],
            // Without `format`: its 64 bits are not a bound of the field.
            json!({"minimum": 1, "format": null, "example": 10}),
        ),
        (&["mode"], one_of(&GraceMode::ALL.map(GraceMode::as_str))),
        (&["EditActor.status"], one_of(&["active", "disabled"])),
        (&["status"], one_of(&statuses)),
        (&["actorType"], one_of(&actor_types)),
        (&["grace_period_seconds", "gracePeriodSeconds"], count(0, 2_592_000, 3600)),
        (
            &["commit", "head_sha"],
            json!({"pattern": "^[0-9A-Fa-f]{4,64}$", "example": "9fceb02d0ae598e95dc970b74767f19372d61af8"}),
        ),
        (&["repo"], json!({"pattern": REPOSITORY, "maxLength": 200, "example": "acme/widgets"})),
        (
            &["branch"],
            json!({"pattern": "^[0-9A-Za-z_][0-9A-Za-z_]*(?:[/-][0-9A-Za-z_]+)*$", "maxLength": 255, "example": "main"}),
        ),
        (&["get_badge.branch"], free("main")),
        (&["get_badge.repo"], free("acme/widgets")),
        (&["get_badge.org"], free("acme")),
        (&["topic"], json!({"minLength": 1, "maxLength": 1024, "example": "room/topic"})),
        (
            &["org"],
            json!({"pattern": format!("^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?|{UUID}|org_{SUFFIX})$"), "maxLength": 100, "example": "acme"}),
        ),
        (
            &["cursor"],
            json!({"minLength": 1, "maxLength": 500, "format": "cursor", "example": "1768469531000000.018f2f3e4c5d7a6b8c7d9e0f1a2b3c4d"}),
        ),
        (&["limit"], count(1, 1000, 100)),
        (&["list_actors_bound.limit", "list_scope_actors_bound.limit"], count(1, 10_000, 100)),
        (&["page"], count(1, 1_000_000_000_000_000_000, 1)),
        (&["after"], json!({"pattern": "^[0-9]{1,18}$", "example": "1"})),
        (&["action"], json!({"minLength": 1, "maxLength": 255, "example": "token.create"})),
        (&["target"], json!({"minLength": 1, "maxLength": 255, "example": EXAMPLE_ID})),
        (
            &["actor", "list_audit.actor"],
            json!({"pattern": format!("^(?:(?:user|token):{UUID}|service|system|anonymous)$"), "example": "system"}),
        ),
        (&["order"], one_of(&["oldest", "newest"])),
        (&["step"], one_of(&["hour", "day"])),
        (
            &["expect_head"],
            json!({"pattern": "^[0-9]{1,18}\\.[0-9a-f]{64}$", "example": "1234.9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}),
        ),
        (
            &["orderBy"],
            json!({"pattern": "^(?:slug|name|createdAt|updatedAt)(?::(?:ASC|DESC))?$", "example": "createdAt:DESC"}),
        ),
        (&["sortBy"], one_of(&["slug", "name", "createdAt", "updatedAt"])),
        (&["sortOrder"], one_of(&["ASC", "DESC"])),
        (&["ifAssigned"], one_of(&["unassign", "reject"])),
        // White space around a header's value is removed.
        (
            &["Idempotency-Key"],
            json!({"pattern": "^[\\t ]*[!-~](?:[\\t -~]{0,253}[!-~])?[\\t ]*$", "example": "deploy-4711"}),
        ),
    ]
});

/// The meaning of a name in this place: by the row for the place, else by the row for the name, else by the name's
/// ending.
pub(super) fn meaning(way: Way, owner: &str, name: &str) -> Option<Value> {
    let exact = format!("{owner}.{name}");
    let tables: &[&LazyLock<Vec<Row>>] = match way {
        Way::Taken => &[&TAKEN, &SHOWN],
        Way::Shown => &[&SHOWN],
    };
    let find = |place: &str| {
        tables
            .iter()
            .find_map(|table| table.iter().find(|(places, _)| places.contains(&place)).map(|(_, says)| says.clone()))
    };
    find(&exact).or_else(|| find(name)).or_else(|| by_ending(way, name))
}

/// The meaning by the name's ending, so that new fields of usual kinds need no row.
fn by_ending(way: Way, name: &str) -> Option<Value> {
    if name.ends_with("_at") {
        Some(time("2026-01-15T09:32:11Z"))
    } else if name.ends_with("At") {
        Some(time("2026-05-20T10:00:00.000Z"))
    } else if name.ends_with("_id") || name.ends_with("Id") {
        Some(match way {
            Way::Shown => shown_id(),
            Way::Taken => json!({"pattern": format!("^(?:{UUID}|[a-z]{{3}}_{SUFFIX})$"), "example": EXAMPLE_ID}),
        })
    } else {
        None
    }
}

/// Adds the keywords of a meaning that a schema does not have yet, and removes those that are `null`.
pub(super) fn apply(meaning: &Value, schema: &mut Map<String, Value>) {
    if let (Some(false), Some(Value::Array(types))) = (meaning[NULLABLE].as_bool(), schema.get_mut("type")) {
        types.retain(|kind| kind != "null");
    }
    let types: Vec<String> = match schema.get("type") {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(several)) => several.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        _ => return,
    };
    let is = |kind: &str| types.iter().any(|one| one == kind);
    let Some(says) = meaning.as_object() else { return };
    for (keyword, value) in says {
        if value.is_null() {
            schema.remove(keyword);
            continue;
        }
        let fits = match keyword.as_str() {
            "minItems" | "maxItems" => is("array"),
            "minProperties" | "maxProperties" => is("object"),
            "items" => {
                if let (true, Some(items)) = (is("array"), schema.get_mut("items").and_then(Value::as_object_mut)) {
                    apply(value, items);
                }
                false
            }
            "additionalProperties" | "propertyNames" => {
                if let Some(inner) = schema.get_mut(keyword).and_then(Value::as_object_mut) {
                    apply(value, inner);
                }
                false
            }
            "pattern" | "minLength" | "maxLength" | "format" => is("string"),
            "minimum" | "maximum" => is("integer") || is("number"),
            "enum" => value.as_array().is_some_and(|all| all.iter().all(|one| is(type_of(one)))),
            "example" => is(type_of(value)) || (is("number") && value.is_number()),
            _ => false,
        };
        // Replaces the minimum of zero that `utoipa` derives from unsigned types.
        let replaces = matches!(keyword.as_str(), "minimum") || !schema.contains_key(keyword);
        let settled = keyword == "example" && schema.get("examples").is_some();
        if fits && replaces && !settled {
            let mut value = value.clone();
            if let ("enum", true, Some(all)) = (keyword.as_str(), is("null"), value.as_array_mut()) {
                all.push(Value::Null);
            }
            schema.insert(keyword.clone(), value);
        }
    }
    // The values of a list are those of its entries.
    if let (true, Some(values)) = (is("array"), says.get("enum"))
        && let Some(items) = schema.get_mut("items").and_then(Value::as_object_mut)
    {
        apply(&json!({ "enum": values }), items);
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Every place in the tables.
#[cfg(test)]
pub(super) fn places() -> impl Iterator<Item = &'static str> {
    SHOWN.iter().chain(TAKEN.iter()).flat_map(|(places, _)| places.iter().copied())
}
