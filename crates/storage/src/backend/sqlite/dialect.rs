//! What SQLite says differently.

use super::Conn;
use super::prepared::{AddCount, RecordUse};
use crate::model::{TokenCount, TokenUse};
use crate::rows::{CandidateRow, candidate_query};
use crate::schema::{memberships, organizations, users};
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::sqlite::Sqlite;
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

/// Row by row: SQLite has no arrays to bind.
pub(crate) async fn record_uses(conn: &mut Conn<'_>, uses: &[TokenUse]) -> QueryResult<()> {
    let uses: Vec<_> = uses.iter().map(RecordUse::new).collect();
    run_each(conn, uses).await
}

/// As [`record_uses`].
pub(crate) async fn add_counts(conn: &mut Conn<'_>, counts: &[TokenCount]) -> QueryResult<()> {
    let counts: Vec<_> = counts.iter().map(AddCount::new).collect();
    run_each(conn, counts).await
}

async fn run_each<T>(conn: &mut Conn<'_>, statements: Vec<T>) -> QueryResult<()>
where
    T: QueryFragment<Sqlite> + QueryId + RunQueryDsl<SqliteConnection> + Send + 'static,
{
    conn.spawn_blocking(move |connection| {
        statements.into_iter().try_for_each(|statement| RunQueryDsl::execute(statement, connection).map(drop))
    })
    .await
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
