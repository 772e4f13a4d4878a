//! The entries in memory: keyed by the keyed digest, bounded in bytes, evicted by second chance.
//!
//! Entries hold facts, and the answer's bytes, which follow from facts that cannot change without the fence being raised.
//! Only tokens that exist are ever inserted, so a spray of unknown ones cannot push anything out.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashTable;
use secret_hash::Tag;

use super::entry::Entry;

/// Locks the cache is spread over; a hit holds one for the time of a table look-up.
const SHARDS: usize = 256;
/// After this many evictions or replacements the usage tracker is told, so that it drops its references.
const PARTED: u64 = 256;

/// Bounds of the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// Memory that entries may take together, in bytes.
    pub max_bytes: usize,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self { max_bytes: 512 << 20 }
    }
}

#[derive(Debug)]
pub(crate) struct Cache {
    shards: Box<[Mutex<Shard>]>,
    shard_bytes: usize,
    evicted: AtomicU64,
    /// Entries removed in all: evicted, replaced by newer ones, or too large to be kept.
    parted: AtomicU64,
}

#[derive(Debug, Default)]
struct Shard {
    table: HashTable<Arc<Entry>>,
    /// The bucket that the hand stands on.
    hand: usize,
    bytes: usize,
}

impl Cache {
    pub(crate) fn new(limits: CacheLimits) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            shard_bytes: limits.max_bytes / SHARDS,
            evicted: AtomicU64::new(0),
            parted: AtomicU64::new(0),
        }
    }

    pub(crate) fn get(&self, digest: &Tag) -> Option<Arc<Entry>> {
        let shard = self.shard(digest);
        let entry = shard.table.find(hash_of(digest), |entry| entry.digest() == digest)?;
        entry.see();
        Some(Arc::clone(entry))
    }

    /// Remembers an entry in place of an older one. An entry read under an older stamp than the one remembered is
    /// dropped: both may be looked at, the newer is right more often. True when [`PARTED`] more were removed since it last
    /// said so.
    pub(crate) fn insert(&self, entry: Arc<Entry>) -> bool {
        if entry.charged() > self.shard_bytes {
            return self.part(1);
        }
        let mut shard = self.shard(entry.digest());
        let replaced = shard.insert(entry);
        let evicted = shard.evict(self.shard_bytes);
        drop(shard);
        self.evicted.fetch_add(evicted, Ordering::Relaxed);
        self.part(evicted + u64::from(replaced))
    }

    fn part(&self, count: u64) -> bool {
        let before = self.parted.fetch_add(count, Ordering::Relaxed);
        before / PARTED != (before + count) / PARTED
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).table.len()).sum()
    }

    /// What the entries are charged, together.
    pub(crate) fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).bytes).sum()
    }

    /// How many entries had to make room since the process began.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            *lock(shard) = Shard::default();
        }
    }

    fn shard(&self, digest: &Tag) -> MutexGuard<'_, Shard> {
        lock(&self.shards[usize::from(digest.as_bytes()[31])])
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    // Nothing panics while a shard is held, and a half-made entry could only cost a read.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The digest is a keyed hash already: its first bytes are as good as any hash of it.
fn hash_of(digest: &Tag) -> u64 {
    digest.as_bytes().first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes))
}

impl Shard {
    /// Whether an entry of the same token had to go: the older of the two.
    fn insert(&mut self, entry: Arc<Entry>) -> bool {
        let hash = hash_of(entry.digest());
        if let Some(known) = self.table.find_mut(hash, |known| known.digest() == entry.digest()) {
            if known.stamp() <= entry.stamp() {
                self.bytes = self.bytes - known.charged() + entry.charged();
                *known = entry;
            }
            return true;
        }
        self.bytes += entry.charged();
        self.table.insert_unique(hash, entry, |entry| hash_of(entry.digest()));
        false
    }

    /// Evicts entries by the CLOCK algorithm until the shard fits, and returns how many. The hand moves round the table's
    /// buckets and spares entries looked up since its last pass. (A growing table moves its entries; the hand stays put.)
    fn evict(&mut self, allowed: usize) -> u64 {
        let mut evicted = 0;
        while self.bytes > allowed && !self.table.is_empty() {
            self.hand = (self.hand + 1) % self.table.num_buckets();
            if self.table.get_bucket(self.hand).is_none_or(|entry| entry.unsee()) {
                continue;
            }
            if let Ok(found) = self.table.get_bucket_entry(self.hand) {
                self.bytes -= found.remove().0.charged();
                evicted += 1;
            }
        }
        evicted
    }
}
