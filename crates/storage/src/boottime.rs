//! The clock of leases: it never jumps, and it runs on while the machine sleeps (`std::time::Instant` does not).

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds since the machine started, running on while it sleeps.
pub fn boottime_nanos() -> i64 {
    let now = clock_gettime(ClockId::Boottime);
    now.tv_sec.saturating_mul(1_000_000_000).saturating_add(now.tv_nsec)
}
