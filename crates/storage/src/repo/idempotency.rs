//! Remembered creates and rotates.

use super::Conn;
use crate::error::StoreError;
use crate::model::IdempotencyRecord;
use crate::rows::IdempotencyRow;
use crate::schema::idempotency_keys;
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;
use token_domain::id::OrganizationId;
use token_domain::record::Principal;

pub(crate) async fn idempotency(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    principal: Principal,
    operation: &str,
    key: &str,
) -> Result<Option<IdempotencyRecord>, StoreError> {
    let row = idempotency_keys::table
        .find((organization.bind(), principal.to_string(), operation, key))
        .select(IdempotencyRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(IdempotencyRecord::try_from).transpose()
}

pub(crate) async fn insert_idempotency(conn: &mut Conn<'_>, record: &IdempotencyRecord) -> Result<(), StoreError> {
    diesel::insert_into(idempotency_keys::table)
        .values((
            idempotency_keys::organization_id.eq(record.organization_id.bind()),
            idempotency_keys::principal.eq(record.principal.to_string()),
            idempotency_keys::operation.eq(record.operation.as_str()),
            idempotency_keys::key.eq(record.key.as_str()),
            idempotency_keys::request_digest.eq(record.request_digest.as_slice()),
            idempotency_keys::token_id.eq(record.token_id.bind()),
            idempotency_keys::created_at.eq(record.created_at.bind()),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn delete_idempotency(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    principal: Principal,
    operation: &str,
    key: &str,
) -> Result<bool, StoreError> {
    let record = idempotency_keys::table.find((organization.bind(), principal.to_string(), operation, key));
    Ok(diesel::delete(record).execute(conn).await? > 0)
}

pub(crate) async fn delete_idempotency_before(
    conn: &mut Conn<'_>,
    before: Timestamp,
    limit: u32,
) -> Result<usize, StoreError> {
    // The moment of the newest of the oldest `limit` keys bounds one deletion; a tie may remove a few more.
    let newest: Option<Timestamp> = idempotency_keys::table
        .filter(idempotency_keys::created_at.lt(before.bind()))
        .order(idempotency_keys::created_at)
        .offset(i64::from(limit.saturating_sub(1)))
        .limit(1)
        .select(idempotency_keys::created_at)
        .first(conn)
        .await
        .optional()?;
    let old = idempotency_keys::table.filter(idempotency_keys::created_at.lt(before.bind()));
    let removed = match newest {
        Some(newest) => {
            diesel::delete(old.filter(idempotency_keys::created_at.le(newest.bind()))).execute(conn).await?
        }
        None => diesel::delete(old).execute(conn).await?,
    };
    Ok(removed)
}
