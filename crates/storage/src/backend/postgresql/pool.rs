//! The pool that units of work run on.
//!
//! Connections belong to the runtime that opened them, so the pool and every unit of work live on the background
//! runtime, whichever worker asked. Whether a connection is in a transaction is remembered with it, not asked by a query
//! when it goes out: that would double the latency of every write.

use super::connect::{Purpose, connect};
use crate::error::{OutageKind, StoreError};
use crate::options::StoreOptions;
use crate::url::Server;
use deadpool::managed::{Manager, Metrics, Object, PoolError, RecycleError, RecycleResult, TimeoutType};
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::PoolableConnection as _;

/// A connection of the pool.
pub(super) type PooledConn = Object<Connector>;

/// The pool.
pub(crate) struct Pool(deadpool::managed::Pool<Connector>);

/// Opens and checks connections.
pub(crate) struct Connector {
    server: Server,
    options: StoreOptions,
}

/// A connection, and whether it may be in a transaction.
pub(crate) struct Session {
    connection: AsyncPgConnection,
    in_transaction: bool,
}

impl Session {
    /// The connection, for one or several statements at once.
    pub(super) const fn lend(&self) -> &AsyncPgConnection {
        &self.connection
    }

    /// A `BEGIN` is about to be sent.
    pub(super) const fn open_transaction(&mut self) {
        self.in_transaction = true;
    }

    /// The server said that the transaction is over.
    pub(super) const fn close_transaction(&mut self) {
        self.in_transaction = false;
    }
}

impl Manager for Connector {
    type Type = Session;
    type Error = StoreError;

    async fn create(&self) -> Result<Session, StoreError> {
        let connection = connect(&self.server, &self.options, Purpose::Serving).await?;
        Ok(Session { connection, in_transaction: false })
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<StoreError> {
        if session.in_transaction || session.connection.is_broken() {
            return Err(RecycleError::message("the connection is broken"));
        }
        Ok(())
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

    /// The most connections there are.
    pub(super) fn max_size(&self) -> usize {
        self.0.status().max_size
    }

    /// A connection, which may have died since it was used last.
    pub(super) async fn take(&self) -> Result<PooledConn, StoreError> {
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

/// Takes a connection out of the pool for good, for the caller to drop.
pub(super) fn discard(connection: PooledConn) -> Session {
    Object::take(connection)
}
