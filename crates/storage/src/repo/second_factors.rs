//! Second factors of people and their recovery codes.

use super::Conn;
use crate::error::StoreError;
use crate::rows::SecondFactorRow;
use crate::schema::{recovery_codes, second_factors};
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;
use token_domain::id::UserId;
use token_domain::record::SecondFactor;

pub(crate) async fn second_factor(conn: &mut Conn<'_>, user: UserId) -> Result<Option<SecondFactor>, StoreError> {
    let row: Option<SecondFactorRow> =
        second_factors::table.find(user.bind()).select(SecondFactorRow::as_select()).first(conn).await.optional()?;
    Ok(row.map(SecondFactor::from))
}

pub(crate) async fn count_second_factors(conn: &mut Conn<'_>) -> Result<i64, StoreError> {
    Ok(second_factors::table.count().get_result(conn).await?)
}

pub(crate) async fn some_sealed_secret(conn: &mut Conn<'_>) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(second_factors::table.select(second_factors::sealed_secret).first(conn).await.optional()?)
}

pub(crate) async fn begin_second_factor(conn: &mut Conn<'_>, record: &SecondFactor) -> Result<bool, StoreError> {
    let unconfirmed = second_factors::table
        .filter(second_factors::user_id.eq(record.user_id.bind()).and(second_factors::confirmed_at.is_null()));
    diesel::delete(unconfirmed).execute(conn).await?;
    let made = diesel::insert_into(second_factors::table)
        .values((
            second_factors::user_id.eq(record.user_id.bind()),
            second_factors::sealed_secret.eq(record.sealed_secret.as_slice()),
            second_factors::created_at.eq(record.created_at.bind()),
            second_factors::confirmed_at.eq(record.confirmed_at.bind()),
            second_factors::last_step.eq(record.last_step),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(made == 1)
}

pub(crate) async fn confirm_second_factor(
    conn: &mut Conn<'_>,
    user: UserId,
    step: i64,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let under_way = second_factors::table
        .filter(second_factors::user_id.eq(user.bind()).and(second_factors::confirmed_at.is_null()));
    let changed = diesel::update(under_way)
        .set((second_factors::confirmed_at.eq(Some(at.bind())), second_factors::last_step.eq(step)))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

pub(crate) async fn spend_step(conn: &mut Conn<'_>, user: UserId, step: i64) -> Result<bool, StoreError> {
    let unspent = second_factors::table.filter(
        second_factors::user_id
            .eq(user.bind())
            .and(second_factors::confirmed_at.is_not_null())
            .and(second_factors::last_step.lt(step)),
    );
    Ok(diesel::update(unspent).set(second_factors::last_step.eq(step)).execute(conn).await? == 1)
}

pub(crate) async fn reseal_second_factor(
    conn: &mut Conn<'_>,
    user: UserId,
    sealed: &[u8],
    expected: &[u8],
) -> Result<bool, StoreError> {
    let unchanged = second_factors::table
        .filter(second_factors::user_id.eq(user.bind()).and(second_factors::sealed_secret.eq(expected)));
    Ok(diesel::update(unchanged).set(second_factors::sealed_secret.eq(sealed)).execute(conn).await? == 1)
}

pub(crate) async fn delete_second_factor(conn: &mut Conn<'_>, user: UserId) -> Result<bool, StoreError> {
    Ok(diesel::delete(second_factors::table.find(user.bind())).execute(conn).await? == 1)
}

pub(crate) async fn count_recovery_codes(conn: &mut Conn<'_>, user: UserId) -> Result<i64, StoreError> {
    Ok(recovery_codes::table.filter(recovery_codes::user_id.eq(user.bind())).count().get_result(conn).await?)
}

pub(crate) async fn replace_recovery_codes(
    conn: &mut Conn<'_>,
    user: UserId,
    digests: &[[u8; 32]],
) -> Result<(), StoreError> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(user.bind()))).execute(conn).await?;
    // Ten at most: a statement each, as SQLite has no batch here.
    for digest in digests {
        diesel::insert_into(recovery_codes::table)
            .values((recovery_codes::user_id.eq(user.bind()), recovery_codes::digest.eq(digest.as_slice())))
            .execute(conn)
            .await?;
    }
    Ok(())
}

pub(crate) async fn spend_recovery_code(
    conn: &mut Conn<'_>,
    user: UserId,
    digest: &[u8; 32],
) -> Result<bool, StoreError> {
    let code = recovery_codes::table
        .filter(recovery_codes::user_id.eq(user.bind()).and(recovery_codes::digest.eq(digest.as_slice())));
    Ok(diesel::delete(code).execute(conn).await? == 1)
}
