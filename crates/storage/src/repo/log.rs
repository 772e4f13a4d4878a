//! The ordered log of changes that take rights away.

use super::{Conn, dialect};
use crate::error::{OutageKind, StoreError};
use crate::model::{LogEntry, Touched};
use crate::rows::LogRow;
use crate::schema::{revocation_clock, revocation_log};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;

pub(crate) async fn append_log(
    conn: &mut Conn<'_>,
    touched: &[Touched],
    at: Timestamp,
    epoch: Option<i64>,
) -> Result<(), StoreError> {
    let count = i64::try_from(touched.len()).map_err(|_| StoreError::Broken("too many log entries".to_owned()))?;
    // The row of the clock stays locked until commit, so the next numbers commit after these.
    if dialect::append_log(conn, touched, count, at, epoch).await? {
        return Ok(());
    }
    Err(StoreError::outage(OutageKind::Superseded, "another server has taken over the database"))
}

pub(crate) async fn log_after(conn: &mut Conn<'_>, seq: i64, limit: u32) -> Result<Vec<LogEntry>, StoreError> {
    let rows: Vec<LogRow> = revocation_log::table
        .filter(revocation_log::seq.gt(seq))
        .order(revocation_log::seq)
        .limit(i64::from(limit))
        .select(LogRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(LogEntry::try_from).collect()
}

pub(crate) async fn log_tail(conn: &mut Conn<'_>) -> Result<i64, StoreError> {
    Ok(revocation_clock::table.find(1).select(revocation_clock::n).first(conn).await?)
}

pub(crate) async fn log_start(conn: &mut Conn<'_>) -> Result<Option<i64>, StoreError> {
    let first = revocation_log::table.order(revocation_log::seq).select(revocation_log::seq);
    Ok(first.first(conn).await.optional()?)
}

pub(crate) async fn delete_log_before(conn: &mut Conn<'_>, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
    // Only from the front, so that what is kept has no gaps even where the clocks of two nodes disagree.
    let front: Vec<(i64, Timestamp)> = revocation_log::table
        .order(revocation_log::seq)
        .limit(i64::from(limit))
        .select((revocation_log::seq, revocation_log::at))
        .load(conn)
        .await?;
    let Some((last, _)) = front.into_iter().take_while(|(_, at)| *at < before).last() else { return Ok(0) };
    Ok(diesel::delete(revocation_log::table.filter(revocation_log::seq.le(last))).execute(conn).await?)
}
