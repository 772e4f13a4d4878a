//! An event as the wire shows it.

use authority::audit::chain::hex;
use authority::records::AuditRecord;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// An event of the audit trail.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEvent)]
pub(super) struct EventView {
    /// The sequence number, starting at 1, without gaps.
    seq: i64,
    /// The time of the event, with microseconds.
    #[schema(example = "2026-01-15T09:32:11.123456Z")]
    at: String,
    #[schema(example = "token.create")]
    action: String,
    /// Who caused the event: `user:<id>`, `token:<id>`, `policy:<id>`, `service`, `system` or `anonymous`.
    actor: String,
    /// The kind of the affected resource; empty if there is none.
    #[schema(example = "token")]
    target_kind: String,
    /// The id of the affected resource, in the form used by the rest of the API.
    target_id: String,
    /// The `X-Request-ID` of the request that caused the event.
    request_id: String,
    /// Further details, depending on the action.
    #[schema(value_type = Object)]
    detail: Value,
    /// The hash of the previous event.
    prev_hash: String,
    /// The SHA-256 over all fields above and the hash of the previous event. Save `seq` and `hash` to verify the trail
    /// later.
    hash: String,
}

impl From<AuditRecord> for EventView {
    fn from(record: AuditRecord) -> Self {
        Self {
            seq: record.seq,
            at: record.at.rfc3339_micros(),
            action: record.action,
            actor: record.actor,
            target_kind: record.target_kind,
            target_id: record.target_id,
            request_id: record.request_id,
            // The service writes a JSON object. If the row was changed to something else, its text is shown as it is.
            detail: serde_json::from_str(&record.detail).unwrap_or(Value::String(record.detail)),
            prev_hash: hex(&record.prev_hash),
            hash: hex(&record.hash),
        }
    }
}
