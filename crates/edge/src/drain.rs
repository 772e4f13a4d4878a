//! Graceful shutdown: readiness fails first, then connections end with their current answer, then the server stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the server is stopping. Clones share the state, which never goes back to running.
#[derive(Clone, Debug, Default)]
pub struct Drain(Arc<AtomicBool>);

impl Drain {
    /// From now on `/ready` fails and every answer closes its connection.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the server is stopping. A relaxed load is enough: the flag guards no other memory, and one more answer
    /// on an open connection does no harm.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
