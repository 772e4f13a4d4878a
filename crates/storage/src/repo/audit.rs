//! Audit trails: appended under the lock of their head, read in order.

use super::Conn;
use crate::error::StoreError;
use crate::model::{AuditHead, AuditRecord, Principal};
use crate::rows::{AuditEventRow, AuditHeadRow, NIL_TRAIL, principal_text};
use crate::schema::{audit_events, audit_heads};
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::id::OrganizationId;

pub(crate) async fn audit_head(
    conn: &mut Conn<'_>,
    organization: Option<OrganizationId>,
) -> Result<AuditHead, StoreError> {
    // An update that changes nothing: it makes the row, or locks it and reads what was committed last, in one go.
    let row = diesel::insert_into(audit_heads::table)
        .values((
            audit_heads::trail.eq(organization.unwrap_or(NIL_TRAIL).bind()),
            audit_heads::seq.eq(0),
            audit_heads::hash.eq([0_u8; 32].as_slice()),
        ))
        .on_conflict(audit_heads::trail)
        .do_update()
        .set(audit_heads::seq.eq(audit_heads::seq))
        .returning(AuditHeadRow::as_returning())
        .get_result(conn)
        .await?;
    Ok(row.into())
}

pub(crate) async fn append_audit(conn: &mut Conn<'_>, record: &AuditRecord) -> Result<(), StoreError> {
    let trail = record.organization_id.unwrap_or(NIL_TRAIL);
    let moved = diesel::update(
        audit_heads::table
            .find(trail.bind())
            .filter(audit_heads::seq.eq(record.seq - 1))
            .filter(audit_heads::hash.eq(record.prev_hash.as_slice())),
    )
    .set((audit_heads::seq.eq(record.seq), audit_heads::hash.eq(record.hash.as_slice())))
    .execute(conn)
    .await?;
    if moved != 1 {
        return Err(StoreError::Broken("an audit event does not follow the end of its trail".to_owned()));
    }
    diesel::insert_into(audit_events::table)
        .values((
            audit_events::trail.eq(trail.bind()),
            audit_events::seq.eq(record.seq),
            audit_events::at.eq(record.at.bind()),
            audit_events::action.eq(record.action.as_str()),
            audit_events::actor.eq(principal_text(record.actor)),
            audit_events::target_kind.eq(record.target_kind.as_str()),
            audit_events::target_id.eq(record.target_id.as_str()),
            audit_events::request_id.eq(record.request_id.as_str()),
            audit_events::detail.eq(record.detail.as_str()),
            audit_events::prev_hash.eq(record.prev_hash.as_slice()),
            audit_events::hash.eq(record.hash.as_slice()),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn audit_page(
    conn: &mut Conn<'_>,
    organization: Option<OrganizationId>,
    after_seq: i64,
    limit: u32,
    action: Option<&str>,
    actor: Option<Principal>,
    target_id: Option<&str>,
) -> Result<Vec<AuditRecord>, StoreError> {
    let mut page = audit_events::table
        .filter(audit_events::trail.eq(organization.unwrap_or(NIL_TRAIL).bind()))
        .filter(audit_events::seq.gt(after_seq))
        .order(audit_events::seq)
        .limit(i64::from(limit))
        .select(AuditEventRow::as_select())
        .into_boxed();
    if let Some(action) = action {
        page = page.filter(audit_events::action.eq(action));
    }
    if let Some(actor) = actor {
        page = page.filter(audit_events::actor.eq(principal_text(actor)));
    }
    if let Some(target_id) = target_id {
        page = page.filter(audit_events::target_id.eq(target_id));
    }
    let rows: Vec<AuditEventRow> = page.load(conn).await?;
    rows.into_iter().map(AuditRecord::try_from).collect()
}
