//! Digests known to name no token: a small memory of its own, so that a spray of them touches neither the database
//! twice nor the cache of real tokens.
//!
//! An entry counts for a few seconds and only until any token is made; see [`crate::fence`].

use std::sync::{Mutex, MutexGuard, PoisonError};

use secret_hash::Tag;
use token_domain::{Span, Timestamp};

use crate::fence::Stamp;

/// One digest, when it was found unknown, and under which stamp. Direct-mapped: a new digest replaces the one in its slot,
/// so the memory neither grows nor needs sweeping.
#[derive(Clone, Debug)]
struct Place {
    digest: Tag,
    stamp: Stamp,
    until: Timestamp,
}

const SHARDS: usize = 64;

#[derive(Debug)]
pub(crate) struct Negatives {
    shards: Box<[Mutex<Vec<Option<Place>>>]>,
    places: usize,
    ttl: Span,
}

impl Negatives {
    pub(crate) fn new(entries: usize, ttl: Span) -> Self {
        let places = entries.div_ceil(SHARDS).max(1);
        Self { shards: (0..SHARDS).map(|_| Mutex::new(Vec::new())).collect(), places, ttl }
    }

    /// The stamp under which the digest was found unknown, if that was lately.
    pub(crate) fn get(&self, digest: &Tag, now: Timestamp) -> Option<Stamp> {
        let shard = self.shard(digest);
        let place = shard.get(self.index(digest))?.as_ref()?;
        (place.digest == *digest && now < place.until).then_some(place.stamp)
    }

    pub(crate) fn insert(&self, digest: &Tag, stamp: Stamp, now: Timestamp) {
        let index = self.index(digest);
        let mut shard = self.shard(digest);
        if shard.is_empty() {
            shard.resize(self.places, None);
        }
        shard[index] = Some(Place { digest: *digest, stamp, until: now + self.ttl });
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).iter().flatten().count()).sum()
    }

    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            lock(shard).clear();
        }
    }

    fn shard(&self, digest: &Tag) -> MutexGuard<'_, Vec<Option<Place>>> {
        lock(&self.shards[usize::from(digest.as_bytes()[31]) % SHARDS])
    }

    fn index(&self, digest: &Tag) -> usize {
        let bits = digest.as_bytes().first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes));
        usize::try_from(bits).unwrap_or(0) % self.places
    }
}

fn lock(shard: &Mutex<Vec<Option<Place>>>) -> MutexGuard<'_, Vec<Option<Place>>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
