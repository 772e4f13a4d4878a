//! Leaked tokens: what was done about each, and the alerts of code hosts that are still to be worked off.

use super::Conn;
use crate::error::StoreError;
use crate::model::LeakAlert;
use crate::rows::inconsistent;
use crate::schema::{leak_alerts, token_leaks};
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;
use token_domain::id::TokenId;
use token_domain::leak::{LeakAction, LeakSource};
use token_domain::record::TokenLeak;

pub(crate) async fn token_leak(conn: &mut Conn<'_>, token: TokenId) -> Result<Option<TokenLeak>, StoreError> {
    let row: Option<(String, String, Timestamp)> = token_leaks::table
        .find(token.bind())
        .select((token_leaks::action, token_leaks::source, token_leaks::reported_at))
        .first(conn)
        .await
        .optional()?;
    let Some((action, source, reported_at)) = row else { return Ok(None) };
    let bad = |column| inconsistent("leak of token", token, column);
    Ok(Some(TokenLeak {
        token_id: token,
        action: LeakAction::parse(&action).ok_or_else(|| bad("action"))?,
        source: LeakSource::parse(&source).ok_or_else(|| bad("source"))?,
        reported_at,
    }))
}

pub(crate) async fn set_token_leak(conn: &mut Conn<'_>, leak: &TokenLeak) -> Result<(), StoreError> {
    diesel::insert_into(token_leaks::table)
        .values((
            token_leaks::token_id.eq(leak.token_id.bind()),
            token_leaks::action.eq(leak.action.as_str()),
            token_leaks::source.eq(leak.source.as_str()),
            token_leaks::reported_at.eq(leak.reported_at.bind()),
        ))
        .on_conflict(token_leaks::token_id)
        .do_update()
        .set((
            token_leaks::action.eq(excluded(token_leaks::action)),
            token_leaks::source.eq(excluded(token_leaks::source)),
            token_leaks::reported_at.eq(excluded(token_leaks::reported_at)),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn queue_leak_alert(
    conn: &mut Conn<'_>,
    host: LeakSource,
    place: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(leak_alerts::table)
        .values((
            leak_alerts::host.eq(host.as_str()),
            leak_alerts::place.eq(place),
            leak_alerts::attempts.eq(0),
            leak_alerts::created_at.eq(at.bind()),
            leak_alerts::due_at.eq(at.bind()),
        ))
        .on_conflict((leak_alerts::host, leak_alerts::place))
        .do_update()
        .set((
            leak_alerts::attempts.eq(excluded(leak_alerts::attempts)),
            leak_alerts::created_at.eq(excluded(leak_alerts::created_at)),
            leak_alerts::due_at.eq(excluded(leak_alerts::due_at)),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn due_leak_alerts(
    conn: &mut Conn<'_>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<LeakAlert>, StoreError> {
    let rows: Vec<(String, String, i32, Timestamp, Timestamp)> = leak_alerts::table
        .filter(leak_alerts::due_at.le(now.bind()))
        .order(leak_alerts::due_at)
        .limit(i64::from(limit))
        .select((
            leak_alerts::host,
            leak_alerts::place,
            leak_alerts::attempts,
            leak_alerts::created_at,
            leak_alerts::due_at,
        ))
        .load(conn)
        .await?;
    let read = |(host, place, attempts, created_at, due_at): (String, String, i32, Timestamp, Timestamp)| {
        let host = LeakSource::parse(&host).ok_or_else(|| inconsistent("leak alert", &place, "host"))?;
        let attempts = u32::try_from(attempts).map_err(|_| inconsistent("leak alert", &place, "attempts"))?;
        Ok(LeakAlert { host, place, attempts, created_at, due_at })
    };
    rows.into_iter().map(read).collect()
}

pub(crate) async fn postpone_leak_alert(
    conn: &mut Conn<'_>,
    alert: &LeakAlert,
    due_at: Timestamp,
) -> Result<bool, StoreError> {
    let before = leak_alerts::table.find((alert.host.as_str(), alert.place.as_str()));
    let attempts = i32::try_from(alert.attempts.saturating_add(1)).unwrap_or(i32::MAX);
    let changed = diesel::update(before.filter(leak_alerts::due_at.eq(alert.due_at.bind())))
        .set((leak_alerts::attempts.eq(attempts), leak_alerts::due_at.eq(due_at.bind())))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

pub(crate) async fn delete_leak_alert(
    conn: &mut Conn<'_>,
    host: LeakSource,
    place: &str,
    due_at: Timestamp,
) -> Result<bool, StoreError> {
    let alert = leak_alerts::table.find((host.as_str(), place)).filter(leak_alerts::due_at.eq(due_at.bind()));
    Ok(diesel::delete(alert).execute(conn).await? == 1)
}
