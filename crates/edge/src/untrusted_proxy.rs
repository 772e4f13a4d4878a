//! A warning, logged once, about a proxy that is not among the trusted ones.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Logs once that an untrusted peer sends `X-Forwarded-For`.
#[derive(Clone, Debug, Default)]
pub struct UntrustedProxy(Arc<AtomicBool>);

impl UntrustedProxy {
    pub(crate) fn tell(&self, peer: IpAddr) {
        // Read before writing: a write by each request would move the cache line between workers.
        if !self.0.load(Ordering::Relaxed) && !self.0.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                %peer,
                "X-Forwarded-For was ignored, because it came from an address that is not in server.trusted_proxies: if this is your proxy, add it there; until then, all its clients share one sign-in limit"
            );
        }
    }
}
