//! The store: how units of reading and of work reach the database.

mod closure;

use crate::backend::{postgresql, sqlite};
use crate::counters::StoreCounters;
use crate::error::{OutageKind, StoreError};
use crate::options::StoreOptions;
use crate::registration::Registration;
use crate::unit::{Reads, ReadsSide, Tx, TxSide, Unit};
use crate::url::{DatabaseUrl, Target};
use crate::writer::Writer;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use token_domain::record::Candidate;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

/// A disk with less than this left is full: the next group of changes may not fit.
const ROOM_BYTES: u64 = 1024 * 1024;

/// The facts on disk. Cheap to clone; all clones are the same store.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    side: Side,
    options: StoreOptions,
    counters: Arc<StoreCounters>,
    background: Handle,
}

enum Side {
    Sqlite(Box<SqliteSide>),
    PostgreSql(Box<PostgreSqlSide>),
}

struct SqliteSide {
    path: PathBuf,
    readers: sqlite::Readers,
    lane: Arc<sqlite::Lane>,
    writer: Writer,
    log: Arc<sqlite::LogFiles>,
}

struct PostgreSqlSide {
    readers: Arc<postgresql::Readers>,
    lane: Arc<postgresql::Lane>,
    pool: Arc<postgresql::Pool>,
    units: TaskTracker,
}

impl SqliteSide {
    /// Whether the file's disk has room for a change.
    fn check_room(&self) -> Result<(), StoreError> {
        let unknown = |error: rustix::io::Errno| StoreError::outage(OutageKind::Disk, error.to_string());
        let disk = rustix::fs::statvfs(&self.path).map_err(unknown)?;
        if disk.f_bavail.saturating_mul(disk.f_frsize) < ROOM_BYTES {
            return Err(StoreError::outage(OutageKind::Disk, "the disk of the database file is full"));
        }
        Ok(())
    }
}

impl Store {
    /// Opens a database that was migrated before ([`migrate::up`](crate::migrate::up)).
    ///
    /// SQLite is read on the calling thread, or in a lane where that may take long, and written by one thread of the store. On PostgreSQL reads belong to the
    /// runtime they are called on, and units of work run on `background`, which must outlive the store: there a
    /// dropped request cannot cut them short.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the file or the server cannot be reached.
    pub async fn open(url: &DatabaseUrl, options: StoreOptions, background: Handle) -> Result<Self, StoreError> {
        Self::open_registered(url, options, background, None).await
    }

