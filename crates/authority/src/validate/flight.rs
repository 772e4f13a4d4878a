//! Single flight: a thousand simultaneous misses of one token make one read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use secret_hash::Tag;
use tokio::sync::watch;

use super::fetch::Fetched;

/// Reads under way, by digest.
#[derive(Debug, Default)]
pub(super) struct Flights {
    under_way: Arc<Mutex<HashMap<Tag, watch::Receiver<Option<Fetched>>>>>,
}

/// A request's place in a flight.
pub(super) enum Place {
    /// It reads, and tells the others.
    Leader(Landing),
    /// It waits for the one that reads.
    Follower(Flight),
}

/// The leader's duty to land. Dropped without landing (the request was cut off, the read failed), it wakes the
/// followers empty-handed and they look again.
pub(super) struct Landing {
    under_way: Arc<Mutex<HashMap<Tag, watch::Receiver<Option<Fetched>>>>>,
    digest: Tag,
    tell: watch::Sender<Option<Fetched>>,
}

/// A flight somebody else leads.
pub(super) struct Flight(watch::Receiver<Option<Fetched>>);

impl Flights {
    pub(super) fn join(&self, digest: &Tag) -> Place {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = under_way.get(digest) {
            return Place::Follower(Flight(flight.clone()));
        }
        let (tell, hear) = watch::channel(None);
        under_way.insert(*digest, hear);
        Place::Leader(Landing { under_way: Arc::clone(&self.under_way), digest: *digest, tell })
    }
}

impl Landing {
    pub(super) fn land(self, fetched: Fetched) {
        self.tell.send_replace(Some(fetched));
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.digest);
    }
}

impl Flight {
    /// What the leader read; nothing when it never landed.
    pub(super) async fn landed(mut self) -> Option<Fetched> {
        self.0.wait_for(Option::is_some).await.ok().and_then(|fetched| fetched.clone())
    }
}
