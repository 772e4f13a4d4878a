//! What happened in all the executions of a scenario together. A model that never reaches the step under test would
//! pass whatever that step does.

use std::sync::atomic::{AtomicUsize, Ordering};

/// A turn that an execution can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A request began after the change was acknowledged.
    BeganLate,
    UsedCache,
    RefusedCache,
    UsedUnknown,
    RefusedUnknown,
    FollowedFlight,
    RefusedFlight,
    ReadAlone,
}

/// Counts of events. Not of the model: executions are not told apart by them.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    executions: AtomicUsize,
    events: [AtomicUsize; 8],
}

impl Tally {
    pub(crate) fn count(&self, event: Event) {
        self.events[event as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn begin(&self) {
        self.executions.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn executions(&self) -> usize {
        self.executions.load(Ordering::Relaxed)
    }

    pub(crate) fn of(&self, event: Event) -> usize {
        self.events[event as usize].load(Ordering::Relaxed)
    }
}
