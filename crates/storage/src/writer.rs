//! The one writer of SQLite: a thread with its own connection that commits several units of work together.
//!
//! `synchronous=FULL` costs a disk flush per commit. While one group is being flushed the next callers queue up and
//! form the next group, so groups form by themselves under load, and a single unit never waits for others. Each
//! unit runs in its own savepoint; its answer is sent after the commit, whatever it is, because even a refusal may
//! rest on what another unit of the same group wrote.

use crate::backend::sqlite::{
    Control, Identity, Importance, LogFiles, SqliteConn, Standing, open_writer, set_start, start, start_of,
};
use crate::counters::StoreCounters;
use crate::error::{OutageKind, StoreError};
use crate::options::StoreOptions;
use crate::unit::{Tx, TxSide, Unit};
use diesel::sql_types::BigInt;
use futures::executor::block_on;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The least time between two lines of the log about failed commits.
const BETWEEN_LINES: Duration = Duration::from_secs(1);
/// Between two looks at whether somebody else wrote to the file.
const LOOK: Duration = Duration::from_millis(500);

struct Job {
    unit: Box<dyn Unit>,
    /// The place in the queue, free again when the unit begins.
    place: OwnedSemaphorePermit,
}

/// The handle to the writer thread.
pub(crate) struct Writer {
    queue: Mutex<Option<Sender<Job>>>,
    places: Arc<Semaphore>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Opens the connection here, so that a file that cannot be written is noticed at start, then starts the thread.
    pub(crate) fn start(
        path: PathBuf,
        options: StoreOptions,
        counters: Arc<StoreCounters>,
        log: Arc<LogFiles>,
    ) -> Result<Self, StoreError> {
        let mut connection = open_writer(&path, &options)?;
        // Before anything is read: a commit by others is seen by what changes from here on.
        let version = Some(data_version(&mut connection)?);
        let (queue, jobs) = channel();
        let identity = Identity::at(&path).map_err(|error| unreadable(&path, &error))?;
        let tx = Some(Tx::new(TxSide::Sqlite(connection), Arc::clone(&counters)));
        let mut work = Work {
            path,
            options,
            counters,
            identity,
            log,
            version,
            looked: Some(Instant::now()),
            is_to_count_up: false,
            tx,
            failures: Failures::default(),
        };
        let thread = start("storage-writer", Importance::Equal, move || work.serve(&jobs))?;
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            places: Arc::new(Semaphore::new(options.queue_length.clamp(1, Semaphore::MAX_PERMITS))),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Queues a unit; waits while the queue is full. Dropped before it is queued, the unit never runs.
    pub(crate) async fn submit(&self, unit: Box<dyn Unit>) -> Result<(), StoreError> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| closed())?;
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.as_ref().and_then(|queue| queue.send(Job { unit, place }).ok()).ok_or_else(closed)
    }

    /// Takes no more units, finishes those queued and ends the thread. Blocks until then.
    pub(crate) fn close(&self) {
        self.places.close();
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A writer that panicked has nothing left to finish, and its callers were told.
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the writer thread panicked");
        }
    }
}

fn closed() -> StoreError {
    StoreError::outage(OutageKind::Closed, "the store is closed")
}

/// What the thread has.
struct Work {
    path: PathBuf,
    options: StoreOptions,
    counters: Arc<StoreCounters>,
    /// The file that was opened at the start.
    identity: Identity,
    log: Arc<LogFiles>,
    /// SQLite's number of commits by other connections, as this one saw it last; nothing until a new one has looked.
    version: Option<i64>,
    /// When it was looked at.
    looked: Option<Instant>,
    /// Whether the next group counts up the version of the file.
    is_to_count_up: bool,
    /// Nothing after a failure that leaves its state unknown: the next group opens another.
    tx: Option<Tx>,
    /// Keeps an outage from writing a line for each failed commit.
    failures: Failures,
}

/// Failed commits: the first is logged, then one line a second says how many more there were. In an outage every change fails.
#[derive(Default)]
struct Failures {
    /// When the last line was written.
    told: Option<Instant>,
    /// Failed commits since then.
    untold: usize,
}

impl Failures {
    fn note(&mut self, units: usize, error: &StoreError) {
        if self.told.is_some_and(|told| told.elapsed() < BETWEEN_LINES) {
            self.untold += 1;
            return;
        }
        self.told = Some(Instant::now());
        tracing::error!(units, %error, "a group commit failed; all of its units of work are rolled back");
    }

