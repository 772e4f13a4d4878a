//! Audit trails: appended under the lock of their head, read in order.

use super::{Conn, dialect};
use crate::error::StoreError;
use crate::kept::Keep as _;
use crate::model::AuditFilter;
use crate::rows::{AuditEventRow, AuditHeadRow, NIL_TRAIL};
use crate::schema::{audit_events, audit_heads};
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;
use token_domain::access::Direction;
use token_domain::id::OrganizationId;
use token_domain::record::{AuditHead, AuditRecord};

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
            audit_heads::at.eq(Timestamp::EPOCH.bind()),
        ))
        .on_conflict(audit_heads::trail)
        .do_update()
        .set(audit_heads::seq.eq(audit_heads::seq))
        .returning(AuditHeadRow::as_returning())
        .kept()
        .get_result(conn)
        .await?;
    Ok(row.into())
}

pub(crate) async fn append_audit(conn: &mut Conn<'_>, record: &AuditRecord) -> Result<(), StoreError> {
    if dialect::append_event(conn, record.organization_id.unwrap_or(NIL_TRAIL), record).await? {
        return Ok(());
    }
    Err(StoreError::Broken("an audit event does not follow the end of its trail".to_owned()))
}

pub(crate) async fn audit_end(
    conn: &mut Conn<'_>,
    organization: Option<OrganizationId>,
) -> Result<Option<AuditHead>, StoreError> {
    let trail = organization.unwrap_or(NIL_TRAIL);
    let row: Option<AuditHeadRow> =
        audit_heads::table.find(trail.bind()).select(AuditHeadRow::as_select()).first(conn).await.optional()?;
    Ok(row.map(AuditHead::from))
}

pub(crate) async fn newest_event(conn: &mut Conn<'_>) -> Result<Option<Timestamp>, StoreError> {
    let newest = audit_heads::table.order(audit_heads::at.desc()).select(audit_heads::at).limit(1);
    Ok(newest.first(conn).await.optional()?)
}

pub(crate) async fn audit_trails(conn: &mut Conn<'_>) -> Result<Vec<Option<OrganizationId>>, StoreError> {
    let trails: Vec<OrganizationId> =
        audit_heads::table.order(audit_heads::trail).select(audit_heads::trail).load(conn).await?;
    Ok(trails.into_iter().map(|trail| (trail != NIL_TRAIL).then_some(trail)).collect())
}

pub(crate) async fn trails_since(
    conn: &mut Conn<'_>,
    since: Timestamp,
) -> Result<Vec<Option<OrganizationId>>, StoreError> {
    let trails: Vec<OrganizationId> = audit_heads::table
        .filter(audit_heads::at.ge(since.bind()))
        .order(audit_heads::trail)
        .select(audit_heads::trail)
        .load(conn)
        .await?;
    Ok(trails.into_iter().map(|trail| (trail != NIL_TRAIL).then_some(trail)).collect())
}

pub(crate) async fn hashes_of_events(
    conn: &mut Conn<'_>,
    organization: Option<OrganizationId>,
    numbers: &[i64],
) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
    /// The most numbers of a statement: SQLite binds each by itself.
    const AT_ONCE: usize = 500;
    let trail = organization.unwrap_or(NIL_TRAIL);
    let mut found = Vec::with_capacity(numbers.len());
    for numbers in numbers.chunks(AT_ONCE) {
        let rows: Vec<(i64, Vec<u8>)> = audit_events::table
            .filter(audit_events::trail.eq(trail.bind()))
            .filter(audit_events::seq.eq_any(numbers.iter().copied()))
            .select((audit_events::seq, audit_events::hash))
            .load(conn)
            .await?;
        found.extend(rows);
    }
    Ok(found)
}

/// The events of a trail within a filter's times and numbers, in the filter's order; nothing if no event is that late.
macro_rules! stretch {
    ($conn:expr, $trail:expr, $filter:expr) => {{
        let (trail, filter): (OrganizationId, &AuditFilter) = ($trail, $filter);
        let mut stretch = audit_events::table.filter(audit_events::trail.eq(trail.bind())).into_boxed();
        // Two seeks turn times into numbers, so that one index serves the order and every other condition narrows it.
        if let Some(from) = filter.from {
            let Some(first) = first_not_before($conn, trail, from).await? else { return Ok(Default::default()) };
            stretch = stretch.filter(audit_events::seq.ge(first));
        }
        if let Some(until) = filter.until
            && let Some(end) = first_not_before($conn, trail, until).await?
        {
            stretch = stretch.filter(audit_events::seq.lt(end));
        }
        match filter.direction {
            Direction::Ascending => {
                if let Some(after) = filter.after {
                    stretch = stretch.filter(audit_events::seq.gt(after));
                }
                if let Some(up_to) = filter.up_to {
                    stretch = stretch.filter(audit_events::seq.le(up_to));
                }
                stretch.order(audit_events::seq.asc())
            }
            Direction::Descending => {
                if let Some(after) = filter.after {
                    stretch = stretch.filter(audit_events::seq.lt(after));
                }
                if let Some(up_to) = filter.up_to {
                    stretch = stretch.filter(audit_events::seq.ge(up_to));
                }
                stretch.order(audit_events::seq.desc())
            }
        }
    }};
}

pub(crate) async fn list_audit(conn: &mut Conn<'_>, filter: &AuditFilter) -> Result<Vec<AuditRecord>, StoreError> {
    let trail = filter.organization_id.unwrap_or(NIL_TRAIL);
    let mut page = stretch!(conn, trail, filter).limit(i64::from(filter.limit));
    if let Some(action) = &filter.action {
        page = page.filter(audit_events::action.eq(action));
    }
    if let Some(actor) = filter.actor {
        page = page.filter(audit_events::actor.eq(actor.to_string()));
    }
    if let Some(target_id) = &filter.target_id {
        page = page.filter(audit_events::target_id.eq(target_id));
    }
    let rows: Vec<AuditEventRow> = page.select(AuditEventRow::as_select()).load(conn).await?;
    Ok(rows.into_iter().map(AuditRecord::from).collect())
}

pub(crate) async fn search_end_of_audit(
    conn: &mut Conn<'_>,
    filter: &AuditFilter,
    rows: u32,
) -> Result<Option<i64>, StoreError> {
    let trail = filter.organization_id.unwrap_or(NIL_TRAIL);
    let last = stretch!(conn, trail, filter).offset(i64::from(rows.saturating_sub(1))).limit(1);
    Ok(last.select(audit_events::seq).first(conn).await.optional()?)
}

/// The number of the first event at this moment or later.
async fn first_not_before(
    conn: &mut Conn<'_>,
    trail: OrganizationId,
    moment: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let seq = audit_events::table
        .filter(audit_events::trail.eq(trail.bind()).and(audit_events::at.ge(moment.bind())))
        .order((audit_events::at, audit_events::seq))
        .select(audit_events::seq)
        .first(conn)
        .await
        .optional()?;
    Ok(seq)
}
