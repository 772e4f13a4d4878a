//! What is known about tokens, in memory: keyed by the keyed digest, bounded in bytes, evicted by second chance.
//!
//! It holds facts, and the answer's bytes, which follow from facts that cannot change without the fence being raised.
//! Only tokens that exist are ever inserted, so a spray of unknown ones cannot push anything out.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashTable;
use secret_hash::Tag;
use token_domain::id::ProjectId;
use token_domain::{Credential, Timestamp};

use crate::fence::Stamp;

/// Locks the cache is spread over; a hit holds one for the time of a table look-up.
const SHARDS: usize = 256;
/// What an entry costs beside its own size and its answer: the slot, the table's share, the allocator's rounding.
const OVERHEAD: usize = 96;

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

/// What is known about one token.
#[derive(Debug)]
pub struct Entry {
    credential: Credential,
    project_id: Option<ProjectId>,
    answer: Arc<[u8]>,
    stamp: Stamp,
    last_used: AtomicI64,
    uses: AtomicU64,
    queued: AtomicBool,
    first_use_pending: AtomicBool,
    reuse_pending: AtomicBool,
    idle_pending: AtomicBool,
}

impl Entry {
    pub(super) fn new(
        credential: Credential,
        project_id: Option<ProjectId>,
        answer: Arc<[u8]>,
        stamp: Stamp,
        pending: Pending,
    ) -> Self {
        Self {
            credential,
            project_id,
            answer,
            stamp,
            last_used: AtomicI64::new(0),
            uses: AtomicU64::new(0),
            queued: AtomicBool::new(false),
            first_use_pending: AtomicBool::new(pending.first_use),
            reuse_pending: AtomicBool::new(pending.reuse),
            idle_pending: AtomicBool::new(true),
        }
    }

    /// The facts.
    pub const fn credential(&self) -> &Credential {
        &self.credential
    }

    /// The project the token is bound to, if any.
    pub const fn project_id(&self) -> Option<ProjectId> {
        self.project_id
    }

    /// The body of the plain 200 answer, ready to send.
    pub const fn answer(&self) -> &Arc<[u8]> {
        &self.answer
    }

    pub(super) const fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// When it was last used through this entry, if it was.
    pub fn last_used(&self) -> Option<Timestamp> {
        let micros = self.last_used.load(Ordering::Relaxed);
        (micros > 0).then(|| Timestamp::from_micros(micros))
    }

    /// Notes a use; says whether the entry has to be queued for the next flush.
    pub(crate) fn note_use(&self, now: Timestamp) -> bool {
        self.last_used.fetch_max(now.as_micros(), Ordering::Relaxed);
        self.uses.fetch_add(1, Ordering::Relaxed);
        !self.queued.load(Ordering::Relaxed) && !self.queued.swap(true, Ordering::AcqRel)
    }

    /// Takes what was noted since the last time, for writing down.
    pub(crate) fn take_uses(&self) -> (Option<Timestamp>, u64) {
        // Unqueued first: a use noted from here on queues the entry again, so nothing is lost between.
        self.queued.store(false, Ordering::Release);
        (self.last_used(), self.uses.swap(0, Ordering::AcqRel))
    }

    /// Puts back what could not be written down.
    pub(crate) fn return_uses(&self, uses: u64) -> bool {
        self.uses.fetch_add(uses, Ordering::AcqRel);
        !self.queued.swap(true, Ordering::AcqRel)
    }

    pub(super) fn take_first_use(&self) -> bool {
        self.first_use_pending.load(Ordering::Relaxed) && self.first_use_pending.swap(false, Ordering::AcqRel)
    }

    pub(super) fn return_first_use(&self) {
        self.first_use_pending.store(true, Ordering::Release);
    }

    pub(super) fn take_reuse(&self) -> bool {
        self.reuse_pending.load(Ordering::Relaxed) && self.reuse_pending.swap(false, Ordering::AcqRel)
    }

    pub(super) fn return_reuse(&self) {
        self.reuse_pending.store(true, Ordering::Release);
    }

    /// Whether a refusal for want of use still has to be made lasting; the first to ask is told so.
    pub(super) fn take_idle(&self) -> bool {
        self.idle_pending.swap(false, Ordering::AcqRel)
    }

