//! A node's connection for reports and news. It is its own, so that a poll never waits behind a request's statement.

use super::Registry;
use crate::backend::postgresql::{Conn, Purpose, Watched, connect, connect_watched, history, history_of, repo};
use crate::error::{OutageKind, StoreError};
use crate::kept::Keep as _;
use crate::model::{LogEntry, NodeRecord, Poll, PollAnswer};
use crate::options::StoreOptions;
use crate::rows::{LogRow, applied_text};
use crate::schema::revocation_clock;
use crate::sql_types::{Bind as _, Moment, Uid};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, SmallInt, Text};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection as _};
use futures::future::try_join5;
use std::fmt;
use token_domain::Timestamp;
use token_domain::id::NodeId;

/// What nodes notify each other on: something was logged or applied, so a poll is worth while before it is due.
const CHANNEL: &str = "nolapse_nodes";

/// The advisory lock of whoever takes migrations back. Nodes share it while they register, and not that of all migrations: one that
/// has lost its place returns while a newer program brings its tables, which may take long.
pub(crate) const TAKING_BACK: i64 = 0x6e6c_705f_0000_0003;

/// Whether there is a list: one row or none.
pub(crate) const HAS_LIST: &str = "SELECT count(*) AS rows FROM pg_class WHERE oid = to_regclass('nodes')";
/// How many nodes on the list reported within ten seconds: twice the time for which a report is good.
pub(crate) const LIVE_NODES: &str =
    "SELECT count(*) AS rows FROM nodes WHERE seen_at > clock_timestamp() - interval '10 seconds'";

/// Why what takes the database for itself is refused.
pub(crate) fn in_use(nodes: i64) -> String {
    format!("the database is in use (nodes: {nodes}): stop them first")
}

/// A node's connection.
pub struct Session {
    watched: Watched,
    history: String,
    place: String,
}

/// What the last part of an answer says.
#[derive(diesel::QueryableByName)]
struct Moments {
    #[diesel(sql_type = Moment)]
    now: Timestamp,
    #[diesel(sql_type = Text)]
    history: String,
    #[diesel(sql_type = Bool)]
    has_standby: bool,
}

impl Registry {
    /// Connects, and listens.
    ///
    /// Reports on this connection are not waited for until they are on disk: one that a crash loses is made again, and until
    /// then others wait for it, which is safe. Ten a second of each node would otherwise cost as many writes to disk.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn connect(&self) -> Result<Session, StoreError> {
        let mut watched = connect_watched(&self.0, &StoreOptions::default(), Purpose::Serving).await?;
        let settings = format!("SET synchronous_commit = off; LISTEN {CHANNEL}");
        watched.connection.batch_execute(&settings).await?;
        let history = history_of(&watched.connection).await?;
        let place = place_of(&watched.connection).await?;
        Ok(Session { watched, history, place })
    }

    /// Puts a node on the list, durably: one that is forgotten in a crash would go on answering while nobody waits for it.
    /// Commit this before the first poll: then, if a changing node does not see this one on the list, this node's first look at
    /// the log sees the change.
    ///
    /// # Errors
    /// The database cannot be reached, the id is on the list already, or the node's migrations were taken back.
    pub async fn register(&self, node: &NodeRecord, beat: i64) -> Result<(), StoreError> {
        let connection = connect(&self.0, &StoreOptions::default(), Purpose::Serving).await?;
        insert_node(&connection, node, beat).await
    }
}

impl Registry {
    /// Nodes on the list that reported within ten seconds: twice the time for which a report is good.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn live_nodes(&self) -> Result<i64, StoreError> {
        #[derive(diesel::QueryableByName)]
        struct Answer {
            #[diesel(sql_type = BigInt)]
            rows: i64,
        }
        let connection = connect(&self.0, &StoreOptions::default(), Purpose::Serving).await?;
        let mut connection: Conn<'_> = &connection;
        if diesel::sql_query(HAS_LIST).get_result::<Answer>(&mut connection).await?.rows == 0 {
            return Ok(0);
        }
        Ok(diesel::sql_query(LIVE_NODES).get_result::<Answer>(&mut connection).await?.rows)
    }
}

