//! What SQLite says differently.

use super::Conn;
use super::prepared::{AddCount, AddToOrganization, RecordUse};
use crate::kept::Keep as _;
use crate::model::{Hold, LogPlace, TokenCount, TokenUse, Touched};
use crate::rows::{CandidateRow, candidate_query, touched_columns};
use crate::schema::{audit_events, audit_heads, memberships, revocation_clock, revocation_log, tokens, users};
use crate::sql_types::{Bind, Moment, Uid};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::sql_types::{Bool, Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel_async::RunQueryDsl as AsyncRunQueryDsl;
use std::future::{Ready, ready};
use token_domain::Timestamp;
use token_domain::id::{NodeId, OrganizationId, SessionId, TokenId, UserId};
use token_domain::record::{AuditRecord, ScopeUse, TokenOrigin};

/// The collation that compares text byte by byte.
pub(crate) const BYTEWISE: &str = "BINARY";

/// "This column contains the text", without regard to case and without wildcards. For a text that somebody looks for in names:
/// of [`token_domain::text::needle`]. SQLite's own `lower` knows ASCII only; `fold_case` is ours and
/// registered with every connection.
macro_rules! contains {
    ($column:literal, $text:expr) => {
        diesel::dsl::sql::<diesel::sql_types::Bool>(concat!("instr(fold_case(", $column, "), "))
            .bind::<diesel::sql_types::Text, _>($text)
            .sql(") > 0")
    };
}

pub(crate) use contains;

/// "Older than this entry", of a list that runs from the newest back in time: both columns compared as one value, so that
/// the index finds the place at once. Spelled out with AND and OR, the database reads every entry of the same moment.
macro_rules! older {
    ($moment:literal, $id:literal, $place:expr) => {
        $crate::backend::sqlite::dialect::compared!($moment, $id, ") < (", $place)
    };
}

/// "This entry or one that is newer": the other side of [`older`].
macro_rules! not_older {
    ($moment:literal, $id:literal, $place:expr) => {
        $crate::backend::sqlite::dialect::compared!($moment, $id, ") >= (", $place)
    };
}

/// Both columns compared as one value.
macro_rules! compared {
    ($moment:literal, $id:literal, $together:literal, $place:expr) => {{
        let (moment, id) = $place;
        diesel::dsl::sql::<diesel::sql_types::Bool>(concat!("(", $moment, ", ", $id, $together))
            .bind::<crate::sql_types::Moment, _>(crate::sql_types::Bind::bind(moment))
            .sql(", ")
            .bind::<crate::sql_types::Uid, _>(crate::sql_types::Bind::bind(id))
            .sql(")")
    }};
}

pub(crate) use {compared, not_older, older};

/// A condition of reads that may look at many rows: that there is time left ([`Budget`](super::budget::Budget)).
pub(crate) fn in_time() -> SqlLiteral<Bool> {
    sql("in_time()")
}

/// Straight through diesel's own connection: its statement cache is keyed by the query's type, so that the text of the
/// statement, two thousand characters, is written once and not per look-up, and rows are read without a copy.
pub(crate) async fn load_candidates(conn: &mut Conn<'_>, lookup_hint: i64) -> QueryResult<Vec<CandidateRow>> {
    conn.spawn_blocking(move |connection| {
        RunQueryDsl::load::<CandidateRow>(candidate_query!(tokens::lookup_hint.eq(lookup_hint)), connection)
    })
    .await
}

/// The same rows for several look-up hints, the oldest token first.
pub(crate) async fn load_candidates_among(
    conn: &mut Conn<'_>,
    lookup_hints: Vec<i64>,
    limit: u32,
) -> QueryResult<Vec<CandidateRow>> {
    conn.spawn_blocking(move |connection| {
        let found = candidate_query!(tokens::lookup_hint.eq_any(lookup_hints));
        RunQueryDsl::load::<CandidateRow>(found.order(tokens::id).limit(i64::from(limit)), connection)
    })
    .await
}

/// The same row of one token, by its id.
pub(crate) async fn load_candidate(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    id: TokenId,
) -> QueryResult<Option<CandidateRow>> {
    let found = tokens::id.eq(id.bind()).and(tokens::organization_id.eq(organization.bind()));
    conn.spawn_blocking(move |connection| {
        RunQueryDsl::get_result::<CandidateRow>(candidate_query!(found), connection).optional()
    })
    .await
}

/// There is one writer: nothing changes while a unit of work runs.
pub(crate) fn hold_user(_: &mut Conn<'_>, _: UserId, _: Hold) -> Ready<QueryResult<()>> {
    ready(Ok(()))
}

/// As [`hold_user`].
pub(crate) fn hold_token(_: &mut Conn<'_>, _: TokenId) -> Ready<QueryResult<()>> {
    ready(Ok(()))
}

/// As [`hold_user`].
pub(crate) fn hold_session(_: &mut Conn<'_>, _: SessionId) -> Ready<QueryResult<()>> {
    ready(Ok(()))
}

/// The one row of a statement that cannot have more, read straight through diesel's own connection as in
/// [`load_candidates`]: for what is read on every request.
///
/// A macro, not a function: of a generic one the compiler cannot show that its future may change threads.
macro_rules! only {
    ($conn:expr, $query:expr) => {
        $conn.spawn_blocking(move |connection| diesel::RunQueryDsl::get_result($query, connection))
    };
}

pub(crate) use only;

/// Row by row: SQLite has no arrays to bind.
pub(crate) async fn record_uses(conn: &mut Conn<'_>, uses: &[TokenUse]) -> QueryResult<()> {
    let uses: Vec<_> = uses.iter().map(RecordUse::new).collect();
    run_each(conn, uses).await
}

/// As [`record_uses`].
pub(crate) async fn add_counts(conn: &mut Conn<'_>, counts: &[TokenCount]) -> QueryResult<()> {
    let whole: Vec<_> = counts.iter().map(AddToOrganization::new).collect();
    let counts: Vec<_> = counts.iter().map(AddCount::new).collect();
    run_each(conn, counts).await?;
    run_each(conn, whole).await
}

/// As [`record_uses`]. Of each token the five addresses that were used last stay.
pub(crate) async fn record_origins(conn: &mut Conn<'_>, origins: &[TokenOrigin]) -> QueryResult<()> {
    const NOTED: &str = "INSERT INTO token_origins (token_id, address, agent, first_used_at, last_used_at) \
         SELECT id, $1, $2, $3, $4 FROM tokens WHERE id = $5 \
         ON CONFLICT (token_id, address) DO UPDATE SET agent = excluded.agent, last_used_at = excluded.last_used_at \
         WHERE token_origins.last_used_at < excluded.last_used_at";
    const LATEST: &str = "DELETE FROM token_origins WHERE token_id = $1 AND address NOT IN \
         (SELECT address FROM token_origins WHERE token_id = $1 ORDER BY last_used_at DESC, address LIMIT 5)";
    for origin in origins {
        let noted = diesel::sql_query(NOTED)
            .bind::<Text, _>(origin.address.as_str())
            .bind::<Nullable<Text>, _>(origin.agent.as_deref())
            .bind::<Moment, _>(origin.first_used_at.bind())
            .bind::<Moment, _>(origin.last_used_at.bind())
            .bind::<Uid, _>(origin.token_id.bind());
        AsyncRunQueryDsl::execute(noted, conn).await?;
    }
    for same in origins.chunk_by(|one, other| one.token_id == other.token_id) {
        let latest = diesel::sql_query(LATEST).bind::<Uid, _>(same[0].token_id.bind());
        AsyncRunQueryDsl::execute(latest, conn).await?;
    }
    Ok(())
}

/// As [`record_uses`].
pub(crate) async fn record_scope_uses(conn: &mut Conn<'_>, uses: &[ScopeUse]) -> QueryResult<()> {
    const NOTED: &str = "INSERT INTO token_scope_uses (token_id, scope, last_used_at) \
         SELECT id, $1, $2 FROM tokens WHERE id = $3 \
         ON CONFLICT (token_id, scope) DO UPDATE SET last_used_at = excluded.last_used_at \
         WHERE token_scope_uses.last_used_at < excluded.last_used_at";
    for used in uses {
        let noted = diesel::sql_query(NOTED)
            .bind::<Text, _>(used.scope.as_str())
            .bind::<Moment, _>(used.last_used_at.bind())
            .bind::<Uid, _>(used.token_id.bind());
        AsyncRunQueryDsl::execute(noted, conn).await?;
    }
    Ok(())
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

/// Nothing to do: SQLite has one writer, so a unit of work holds the lock already.
pub(crate) async fn lock_owners(conn: &mut Conn<'_>, organization: OrganizationId) -> QueryResult<Vec<UserId>> {
    let switched_on = users::table.filter(users::disabled_at.is_null()).select(users::id);
    let owners = memberships::table
        .filter(memberships::organization_id.eq(organization.bind()).and(memberships::built_in_role.eq(Some("owner"))))
        .filter(memberships::disabled_at.is_null().and(memberships::user_id.eq_any(switched_on)))
        .select(memberships::user_id);
    AsyncRunQueryDsl::load(owners, conn).await
}

/// Moves the end of a trail on to an event that follows it, and adds the event. False: it does not follow.
pub(crate) async fn append_event(
    conn: &mut Conn<'_>,
    trail: OrganizationId,
    record: &AuditRecord,
) -> QueryResult<bool> {
    let end = audit_heads::table
        .find(trail.bind())
        .filter(audit_heads::seq.eq(record.seq - 1).and(audit_heads::hash.eq(record.prev_hash.as_slice())));
    let next = (
        audit_heads::seq.eq(record.seq),
        audit_heads::hash.eq(record.hash.as_slice()),
        audit_heads::at.eq(record.at.bind()),
    );
    if AsyncRunQueryDsl::execute(diesel::update(end).set(next).kept(), conn).await? != 1 {
        return Ok(false);
    }
    let event = diesel::insert_into(audit_events::table).values((
        audit_events::trail.eq(trail.bind()),
        audit_events::seq.eq(record.seq),
        audit_events::at.eq(record.at.bind()),
        audit_events::action.eq(record.action.as_str()),
        audit_events::actor.eq(record.actor.as_str()),
        audit_events::target_kind.eq(record.target_kind.as_str()),
        audit_events::target_id.eq(record.target_id.as_str()),
        audit_events::request_id.eq(record.request_id.as_str()),
        audit_events::detail.eq(record.detail.as_str()),
        audit_events::prev_hash.eq(record.prev_hash.as_slice()),
        audit_events::hash.eq(record.hash.as_slice()),
    ));
    Ok(AsyncRunQueryDsl::execute(event, conn).await? == 1)
}

/// Takes the next `count` numbers of the log's one shard and writes an entry under each; the place of the last. There is one
/// server as long as it holds the lock on the file, so no node is given and none looked for.
pub(crate) async fn append_log(
    conn: &mut Conn<'_>,
    touched: &[Touched],
    count: i64,
    at: Timestamp,
    _: Option<NodeId>,
) -> QueryResult<Option<LogPlace>> {
    const SHARD: i16 = 0;
    let clock = diesel::update(revocation_clock::table.find(SHARD))
        .set(revocation_clock::n.eq(revocation_clock::n + count))
        .returning(revocation_clock::n);
    let last: i64 = AsyncRunQueryDsl::get_result(clock.kept(), conn).await?;
    for (seq, &touched) in (last - count + 1..).zip(touched) {
        let (kind, id) = touched_columns(touched);
        let entry = diesel::insert_into(revocation_log::table).values((
            revocation_log::shard.eq(SHARD),
            revocation_log::seq.eq(seq),
            revocation_log::touched.eq(kind),
            revocation_log::touched_id.eq(id.bind()),
            revocation_log::at.eq(at.bind()),
        ));
        AsyncRunQueryDsl::execute(entry, conn).await?;
    }
    Ok(Some(LogPlace { shard: SHARD, seq: last }))
}
