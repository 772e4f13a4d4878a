//! People.

use super::{Conn, dialect};
use crate::error::StoreError;
use crate::model::{Hold, PasswordReset};
use crate::rows::{PasswordResetRow, UserRow};
use crate::schema::{address_codes, password_resets, users};
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;
use token_domain::id::UserId;
use token_domain::record::{Account, User, Verified};
use token_domain::text::{Email, Name};

pub(crate) async fn insert_user(
    conn: &mut Conn<'_>,
    record: &User,
    password_hash: Option<&str>,
) -> Result<(), StoreError> {
    diesel::insert_into(users::table)
        .values((
            users::id.eq(record.id.bind()),
            users::email.eq(record.email.as_str()),
            users::email_key.eq(record.email.key()),
            users::name.eq(record.name.as_str()),
            users::password_hash.eq(password_hash),
            users::disabled_at.eq(record.disabled_at.bind()),
            users::created_at.eq(record.created_at.bind()),
            users::updated_at.eq(record.updated_at.bind()),
            users::email_verified_at.eq(record.verified.map(|verified| verified.at).bind()),
            users::email_verified_by.eq(record.verified.and_then(|verified| verified.by).bind()),
            users::pending_email.eq(record.pending_email.as_ref().map(Email::as_str)),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn user(conn: &mut Conn<'_>, id: UserId) -> Result<Option<User>, StoreError> {
    let row = users::table.find(id.bind()).select(UserRow::as_select()).first(conn).await.optional()?;
    row.map(User::try_from).transpose()
}

pub(crate) async fn user_by_email_key(conn: &mut Conn<'_>, key: &str) -> Result<Option<User>, StoreError> {
    let row =
        users::table.filter(users::email_key.eq(key)).select(UserRow::as_select()).first(conn).await.optional()?;
    row.map(User::try_from).transpose()
}

pub(crate) async fn account(conn: &mut Conn<'_>, id: UserId) -> Result<Option<Account>, StoreError> {
    let found = users::table.find(id.bind()).select((UserRow::as_select(), users::password_hash));
    read_account(found.first(conn).await.optional()?)
}

pub(crate) async fn account_by_email_key(conn: &mut Conn<'_>, key: &str) -> Result<Option<Account>, StoreError> {
    let found = users::table.filter(users::email_key.eq(key)).select((UserRow::as_select(), users::password_hash));
    read_account(found.first(conn).await.optional()?)
}

fn read_account(row: Option<(UserRow, Option<String>)>) -> Result<Option<Account>, StoreError> {
    row.map(|(user, password_hash)| Ok(Account { user: user.try_into()?, password_hash })).transpose()
}

pub(crate) async fn rename_user(
    conn: &mut Conn<'_>,
    id: UserId,
    name: &Name,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let changed = diesel::update(users::table.find(id.bind()))
        .set((users::name.eq(name.as_str()), users::updated_at.eq(at.bind())))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

pub(crate) async fn set_pending_email(
    conn: &mut Conn<'_>,
    id: UserId,
    pending: Option<&Email>,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let changed = diesel::update(users::table.find(id.bind()))
        .set((users::pending_email.eq(pending.map(Email::as_str)), users::updated_at.eq(at.bind())))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

pub(crate) async fn set_email(
    conn: &mut Conn<'_>,
    id: UserId,
    email: &Email,
    verified: Option<Verified>,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let changed = diesel::update(users::table.find(id.bind()))
        .set((
            users::email.eq(email.as_str()),
            users::email_key.eq(email.key()),
            users::email_verified_at.eq(verified.map(|verified| verified.at).bind()),
            users::email_verified_by.eq(verified.and_then(|verified| verified.by).bind()),
            users::pending_email.eq(None::<&str>),
            users::updated_at.eq(at.bind()),
        ))
        .execute(conn)
        .await?;
    end_password_reset(conn, id).await?;
    Ok(changed == 1)
}

pub(crate) async fn keep_address_code(
    conn: &mut Conn<'_>,
    id: UserId,
    email_key: &str,
    digest: &[u8; 32],
    expires_at: Timestamp,
) -> Result<(), StoreError> {
    let about = (
        address_codes::email_key.eq(email_key),
        address_codes::digest.eq(digest.as_slice()),
        address_codes::expires_at.eq(expires_at.bind()),
    );
    diesel::insert_into(address_codes::table)
        .values((address_codes::user_id.eq(id.bind()), about))
        .on_conflict(address_codes::user_id)
        .do_update()
        .set(about)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn take_address_code(
    conn: &mut Conn<'_>,
    id: UserId,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    let one = address_codes::user_id
        .eq(id.bind())
        .and(address_codes::digest.eq(digest.as_slice()))
        .and(address_codes::expires_at.gt(now.bind()));
    Ok(diesel::delete(address_codes::table.filter(one))
        .returning(address_codes::email_key)
        .get_result(conn)
        .await
        .optional()?)
}

pub(crate) async fn set_password(
    conn: &mut Conn<'_>,
    id: UserId,
    phc: Option<&str>,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let changed = diesel::update(users::table.find(id.bind()))
        .set((users::password_hash.eq(phc), users::updated_at.eq(at.bind())))
        .execute(conn)
        .await?;
    end_password_reset(conn, id).await?;
    Ok(changed == 1)
}

pub(crate) async fn keep_password_reset(
    conn: &mut Conn<'_>,
    record: &PasswordReset,
    digest: &[u8; 32],
) -> Result<(), StoreError> {
    let about = (
        password_resets::email_key.eq(record.email_key.as_str()),
        password_resets::password_digest.eq(record.password_digest.as_slice()),
        password_resets::digest.eq(digest.as_slice()),
        password_resets::expires_at.eq(record.expires_at.bind()),
    );
    diesel::insert_into(password_resets::table)
        .values((password_resets::user_id.eq(record.user_id.bind()), about))
        .on_conflict(password_resets::user_id)
        .do_update()
        .set(about)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn password_reset(
    conn: &mut Conn<'_>,
    digest: &[u8; 32],
) -> Result<Option<PasswordReset>, StoreError> {
    let row = password_resets::table
        .filter(password_resets::digest.eq(digest.as_slice()))
        .select(PasswordResetRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(PasswordReset::try_from).transpose()
}

pub(crate) async fn take_password_reset(
    conn: &mut Conn<'_>,
    digest: &[u8; 32],
) -> Result<Option<PasswordReset>, StoreError> {
    let row = diesel::delete(password_resets::table.filter(password_resets::digest.eq(digest.as_slice())))
        .returning(PasswordResetRow::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    row.map(PasswordReset::try_from).transpose()
}

/// A mailed code ends with any change of what it was sent for.
async fn end_password_reset(conn: &mut Conn<'_>, id: UserId) -> Result<(), StoreError> {
    diesel::delete(password_resets::table.find(id.bind())).execute(conn).await?;
    Ok(())
}

pub(crate) async fn rehash_password(
    conn: &mut Conn<'_>,
    id: UserId,
    phc: &str,
    expected: &str,
) -> Result<bool, StoreError> {
    let unchanged = users::table.find(id.bind()).filter(users::password_hash.eq(expected));
    Ok(diesel::update(unchanged).set(users::password_hash.eq(phc)).execute(conn).await? == 1)
}

pub(crate) async fn set_user_disabled(
    conn: &mut Conn<'_>,
    id: UserId,
    disabled_at: Option<Timestamp>,
    at: Timestamp,
) -> Result<Option<User>, StoreError> {
    end_password_reset(conn, id).await?;
    let row = diesel::update(users::table.find(id.bind()))
        .set((users::disabled_at.eq(disabled_at.bind()), users::updated_at.eq(at.bind())))
        .returning(UserRow::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    row.map(User::try_from).transpose()
}

pub(crate) async fn hold_user(conn: &mut Conn<'_>, id: UserId, hold: Hold) -> Result<(), StoreError> {
    Ok(dialect::hold_user(conn, id, hold).await?)
}
