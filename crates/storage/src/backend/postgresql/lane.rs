//! The lane for reads that may look at many rows: connections of their own, one for each worker, and few reads at once.
//!
//! All other reads of a worker share one connection, on which the server answers in order: behind a list of a large
//! organisation every cold validation and every session would wait for its end.

use super::connect::Purpose;
use super::readers::{Reader, Readers};
use crate::counters::StoreCounters;
use crate::error::{OutageKind, StoreError};
use crate::options::StoreOptions;
use crate::registration::Registration;
use crate::url::Server;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The lane.
pub(crate) struct Lane {
    readers: Arc<Readers>,
    /// Places for reads that run or wait.
    places: Arc<Semaphore>,
    /// Turns of those that run.
    turns: Arc<Semaphore>,
    counters: Arc<StoreCounters>,
}

/// A turn in the lane, with a connection, until it is dropped.
pub(crate) struct Turn {
    pub(crate) reader: Reader,
    /// Its place, and its right to run.
    _permits: [OwnedSemaphorePermit; 2],
}

impl Lane {
    pub(crate) fn new(
        server: Server,
        options: StoreOptions,
        registration: Option<Registration>,
        counters: Arc<StoreCounters>,
    ) -> Self {
        Self {
            readers: Arc::new(Readers::new(server, options, Purpose::Listing, registration)),
            places: Arc::new(Semaphore::new(options.lane_places.max(1))),
            turns: Arc::new(Semaphore::new(options.lane_width.max(1))),
            counters,
        }
    }

    /// Waits for a turn, unless too many wait already.
    pub(crate) async fn turn(&self) -> Result<Turn, StoreError> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.counters.count_lane_refusal();
            return Err(StoreError::outage(OutageKind::Busy, "too many lists and searches wait already"));
        };
        self.counters.count_lane_read();
        let closed = |_| StoreError::outage(OutageKind::Closed, "the store is closed");
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(closed)?;
        Ok(Turn { reader: self.readers.reader().await?, _permits: [place, turn] })
    }

    /// Lets nobody in any more and closes the connections; one in use ends with its statement.
    pub(crate) fn close(&self) {
        self.turns.close();
        self.readers.close();
    }
}