    /// As [`open`](Self::open), for one of the nodes that share a PostgreSQL database: a change that others must hear of commits
    /// only while the node is registered.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_registered(
        url: &DatabaseUrl,
        options: StoreOptions,
        background: Handle,
        registration: Option<Registration>,
    ) -> Result<Self, StoreError> {
        let counters = Arc::new(StoreCounters::default());
        let side = match url.target() {
            Target::Sqlite(path) => {
                sqlite::mark::refuse(path)?;
                let log = Arc::new(sqlite::LogFiles::open(path, &options)?);
                Side::Sqlite(Box::new(SqliteSide {
                    path: path.clone(),
                    readers: sqlite::Readers::new(path.clone(), options),
                    lane: Arc::new(sqlite::Lane::start(path, options, Arc::clone(&counters))?),
                    writer: Writer::start(path.clone(), options, Arc::clone(&counters), Arc::clone(&log))?,
                    log,
                }))
            }
            Target::PostgreSql(server) => {
                let (server, purpose) = (&**server, postgresql::Purpose::Serving);
                let readers = postgresql::Readers::new(server.clone(), options, purpose, registration.clone());
                let counters = Arc::clone(&counters);
                let lane = postgresql::Lane::new(server.clone(), options, registration.clone(), counters);
                Side::PostgreSql(Box::new(PostgreSqlSide {
                    readers: Arc::new(readers),
                    lane: Arc::new(lane),
                    pool: Arc::new(postgresql::Pool::new(server.clone(), options, registration)?),
                    units: TaskTracker::new(),
                }))
            }
        };
        let store = Self(Arc::new(Inner { side, options, counters, background }));
        store.ping().await?;
        Ok(store)
    }

    /// Reads. Each operation on [`Reads`] is a statement of its own, outside of any transaction.
    ///
    /// # Errors
    /// What the closure returns, or that the database cannot be reached.
    pub async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send,
        F: for<'c> FnOnce(&'c mut Reads) -> BoxFuture<'c, Result<T, StoreError>> + Send,
    {
        self.0.counters.count_read();
        let mut reads = self.reads().await?;
        let result = read(&mut reads).await;
        self.put_back(reads, &result);
        result
    }

    /// Does a unit of work: all of it, or on `Err` nothing. `Ok` is returned after the commit is on disk.
    ///
    /// Once begun it runs to its end even if this future is dropped; dropped while it waits for a place in SQLite's queue,
    /// it never begins. The closure awaits nothing but its [`Tx`].
    ///
    /// # Errors
    /// What the closure returns; or a [`StoreError`], also when the closure panics. After
    /// [`OutageKind::Lost`] whether the unit took effect is unknown.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'c> FnOnce(&'c mut Tx) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
    {
        self.write_holding((), work).await
    }

    /// As [`write`](Self::write), and drops `held` when the unit is over: after its commit, also when the outcome of that
    /// is unknown, and before this returns. That belongs to the unit, not to this future: it happens without it too.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn write_holding<T, E, F, H>(&self, held: H, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'c> FnOnce(&'c mut Tx) -> BoxFuture<'c, Result<T, E>> + Send + 'static,
        H: Send + 'static,
    {
        self.0.counters.count_write();
        let (unit, answer) = closure::unit(held, work);
        match &self.0.side {
            Side::Sqlite(side) => side.writer.submit(unit).await?,
            Side::PostgreSql(side) => {
                let unit = in_transaction(Arc::clone(&side.pool), Arc::clone(&self.0.counters), unit);
                side.units.spawn_on(unit, &self.0.background);
            }
        }
        closure::arrived(answer.await)
    }

    /// The tokens a presented secret may be, by its look-up hint; the cold read of every validation. One statement on
    /// the shortest path there is: inline on SQLite, pipelined on PostgreSQL. A server that is frozen, or gone without a word,
    /// is not waited for as long as other reads are: a gateway holds its client's request meanwhile.
    ///
    /// # Errors
    /// The database cannot be reached, or holds a row that cannot be.
    pub async fn candidates(&self, lookup_hint: i64) -> Result<Vec<Candidate>, StoreError> {
        self.0.counters.count_candidate_read();
        let read = async {
            let mut reads = self.reads().await?;
            let result = reads.candidates(lookup_hint).await;
            self.put_back(reads, &result);
            result
        };
        match &self.0.side {
            Side::Sqlite(_) => read.await,
            Side::PostgreSql { .. } => timeout(self.0.options.validation_timeout, read).await.unwrap_or_else(|_| {
                Err(StoreError::outage(OutageKind::Timeout, "PostgreSQL did not answer a validation in time"))
            }),
        }
    }

    /// Whether the database answers and has its tables.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut reads = self.reads().await?;
        let result = reads.log_tail(0).await;
        self.put_back(reads, &result);
        result.map(drop)
    }

    /// Whether changes can be written down. Costs nothing unless the last one that tried found no room, a disk that fails or
    /// a file that is gone: then it tries to write a line, so that the end of the trouble is seen too.
    ///
    /// # Errors
    /// Why they cannot.
    pub async fn check_disk(&self) -> Result<(), StoreError> {
        if let Side::Sqlite(side) = &self.0.side {
            side.check_room()?;
        }
        if !self.0.counters.has_disk_trouble() {
            return Ok(());
        }
        self.write(|tx| Box::pin(tx.meta_set("disk_check", ""))).await
    }

    /// How often the database was asked.
    pub fn counters(&self) -> &StoreCounters {
        &self.0.counters
    }

    /// Writes a consistent copy of an SQLite database to a new file, synced to disk, while the service goes on.
    ///
    /// # Errors
    /// The file exists or cannot be written; the database is not SQLite.
    pub async fn backup_sqlite(&self, target: &Path) -> Result<(), StoreError> {
        let Side::Sqlite(side) = &self.0.side else {
            return Err(StoreError::Broken("back up PostgreSQL with pg_dump".to_owned()));
        };
        let (path, target) = (side.path.clone(), target.to_path_buf());
        let copy = self.0.background.spawn_blocking(move || sqlite::backup(&path, &target));
        copy.await.unwrap_or_else(|error| Err(StoreError::Broken(format!("the backup stopped: {error}"))))
    }

    /// Takes no more work, waits for what was begun, and closes the connections.
    pub async fn shutdown(self) {
        match &self.0.side {
            Side::Sqlite(_) => {
                let inner = Arc::clone(&self.0);
                let closing = self.0.background.spawn_blocking(move || {
                    if let Side::Sqlite(side) = &inner.side {
                        side.writer.close();
                        side.lane.close();
                        side.readers.close();
                        side.log.close();
                    }
                });
                if let Err(error) = closing.await {
                    tracing::error!(%error, "the database could not be closed cleanly");
                }
            }
            Side::PostgreSql(side) => {
                side.units.close();
                side.units.wait().await;
                side.pool.close();
                side.lane.close();
                side.readers.close();
            }
        }
    }

    /// The files beside an SQLite database.
    pub(crate) fn log_files(&self) -> Option<&Arc<sqlite::LogFiles>> {
        match &self.0.side {
            Side::Sqlite(side) => Some(&side.log),
            Side::PostgreSql(_) => None,
        }
    }

    async fn reads(&self) -> Result<Reads, StoreError> {
        Ok(Reads(match &self.0.side {
            Side::Sqlite(side) => ReadsSide::Sqlite(side.readers.take()?, Arc::clone(&side.lane)),
            Side::PostgreSql(side) => ReadsSide::PostgreSql(side.readers.reader().await?, Arc::clone(&side.lane)),
        }))
    }

    fn put_back<T>(&self, reads: Reads, result: &Result<T, StoreError>) {
        match (&self.0.side, reads.0) {
            (Side::Sqlite(side), ReadsSide::Sqlite(connection, _)) => side.readers.put_back(connection, result),
            (Side::Sqlite(_) | Side::PostgreSql(_), _) => {}
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let side = match &self.0.side {
            Side::Sqlite(_) => "SQLite",
            Side::PostgreSql(_) => "PostgreSQL",
        };
        f.debug_tuple("Store").field(&side).finish()
    }
}

