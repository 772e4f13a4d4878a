//! What PostgreSQL says differently.

use super::Conn;
use crate::kept::Keep as _;
use crate::model::{Hold, LogPlace, SHARDS, TokenCount, TokenUse, Touched};
use crate::rows::{CandidateRow, candidate_query, touched_columns};
use crate::schema::{memberships, sessions, tokens, users};
use crate::sql_types::{Bind, Moment, MomentParam, Uid, UidParam};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, SmallInt, Text};
use diesel_async::RunQueryDsl;
use token_domain::Timestamp;
use token_domain::id::{NodeId, OrganizationId, SessionId, TokenId, UserId};
use token_domain::record::{AuditRecord, ScopeUse, TokenOrigin};
use token_domain::usage::UseCounts;

/// The collation that compares text byte by byte.
pub(crate) const BYTEWISE: &str = "\"C\"";

/// "This column contains the text", without regard to case and without wildcards. For a text that somebody looks for in names:
/// of [`token_domain::text::needle`]. What `lower` does beyond ASCII depends on the collation of the database, so it is kept to
/// ASCII, and the capitals of the text's own letters are replaced by name.
macro_rules! contains {
    ($column:literal, $text:expr) => {{
        let text: String = $text;
        let (capitals, smalls) = token_domain::text::capitals_of(&text);
        diesel::dsl::sql::<diesel::sql_types::Bool>(concat!("strpos(translate(lower(", $column, " COLLATE \"C\"), "))
            .bind::<diesel::sql_types::Text, _>(capitals)
            .sql(", ")
            .bind::<diesel::sql_types::Text, _>(smalls)
            .sql("), ")
            .bind::<diesel::sql_types::Text, _>(text)
            .sql(") > 0")
    }};
}

pub(crate) use contains;

/// "Older than this entry", of a list that runs from the newest back in time: both columns compared as one value, so that
/// the index finds the place at once. Spelled out with AND and OR, the database reads every entry of the same moment.
///
/// The moment alone once more, which follows: of values compared together PostgreSQL does not see that two conditions are the
/// ends of one range. Between two places of a list of a million that are 10 000 rows apart it expected 253 000, and read the
/// whole table.
macro_rules! older {
    ($moment:literal, $id:literal, $place:expr) => {
        $crate::backend::postgresql::dialect::compared!($moment, " <= ", $id, ") < (", $place)
    };
}

/// "This entry or one that is newer": the other side of [`older`].
macro_rules! not_older {
    ($moment:literal, $id:literal, $place:expr) => {
        $crate::backend::postgresql::dialect::compared!($moment, " >= ", $id, ") >= (", $place)
    };
}

/// The moment compared alone, and both columns as one value.
macro_rules! compared {
    ($moment:literal, $alone:literal, $id:literal, $together:literal, $place:expr) => {{
        let (moment, id) = $place;
        diesel::dsl::sql::<diesel::sql_types::Bool>(concat!("(", $moment, $alone))
            .bind::<crate::sql_types::Moment, _>(crate::sql_types::Bind::bind(moment))
            .sql(concat!(" AND (", $moment, ", ", $id, $together))
            .bind::<crate::sql_types::Moment, _>(crate::sql_types::Bind::bind(moment))
            .sql(", ")
            .bind::<crate::sql_types::Uid, _>(crate::sql_types::Bind::bind(id))
            .sql("))")
    }};
}

pub(crate) use {compared, not_older, older};

/// As on SQLite, where statements have no time limit by themselves: true.
pub(crate) fn in_time() -> SqlLiteral<Bool> {
    sql("TRUE")
}

pub(crate) async fn load_candidates(conn: &mut Conn<'_>, lookup_hint: i64) -> QueryResult<Vec<CandidateRow>> {
    candidate_query!(tokens::lookup_hint.eq(lookup_hint)).load(conn).await
}

/// The same rows for several look-up hints, the oldest token first.
pub(crate) async fn load_candidates_among(
    conn: &mut Conn<'_>,
    lookup_hints: Vec<i64>,
    limit: u32,
) -> QueryResult<Vec<CandidateRow>> {
    candidate_query!(tokens::lookup_hint.eq_any(lookup_hints))
        .order(tokens::id)
        .limit(i64::from(limit))
        .load(conn)
        .await
}

/// The same row of one token, by its id.
pub(crate) async fn load_candidate(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    id: TokenId,
) -> QueryResult<Option<CandidateRow>> {
    let found = tokens::id.eq(id.bind()).and(tokens::organization_id.eq(organization.bind()));
    candidate_query!(found).get_result(conn).await.optional()
}