    pub(super) fn return_idle(&self) {
        self.idle_pending.store(true, Ordering::Release);
    }

    /// Whether it has fallen idle, as far as this entry knows. One that was killed has nothing to fall from.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        let Some(idle) = self.credential.idle else { return false };
        idle.ends_at(self.last_used()) <= now && self.credential.facts.status(now).is_live()
    }

    fn cost(&self) -> usize {
        size_of::<Self>() + OVERHEAD + self.answer.len()
    }
}

/// What a use or reuse of the token still has to be written down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    /// It is the unused successor of a rotation in first-use mode.
    pub(super) first_use: bool,
    /// No reuse after supersession was recorded yet.
    pub(super) reuse: bool,
}

#[derive(Debug)]
pub(super) struct Cache {
    shards: Box<[Mutex<Shard>]>,
    shard_bytes: usize,
}

#[derive(Debug, Default)]
struct Shard {
    table: HashTable<usize>,
    slots: Vec<Option<Slot>>,
    free: Vec<usize>,
    hand: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Slot {
    digest: Tag,
    entry: Arc<Entry>,
    /// Used since the hand last came by.
    used: bool,
}

impl Cache {
    pub(super) fn new(limits: CacheLimits) -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), shard_bytes: limits.max_bytes / SHARDS }
    }

    pub(super) fn get(&self, digest: &Tag) -> Option<Arc<Entry>> {
        let mut shard = self.shard(digest);
        let shard = &mut *shard;
        let index = *shard.table.find(hash_of(digest), |&index| shard.slots[index].holds(digest))?;
        let slot = shard.slots[index].as_mut()?;
        slot.used = true;
        Some(Arc::clone(&slot.entry))
    }

    /// Remembers an entry in place of an older one. An entry read under an older stamp than the one remembered is
    /// dropped: both may be looked at, the newer is right more often.
    pub(super) fn insert(&self, digest: &Tag, entry: Arc<Entry>) {
        if entry.cost() > self.shard_bytes {
            return;
        }
        let mut shard = self.shard(digest);
        shard.insert(digest, entry);
        shard.evict(self.shard_bytes);
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).table.len()).sum()
    }

    pub(super) fn clear(&self) {
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

trait Holds {
    fn holds(&self, digest: &Tag) -> bool;
}

impl Holds for Option<Slot> {
    fn holds(&self, digest: &Tag) -> bool {
        self.as_ref().is_some_and(|slot| slot.digest == *digest)
    }
}

impl Shard {
    fn insert(&mut self, digest: &Tag, entry: Arc<Entry>) {
        let found = self.table.find(hash_of(digest), |&index| self.slots[index].holds(digest)).copied();
        if let Some(slot) = found.and_then(|index| self.slots[index].as_mut()) {
            if slot.entry.stamp <= entry.stamp {
                self.bytes = self.bytes - slot.entry.cost() + entry.cost();
                slot.entry = entry;
            }
            return;
        }
        self.bytes += entry.cost();
        let slot = Some(Slot { digest: *digest, entry, used: false });
        let index = if let Some(index) = self.free.pop() {
            self.slots[index] = slot;
            index
        } else {
            self.slots.push(slot);
            self.slots.len() - 1
        };
        let slots = &self.slots;
        self.table.insert_unique(hash_of(digest), index, |&index| {
            slots[index].as_ref().map_or(0, |slot| hash_of(&slot.digest))
        });
    }

    /// Moves the hand round until the shard fits: what was used since it last came by gets another round.
    fn evict(&mut self, allowed: usize) {
        while self.bytes > allowed && !self.table.is_empty() {
            self.hand = (self.hand + 1) % self.slots.len();
            let index = self.hand;
            match &mut self.slots[index] {
                Some(slot) if slot.used => slot.used = false,
                Some(_) => self.remove(index),
                None => {}
            }
        }
    }

    fn remove(&mut self, index: usize) {
        let Some(slot) = self.slots[index].take() else { return };
        self.bytes -= slot.entry.cost();
        if let Ok(found) = self.table.find_entry(hash_of(&slot.digest), |&other| other == index) {
            found.remove();
        }
        self.free.push(index);
    }
}
