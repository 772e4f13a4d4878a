//! The composition root: the only place that names concrete things together.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use futures::FutureExt as _;
use prometheus_client::registry::Registry;

use crate::config::Config;
use crate::http::app::{Site, Surfaces};
use crate::http::cors::Cors;
use crate::http::drain::Drain;
use crate::http::edge::{EdgeParts, Limits};
use crate::http::metrics::HttpMetrics;
use crate::http::server;

/// Paths that take the short way through the edge.
const HOT: &[&str] = &["/v1/auth/validate", "/v1/auth/forward"];

/// Serves until a signal comes.
pub async fn serve(
    config: &Config,
    announce: impl FnOnce(std::net::SocketAddr),
) -> Result<(), Box<dyn std::error::Error>> {
    let mut registry = Registry::with_prefix("nolapse");
    let metrics = HttpMetrics::register(&mut registry);
    let edge = EdgeParts {
        limits: Limits {
            deadline: config.server.request_deadline,
            trusted_proxies: config.server.trusted_proxies.clone(),
        },
        cors: Cors::new(&config.server.allowed_origins),
        drain: Drain::default(),
        metrics,
        hot: HOT,
        access_log: config.log.access,
        // Request ids are addresses, not secrets: the seed the standard library draws for its hash maps will do.
        draw: Arc::new(|| RandomState::new().hash_one(0)),
    };
    let registry = config.metrics.enabled.then(|| Arc::new(registry));
    let site = Site::new(edge, Arc::new(|| async { Vec::new() }.boxed()), registry, surfaces())?;
    let running = server::start(site, &config.server)?;
    announce(running.address);
    running.until(async { drop(server::signal().await) }).await?;
    Ok(())
}

/// Every surface of the service.
pub fn surfaces() -> Surfaces {
    Arc::new(|_| ())
}
