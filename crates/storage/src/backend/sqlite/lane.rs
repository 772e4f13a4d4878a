//! The lane for reads that may look at many rows: threads of its own, connections of their own.
//!
//! Other reads run where they stand, on the thread that answers requests, because a point read costs less than moving it.
//! A list of a large organisation costs thousands of times as much, and while it runs nothing else is answered there: with
//! a million tokens two searches held both workers, and a validation took 1.5 s instead of 0.2 ms.

use super::budget::Budget;
use super::connection::{SqliteConn, open_bounded_reader};
use super::thread::{Importance, start};
use crate::counters::StoreCounters;
use crate::error::{OutageKind, StoreError};
use crate::options::StoreOptions;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::{Semaphore, oneshot};

/// What a thread of the lane does with its connection, or with the reason for having none. False: the connection may be
/// at fault, so another is opened.
type Job = Box<dyn FnOnce(Result<&mut SqliteConn, StoreError>) -> Keep + Send>;

/// Whether a connection may be used again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Open,
    Close,
}

/// The handle to the lane.
pub(crate) struct Lane {
    jobs: Mutex<Option<Sender<Job>>>,
    /// Places for reads that run or wait.
    places: Arc<Semaphore>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    counters: Arc<StoreCounters>,
}

impl Lane {
    /// Starts the threads. They open their connections when there is something to read.
    pub(crate) fn start(path: &Path, options: StoreOptions, counters: Arc<StoreCounters>) -> Result<Self, StoreError> {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        let threads = (0..options.lane_width.max(1))
            .map(|_| {
                let (path, queue) = (path.to_owned(), Arc::clone(&queue));
                start("storage-lane", Importance::Low, move || serve(&path, &options, &queue))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            jobs: Mutex::new(Some(jobs)),
            places: Arc::new(Semaphore::new(options.lane_places.max(1))),
            threads: Mutex::new(threads),
            counters,
        })
    }

    /// Reads on a thread of the lane. A read whose caller went away before its turn is left out.
    pub(crate) async fn run<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConn) -> Result<T, StoreError> + Send + 'static,
    {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.counters.count_lane_refusal();
            return Err(StoreError::outage(OutageKind::Busy, "too many lists and searches wait already"));
        };
        self.counters.count_lane_read();
        let (caller, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            if caller.is_closed() {
                return Keep::Open;
            }
            let read = connection.and_then(|connection| {
                catch_unwind(AssertUnwindSafe(|| read(connection)))
                    .unwrap_or_else(|_panic| Err(StoreError::Broken("a read panicked".to_owned())))
            });
            let keep = match &read {
                Ok(_) | Err(StoreError::Conflict(_) | StoreError::Inconsistent(_)) => Keep::Open,
                Err(StoreError::Unavailable(_) | StoreError::Broken(_)) => Keep::Close,
            };
            drop(place);
            // A caller that went away meanwhile does not want the answer.
            drop(caller.send(read));
            keep
        });
        self.jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .and_then(|jobs| jobs.send(job).ok())
            .ok_or_else(closed)?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Takes no more reads, finishes those that wait and ends the threads. Blocks until then.
    pub(crate) fn close(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the lane for long reads panicked");
            }
        }
    }
}

fn closed() -> StoreError {
    StoreError::outage(OutageKind::Closed, "the store is closed")
}

/// One thread: job after job, on one connection as long as it is in order.
fn serve(path: &Path, options: &StoreOptions, queue: &Mutex<Receiver<Job>>) {
    let mut kept: Option<SqliteConn> = None;
    let budget = Budget::default();
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        let opened = kept.take().map_or_else(|| open_bounded_reader(path, options, &budget), Ok);
        budget.begin(options.statement_timeout);
        match opened {
            Ok(mut connection) => {
                if job(Ok(&mut connection)) == Keep::Open {
                    kept = Some(connection);
                }
            }
            Err(error) => {
                job(Err(error));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::sqlite::establish;
    use futures::FutureExt as _;
    use futures::executor::block_on;

    fn lane(folder: &tempfile::TempDir, width: usize, places: usize) -> Lane {
        let path = folder.path().join("test.db");
        establish(&path).unwrap();
        let options = StoreOptions { lane_width: width, lane_places: places, ..StoreOptions::default() };
        Lane::start(&path, options, Arc::default()).unwrap()
    }

    #[test]
    fn a_read_that_does_not_end_holds_neither_its_caller_nor_the_next_read() {
        let folder = tempfile::tempdir().unwrap();
        let lane = lane(&folder, 2, 2);
        let (go_on, wait) = channel::<()>();
        let mut held = Box::pin(lane.run(move |_| Ok(wait.recv().is_ok())));
        assert_eq!(held.as_mut().now_or_never(), None, "the caller is free to do something else");
        let name = block_on(lane.run(|_| Ok(std::thread::current().name().map(str::to_owned))));
        assert_eq!(name, Ok(Some("storage-lane".to_owned())));
        // Two places: with a third read the lane is full.
        let (end, wait) = channel::<()>();
        let mut second = Box::pin(lane.run(move |_| Ok(wait.recv().is_ok())));
        assert_eq!(second.as_mut().now_or_never(), None);
        let refused = block_on(lane.run(|_| Ok(())));
        assert!(matches!(&refused, Err(error) if error.is_unavailable()), "{refused:?}");
        assert_eq!((lane.counters.lane_reads(), lane.counters.lane_refusals()), (3, 1));
        go_on.send(()).unwrap();
        drop(end);
        assert_eq!(block_on(held), Ok(true));
        assert_eq!(block_on(second), Ok(false));
        lane.close();
        assert!(block_on(lane.run(|_| Ok(()))).is_err_and(|error| error.is_unavailable()));
    }

    #[test]
    fn a_read_whose_caller_is_gone_is_left_out_and_one_that_panics_hurts_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let lane = lane(&folder, 1, 8);
        let (go_on, wait) = channel::<()>();
        let mut first = Box::pin(lane.run(move |_| Ok(wait.recv().is_ok())));
        assert_eq!(first.as_mut().now_or_never(), None);
        let (say, said) = channel::<&str>();
        let tell = say.clone();
        let mut gone = Box::pin(lane.run(move |_| Ok(tell.send("read for nobody").is_ok())));
        assert_eq!(gone.as_mut().now_or_never(), None);
        drop(gone);
        go_on.send(()).unwrap();
        assert_eq!(block_on(first), Ok(true));
        let panicked: Result<(), _> = block_on(lane.run(|_| panic!("a row that cannot be")));
        assert!(matches!(panicked, Err(StoreError::Broken(_))));
        assert_eq!(block_on(lane.run(move |_| Ok(say.send("read").is_ok()))), Ok(true));
        assert_eq!(said.iter().collect::<Vec<_>>(), ["read"]);
        lane.close();
    }
}
