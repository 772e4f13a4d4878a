//! Devices that people signed in from.

use super::Conn;
use crate::error::StoreError;
use crate::schema::known_devices;
use crate::sql_types::{Bind, Digest32};
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;
use token_domain::id::UserId;

/// Devices of a person that are kept: those they used last. More are forgotten when another is added.
const MOST_PER_PERSON: i64 = 32;

pub(crate) async fn is_known_device(conn: &mut Conn<'_>, digest: &[u8; 32]) -> Result<bool, StoreError> {
    let found = known_devices::table.find(digest.to_vec()).select(known_devices::user_id);
    Ok(found.first::<UserId>(conn).await.optional()?.is_some())
}

pub(crate) async fn has_devices(conn: &mut Conn<'_>, user: UserId) -> Result<bool, StoreError> {
    let found = known_devices::table.filter(known_devices::user_id.eq(user.bind())).select(known_devices::user_id);
    Ok(found.first::<UserId>(conn).await.optional()?.is_some())
}

pub(crate) async fn note_device(
    conn: &mut Conn<'_>,
    user: UserId,
    digest: &[u8; 32],
    at: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(known_devices::table)
        .values((
            known_devices::digest.eq(digest.as_slice()),
            known_devices::user_id.eq(user.bind()),
            known_devices::seen_at.eq(at.bind()),
        ))
        .on_conflict(known_devices::digest)
        .do_update()
        .set((
            known_devices::user_id.eq(excluded(known_devices::user_id)),
            known_devices::seen_at.eq(excluded(known_devices::seen_at)),
        ))
        .execute(conn)
        .await?;
    let beyond: Vec<Digest32> = known_devices::table
        .filter(known_devices::user_id.eq(user.bind()))
        .order((known_devices::seen_at.desc(), known_devices::digest))
        .offset(MOST_PER_PERSON)
        .limit(MOST_PER_PERSON)
        .select(known_devices::digest)
        .load(conn)
        .await?;
    if !beyond.is_empty() {
        let beyond = beyond.into_iter().map(|digest| digest.0.to_vec());
        diesel::delete(known_devices::table.filter(known_devices::digest.eq_any(beyond))).execute(conn).await?;
    }
    Ok(())
}

pub(crate) async fn forget_devices(conn: &mut Conn<'_>, user: UserId) -> Result<usize, StoreError> {
    Ok(diesel::delete(known_devices::table.filter(known_devices::user_id.eq(user.bind()))).execute(conn).await?)
}

pub(crate) async fn delete_devices_before(
    conn: &mut Conn<'_>,
    before: Timestamp,
    limit: u32,
) -> Result<usize, StoreError> {
    let old: Vec<Digest32> = known_devices::table
        .filter(known_devices::seen_at.lt(before.bind()))
        .order(known_devices::seen_at)
        .limit(i64::from(limit))
        .select(known_devices::digest)
        .load(conn)
        .await?;
    let old = old.into_iter().map(|digest| digest.0.to_vec());
    Ok(diesel::delete(known_devices::table.filter(known_devices::digest.eq_any(old))).execute(conn).await?)
}