/// Locks a person's row until the unit of work ends. The shared lock is the one that an `UPDATE` of the row waits for; rows
/// that merely refer to the person are added beside either.
pub(crate) async fn hold_user(conn: &mut Conn<'_>, id: UserId, hold: Hold) -> QueryResult<()> {
    let found = users::table.find(id.bind()).select(users::id);
    match hold {
        Hold::Shared => found.for_share().execute(conn).await?,
        Hold::Exclusive => found.for_no_key_update().execute(conn).await?,
    };
    Ok(())
}

/// Locks a token's row until the unit of work ends, so that a revocation of it waits.
pub(crate) async fn hold_token(conn: &mut Conn<'_>, id: TokenId) -> QueryResult<()> {
    tokens::table.find(id.bind()).select(tokens::id).for_share().execute(conn).await?;
    Ok(())
}

/// Locks a session's row until the unit of work ends, so that a sign-out waits.
pub(crate) async fn hold_session(conn: &mut Conn<'_>, id: SessionId) -> QueryResult<()> {
    sessions::table.find(id.bind()).select(sessions::id).for_share().execute(conn).await?;
    Ok(())
}

/// The one row of a statement that cannot have more.
macro_rules! only {
    ($conn:expr, $query:expr) => {
        diesel_async::RunQueryDsl::get_result($query, $conn)
    };
}

pub(crate) use only;

/// One statement for all. The rows are locked in the order of their ids, so that two nodes that flush at once wait for
/// each other instead of deadlocking, and not so hard that rows that refer to them wait as well.
pub(crate) async fn record_uses(conn: &mut Conn<'_>, uses: &[TokenUse]) -> QueryResult<()> {
    let ids: Vec<UidParam> = uses.iter().map(|used| used.token_id.bind()).collect();
    let moments: Vec<MomentParam> = uses.iter().map(|used| used.last_used_at.bind()).collect();
    diesel::sql_query(
        "WITH used AS (SELECT id, max(at) AS at FROM unnest($1, $2) AS given (id, at) GROUP BY id), \
         later AS (SELECT tokens.id, used.at FROM tokens JOIN used ON used.id = tokens.id \
         WHERE tokens.last_used_at IS NULL OR tokens.last_used_at < used.at ORDER BY tokens.id \
         FOR NO KEY UPDATE OF tokens) \
         UPDATE tokens SET last_used_at = later.at FROM later WHERE tokens.id = later.id",
    )
    .bind::<Array<Uid>, _>(ids)
    .bind::<Array<Moment>, _>(moments)
    .execute(conn)
    .await?;
    Ok(())
}

/// One statement for all. A token that is not there is skipped, and one that is found cannot go until the unit of work
/// ends; rows are added to in the order of their tokens, so that two nodes that flush at once wait for each other instead
/// of deadlocking.
pub(crate) async fn add_counts(conn: &mut Conn<'_>, counts: &[TokenCount]) -> QueryResult<()> {
    let column = |read: fn(&UseCounts) -> u64| -> Vec<i64> {
        counts.iter().map(|count| i64::try_from(read(&count.counts)).unwrap_or(i64::MAX)).collect()
    };
    let ids: Vec<UidParam> = counts.iter().map(|count| count.token_id.bind()).collect();
    let hours: Vec<i32> = counts.iter().map(|count| count.hour.number()).collect();
    diesel::sql_query(
        "WITH found AS (SELECT id, organization_id FROM tokens WHERE id = ANY($1) ORDER BY id FOR KEY SHARE), \
         given AS (SELECT found.organization_id, added.* FROM unnest($1, $2, $3, $4, $5) AS added (id, hour, allowed, insufficient, denied) \
         JOIN found ON found.id = added.id), \
         whole AS (INSERT INTO organization_usage (organization_id, hour, allowed, insufficient, denied) \
         SELECT given.organization_id, given.hour, sum(given.allowed)::bigint, sum(given.insufficient)::bigint, sum(given.denied)::bigint \
         FROM given GROUP BY given.organization_id, given.hour ORDER BY given.organization_id, given.hour \
         ON CONFLICT (organization_id, hour) DO UPDATE SET allowed = organization_usage.allowed + excluded.allowed, \
         insufficient = organization_usage.insufficient + excluded.insufficient, denied = organization_usage.denied + excluded.denied) \
         INSERT INTO token_usage (token_id, hour, allowed, insufficient, denied) \
         SELECT given.id, given.hour, sum(given.allowed)::bigint, sum(given.insufficient)::bigint, sum(given.denied)::bigint \
         FROM given GROUP BY given.id, given.hour ORDER BY given.id, given.hour \
         ON CONFLICT (token_id, hour) DO UPDATE SET allowed = token_usage.allowed + excluded.allowed, \
         insufficient = token_usage.insufficient + excluded.insufficient, denied = token_usage.denied + excluded.denied",
    )
    .bind::<Array<Uid>, _>(ids)
    .bind::<Array<Integer>, _>(hours)
    .bind::<Array<BigInt>, _>(column(|counts| counts.allowed))
    .bind::<Array<BigInt>, _>(column(|counts| counts.insufficient))
    .bind::<Array<BigInt>, _>(column(|counts| counts.denied))
    .execute(conn)
    .await?;
    Ok(())
}