impl Session {
    /// The history of the server that this is connected to.
    pub fn history(&self) -> &str {
        &self.history
    }

    /// Which of the server's databases this is, and which table its log: `database/table`, by their numbers. A copy that was restored
    /// into the same server has others.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Reports, and reads what is new, in one round trip. A statement each, carried out in this order: the report is taken (or
    /// not) before the log is read, the clocks are read before the entries up to them, and all of it after this was called.
    ///
    /// # Errors
    /// The database cannot be reached, or holds a row that cannot be. Whether the report was taken is not known then.
    pub async fn poll(&self, node: NodeId, poll: &Poll) -> Result<PollAnswer, StoreError> {
        let mut report: Conn<'_> = &self.watched.connection;
        let [mut clocks, mut news, mut list, mut moments] = [report; 4];
        let [confirmed, attempted] = poll.expected;
        let report = async {
            let reported = diesel::sql_query(concat!(
                "UPDATE nodes SET beat = $2, applied = $3, seen_at = clock_timestamp() \
                 WHERE id = $1 AND beat IN ($4, $5) AND $6 IN ('', ",
                history!(),
                ")"
            ))
            .bind::<Uid, _>(node.bind())
            .bind::<BigInt, _>(poll.beat)
            .bind::<Text, _>(applied_text(&poll.applied))
            .bind::<BigInt, _>(confirmed)
            .bind::<BigInt, _>(attempted)
            .bind::<Text, _>(&poll.history)
            .kept();
            Ok(reported.execute(&mut report).await? == 1)
        };
        let clocks = async {
            let all = revocation_clock::table.order(revocation_clock::shard).select(revocation_clock::n);
            Ok(all.load::<i64>(&mut clocks).await?)
        };
        let entries = entries_beyond(&mut news, &poll.applied, poll.limit);
        let nodes = repo::nodes::list_nodes(&mut list);
        let moments = async {
            let question = diesel::sql_query(concat!(
                "SELECT ",
                history!(),
                " AS history, clock_timestamp() AS now, current_setting('synchronous_standby_names') <> '' AS has_standby"
            ));
            Ok(question.kept().get_result::<Moments>(&mut moments).await?)
        };
        let (is_registered, clocks, entries, nodes, moments) =
            try_join5(report, clocks, entries, nodes, moments).await?;
        let Moments { now, history, has_standby } = moments;
        Ok(PollAnswer { is_registered, clocks, entries, nodes, now, history, has_standby })
    }

    /// As [`Registry::register`], at the server that this leads to, which of several hosts another connection may not.
    ///
    /// # Errors
    /// As [`Registry::register`].
    pub async fn register(&self, node: &NodeRecord, beat: i64) -> Result<(), StoreError> {
        insert_node(&self.watched.connection, node, beat).await
    }

    /// Writes down where a node is reached.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn tell_address(&self, node: NodeId, address: &str) -> Result<(), StoreError> {
        let mut connection: Conn<'_> = &self.watched.connection;
        let told = diesel::sql_query("UPDATE nodes SET address = $2 WHERE id = $1")
            .bind::<Uid, _>(node.bind())
            .bind::<Text, _>(address);
        told.execute(&mut connection).await?;
        Ok(())
    }

    /// Takes a node off the list that still has this number, unless a change of it is under way. Whether it was.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn remove(&self, node: NodeId, beat: i64) -> Result<bool, StoreError> {
        let mut connection: Conn<'_> = &self.watched.connection;
        let removed = diesel::sql_query(
            "DELETE FROM nodes WHERE id = (SELECT id FROM nodes WHERE id = $1 AND beat = $2 FOR UPDATE SKIP LOCKED)",
        )
        .bind::<Uid, _>(node.bind())
        .bind::<BigInt, _>(beat)
        .kept();
        Ok(removed.execute(&mut connection).await? == 1)
    }

    /// Notifies all nodes, this one as well.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn notify(&self) -> Result<(), StoreError> {
        let mut connection: Conn<'_> = &self.watched.connection;
        let notified = diesel::sql_query("SELECT pg_notify($1, '')").bind::<Text, _>(CHANNEL).kept();
        notified.execute(&mut connection).await?;
        Ok(())
    }

    /// Waits for a notification. One that came since the last call counts.
    pub async fn notified(&self) {
        self.watched.heard.notified.notified().await;
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session")
    }
}

