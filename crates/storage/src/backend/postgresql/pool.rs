//! The pool that units of work run on.
//!
//! Connections belong to the runtime that opened them, so the pool and every unit of work live on the background
//! runtime, whichever worker asked. Whether a connection is in order is not asked by a query when it goes out, which would
//! double the latency of every write: one that is not known to be out of its transaction never comes back.

use super::connect::{Purpose, Watched, connect_followed};
use super::turns::{Queue, Turn, Turns};
use crate::error::{OutageKind, StoreError};
use crate::options::StoreOptions;
use crate::registration::Registration;
use crate::url::Server;
use deadpool::managed::{Manager, Metrics, Object, PoolError, RecycleError, RecycleResult, TimeoutType, Timeouts};
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::PoolableConnection as _;
use std::sync::atomic::Ordering;
use std::time::Duration;
use token_domain::id::NodeId;

/// The pool, and the queues in front of it.
pub(crate) struct Pool {
    connections: deadpool::managed::Pool<Connector>,
    turns: Turns,
    registration: Option<Registration>,
    acquire_timeout: Duration,
}

/// Opens and checks connections.
pub(crate) struct Connector {
    server: Server,
    options: StoreOptions,
    registration: Option<Registration>,
}

/// A connection of the pool that goes back to it only when it is [given](Self::give_back), and is closed otherwise.
pub(super) struct Lent(Option<Object<Connector>>);

impl Lent {
    /// The connection, for one or several statements at once.
    pub(super) fn connection(&self) -> Result<&AsyncPgConnection, StoreError> {
        let watched =
            self.0.as_deref().ok_or_else(|| StoreError::Broken("the connection was given back".to_owned()))?;
        Ok(&watched.connection)
    }

    /// Forgets earlier warnings: those of the start, say of a collation's version, have the same code.
    pub(super) fn forget_warnings(&self) {
        if let Some(watched) = self.0.as_deref() {
            watched.heard.wait_cancelled.store(false, Ordering::Release);
        }
    }

    /// Whether a wait for a standby was cancelled on it.
    pub(super) fn wait_was_cancelled(&self) -> bool {
        self.0.as_deref().is_some_and(|watched| watched.heard.wait_cancelled.load(Ordering::Acquire))
    }

    /// A failure with what is known of the language it is told in.
    pub(super) fn understood(&self, error: StoreError) -> StoreError {
        match self.0.as_deref() {
            Some(watched) => watched.heard.understood(error),
            None => error,
        }
    }

    /// Gives it back: there is no transaction on it.
    pub(super) fn give_back(mut self) {
        self.0 = None;
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(Object::take(connection));
        }
    }
}

impl Manager for Connector {
    type Type = Watched;
    type Error = StoreError;

    async fn create(&self) -> Result<Watched, StoreError> {
        connect_followed(&self.server, &self.options, Purpose::Serving, self.registration.as_ref()).await
    }

    async fn recycle(&self, watched: &mut Watched, _: &Metrics) -> RecycleResult<StoreError> {
        if watched.connection.is_broken() || !watched.is_followed(self.registration.as_ref()) {
            return Err(RecycleError::message(
                "the connection is broken, or leads to a server that is no longer followed",
            ));
        }
        Ok(())
    }
}

impl Pool {
    pub(crate) fn new(
        server: Server,
        options: StoreOptions,
        registration: Option<Registration>,
    ) -> Result<Self, StoreError> {
        let size = options.pool_size.max(1);
        let connections =
            deadpool::managed::Pool::builder(Connector { server, options, registration: registration.clone() })
                .max_size(size)
                .runtime(deadpool::Runtime::Tokio1)
                .build()
                .map_err(|error| StoreError::Broken(format!("the pool cannot be built: {error}")))?;
        Ok(Self { connections, turns: Turns::new(size), registration, acquire_timeout: options.acquire_timeout })
    }

    /// The node that changes are made by; `None` where it is not looked for.
    pub(super) fn node(&self) -> Result<Option<NodeId>, StoreError> {
        self.registration.as_ref().map(Registration::current).transpose()
    }

    /// Whether a commit counts only if a standby has it.
    pub(super) fn has_standby(&self) -> bool {
        self.registration.as_ref().is_some_and(Registration::has_standby)
    }

    /// The most connections there are.
    pub(super) fn max_size(&self) -> usize {
        self.connections.status().max_size
    }

    /// A turn in a queue, to be waited for before a connection is.
    pub(super) async fn turn(&self, queue: Queue) -> Result<Turn, StoreError> {
        self.turns.take(queue, self.acquire_timeout).await
    }

    /// A connection, which may have died since it was used last, for somebody who has waited for so long already.
    pub(super) async fn take(&self, waited: Duration) -> Result<Lent, StoreError> {
        let wait = Some(self.acquire_timeout.saturating_sub(waited));
        let taken = self.connections.timeout_get(&Timeouts { wait, ..Timeouts::default() }).await;
        let taken = taken.map_err(|error| match error {
            PoolError::Backend(error) => error,
            PoolError::Timeout(TimeoutType::Wait) => {
                StoreError::outage(OutageKind::Timeout, "every connection to PostgreSQL stayed in use")
            }
            PoolError::Closed => StoreError::outage(OutageKind::Closed, "the store is closed"),
            other => StoreError::outage(OutageKind::Connect, other.to_string()),
        });
        Ok(Lent(Some(taken?)))
    }

    /// Takes no more callers. Connections in use end with their unit of work.
    pub(crate) fn close(&self) {
        self.connections.close();
    }
}
