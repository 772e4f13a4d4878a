//! What a closure given to the store works with: [`Reads`] for single statements, [`Tx`] for a unit of work.

use crate::backend::{postgresql, sqlite};
use crate::counters::StoreCounters;
use crate::error::StoreError;
use futures::future::BoxFuture;
use std::mem::take;
use std::sync::Arc;
use token_domain::record::AuditRecord;

/// A unit of work, as its executor sees it: a closure, the caller that waits for its result, and the values that the caller
/// has attached to it.
pub(crate) trait Unit: Send {
    /// Runs it once. True: keep what it wrote.
    fn run<'c>(&'c mut self, tx: &'c mut Tx) -> BoxFuture<'c, bool>;
    /// Tells the caller how it ended: as it ran, or that it could not be committed.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// A connection for reading. Each operation is a statement of its own: two of them may see different moments.
pub struct Reads(pub(crate) ReadsSide);

/// Which database is read.
pub(crate) enum ReadsSide {
    /// A connection taken for this unit of reading, and the lane for reads that may look at many rows.
    Sqlite(sqlite::SqliteConn, Arc<sqlite::Lane>),
    /// The worker's pipelined connection, and the lane.
    PostgreSql(postgresql::Reader, Arc<postgresql::Lane>),
}

/// A transaction. Everything in it happens, or nothing.
pub struct Tx {
    pub(crate) side: TxSide,
    /// Set while an operation is under way, and left so by one that fails or is dropped.
    failed: bool,
    /// What is done once the unit is committed.
    afterwards: Vec<Afterwards>,
    /// What is done then, and if nobody knows whether it is.
    in_doubt: Vec<Afterwards>,
    /// The events of the unit, if somebody asked to have them kept.
    recorded: Option<Vec<AuditRecord>>,
    counters: Arc<StoreCounters>,
}

/// Something to do after a commit.
pub(crate) type Afterwards = Box<dyn FnOnce() + Send>;

/// Which database is written.
pub(crate) enum TxSide {
    /// The writer's connection.
    Sqlite(sqlite::SqliteConn),
    /// A transaction on a connection of the pool.
    PostgreSql(Box<postgresql::Transaction>),
}

impl Tx {
    /// On a connection, with nothing done yet.
    pub(crate) const fn new(side: TxSide, counters: Arc<StoreCounters>) -> Self {
        Self { side, failed: false, afterwards: Vec::new(), in_doubt: Vec::new(), recorded: None, counters }
    }

    /// Refuses an operation after a failed one. PostgreSQL would answer such an operation with an error and turn the
    /// commit into a silent rollback; SQLite would carry on with a part. Both are taken for what they are: a fault.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::Broken("a unit of work went on after one of its operations failed".to_owned()));
        }
        Ok(())
    }

    /// An operation begins, unless one before it failed.
    pub(crate) fn begin(&mut self) -> Result<(), StoreError> {
        self.check()?;
        self.failed = true;
        Ok(())
    }

    /// The operation is over.
    pub(crate) fn note<T>(&mut self, result: &Result<T, StoreError>) {
        self.failed = result.is_err();
        self.counters.note_write(result);
    }

    /// Has something done once the unit is committed, and never if it is not, or if nobody knows. It must not wait for
    /// anything: others may be held up by it.
    pub fn afterwards(&mut self, act: impl FnOnce() + Send + 'static) {
        self.afterwards.push(Box::new(act));
    }

    /// As [`afterwards`](Self::afterwards), and also if nobody knows whether it is committed.
    pub fn afterwards_or_unknown(&mut self, act: impl FnOnce() + Send + 'static) {
        self.in_doubt.push(Box::new(act));
    }

    /// What is to be done after the commit, and what in doubt too.
    pub(crate) fn take_afterwards(&mut self) -> (Vec<Afterwards>, Vec<Afterwards>) {
        (take(&mut self.afterwards), take(&mut self.in_doubt))
    }

    /// Keeps the events that the unit appends to trails from now on, for [`take_events`](Self::take_events).
    pub fn keep_events(&mut self) {
        self.recorded = Some(Vec::new());
    }

    /// Notes an event that the unit appends to a trail.
    pub(crate) fn note_event(&mut self, record: &AuditRecord) {
        if let Some(recorded) = &mut self.recorded {
            recorded.push(record.clone());
        }
    }

    /// The events kept since [`keep_events`](Self::keep_events).
    pub fn take_events(&mut self) -> Vec<AuditRecord> {
        self.recorded.take().unwrap_or_default()
    }

    /// Ready for another unit of work.
    pub(crate) fn renew(&mut self) {
        self.failed = false;
        self.recorded = None;
    }

    /// The SQLite connection underneath.
    pub(crate) const fn sqlite(&mut self) -> Option<&mut sqlite::SqliteConn> {
        match &mut self.side {
            TxSide::Sqlite(connection) => Some(connection),
            TxSide::PostgreSql(_) => None,
        }
    }
}
