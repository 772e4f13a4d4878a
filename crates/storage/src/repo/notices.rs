//! What people are told about tokens: whom, what was told already, and what is still to be told.

use super::Conn;
use crate::error::StoreError;
use crate::model::{AddressNotice, Muted};
use crate::rows::{TokenRow, UserRow};
use crate::schema::{address_notices, memberships, muted_notices, token_notices, tokens, users};
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;
use token_domain::id::{OrganizationId, TokenId, UserId};
use token_domain::record::{Token, TokenOrigin, User};

pub(crate) async fn expiring_tokens(
    conn: &mut Conn<'_>,
    after: (Timestamp, TokenId),
    until: Timestamp,
    limit: u32,
) -> Result<Vec<Token>, StoreError> {
    let (moment, id) = after;
    let (moment, until) = (Some(moment), Some(until));
    let rows: Vec<TokenRow> = tokens::table
        // The moment alone once more, which follows, so that the index finds the place at once.
        .filter(tokens::expires_at.ge(moment.bind()).and(tokens::expires_at.le(until.bind())))
        .filter(tokens::expires_at.gt(moment.bind()).or(tokens::id.gt(id.bind())))
        .filter(tokens::revoked_at.is_null())
        .order((tokens::expires_at, tokens::id))
        .limit(i64::from(limit))
        .select(TokenRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(Token::try_from).collect()
}

pub(crate) async fn note_expiry(conn: &mut Conn<'_>, token: TokenId, days: i32) -> Result<bool, StoreError> {
    let noted = diesel::insert_into(token_notices::table)
        .values((token_notices::token_id.eq(token.bind()), token_notices::expiry_days.eq(Some(days))))
        .on_conflict(token_notices::token_id)
        .do_update()
        .set(token_notices::expiry_days.eq(excluded(token_notices::expiry_days)));
    let earlier = token_notices::expiry_days.is_null().or(token_notices::expiry_days.gt(Some(days)));
    Ok(diesel::query_dsl::methods::FilterDsl::filter(noted, earlier).execute(conn).await? == 1)
}

pub(crate) async fn note_new_address(
    conn: &mut Conn<'_>,
    token: TokenId,
    at: Timestamp,
    not_since: Timestamp,
) -> Result<bool, StoreError> {
    let (at, not_since) = (Some(at), Some(not_since));
    let noted = diesel::insert_into(token_notices::table)
        .values((token_notices::token_id.eq(token.bind()), token_notices::address_at.eq(at.bind())))
        .on_conflict(token_notices::token_id)
        .do_update()
        .set(token_notices::address_at.eq(excluded(token_notices::address_at)));
    let earlier = token_notices::address_at.is_null().or(token_notices::address_at.lt(not_since.bind()));
    Ok(diesel::query_dsl::methods::FilterDsl::filter(noted, earlier).execute(conn).await? == 1)
}

pub(crate) async fn queue_address_notices(conn: &mut Conn<'_>, origins: &[TokenOrigin]) -> Result<(), StoreError> {
    for origin in origins {
        diesel::insert_into(address_notices::table)
            .values((
                address_notices::token_id.eq(origin.token_id.bind()),
                address_notices::address.eq(&origin.address),
                address_notices::agent.eq(origin.agent.as_deref()),
                address_notices::seen_at.eq(origin.last_used_at.bind()),
            ))
            .on_conflict_do_nothing()
            .execute(conn)
            .await?;
    }
    Ok(())
}

pub(crate) async fn list_address_notices(conn: &mut Conn<'_>, limit: u32) -> Result<Vec<AddressNotice>, StoreError> {
    let rows: Vec<(OrganizationId, TokenId, String, Option<String>, Timestamp)> = address_notices::table
        .inner_join(tokens::table.on(tokens::id.eq(address_notices::token_id)))
        .order(address_notices::seen_at)
        .limit(i64::from(limit))
        .select((
            tokens::organization_id,
            address_notices::token_id,
            address_notices::address,
            address_notices::agent,
            address_notices::seen_at,
        ))
        .load(conn)
        .await?;
    let notice = |(organization_id, token_id, address, agent, seen_at)| AddressNotice {
        organization_id,
        token_id,
        address,
        agent,
        seen_at,
    };
    Ok(rows.into_iter().map(notice).collect())
}

pub(crate) async fn take_address_notice(conn: &mut Conn<'_>, token: TokenId) -> Result<bool, StoreError> {
    Ok(diesel::delete(address_notices::table.find(token.bind())).execute(conn).await? == 1)
}

pub(crate) async fn administrators(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    limit: u32,
) -> Result<Vec<User>, StoreError> {
    let rows: Vec<UserRow> = memberships::table
        .inner_join(users::table)
        .filter(memberships::organization_id.eq(organization.bind()).and(memberships::disabled_at.is_null()))
        .filter(memberships::built_in_role.eq_any([Some("owner"), Some("admin")]))
        .filter(users::disabled_at.is_null())
        .order(memberships::user_id)
        .limit(i64::from(limit))
        .select(UserRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(User::try_from).collect()
}

pub(crate) async fn muted_notices(conn: &mut Conn<'_>, user: UserId) -> Result<Vec<Muted>, StoreError> {
    let names: Vec<String> = muted_notices::table
        .filter(muted_notices::user_id.eq(user.bind()))
        .order(muted_notices::notice)
        .select(muted_notices::notice)
        .load(conn)
        .await?;
    let read = |name: &String| Muted::parse(name).ok_or_else(|| StoreError::Inconsistent(format!("notice {name}")));
    names.iter().map(read).collect()
}

pub(crate) async fn replace_muted_notices(
    conn: &mut Conn<'_>,
    user: UserId,
    muted: &[Muted],
) -> Result<(), StoreError> {
    diesel::delete(muted_notices::table.filter(muted_notices::user_id.eq(user.bind()))).execute(conn).await?;
    for muted in muted {
        diesel::insert_into(muted_notices::table)
            .values((muted_notices::user_id.eq(user.bind()), muted_notices::notice.eq(muted.as_str())))
            .execute(conn)
            .await?;
    }
    Ok(())
}
