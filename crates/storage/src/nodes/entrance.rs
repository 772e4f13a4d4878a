//! What keeps a server from sharing a database: a pooler in between, or a server of a version that follows no log.

use super::Registry;
use crate::backend::postgresql::{Conn, Purpose, connect};
use crate::error::{Outage, StoreError};
use crate::options::StoreOptions;
use diesel::sql_types::{Bool, Integer};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};

/// The advisory lock that versions held which served a database alone.
const ALONE: i64 = 0x6e6c_705f_0000_0002;

/// Why a server may not share the database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnterError {
    /// It is reached through something that deals out its connections, one for each transaction.
    #[error(
        "the database is reached through a pooler in transaction mode, which breaks what keeps the memory of servers up to \
         date: use the pooler's session mode, or name PostgreSQL itself in database.direct_url"
    )]
    TransactionPooler,
    /// A server of an older version has it for itself.
    #[error(
        "a server of an older version, which follows no other server's changes, is using this database: stop it first"
    )]
    OlderServer,
    /// It could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A connection, and the server process behind it. Another one answers only if something in between deals out connections.
struct Probe {
    connection: AsyncPgConnection,
    pid: i32,
}

impl Registry {
    /// Whether a server may share the database. Asked before its tables are changed.
    ///
    /// # Errors
    /// Why it may not.
    pub async fn enter(&self) -> Result<(), EnterError> {
        let probe = self.probe().await.map_err(pooler_or)?;
        if self.is_pooled(&probe).await.map_err(pooler_or)? {
            return Err(EnterError::TransactionPooler);
        }
        // Shared, so that servers of this version do not keep each other out. Given back with the connection: an older server
        // that starts later refuses the schema.
        if is_held_alone(&probe.connection).await? {
            return Err(EnterError::OlderServer);
        }
        Ok(())
    }

    async fn probe(&self) -> Result<Probe, StoreError> {
        let connection = connect(&self.0, &StoreOptions::default(), Purpose::Serving).await?;
        let pid = backend_pid(&connection).await?;
        Ok(Probe { connection, pid })
    }

    /// Whether connections are dealt out for each transaction: then a second one has the server process of the first, or the
    /// first is given another one while the second is in the middle of a transaction.
    async fn is_pooled(&self, probe: &Probe) -> Result<bool, StoreError> {
        let mut other = self.probe().await?;
        if other.pid == probe.pid {
            return Ok(true);
        }
        // More than once: a pooler with threads may take a connection back after it passed on the answer.
        for _ in 0..3 {
            other.connection.batch_execute("BEGIN").await?;
            let kept = still_answered_by(&probe.connection, probe.pid).await?
                && still_answered_by(&other.connection, other.pid).await?;
            other.connection.batch_execute("COMMIT").await?;
            // A pooler that deals out the connection used last would give the first client that of the second now.
            if !kept || !still_answered_by(&probe.connection, probe.pid).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Poolers that do not know prepared statements lose them between two transactions.
fn pooler_or(error: StoreError) -> EnterError {
    match &error {
        StoreError::Broken(said) | StoreError::Unavailable(Outage { detail: said, .. })
            if said.contains("prepared statement") =>
        {
            EnterError::TransactionPooler
        }
        _ => error.into(),
    }
}

/// Whether the same server process answers as before. As plain text: poolers lose statements that were prepared elsewhere.
async fn still_answered_by(mut connection: &AsyncPgConnection, pid: i32) -> Result<bool, StoreError> {
    const OTHER: &str = "another server process answers";
    let question = format!("DO $$BEGIN IF pg_backend_pid() <> {pid} THEN RAISE EXCEPTION '{OTHER}'; END IF; END$$");
    match connection.batch_execute(&question).await.map_err(StoreError::from) {
        Ok(()) => Ok(true),
        Err(StoreError::Broken(text)) if text.contains(OTHER) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The server process that answers.
async fn backend_pid(connection: &AsyncPgConnection) -> Result<i32, StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Integer)]
        pid: i32,
    }
    let mut session: Conn<'_> = connection;
    let answer: Answer = diesel::sql_query("SELECT pg_backend_pid() AS pid").get_result(&mut session).await?;
    Ok(answer.pid)
}

async fn is_held_alone(connection: &AsyncPgConnection) -> Result<bool, StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Bool)]
        shared: bool,
    }
    let mut session: Conn<'_> = connection;
    let question = format!("SELECT pg_try_advisory_lock_shared({ALONE}) AS shared");
    let answer: Answer = diesel::sql_query(question).get_result(&mut session).await?;
    Ok(!answer.shared)
}