/// Whether a migration was applied.
#[derive(diesel::QueryableByName)]
struct Applied {
    #[diesel(sql_type = Bool)]
    is_applied: bool,
}

/// Puts a node on the list in a transaction of its own.
async fn insert_node(mut connection: Conn<'_>, node: &NodeRecord, beat: i64) -> Result<(), StoreError> {
    // A command that takes migrations back holds the lock alone: it sees this node on the list, or the node sees what it did.
    let begin = format!("BEGIN; SET LOCAL synchronous_commit = on; SELECT pg_advisory_xact_lock_shared({TAKING_BACK})");
    connection.batch_execute(&begin).await?;
    // By itself, and first: without this node's migrations the list may lack a column that the row has.
    let known = diesel::sql_query(
        "SELECT EXISTS (SELECT 1 FROM __diesel_schema_migrations WHERE version = split_part($1, '_', 1)) AS is_applied",
    )
    .bind::<Text, _>(&node.migration);
    if !known.get_result::<Applied>(&mut connection).await?.is_applied {
        let missing = format!("the database lacks the migration {}: run `nolapse-api migrate up`", node.migration);
        return Err(StoreError::outage(OutageKind::Connect, missing));
    }
    let inserted = diesel::sql_query(
        "INSERT INTO nodes (id, protocol, version, migration, tag_key, consistency, beat, applied, started_at, seen_at, \
         address) VALUES ($1, $2, $3, $4, $5, $6, $7, '', clock_timestamp(), clock_timestamp(), $8)",
    )
    .bind::<Uid, _>(node.id.bind())
    .bind::<SmallInt, _>(node.protocol)
    .bind::<Text, _>(&node.version)
    .bind::<Text, _>(&node.migration)
    .bind::<Text, _>(&node.tag_key)
    .bind::<Text, _>(node.consistency.as_str())
    .bind::<BigInt, _>(beat)
    .bind::<Nullable<Text>, _>(&node.address);
    inserted.execute(&mut connection).await?;
    Ok(connection.batch_execute("COMMIT").await?)
}

/// Which database a connection leads to, which table of it is the log, and since when its server runs: a copy of the server's files
/// has all else in common with the original.
async fn place_of(mut connection: Conn<'_>) -> Result<String, StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Text)]
        place: String,
    }
    let question = diesel::sql_query(
        "SELECT (SELECT oid FROM pg_database WHERE datname = current_database()) || '/' || \
         'revocation_log'::regclass::oid || '/' || \
         (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint AS place",
    );
    Ok(question.get_result::<Answer>(&mut connection).await?.place)
}

/// Entries beyond what was applied, some of each shard; a look at the end of each where there are none.
async fn entries_beyond(connection: &mut Conn<'_>, applied: &[i64], limit: i64) -> Result<Vec<LogEntry>, StoreError> {
    let rows: Vec<LogRow> = diesel::sql_query(
        "SELECT news.shard, news.seq, news.touched, news.touched_id, news.at \
         FROM unnest($1) WITH ORDINALITY AS applied (seq, place) CROSS JOIN LATERAL \
         (SELECT * FROM revocation_log AS log WHERE log.shard = (applied.place - 1)::smallint AND log.seq > applied.seq \
         ORDER BY log.seq LIMIT $2) AS news ORDER BY news.shard, news.seq",
    )
    .bind::<Array<BigInt>, _>(applied)
    .bind::<BigInt, _>(limit)
    .kept()
    .load(connection)
    .await?;
    rows.into_iter().map(LogEntry::try_from).collect()
}