/// Carries out a unit of work on PostgreSQL.
async fn in_transaction(pool: Arc<postgresql::Pool>, counters: Arc<StoreCounters>, mut unit: Box<dyn Unit>) {
    let transaction = Box::new(postgresql::Transaction::new(pool));
    let mut tx = Tx::new(TxSide::PostgreSql(transaction), Arc::clone(&counters));
    let keep = unit.run(&mut tx).await;
    let committed = match tx.side {
        TxSide::PostgreSql(transaction) if keep => commit(*transaction).await,
        TxSide::PostgreSql(transaction) => {
            if let Err(error) = transaction.rollback().await {
                tracing::warn!(%error, "a unit of work could not be rolled back; its connection is dropped");
            }
            Ok(())
        }
        TxSide::Sqlite(_) => Err(StoreError::Broken("a unit of work changed its database".to_owned())),
    };
    counters.note_write(&committed);
    match &committed {
        Ok(()) if keep => counters.count_commit(),
        Err(error) if error.is_lost_connection() => counters.count_unknown_commit(),
        Ok(()) | Err(_) => {}
    }
    unit.answer(committed);
}

/// Commits. What the unit wrote last is only put together now, and may still panic.
async fn commit(transaction: postgresql::Transaction) -> Result<(), StoreError> {
    let committed = AssertUnwindSafe(transaction.commit()).catch_unwind().await;
    committed
        .unwrap_or_else(|_panic| Err(StoreError::outage(OutageKind::Lost, "a unit of work panicked at its commit")))
}
