//! Mail that waits to be sent.

use super::Conn;
use crate::error::StoreError;
use crate::model::QueuedMail;
use crate::rows::MailRow;
use crate::schema::outbox;
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;
use token_domain::id::MailId;

/// Messages looked at for one that no other node takes at the same moment.
const CANDIDATES: i64 = 8;

pub(crate) async fn queue_mail(conn: &mut Conn<'_>, record: &QueuedMail) -> Result<(), StoreError> {
    diesel::insert_into(outbox::table)
        .values((
            outbox::id.eq(record.id.bind()),
            outbox::organization_id.eq(record.organization_id.bind()),
            outbox::recipient.eq(&record.recipient),
            outbox::letter.eq(&record.letter),
            outbox::attempts.eq(record.attempts),
            outbox::created_at.eq(record.created_at.bind()),
            outbox::due_at.eq(record.due_at.bind()),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn claim_mail(
    conn: &mut Conn<'_>,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<QueuedMail>, StoreError> {
    let due: Vec<MailId> = outbox::table
        .filter(outbox::due_at.le(now.bind()))
        // What was never tried goes first: a flood that the server defers must not hold up a notice.
        .order((outbox::attempts, outbox::due_at))
        .limit(CANDIDATES)
        .select(outbox::id)
        .load(conn)
        .await?;
    for id in due {
        let row = diesel::update(outbox::table.filter(outbox::id.eq(id.bind()).and(outbox::due_at.le(now.bind()))))
            .set((outbox::due_at.eq(until.bind()), outbox::attempts.eq(outbox::attempts + 1)))
            .returning(MailRow::as_returning())
            .get_result(conn)
            .await
            .optional()?;
        if let Some(row) = row {
            return Ok(Some(row.into()));
        }
    }
    Ok(None)
}

pub(crate) async fn defer_mail(
    conn: &mut Conn<'_>,
    id: MailId,
    attempts: i32,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let same = outbox::table.filter(outbox::id.eq(id.bind()).and(outbox::attempts.eq(attempts)));
    Ok(diesel::update(same).set(outbox::due_at.eq(until.bind())).execute(conn).await? == 1)
}

pub(crate) async fn withdraw_mail(conn: &mut Conn<'_>, letter: &str) -> Result<usize, StoreError> {
    Ok(diesel::delete(outbox::table.filter(outbox::letter.eq(letter))).execute(conn).await?)
}

pub(crate) async fn delete_mail(conn: &mut Conn<'_>, id: MailId) -> Result<bool, StoreError> {
    Ok(diesel::delete(outbox::table.filter(outbox::id.eq(id.bind()))).execute(conn).await? == 1)
}

pub(crate) async fn count_mail(conn: &mut Conn<'_>) -> Result<i64, StoreError> {
    Ok(outbox::table.count().get_result(conn).await?)
}
