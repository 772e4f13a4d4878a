//! Many buckets in bounded memory.

use std::collections::HashMap;

use token_domain::{Span, Timestamp};

use super::bucket::{Allowance, Bucket};
use super::key::Key;

/// How many buckets are kept; some seven MiB. Beyond it the half is forgotten that says least.
pub(super) const MOST: usize = 100_000;
/// How often those that have worn off are forgotten.
const SWEEP_EVERY: Span = Span::seconds(60);

/// Buckets by key.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    buckets: HashMap<Key, Bucket>,
    swept: Option<Timestamp>,
}

impl Buckets {
    /// How long an attempt under this key has to wait.
    pub(super) fn wait(&self, key: &Key, now: Timestamp) -> Option<Span> {
        self.buckets.get(key)?.wait(now)
    }

    /// Counts an attempt under this key. True when it is the one after which waiting begins.
    pub(super) fn count(&mut self, key: Key, allowance: Allowance, now: Timestamp) -> bool {
        self.sweep(now);
        self.buckets.entry(key).or_insert_with(|| Bucket::new(allowance, now)).count(now)
    }

    /// Takes an attempt back.
    pub(super) fn uncount(&mut self, key: &Key) {
        if let Some(bucket) = self.buckets.get_mut(key) {
            bucket.uncount();
        }
    }

    /// Removes the count kept under this key.
    pub(super) fn clear(&mut self, key: &Key) {
        self.buckets.remove(key);
    }

    /// Removes expired counts, once a minute and whenever the map is full. If it is still full, removes half of the rest:
    /// counts that impose no wait go first, so that a flood of new keys does not evict the clients that have to wait.
    fn sweep(&mut self, now: Timestamp) {
        let due = self.swept.is_none_or(|swept| now < swept || swept + SWEEP_EVERY <= now);
        if due || self.buckets.len() >= MOST {
            self.buckets.retain(|_, bucket| !bucket.is_over(now));
            self.swept = Some(now);
        }
        if self.buckets.len() >= MOST {
            let says = |bucket: &Bucket| (bucket.is_raised(), bucket.last());
            let mut all: Vec<_> = self.buckets.values().map(says).collect();
            let middle = all.len() / 2;
            let (_, &mut median, _) = all.select_nth_unstable(middle);
            self.buckets.retain(|_, bucket| says(bucket) > median);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.buckets.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000_000);
    const TEN: Allowance = Allowance { free: 10, window: Span::seconds(900) };

    fn key(n: usize) -> Key {
        Key::of("test", &[&n.to_string()])
    }

    #[test]
    fn memory_is_bounded_and_who_is_held_stays_held() {
        let mut buckets = Buckets::default();
        let held = Key::of("held", &[]);
        (0..30).for_each(|_| _ = buckets.count(held, TEN, NOW));
        for n in 0..MOST + 10_000 {
            let later = Timestamp::from_micros(NOW.as_micros() + i64::try_from(n).unwrap());
            buckets.count(key(n), TEN, later);
        }
        assert!(buckets.len() <= MOST, "{}", buckets.len());
        assert!(buckets.wait(&held, NOW + Span::seconds(1)).is_some());
    }

    #[test]
    fn expired_counts_are_removed() {
        let mut buckets = Buckets::default();
        (0..1_000).for_each(|n| _ = buckets.count(key(n), TEN, NOW));
        buckets.count(key(0), TEN, NOW + Span::seconds(901));
        assert_eq!(buckets.len(), 1);
    }
}