/// One statement to write and one to drop what is too much; of each token the five addresses that were used last stay.
///
/// The first waits for rows in the order of tokens and addresses, so that two nodes that flush at once wait for each other
/// instead of deadlocking. The second waits for none: it holds rows that the other node may wait for, and what that node holds
/// was used a moment ago, so it is left to the next time.
pub(crate) async fn record_origins(conn: &mut Conn<'_>, origins: &[TokenOrigin]) -> QueryResult<()> {
    let ids: Vec<UidParam> = origins.iter().map(|origin| origin.token_id.bind()).collect();
    let addresses: Vec<&str> = origins.iter().map(|origin| origin.address.as_str()).collect();
    let agents: Vec<Option<&str>> = origins.iter().map(|origin| origin.agent.as_deref()).collect();
    let firsts: Vec<MomentParam> = origins.iter().map(|origin| origin.first_used_at.bind()).collect();
    let lasts: Vec<MomentParam> = origins.iter().map(|origin| origin.last_used_at.bind()).collect();
    diesel::sql_query(
        "WITH found AS (SELECT id FROM tokens WHERE id = ANY($1) ORDER BY id FOR KEY SHARE) \
         INSERT INTO token_origins (token_id, address, agent, first_used_at, last_used_at) \
         SELECT given.id, given.address, given.agent, given.first_at, given.last_at \
         FROM unnest($1, $2, $3, $4, $5) AS given (id, address, agent, first_at, last_at) \
         JOIN found ON found.id = given.id ORDER BY given.id, given.address \
         ON CONFLICT (token_id, address) DO UPDATE SET agent = excluded.agent, last_used_at = excluded.last_used_at \
         WHERE token_origins.last_used_at < excluded.last_used_at",
    )
    .bind::<Array<Uid>, _>(ids.clone())
    .bind::<Array<Text>, _>(addresses)
    .bind::<Array<Nullable<Text>>, _>(agents)
    .bind::<Array<Moment>, _>(firsts)
    .bind::<Array<Moment>, _>(lasts)
    .execute(conn)
    .await?;
    diesel::sql_query(
        "DELETE FROM token_origins WHERE (token_id, address) IN (SELECT old.token_id, old.address \
         FROM token_origins AS old JOIN (SELECT token_id, address, last_used_at, \
         row_number() OVER (PARTITION BY token_id ORDER BY last_used_at DESC, address) AS place \
         FROM token_origins WHERE token_id = ANY($1)) AS ranked \
         ON ranked.token_id = old.token_id AND ranked.address = old.address AND ranked.last_used_at = old.last_used_at \
         WHERE ranked.place > 5 FOR UPDATE OF old SKIP LOCKED)",
    )
    .bind::<Array<Uid>, _>(ids)
    .execute(conn)
    .await?;
    Ok(())
}

