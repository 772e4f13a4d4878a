//! Migrating a PostgreSQL database, one process at a time.

use super::losses::{Counted, downs};
use super::{Report, Side, Task, perform, refuse_strangers};
use crate::backend::postgresql::{Purpose, connect};
use crate::error::{OutageKind, StoreError};
use crate::nodes::{HAS_LIST, LIVE_NODES, TAKING_BACK, in_use};
use crate::options::StoreOptions;
use crate::url::Server;
use diesel::pg::Pg;
use diesel::sql_types::BigInt;
use diesel::{QueryResult, RunQueryDsl as _};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use tokio::runtime::Builder;

/// The advisory lock of migrations. Advisory locks belong to one database of a server.
const MIGRATE_LOCK: i64 = 0x6e6c_705f_0000_0001;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgresql");

const fn migrations() -> EmbeddedMigrations {
    MIGRATIONS
}

const SIDE: Side = Side {
    migrations,
    downs: downs::POSTGRESQL,
    // What an extension brought is nobody's.
    strangers: "SELECT count(*) AS rows FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
                WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'f') \
                AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e') \
                AND to_regclass('__diesel_schema_migrations') IS NULL",
};

fn count(connection: &mut AsyncConnectionWrapper<AsyncPgConnection>, question: String) -> QueryResult<i64> {
    let counted: Counted = diesel::sql_query(question).get_result(connection)?;
    Ok(counted.rows)
}

/// On a thread of its own: the wrapper that makes an async connection blocking may not be used where a runtime runs.
pub(super) fn run(server: &Server, task: Task) -> Result<Report, StoreError> {
    std::thread::scope(|scope| scope.spawn(|| locked(server, task)).join())
        .unwrap_or_else(|_| Err(StoreError::Broken("the migration panicked".to_owned())))
}

fn locked(server: &Server, task: Task) -> Result<Report, StoreError> {
    // The runtime's one thread drives the connection; this one waits for it.
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| StoreError::Broken(format!("no runtime for the migration: {error}")))?;
    let _inside = runtime.enter();
    let connection = runtime.block_on(connect(server, &StoreOptions::default(), Purpose::Waiting))?;
    let mut connection = AsyncConnectionWrapper::<AsyncPgConnection>::from(connection);
    // Held by the session, so it ends with the connection whatever happens.
    diesel::sql_query("SELECT pg_advisory_lock($1)").bind::<BigInt, _>(MIGRATE_LOCK).execute(&mut connection)?;
    refuse_strangers(&mut connection, &SIDE, count)?;
    match task {
        Task::Down(_) => be_alone(&mut connection)?,
        Task::Up | Task::Losses(_) | Task::Status => {}
    }
    perform::<Pg, _>(&mut connection, &SIDE, count, task)
}

/// Keeps nodes from registering for as long as this connection lasts, and refuses while there are any.
fn be_alone(connection: &mut AsyncConnectionWrapper<AsyncPgConnection>) -> Result<(), StoreError> {
    diesel::sql_query("SELECT pg_advisory_lock($1)").bind::<BigInt, _>(TAKING_BACK).execute(connection)?;
    if count(connection, HAS_LIST.to_owned())? == 0 {
        return Ok(());
    }
    match count(connection, LIVE_NODES.to_owned())? {
        0 => {
            // One that was frozen and wakes has to register again, and refuses the older schema then.
            diesel::sql_query("DELETE FROM nodes").execute(connection)?;
            Ok(())
        }
        nodes => Err(StoreError::outage(OutageKind::Busy, in_use(nodes))),
    }
}
