//! Sessions of signed-in people.

use super::{Conn, dialect};
use crate::error::StoreError;
use crate::rows::{MembershipRow, OrganizationRow, SessionRow, SessionUseRow, StandingRow, UserRow, standing};
use crate::schema::{memberships, organizations, roles, second_factors, session_uses, sessions, users};
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;
use token_domain::id::{OrganizationId, SessionId, UserId};
use token_domain::record::{Session, SessionStanding, SessionUse};

pub(crate) async fn insert_session(conn: &mut Conn<'_>, record: &Session, digest: &[u8; 32]) -> Result<(), StoreError> {
    diesel::insert_into(sessions::table)
        .values((
            sessions::id.eq(record.id.bind()),
            sessions::user_id.eq(record.user_id.bind()),
            sessions::organization_id.eq(record.organization_id.bind()),
            sessions::token_digest.eq(digest.as_slice()),
            sessions::user_agent.eq(record.user_agent.as_deref()),
            sessions::created_at.eq(record.created_at.bind()),
            sessions::expires_at.eq(record.expires_at.bind()),
            sessions::proven_at.eq(record.proven_at.bind()),
            sessions::provider.eq(record.provider.as_deref()),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// `sessions ⋈ memberships ⋈ organizations ⋈ users ⟕ roles ⟕ second_factors`, of the one session that a condition names.
macro_rules! with_standing {
    ($found:expr) => {
        sessions::table
            .inner_join(
                memberships::table.on(memberships::organization_id
                    .eq(sessions::organization_id)
                    .and(memberships::user_id.eq(sessions::user_id))),
            )
            .inner_join(organizations::table.on(organizations::id.eq(sessions::organization_id)))
            .inner_join(users::table.on(users::id.eq(sessions::user_id)))
            .left_join(roles::table.on(roles::id.nullable().eq(memberships::role_id)))
            .left_join(second_factors::table.on(second_factors::user_id.eq(sessions::user_id)))
            .filter($found)
            .select((
                SessionRow::as_select(),
                (
                    OrganizationRow::as_select(),
                    UserRow::as_select(),
                    MembershipRow::as_select(),
                    roles::scopes.nullable(),
                    roles::name.nullable(),
                    second_factors::confirmed_at.nullable(),
                ),
            ))
    };
}

pub(crate) async fn session_by_digest(
    conn: &mut Conn<'_>,
    digest: &[u8; 32],
) -> Result<Option<SessionStanding>, StoreError> {
    let found = with_standing!(sessions::token_digest.eq(digest.to_vec()));
    read(dialect::only!(conn, found).await.optional()?)
}

pub(crate) async fn session_standing(
    conn: &mut Conn<'_>,
    id: SessionId,
) -> Result<Option<SessionStanding>, StoreError> {
    let found = with_standing!(sessions::id.eq(id.bind()));
    read(dialect::only!(conn, found).await.optional()?)
}

fn read(row: Option<(SessionRow, StandingRow)>) -> Result<Option<SessionStanding>, StoreError> {
    row.map(|(session, place)| Ok(SessionStanding { session: session.into(), standing: standing(place)? })).transpose()
}

pub(crate) async fn hold_session(conn: &mut Conn<'_>, id: SessionId) -> Result<(), StoreError> {
    Ok(dialect::hold_session(conn, id).await?)
}

pub(crate) async fn sessions_of_user(
    conn: &mut Conn<'_>,
    user: UserId,
    organization: Option<OrganizationId>,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Session>, StoreError> {
    let mut live = sessions::table
        .filter(sessions::user_id.eq(user.bind()).and(sessions::expires_at.gt(now.bind())))
        .filter(dialect::in_time())
        .order((sessions::created_at.desc(), sessions::id.desc()))
        .limit(i64::from(limit))
        .select(SessionRow::as_select())
        .into_boxed();
    if let Some(organization) = organization {
        live = live.filter(sessions::organization_id.eq(organization.bind()));
    }
    let rows: Vec<SessionRow> = live.load(conn).await?;
    Ok(rows.into_iter().map(Session::from).collect())
}

pub(crate) async fn set_session_proven(conn: &mut Conn<'_>, id: SessionId, at: Timestamp) -> Result<bool, StoreError> {
    let changed = diesel::update(sessions::table.find(id.bind()))
        .set(sessions::proven_at.eq(Some(at.bind())))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

pub(crate) async fn session_uses(conn: &mut Conn<'_>, user: UserId, limit: u32) -> Result<Vec<SessionUse>, StoreError> {
    let rows: Vec<SessionUseRow> = sessions::table
        .inner_join(session_uses::table.on(session_uses::session_id.eq(sessions::id)))
        .filter(sessions::user_id.eq(user.bind()))
        .filter(dialect::in_time())
        .order((sessions::created_at.desc(), sessions::id.desc()))
        .limit(i64::from(limit))
        .select(SessionUseRow::as_select())
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(SessionUse::from).collect())
}

pub(crate) async fn note_session_use(conn: &mut Conn<'_>, used: &SessionUse) -> Result<(), StoreError> {
    let noted = (
        session_uses::session_id.eq(used.session_id.bind()),
        session_uses::last_used_at.eq(used.last_used_at.bind()),
        session_uses::address.eq(used.address.as_deref()),
    );
    let newer =
        (session_uses::last_used_at.eq(used.last_used_at.bind()), session_uses::address.eq(used.address.as_deref()));
    diesel::insert_into(session_uses::table)
        .values(noted)
        .on_conflict(session_uses::session_id)
        .do_update()
        .set(newer)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn delete_session(conn: &mut Conn<'_>, user: UserId, id: SessionId) -> Result<bool, StoreError> {
    let session = sessions::table.filter(sessions::id.eq(id.bind()).and(sessions::user_id.eq(user.bind())));
    Ok(diesel::delete(session).execute(conn).await? == 1)
}

pub(crate) async fn delete_sessions_of_user(
    conn: &mut Conn<'_>,
    user: UserId,
    except: Option<SessionId>,
) -> Result<usize, StoreError> {
    let of_user = sessions::user_id.eq(user.bind());
    Ok(match except {
        Some(kept) => {
            let others = of_user.and(sessions::id.ne(kept.bind()));
            diesel::delete(sessions::table.filter(others)).execute(conn).await?
        }
        None => diesel::delete(sessions::table.filter(of_user)).execute(conn).await?,
    })
}

pub(crate) async fn delete_sessions_of_member(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    user: UserId,
    except: Option<SessionId>,
) -> Result<usize, StoreError> {
    let of_member = sessions::organization_id.eq(organization.bind()).and(sessions::user_id.eq(user.bind()));
    let gone = sessions::table.filter(of_member);
    Ok(match except {
        Some(kept) => diesel::delete(gone.filter(sessions::id.ne(kept.bind()))).execute(conn).await?,
        None => diesel::delete(gone).execute(conn).await?,
    })
}

pub(crate) async fn delete_expired_sessions(
    conn: &mut Conn<'_>,
    before: Timestamp,
    limit: u32,
) -> Result<usize, StoreError> {
    let expired: Vec<SessionId> = sessions::table
        .filter(sessions::expires_at.le(before.bind()))
        .order(sessions::expires_at)
        .limit(i64::from(limit))
        .select(sessions::id)
        .load(conn)
        .await?;
    Ok(diesel::delete(sessions::table.filter(sessions::id.eq_any(expired.into_iter().map(Bind::bind))))
        .execute(conn)
        .await?)
}
