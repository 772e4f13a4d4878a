//! What PostgreSQL says differently.

use super::Conn;
use crate::model::TokenUse;
use crate::rows::{CandidateRow, candidate_query};
use crate::schema::{memberships, organizations, users};
use crate::sql_types::{Bind, Moment, MomentParam, Uid, UidParam};
use diesel::prelude::*;
use diesel::sql_types::Array;
use diesel_async::RunQueryDsl;
use token_domain::id::{OrganizationId, UserId};

/// The collation that compares text byte by byte.
pub(crate) const BYTEWISE: &str = "\"C\"";

/// Opens the condition "the column contains", without regard to ASCII case; completed by the needle and `) > 0`. The
/// collation keeps `lower` to ASCII, as on SQLite, whatever the database's own is.
pub(crate) fn contains(column: &str) -> String {
    format!("strpos(lower({column} COLLATE {BYTEWISE}), ")
}

pub(crate) async fn load_candidates(conn: &mut Conn<'_>, lookup_hint: i64) -> QueryResult<Vec<CandidateRow>> {
    candidate_query!(lookup_hint).load(conn).await
}

/// One statement for all. The rows are locked in the order of their ids, so that two nodes that flush at once wait for
/// each other instead of deadlocking.
pub(crate) async fn record_uses(conn: &mut Conn<'_>, uses: &[TokenUse]) -> QueryResult<()> {
    let ids: Vec<UidParam> = uses.iter().map(|used| used.token_id.bind()).collect();
    let moments: Vec<MomentParam> = uses.iter().map(|used| used.last_used_at.bind()).collect();
    diesel::sql_query(
        "WITH used AS (SELECT id, max(at) AS at FROM unnest($1, $2) AS given (id, at) GROUP BY id), \
         later AS (SELECT tokens.id, used.at FROM tokens JOIN used ON used.id = tokens.id \
         WHERE tokens.last_used_at IS NULL OR tokens.last_used_at < used.at ORDER BY tokens.id FOR UPDATE OF tokens) \
         UPDATE tokens SET last_used_at = later.at FROM later WHERE tokens.id = later.id",
    )
    .bind::<Array<Uid>, _>(ids)
    .bind::<Array<Moment>, _>(moments)
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks the owners' rows: two owners who leave at once are counted one after the other.
pub(crate) async fn lock_owners(conn: &mut Conn<'_>, organization: OrganizationId) -> QueryResult<Vec<UserId>> {
    let switched_on = users::table.filter(users::disabled_at.is_null()).select(users::id);
    let owners = memberships::table
        .filter(memberships::organization_id.eq(organization.bind()).and(memberships::built_in_role.eq(Some("owner"))))
        .filter(memberships::disabled_at.is_null().and(memberships::user_id.eq_any(switched_on)))
        .order(memberships::user_id)
        .select(memberships::user_id)
        .for_update();
    owners.load(conn).await
}

/// Locks the organisation's row until the unit of work ends.
pub(crate) async fn lock_organization(conn: &mut Conn<'_>, id: OrganizationId) -> QueryResult<bool> {
    let found: Option<OrganizationId> = organizations::table
        .find(id.bind())
        .select(organizations::id)
        .for_no_key_update()
        .first(conn)
        .await
        .optional()?;
    Ok(found.is_some())
}
