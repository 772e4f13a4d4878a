//! Named values of the whole deployment.

use super::Conn;
use crate::error::StoreError;
use crate::schema::deployment;
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;

pub(crate) async fn meta_get(conn: &mut Conn<'_>, key: &str) -> Result<Option<String>, StoreError> {
    Ok(deployment::table.find(key).select(deployment::value).first(conn).await.optional()?)
}

pub(crate) async fn meta_set(conn: &mut Conn<'_>, key: &str, value: &str) -> Result<(), StoreError> {
    diesel::insert_into(deployment::table)
        .values((deployment::key.eq(key), deployment::value.eq(value)))
        .on_conflict(deployment::key)
        .do_update()
        .set(deployment::value.eq(excluded(deployment::value)))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn meta_delete(conn: &mut Conn<'_>, key: &str, value: &str) -> Result<bool, StoreError> {
    let same = deployment::table.filter(deployment::key.eq(key).and(deployment::value.eq(value)));
    Ok(diesel::delete(same).execute(conn).await? == 1)
}

pub(crate) async fn meta_insert(conn: &mut Conn<'_>, key: &str, value: &str) -> Result<bool, StoreError> {
    let made = diesel::insert_into(deployment::table)
        .values((deployment::key.eq(key), deployment::value.eq(value)))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(made == 1)
}
