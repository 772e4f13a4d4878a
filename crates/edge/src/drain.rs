//! Stopping in order: readiness fails first, then connections end with their current answer, then the server stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the server is stopping; clones share the answer. It never goes back.
#[derive(Clone, Debug, Default)]
pub struct Drain(Arc<AtomicBool>);

impl Drain {
    /// From now on `/ready` fails and every answer closes its connection.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it has begun. Relaxed: nothing else is read on the strength of it, and one answer more on an open
    /// connection does no harm.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
