//! An event as the wire shows it.

use authority::audit::chain::hex;
use authority::records::AuditRecord;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// An event of the trail.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEvent)]
pub(super) struct EventView {
    /// Its number: from 1, without gaps.
    seq: i64,
    /// To the microsecond.
    #[schema(example = "2026-01-15T09:32:11.123456Z")]
    at: String,
    #[schema(example = "token.create")]
    action: String,
    /// `user:<id>`, `token:<id>`, `policy:<id>`, `service`, `system` or `anonymous`.
    actor: String,
    /// What it was done to; empty when there is nothing.
    #[schema(example = "token")]
    target_kind: String,
    /// Its id, as the rest of the API shows it.
    target_id: String,
    /// The `X-Request-ID` of the request that did it.
    request_id: String,
    /// More, depending on the action.
    #[schema(value_type = Object)]
    detail: Value,
    /// The hash of the event before it.
    prev_hash: String,
    /// SHA-256 over all of the above and the hash before; `seq` and `hash` are what to remember of a trail.
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
