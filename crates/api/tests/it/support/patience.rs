//! Waiting for asynchronous effects, without assuming how long they take.

use std::time::{Duration, Instant};

/// The timeout: far longer than anything waited for here takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// The time between two polls.
const PAUSE: Duration = Duration::from_millis(20);

/// Calls `look` until it returns a value.
///
/// # Panics
/// After the timeout, with the text `what`.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for: {what}");
        std::thread::sleep(PAUSE);
    }
}