/// One statement for all, in the order of tokens and scopes, as [`record_origins`].
pub(crate) async fn record_scope_uses(conn: &mut Conn<'_>, uses: &[ScopeUse]) -> QueryResult<()> {
    let ids: Vec<UidParam> = uses.iter().map(|used| used.token_id.bind()).collect();
    let scopes: Vec<&str> = uses.iter().map(|used| used.scope.as_str()).collect();
    let moments: Vec<MomentParam> = uses.iter().map(|used| used.last_used_at.bind()).collect();
    diesel::sql_query(
        "WITH found AS (SELECT id FROM tokens WHERE id = ANY($1) ORDER BY id FOR KEY SHARE) \
         INSERT INTO token_scope_uses (token_id, scope, last_used_at) SELECT given.id, given.scope, given.at \
         FROM unnest($1, $2, $3) AS given (id, scope, at) JOIN found ON found.id = given.id \
         ORDER BY given.id, given.scope \
         ON CONFLICT (token_id, scope) DO UPDATE SET last_used_at = excluded.last_used_at \
         WHERE token_scope_uses.last_used_at < excluded.last_used_at",
    )
    .bind::<Array<Uid>, _>(ids)
    .bind::<Array<Text>, _>(scopes)
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

/// Moves the end of a trail on to an event that follows it, and adds the event. False: it does not follow.
///
/// One statement: the end is locked from before on, and each round trip under that lock is one in which nobody else in
/// the organisation gets anywhere. Where the event does not follow it fails, for want of a trail, and the unit of work with
/// it, whether or not anybody waits for its answer.
pub(crate) async fn append_event(
    conn: &mut Conn<'_>,
    trail: OrganizationId,
    record: &AuditRecord,
) -> QueryResult<bool> {
    let added = diesel::sql_query(
        "WITH moved AS (UPDATE audit_heads SET seq = $2, hash = $3, at = $4 \
         WHERE trail = $1 AND seq = $2 - 1 AND hash = $5 RETURNING trail) \
         INSERT INTO audit_events (trail, seq, at, action, actor, target_kind, target_id, request_id, detail, \
         prev_hash, hash) VALUES ((SELECT trail FROM moved), $2, $4, $6, $7, $8, $9, $10, $11, $5, $3)",
    )
    .bind::<Uid, _>(trail.bind())
    .bind::<BigInt, _>(record.seq)
    .bind::<Binary, _>(record.hash.as_slice())
    .bind::<Moment, _>(record.at.bind())
    .bind::<Binary, _>(record.prev_hash.as_slice())
    .bind::<Text, _>(record.action.as_str())
    .bind::<Text, _>(record.actor.as_str())
    .bind::<Text, _>(record.target_kind.as_str())
    .bind::<Text, _>(record.target_id.as_str())
    .bind::<Text, _>(record.request_id.as_str())
    .bind::<Text, _>(record.detail.as_str())
    .kept()
    .execute(conn)
    .await;
    match added {
        Err(Error::DatabaseError(DatabaseErrorKind::NotNullViolation, _)) => Ok(false),
        added => Ok(added? == 1),
    }
}

/// Takes the next `count` numbers of a shard and writes an entry under each; returns the place of the last, or nothing if a
/// node is given that is not registered.
///
/// The node's row is locked until the commit, but weakly enough that the node's own reports do not wait. The removal of nodes
/// from the list skips locked rows, so no change of a node commits after its removal. Any shard would be correct; the choice
/// follows from the touched ids, so that the changes of all organisations spread over the shards' clocks.
///
/// `COMMIT` is sent before the answer to this statement is read, so an unregistered node has to make the statement fail: its
/// entries get a null number, which the column refuses.
pub(crate) async fn append_log(
    conn: &mut Conn<'_>,
    touched: &[Touched],
    count: i64,
    at: Timestamp,
    node: Option<NodeId>,
) -> QueryResult<Option<LogPlace>> {
    #[derive(diesel::QueryableByName)]
    struct Logged {
        #[diesel(sql_type = BigInt)]
        seq: i64,
    }
    let (kinds, ids): (Vec<&str>, Vec<UidParam>) =
        touched.iter().map(|&touched| touched_columns(touched)).map(|(kind, id)| (kind, id.bind())).unzip();
    let shard = touched.first().map_or(0, |&touched| shard_of(touched_columns(touched).1));
    let logged = diesel::sql_query(
        "WITH me AS (SELECT id FROM nodes WHERE id = $5 FOR KEY SHARE), \
         clock AS (UPDATE revocation_clock SET n = n + $1 WHERE shard = $6 AND ($5 IS NULL OR EXISTS (SELECT FROM me)) RETURNING n) \
         INSERT INTO revocation_log (shard, seq, touched, touched_id, at) \
         SELECT $6, (SELECT n FROM clock) - $1 + given.place, given.touched, given.id, $4 \
         FROM unnest($2, $3) WITH ORDINALITY AS given (touched, id, place) RETURNING seq",
    )
    .bind::<BigInt, _>(count)
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Uid>, _>(ids)
    .bind::<Moment, _>(at.bind())
    .bind::<Nullable<Uid>, _>(node.bind())
    .bind::<SmallInt, _>(shard)
    .kept()
    .load::<Logged>(conn)
    .await;
    match logged {
        Err(Error::DatabaseError(DatabaseErrorKind::NotNullViolation, _)) if node.is_some() => Ok(None),
        logged => Ok(logged?.into_iter().map(|logged| logged.seq).max().map(|seq| LogPlace { shard, seq })),
    }
}

/// The shard of a change, by the low bits of an id, which are random.
fn shard_of(id: OrganizationId) -> i16 {
    let [.., last] = id.uuid().into_bytes();
    i16::from(last) % i16::try_from(SHARDS).unwrap_or(1)
}
