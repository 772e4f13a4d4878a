//! Rows of the audit trails and of the log of changes.

use super::inconsistent;
use crate::error::StoreError;
use crate::model::{LogEntry, LogPlace, Touched};
use crate::schema::{audit_events, audit_heads, revocation_log};
use crate::sql_types::Digest32;
use diesel::prelude::{Queryable, QueryableByName, Selectable};
use token_domain::id::OrganizationId;
use token_domain::record::{AuditHead, AuditRecord};
use token_domain::{Id, Timestamp};
use uuid::Uuid;

/// The trail of the deployment itself, where others carry an organisation's id.
pub(crate) const NIL_TRAIL: OrganizationId = OrganizationId::from_uuid(Uuid::nil());

/// A row of `audit_heads`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_heads)]
pub(crate) struct AuditHeadRow {
    seq: i64,
    hash: Digest32,
    at: Timestamp,
    has_webhooks: bool,
}

impl From<AuditHeadRow> for AuditHead {
    fn from(row: AuditHeadRow) -> Self {
        Self { seq: row.seq, hash: row.hash.0, at: row.at, has_webhooks: row.has_webhooks }
    }
}

/// A row of `audit_events`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_events)]
pub(crate) struct AuditEventRow {
    trail: OrganizationId,
    seq: i64,
    at: Timestamp,
    action: String,
    actor: String,
    target_kind: String,
    target_id: String,
    request_id: String,
    detail: String,
    prev_hash: Digest32,
    hash: Digest32,
}

impl From<AuditEventRow> for AuditRecord {
    fn from(row: AuditEventRow) -> Self {
        Self {
            seq: row.seq,
            organization_id: (row.trail != NIL_TRAIL).then_some(row.trail),
            at: row.at,
            action: row.action,
            actor: row.actor,
            target_kind: row.target_kind,
            target_id: row.target_id,
            request_id: row.request_id,
            detail: row.detail,
            prev_hash: row.prev_hash.0,
            hash: row.hash.0,
        }
    }
}

/// A row of `revocation_log`. What `touched_id` names is told by `touched`; it is read as an organisation's id only to
/// have a type.
#[derive(QueryableByName)]
#[diesel(table_name = revocation_log)]
pub(crate) struct LogRow {
    shard: i16,
    seq: i64,
    touched: String,
    touched_id: OrganizationId,
    at: Timestamp,
}

impl TryFrom<LogRow> for LogEntry {
    type Error = StoreError;

    fn try_from(row: LogRow) -> Result<Self, StoreError> {
        let touched = match row.touched.as_str() {
            "token" => Touched::Token(Id::from_uuid(row.touched_id.uuid())),
            "created" => Touched::Created(Id::from_uuid(row.touched_id.uuid())),
            "organization" => Touched::Organization(row.touched_id),
            _ => return Err(inconsistent("log entry", (row.shard, row.seq), "touched")),
        };
        Ok(Self { place: LogPlace { shard: row.shard, seq: row.seq }, touched, at: row.at })
    }
}

/// The columns `touched` and `touched_id`.
pub(crate) const fn touched_columns(touched: Touched) -> (&'static str, OrganizationId) {
    match touched {
        Touched::Token(id) => ("token", Id::from_uuid(id.uuid())),
        Touched::Created(id) => ("created", Id::from_uuid(id.uuid())),
        Touched::Organization(id) => ("organization", id),
    }
}
