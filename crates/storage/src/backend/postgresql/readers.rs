//! Reads: one connection per worker, on which the statements of all its requests are under way at once.
//!
//! Pipelining costs half the CPU of a pool. Only single statements outside a transaction go this way. A connection
//! that was lost is replaced, and because nothing read this way changes anything the statement is simply sent again.

use super::connect::{Purpose, Watched, connect_followed};
use crate::error::{OutageKind, StoreError};
use crate::options::StoreOptions;
use crate::registration::Registration;
use crate::url::Server;
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::ThreadId;
use tokio::runtime::{self, Handle};
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::timeout;

/// One connection per worker.
pub(crate) struct Readers {
    server: Server,
    options: StoreOptions,
    purpose: Purpose,
    registration: Option<Registration>,
    slots: Mutex<HashMap<(runtime::Id, ThreadId), Arc<Slot>>>,
}

/// A worker's connection, if it has one.
#[derive(Default)]
struct Slot {
    current: Mutex<Option<Arc<Watched>>>,
    /// Held while connecting, so that a thousand waiting requests open one connection.
    connecting: AsyncMutex<()>,
}

/// A worker's connection, in use.
pub(crate) struct Reader {
    readers: Arc<Readers>,
    slot: Arc<Slot>,
    connection: Arc<Watched>,
}

impl Readers {
    pub(crate) fn new(
        server: Server,
        options: StoreOptions,
        purpose: Purpose,
        registration: Option<Registration>,
    ) -> Self {
        Self { server, options, purpose, registration, slots: Mutex::new(HashMap::new()) }
    }

    /// The connection of the worker that calls. A connection is driven by the runtime it was opened on, so the runtime
    /// is part of the key.
    pub(crate) async fn reader(self: &Arc<Self>) -> Result<Reader, StoreError> {
        let runtime = Handle::try_current()
            .map_err(|_| StoreError::Broken("a read outside of a runtime cannot reach PostgreSQL".to_owned()))?;
        let key = (runtime.id(), std::thread::current().id());
        let slot = Arc::clone(self.slots.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        let connection = self.connection(&slot, None).await?;
        Ok(Reader { readers: Arc::clone(self), slot, connection })
    }

    /// The slot's connection. It is opened first if the slot is empty or still holds the connection found `dead`.
    async fn connection(&self, slot: &Slot, dead: Option<&Arc<Watched>>) -> Result<Arc<Watched>, StoreError> {
        let usable = |current: Arc<Watched>| {
            let is_dead = dead.is_some_and(|dead| Arc::ptr_eq(dead, &current));
            (!is_dead && current.is_followed(self.registration.as_ref())).then_some(current)
        };
        if let Some(connection) = slot.get().and_then(usable) {
            return Ok(connection);
        }
        let _connecting = slot.connecting.lock().await;
        if let Some(connection) = slot.get().and_then(usable) {
            return Ok(connection);
        }
        slot.set(None);
        let connected = connect_followed(&self.server, &self.options, self.purpose, self.registration.as_ref());
        let connection = Arc::new(connected.await?);
        slot.set(Some(Arc::clone(&connection)));
        Ok(connection)
    }

    /// Whether what was read on a connection counts. First the lease: one that another server granted meanwhile is seen with the
    /// number of that server's history.
    fn check(&self, connection: &Watched) -> Result<(), StoreError> {
        if self.registration.as_ref().is_some_and(|registration| !registration.may_read()) {
            return Err(StoreError::outage(
                OutageKind::Superseded,
                "PostgreSQL has committed nothing to its standby for the time of a lease: another server may have taken its place",
            ));
        }
        if connection.is_followed(self.registration.as_ref()) {
            return Ok(());
        }
        Err(StoreError::outage(OutageKind::Lost, "this node follows another PostgreSQL server now"))
    }

    /// Lets go of every connection; one in use ends with its statement.
    pub(crate) fn close(&self) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Slot {
    fn get(&self) -> Option<Arc<Watched>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, connection: Option<Arc<Watched>>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = connection;
    }
}

impl Reader {
    /// The connection to send the next statement on.
    pub(crate) fn connection(&self) -> Arc<Watched> {
        Arc::clone(&self.connection)
    }

    /// Waits for an answer, a little longer than the server may take: a server that is gone without a word answers
    /// nothing, and then the connection is given up for everyone who waits on it. An answer counts only if the server was the
    /// primary for all that is known.
    pub(crate) async fn bounded<T>(
        &mut self,
        read: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let options = &self.readers.options;
        let answer = timeout(options.statement_timeout + options.connect_timeout, read).await.unwrap_or_else(|_| {
            self.slot.set(None);
            Err(StoreError::outage(OutageKind::Timeout, "PostgreSQL did not answer in time"))
        });
        match answer {
            Err(error) => Err(self.connection.understood(error, options.connect_timeout).await),
            Ok(answer) => self.readers.check(&self.connection).map(|()| answer),
        }
    }

    /// Replaces a connection that was lost.
    pub(crate) async fn renew(&mut self) -> Result<(), StoreError> {
        self.connection = self.readers.connection(&self.slot, Some(&self.connection)).await?;
        Ok(())
    }
}
