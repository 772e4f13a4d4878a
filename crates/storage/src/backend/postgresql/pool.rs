//! The pool that units of work run on, and their transactions.
//!
//! Connections belong to the runtime that opened them, so the pool and every unit of work live on the background
//! runtime, whichever worker asked. A connection is checked for an open transaction when it comes back, not by a
//! query when it goes out: that would double the latency of every write.

use super::connect::{Purpose, connect};
use crate::error::{OutageKind, StoreError};
use crate::options::StoreOptions;
use crate::url::Server;
use deadpool::managed::{Manager, Metrics, Object, PoolError, RecycleError, RecycleResult, TimeoutType};
use diesel_async::pooled_connection::PoolableConnection as _;
use diesel_async::{AnsiTransactionManager, AsyncPgConnection, TransactionManager as _};

/// A connection of the pool.
pub(crate) type PooledConn = Object<Connector>;

/// The pool.
pub(crate) struct Pool(deadpool::managed::Pool<Connector>);

/// Opens and checks connections.
pub(crate) struct Connector {
    server: Server,
    options: StoreOptions,
}

impl Manager for Connector {
    type Type = AsyncPgConnection;
    type Error = StoreError;

    async fn create(&self) -> Result<AsyncPgConnection, StoreError> {
        connect(&self.server, &self.options, Purpose::Serving).await
    }

    async fn recycle(&self, connection: &mut AsyncPgConnection, _: &Metrics) -> RecycleResult<StoreError> {
        if connection.is_broken() { Err(RecycleError::message("the connection is broken")) } else { Ok(()) }
    }
}

impl Pool {
    pub(crate) fn new(server: Server, options: StoreOptions) -> Result<Self, StoreError> {
        deadpool::managed::Pool::builder(Connector { server, options })
            .max_size(options.pool_size.max(1))
            .wait_timeout(Some(options.connect_timeout))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map(Self)
            .map_err(|error| StoreError::Broken(format!("the pool cannot be built: {error}")))
    }

    /// A connection in a transaction just begun. A connection found dead is replaced: nothing was sent on it yet.
    pub(crate) async fn begin(&self) -> Result<PooledConn, StoreError> {
        // Each try discards one dead connection, so that many may have died and the last is new.
        for _ in 0..self.0.status().max_size {
            let mut connection = self.take().await?;
            match begin(&mut connection).await {
                Ok(()) => return Ok(connection),
                Err(error) if error.is_lost_connection() => drop(Object::take(connection)),
                Err(error) => return Err(error),
            }
        }
        let mut connection = self.take().await?;
        begin(&mut connection).await?;
        Ok(connection)
    }

    async fn take(&self) -> Result<PooledConn, StoreError> {
        self.0.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            PoolError::Timeout(TimeoutType::Wait) => {
                StoreError::outage(OutageKind::Timeout, "every connection to PostgreSQL stayed in use")
            }
            PoolError::Closed => StoreError::outage(OutageKind::Closed, "the store is closed"),
            other => StoreError::outage(OutageKind::Connect, other.to_string()),
        })
    }

    /// Takes no more callers. Connections in use end with their unit of work.
    pub(crate) fn close(&self) {
        self.0.close();
    }
}

/// `BEGIN`.
async fn begin(connection: &mut AsyncPgConnection) -> Result<(), StoreError> {
    Ok(AnsiTransactionManager::begin_transaction(connection).await?)
}

/// `COMMIT`. After an error whether it took effect is unknown.
pub(crate) async fn commit(connection: &mut AsyncPgConnection) -> Result<(), StoreError> {
    Ok(AnsiTransactionManager::commit_transaction(connection).await?)
}

/// `ROLLBACK`.
pub(crate) async fn rollback(connection: &mut AsyncPgConnection) -> Result<(), StoreError> {
    Ok(AnsiTransactionManager::rollback_transaction(connection).await?)
}

/// Takes a connection out of the pool for good, for the caller to drop.
pub(crate) fn discard(connection: PooledConn) -> AsyncPgConnection {
    Object::take(connection)
}
