//! The public keys of code hosts that report leaked tokens: fetched from the configured URLs and cached for a day.

use std::sync::Arc;

use actix_web::web::Data;
use authority::Context;
use authority::leaks::partner::KeyList;
use edge::outbound::{Call, Got, Outbound};
use token_domain::{Span, Timestamp};
use tokio::sync::Mutex;
use url::Url;

/// How long a list is cached; after that it is requested again by its `ETag`.
const GOOD: Span = Span::days(1);
/// The least time between two requests, so that reports with unknown key ids do not cause one each.
const PAUSE: Span = Span::seconds(60);
/// The longest list in bytes; it has a handful of keys.
const MOST_BYTES: u64 = 64 * 1024;

/// The keys of the configured hosts.
#[derive(Debug)]
pub struct PartnerKeys {
    pub(super) github: Option<Keys>,
    pub(super) gitlab: Option<Keys>,
}

/// The keys of one host.
#[derive(Debug)]
pub(super) struct Keys {
    url: Url,
    outbound: Outbound,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    list: Option<Arc<KeyList>>,
    etag: Option<String>,
    fetched_at: Option<Timestamp>,
    tried_at: Option<Timestamp>,
}

/// The list cannot be fetched, so a signature can be neither accepted nor refused.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unreachable;

impl PartnerKeys {
    /// The keys at these URLs; a host without a URL cannot report.
    pub fn new(github: Option<&Url>, gitlab: Option<&Url>, outbound: &Outbound) -> Self {
        let keys = |url: &Url| Keys { url: url.clone(), outbound: outbound.clone(), kept: Mutex::default() };
        Self { github: github.map(keys), gitlab: gitlab.map(keys) }
    }
}

impl Keys {
    /// A list with the key `name`, or the latest list. One request runs at a time; concurrent callers wait for it.
    pub(super) async fn with(&self, name: &str, context: &Data<Context>) -> Result<Arc<KeyList>, Unreachable> {
        let mut kept = self.kept.lock().await;
        let now = context.now();
        let is_good = kept.fetched_at.is_some_and(|at| now < at + GOOD);
        if let Some(list) = kept.list.clone().filter(|list| is_good && list.has(name)) {
            return Ok(list);
        }
        if kept.tried_at.is_some_and(|at| now < at + PAUSE) {
            return kept.list.clone().filter(|_| is_good).ok_or(Unreachable);
        }
        kept.tried_at = Some(now);
        self.fetch(&mut kept, now).await
    }

    async fn fetch(&self, kept: &mut Kept, now: Timestamp) -> Result<Arc<KeyList>, Unreachable> {
        let refused = |error: &dyn std::fmt::Display| {
            tracing::warn!(%error, url = %self.url, "the public keys of a code host cannot be fetched; its reports are answered 503");
            Unreachable
        };
        let etag = kept.etag.as_deref().filter(|_| kept.list.is_some());
        match self
            .outbound
            .send(&Call { etag, ..Call::get(&self.url, MOST_BYTES) })
            .await
            .map_err(|error| refused(&error))?
        {
            Got::Unchanged => {}
            Got::Document { body, etag } => {
                let list: KeyList = serde_json::from_slice(&body).map_err(|error| refused(&error))?;
                kept.list = Some(Arc::new(list));
                kept.etag = etag;
            }
        }
        kept.fetched_at = Some(now);
        kept.list.clone().ok_or(Unreachable)
    }
}
