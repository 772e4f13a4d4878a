//! A proxy that nobody named among the trusted ones, said once.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Says once that somebody forwards requests who is not believed.
#[derive(Clone, Debug, Default)]
pub struct UntrustedProxy(Arc<AtomicBool>);

impl UntrustedProxy {
    pub(crate) fn tell(&self, peer: IpAddr) {
        // Read first: a write each time would pass the cache line from worker to worker.
        if !self.0.load(Ordering::Relaxed) && !self.0.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                %peer,
                "X-Forwarded-For came from an address that server.trusted_proxies does not name, and is not believed: if that is your proxy, all its clients share one limit on sign-ins until it is named there"
            );
        }
    }
}
