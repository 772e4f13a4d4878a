//! What SQLite says differently.

use super::Conn;
use crate::model::{TokenCount, TokenUse};
use crate::rows::{CandidateRow, candidate_query};
use crate::schema::{memberships, organizations, token_usage, tokens, users};
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl as AsyncRunQueryDsl;
use token_domain::id::{OrganizationId, UserId};

/// The collation that compares text byte by byte.
pub(crate) const BYTEWISE: &str = "BINARY";

/// Opens the condition "the column contains", without regard to ASCII case; completed by the needle and `) > 0`.
pub(crate) fn contains(column: &str) -> String {
    format!("instr(lower({column}), ")
}

/// Straight through diesel's own connection: its statement cache is keyed by the query's type, so that the text of the
/// statement, two thousand characters, is written once and not per look-up, and rows are read without a copy.
pub(crate) async fn load_candidates(conn: &mut Conn<'_>, lookup_hint: i64) -> QueryResult<Vec<CandidateRow>> {
    conn.spawn_blocking(move |connection| RunQueryDsl::load::<CandidateRow>(candidate_query!(lookup_hint), connection))
        .await
}

/// Prepared once, run per use: SQLite has no arrays to bind.
pub(crate) async fn record_uses(conn: &mut Conn<'_>, uses: &[TokenUse]) -> QueryResult<()> {
    let uses = uses.to_vec();
    conn.spawn_blocking(move |connection| {
        for used in uses {
            let later = tokens::last_used_at.is_null().or(tokens::last_used_at.lt(Some(used.last_used_at.bind())));
            let update = diesel::update(tokens::table.filter(tokens::id.eq(used.token_id.bind())).filter(later))
                .set(tokens::last_used_at.eq(Some(used.last_used_at.bind())));
            RunQueryDsl::execute(update, connection)?;
        }
        Ok(())
    })
    .await
}

/// As [`record_uses`]. There is one writer, so a token that was found stays until the unit of work ends.
pub(crate) async fn add_counts(conn: &mut Conn<'_>, counts: &[TokenCount]) -> QueryResult<()> {
    let counts = counts.to_vec();
    conn.spawn_blocking(move |connection| {
        for TokenCount { token_id, hour, counts } in counts {
            let found = diesel::select(diesel::dsl::exists(tokens::table.find(token_id.bind())));
            if !RunQueryDsl::get_result::<bool>(found, connection)? {
                continue;
            }
            let added = [counts.allowed, counts.insufficient, counts.denied].map(saturated);
            let insert = diesel::insert_into(token_usage::table)
                .values((
                    token_usage::token_id.eq(token_id.bind()),
                    token_usage::hour.eq(hour.number()),
                    token_usage::allowed.eq(added[0]),
                    token_usage::insufficient.eq(added[1]),
                    token_usage::denied.eq(added[2]),
                ))
                .on_conflict((token_usage::token_id, token_usage::hour))
                .do_update()
                .set((
                    token_usage::allowed.eq(token_usage::allowed + added[0]),
                    token_usage::insufficient.eq(token_usage::insufficient + added[1]),
                    token_usage::denied.eq(token_usage::denied + added[2]),
                ));
            RunQueryDsl::execute(insert, connection)?;
        }
        Ok(())
    })
    .await
}

/// A count of one flush; it never comes near 63 bits.
fn saturated(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// There is one writer: whoever is in a unit of work has the lock already.
pub(crate) async fn lock_owners(conn: &mut Conn<'_>, organization: OrganizationId) -> QueryResult<Vec<UserId>> {
    let switched_on = users::table.filter(users::disabled_at.is_null()).select(users::id);
    let owners = memberships::table
        .filter(memberships::organization_id.eq(organization.bind()).and(memberships::built_in_role.eq(Some("owner"))))
        .filter(memberships::disabled_at.is_null().and(memberships::user_id.eq_any(switched_on)))
        .select(memberships::user_id);
    AsyncRunQueryDsl::load(owners, conn).await
}

/// As [`lock_owners`].
pub(crate) async fn lock_organization(conn: &mut Conn<'_>, id: OrganizationId) -> QueryResult<bool> {
    let found = organizations::table.find(id.bind()).select(organizations::id);
    let found: Option<OrganizationId> = AsyncRunQueryDsl::first(found, conn).await.optional()?;
    Ok(found.is_some())
}