    /// Says how many failed since the last line, once it is old enough.
    fn tell(&mut self) {
        if self.untold > 0 && self.told.is_none_or(|told| told.elapsed() >= BETWEEN_LINES) {
            self.told = Some(Instant::now());
            // Taken before the macro, which does not evaluate the fields of a line that no subscriber wants.
            let commits = std::mem::take(&mut self.untold);
            tracing::error!(commits, "further group commits failed and were rolled back");
        }
    }
}

impl Work {
    fn serve(&mut self, jobs: &Receiver<Job>) {
        loop {
            self.failures.tell();
            self.look();
            let first = match jobs.recv_timeout(LOOK) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => {
                    // The last look before the log goes into the file.
                    self.note_header();
                    return;
                }
            };
            let mut units = Vec::with_capacity(self.options.group_jobs);
            let committed = self.group(first, jobs, &mut units);
            self.counters.note_write(&committed);
            match &committed {
                Ok(()) => self.counters.count_commit(),
                Err(error) => {
                    self.failures.note(units.len(), error);
                    self.tx = None;
                    self.version = None;
                }
            }
            for unit in units {
                unit.answer(committed.clone());
            }
        }
    }

    /// One transaction. Every unit taken ends up in `units`, so that each gets an answer.
    fn group(&mut self, first: Job, jobs: &Receiver<Job>, units: &mut Vec<Box<dyn Unit>>) -> Result<(), StoreError> {
        let begun = Instant::now();
        let mut next = Some(first);
        let opened = self.begin();
        while let Some(Job { mut unit, place }) = next.take() {
            drop(place);
            if let (Ok(()), Some(tx)) = (&opened, self.tx.as_mut()) {
                let ran = in_savepoint(tx, unit.as_mut());
                units.push(unit);
                ran?;
            } else {
                units.push(unit);
            }
            if opened.is_ok() && units.len() < self.options.group_jobs && begun.elapsed() < self.options.group_wait {
                next = jobs.try_recv().ok();
            }
        }
        opened?;
        // Before a commit, which may bring the log into the file and with it a header that is ours again, and before it is
        // acknowledged: what is written over the file while this goes on is noticed by one or the other.
        self.check_header()?;
        self.execute(Control::Commit)?;
        // Whether what was committed stays is not known then.
        self.check_header().map_err(|error| StoreError::outage(OutageKind::Lost, error.to_string()))
    }

    /// Looks, every half second, whether a connection that is not ours has committed to the file. `PRAGMA data_version`
    /// changes on a connection with the commits of all others, and no other of this process writes. The numbers of two
    /// connections have nothing to do with each other, so what happened between them, or without one, is in doubt.
    fn look(&mut self) {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return;
        }
        self.looked = Some(Instant::now());
        self.is_to_count_up = true;
        self.compare_commits();
        self.note_header();
    }

    /// Returns whether SQLite could be asked.
    fn compare_commits(&mut self) -> bool {
        let seen = match self.tx.as_mut().and_then(Tx::sqlite).map(data_version) {
            Some(Ok(version)) => Some(version),
            Some(Err(error)) => {
                tracing::warn!(%error, "cannot read data_version: writes by other programs are not noticed until the next check");
                None
            }
            None => None,
        };
        let before = std::mem::replace(&mut self.version, seen);
        if before.is_some() && before == seen {
            return true;
        }
        if before.is_some() && seen.is_some() {
            self.counters.count_foreign_commit();
            tracing::warn!("another program wrote to the database file: the token cache was cleared");
        }
        self.counters.count_doubt();
        self.compare_start() && seen.is_some()
    }

    /// Another program may have set what tells starts apart.
    fn compare_start(&mut self) -> bool {
        let (Some(header), Some(connection)) = (self.log.header(), self.tx.as_mut().and_then(Tx::sqlite)) else {
            return false;
        };
        match block_on(connection.spawn_blocking(start_of)) {
            Ok(start) => {
                header.start_is(start);
                true
            }
            Err(error) => {
                tracing::warn!(%error, "cannot read user_version");
                false
            }
        }
    }

    /// Fails once another file was written over this one. Only the connection that writes knows whether another program changed
    /// the header by way of SQLite, so it is this thread that compares it.
    fn check_header(&mut self) -> Result<(), StoreError> {
        let log = Arc::clone(&self.log);
        log.check_header(|| self.compare_commits())
    }

    fn note_header(&mut self) {
        let checked = self.check_header();
        // That the file was overwritten is logged once, with the mark.
        if let Err(error) = checked
            && !self.log.is_overwritten()
        {
            tracing::warn!(%error, "the header of the database file cannot be compared until the next look");
        }
    }

    /// What is written to a file that is no longer at its path is lost: it is refused instead.
    fn check_place(&mut self) -> Result<(), StoreError> {
        self.check_header()?;
        match self.identity.standing_at(&self.path) {
            Ok(Standing::InPlace | Standing::Linked) => {}
            Ok(standing @ (Standing::Missing | Standing::Replaced)) => {
                return Err(StoreError::outage(OutageKind::Disk, standing.to_string()));
            }
            Err(error) => return Err(unreadable(&self.path, &error)),
        }
        match self.log.are_in_place() {
            Ok(true) => Ok(()),
            Ok(false) => Err(StoreError::outage(OutageKind::Disk, "the log of the database file was removed")),
            Err(error) => Err(unreadable(&self.path, &error)),
        }
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        self.check_place()?;
        if self.tx.is_none() {
            let connection = open_writer(&self.path, &self.options)?;
            self.tx = Some(Tx::new(TxSide::Sqlite(connection), Arc::clone(&self.counters)));
            // Without a connection nothing could be said of the header.
            self.check_header()?;
        }
        self.execute(Control::Begin)?;
        if std::mem::take(&mut self.is_to_count_up) && self.log.header().is_some() {
            self.count_up()?;
        }
        Ok(())
    }

    /// Counts up the version of the file, so that it has a higher one after the next checkpoint than any copy made before.
    /// SQLite counts on from the number that the connection has read, not from the one it wrote last, and this connection keeps
    /// the first page: the change is taken back once, after which the page is read again.
    fn count_up(&mut self) -> Result<(), StoreError> {
        self.execute(Control::Mark)?;
        self.set_same_start()?;
        self.execute(Control::TakeBack)?;
        self.execute(Control::Unmark)?;
        self.set_same_start()
    }

    fn set_same_start(&mut self) -> Result<(), StoreError> {
        let Some(connection) = self.tx.as_mut().and_then(Tx::sqlite) else { return Ok(()) };
        let counted = connection.spawn_blocking(|connection| {
            let start = start_of(connection)?;
            set_start(connection, start)
        });
        block_on(counted).map_err(StoreError::from)
    }

    fn execute(&mut self, control: Control) -> Result<(), StoreError> {
        match self.tx.as_mut().and_then(Tx::sqlite) {
            Some(connection) => execute(connection, control),
            None => Err(StoreError::Broken("the writer has no connection".to_owned())),
        }
    }
}

