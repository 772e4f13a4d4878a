//! The ordered log of changes that take rights away.

use super::{Conn, dialect};
use crate::error::{OutageKind, StoreError};
use crate::model::{LogPlace, SHARDS, Touched};
use crate::schema::{revocation_clock, revocation_log};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;
use token_domain::id::NodeId;

/// The place of the last of them, and of all with it.
pub(crate) async fn append_log(
    conn: &mut Conn<'_>,
    touched: &[Touched],
    at: Timestamp,
    node: Option<NodeId>,
) -> Result<LogPlace, StoreError> {
    let count = i64::try_from(touched.len()).map_err(|_| StoreError::Broken("too many log entries".to_owned()))?;
    // The row of the clock stays locked until commit, so the next numbers commit after these.
    dialect::append_log(conn, touched, count, at, node).await?.ok_or_else(|| {
        StoreError::outage(
            OutageKind::Superseded,
            "this server is not on the list of nodes any more: it reported too late",
        )
    })
}

pub(crate) async fn log_tail(conn: &mut Conn<'_>, shard: i16) -> Result<i64, StoreError> {
    Ok(revocation_clock::table.find(shard).select(revocation_clock::n).first(conn).await?)
}

pub(crate) async fn logged_at(
    conn: &mut Conn<'_>,
    places: &[LogPlace],
) -> Result<Vec<(LogPlace, Timestamp)>, StoreError> {
    let mut found = Vec::new();
    for some in places.chunks(SHARDS) {
        let mut query =
            revocation_log::table.select((revocation_log::shard, revocation_log::seq, revocation_log::at)).into_boxed();
        for place in some {
            query = query.or_filter(revocation_log::shard.eq(place.shard).and(revocation_log::seq.eq(place.seq)));
        }
        let rows: Vec<(i16, i64, Timestamp)> = query.load(conn).await?;
        found.extend(rows.into_iter().map(|(shard, seq, at)| (LogPlace { shard, seq }, at)));
    }
    Ok(found)
}

pub(crate) async fn delete_log_before(conn: &mut Conn<'_>, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
    let shards: Vec<i16> =
        revocation_clock::table.order(revocation_clock::shard).select(revocation_clock::shard).load(conn).await?;
    let mut deleted = 0;
    for shard in shards {
        let left = i64::from(limit) - i64::try_from(deleted).unwrap_or(i64::MAX);
        if left <= 0 {
            break;
        }
        // Only from the front, so that what is kept has no gaps even where the clocks of two nodes disagree.
        let front: Vec<(i64, Timestamp)> = revocation_log::table
            .filter(revocation_log::shard.eq(shard))
            .order(revocation_log::seq)
            .limit(left)
            .select((revocation_log::seq, revocation_log::at))
            .load(conn)
            .await?;
        let Some((last, _)) = front.into_iter().take_while(|(_, at)| *at < before).last() else { continue };
        let old = revocation_log::table.filter(revocation_log::shard.eq(shard).and(revocation_log::seq.le(last)));
        deleted += diesel::delete(old).execute(conn).await?;
    }
    Ok(deleted)
}