/// Runs a unit so that its failure or panic takes back what it wrote and nothing else. An error here means that the
/// transaction itself is gone (SQLite ends it by itself when the disk is full or failing).
fn in_savepoint(tx: &mut Tx, unit: &mut dyn Unit) -> Result<(), StoreError> {
    savepoint(tx, Control::Mark)?;
    let keep = block_on(unit.run(tx));
    tx.renew();
    if !keep {
        savepoint(tx, Control::TakeBack)?;
    }
    savepoint(tx, Control::Unmark)
}

fn savepoint(tx: &mut Tx, control: Control) -> Result<(), StoreError> {
    tx.sqlite().map_or_else(|| Err(closed()), |connection| execute(connection, control))
}

fn unreadable(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::outage(OutageKind::Disk, format!("{} cannot be looked at: {error}", path.display()))
}

fn data_version(connection: &mut SqliteConn) -> Result<i64, StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Answer {
        #[diesel(sql_type = BigInt)]
        data_version: i64,
    }
    let read = connection.spawn_blocking(|connection| {
        diesel::RunQueryDsl::get_result::<Answer>(diesel::sql_query("PRAGMA data_version"), connection)
    });
    Ok(block_on(read)?.data_version)
}

fn execute(connection: &mut SqliteConn, control: Control) -> Result<(), StoreError> {
    block_on(connection.spawn_blocking(move |connection| control.run(connection))).map_err(StoreError::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_that_fail_within_a_second_are_counted_and_then_told() {
        let mut failures = Failures::default();
        let error = closed();
        (0..300).for_each(|_| failures.note(1, &error));
        // However slow the machine is: of those within a second only the first was told.
        assert!(failures.untold > 0);
        failures.told = Instant::now().checked_sub(BETWEEN_LINES);
        failures.tell();
        assert_eq!(failures.untold, 0);
        let told = failures.told;
        failures.tell();
        assert_eq!(failures.told, told, "nothing more to tell");
    }
}
