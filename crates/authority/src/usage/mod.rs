//! Uses of tokens, gathered in memory and written down in batches: no request ever waits for a write.
//!
//! A use is an addition to a counter in the token's entry, and the first one puts the entry into a list. Every few seconds
//! the entries in the list become a round: their counters are read, sorted by token and written in small units of work.
//! Writing takes a bounded share of the time, so with very many tokens in use a round may last minutes; reads on this node
//! include the unwritten uses. A round also begins with every hour, so that uses are counted in the hour they happened in.
//! Uses that cannot be written stay in memory, and a clean stop writes everything.
//!
//! Rounds, and not a queue written entry by entry: neighbours in the tables are written together (on SQLite a row among its
//! neighbours costs 15 µs of CPU at a million tokens, one by itself 25), and nothing is put back into entries after a failure.

mod forget;
mod pace;
mod round;
mod sightings;
mod waiting;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use storage::Store;
use storage::model::{TokenCount, TokenUse};
use token_domain::id::TokenId;
use token_domain::record::Token;
use token_domain::usage::UsageHour;
use token_domain::{ScopeCatalogue, Span, Timestamp};
use tokio::sync::{RwLock, RwLockReadGuard};

pub use forget::forget_old;
pub use pace::{FlushShare, Next};

pub(crate) use self::sightings::NewAddresses;
use self::sightings::Sightings;
use self::waiting::Waiting;
use crate::env::Clock;
use crate::error::Failure;
use crate::memory::{Entry, Noted, UseKind};

/// Tokens whose uses are written in one unit of work. On SQLite the creation of a token waits for the unit in front of it,
/// and on a single core so does a validation: about a millisecond of CPU at a million tokens.
const AT_ONCE: usize = 64;

/// The uses that are not written to the database yet.
#[derive(Debug, Default)]
pub struct Uses {
    /// Entries used since the list was last moved to `waiting`. Each is here or there at most once, however often it was used.
    list: Mutex<List>,
    /// Locked before `list` where both are locked.
    waiting: Mutex<Waiting>,
    /// Locked exclusively while uses move from the entries into a round, or from a round into the database. Locked shared by a
    /// read that adds written and unwritten uses, so that it counts nothing twice.
    passage: RwLock<()>,
    sightings: Sightings,
}

#[derive(Debug, Default)]
struct List {
    entries: Vec<Arc<Entry>>,
    since: Option<Timestamp>,
}

/// Uses that wait to be written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// How many tokens have unwritten uses. A token that is used again while its earlier uses wait counts again.
    pub tokens: usize,
    /// How long ago the earliest of them was noted.
    pub age: Span,
}

impl Uses {
    /// No uses yet.
    pub(crate) fn telling(told: NewAddresses) -> Self {
        Self { sightings: Sightings::telling(told), ..Self::default() }
    }

    /// Notes a use.
    pub(crate) fn note(&self, entry: &Arc<Entry>, kind: UseKind, now: Timestamp) {
        if entry.note(kind, now) {
            let mut list = lock(&self.list);
            list.since.get_or_insert(now);
            list.entries.push(Arc::clone(entry));
        }
    }

    /// Where tokens are used from, and for which scopes.
    pub(crate) const fn sightings(&self) -> &Sightings {
        &self.sightings
    }

    /// Writes down everything noted so far, without a rest; how many tokens' uses. What cannot be written is kept for the
    /// next time.
    ///
    /// # Errors
    /// An error of the store.
    pub(crate) async fn flush(
        &self,
        store: &Store,
        clock: &dyn Clock,
        catalogue: &ScopeCatalogue,
    ) -> Result<usize, Failure> {
        let mut written = 0;
        loop {
            self.begin(clock.now()).await;
            let Some(unit) = self.write_unit(store).await? else { break };
            written += unit;
        }
        while self.sightings.write_unit(store, catalogue).await? > 0 {}
        Ok(written)
    }

    /// As [`Uses::flush_at_pace`], of where tokens were used from and for which scopes.
    pub(crate) async fn sightings_at_pace<F>(
        &self,
        store: &Store,
        catalogue: &ScopeCatalogue,
        share: impl Fn() -> FlushShare,
        rest: impl Fn(Duration) -> F,
    ) -> Result<(), Failure>
    where
        F: Future<Output = Next>,
    {
        loop {
            let begun = Instant::now();
            if self.sightings.write_unit(store, catalogue).await? == 0 || self.sightings.is_empty() {
                return Ok(());
            }
            match rest(share().rest_after(begun.elapsed())).await {
                Next::Unit => {}
                Next::Stop => return Ok(()),
            }
        }
    }

    /// Writes the uses noted so far in units of work with rests between them. The length of a rest follows from the `share` of
    /// time that writing may take at that moment; `rest` is given that length and says whether to go on. `rest` is not called
    /// after the last unit, nor while more tokens wait than are `remembered`: uses of evicted tokens take memory until they are
    /// written, and memory has to stay bounded by the cache. Uses that cannot be written are kept for the next time.
    ///
    /// # Errors
    /// An error of the store.
    pub(crate) async fn flush_at_pace<F>(
        &self,
        store: &Store,
        clock: &dyn Clock,
        remembered: &(dyn Fn() -> usize + Send + Sync),
        share: impl Fn() -> FlushShare,
        rest: impl Fn(Duration) -> F,
    ) -> Result<(), Failure>
    where
        F: Future<Output = Next>,
    {
        self.begin(clock.now()).await;
        loop {
            let begun = Instant::now();
            if self.write_unit(store).await?.is_none() {
                return Ok(());
            }
            let took = begun.elapsed();
            self.begin_hour(clock.now()).await;
            if self.waiting().is_idle() {
                return Ok(());
            }
            if self.waiting().exceeds(remembered()) {
                continue;
            }
            match rest(share().rest_after(took)).await {
                Next::Unit => {}
                Next::Stop => return Ok(()),
            }
        }
    }

    /// Frees evicted entries that are held only for their unwritten usage, once there are many of them: memory stays bounded
    /// by the cache, however slowly usage is written. The usage itself is kept.
    pub(crate) fn let_go(&self, remembered: usize) {
        self.waiting().let_go(remembered);
    }

    /// What waits to be written down.
    pub fn backlog(&self, now: Timestamp) -> Backlog {
        let (tokens, since) = self.waiting().backlog();
        Backlog { tokens, age: since.map_or(Span::micros(0), |since| now.since(since)) }
    }

    /// When a token was last used, as far as it is known here and perhaps not yet written down.
    pub(crate) fn last_used(&self, id: TokenId) -> Option<Timestamp> {
        self.waiting().last_used(id)
    }

    /// As [`last_used`](Self::last_used) for many tokens, each paired with a value that is returned with its time. Leaves out
    /// tokens without a use here.
    pub(crate) fn last_used_of<T>(&self, tokens: Vec<(T, TokenId)>) -> Vec<(T, Timestamp)> {
        let waiting = self.waiting();
        tokens.into_iter().filter_map(|(of, id)| waiting.last_used(id).map(|used| (of, used))).collect()
    }

    /// Updates tokens read from the database with their unwritten uses. Call it after the read.
    pub(crate) fn add_to<'t>(&self, tokens: impl IntoIterator<Item = &'t mut Token>) {
        let waiting = self.waiting();
        for token in tokens {
            token.last_used_at = token.last_used_at.max(waiting.last_used(token.id));
        }
    }

    /// Whether no usage is unwritten, or was written so recently that a read may have missed it.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting().is_empty()
    }

    /// While this guard is held no use moves from memory into the database, so the counts in the database and those of
    /// [`Uses::unwritten`] can be added. Waits for at most one unit of work.
    pub(crate) async fn still(&self) -> RwLockReadGuard<'_, ()> {
        self.passage.read().await
    }

    /// The counted but unwritten uses of a token. Call it under [`Uses::still`].
    pub(crate) fn unwritten(&self, id: TokenId) -> Vec<UsageHour> {
        self.waiting().unwritten(id)
    }

    /// Begins a round, if one is due.
    async fn begin(&self, now: Timestamp) {
        let passage = self.passage.write().await;
        let closed = self.waiting().close(now);
        if let Some(closed) = closed {
            // Outside the lock, which requests take: a million entries take a while.
            let round = closed.round();
            let done = self.waiting().begin(round);
            drop((done, closed));
        }
        drop(passage);
    }

    /// Begins a round if an hour is over and there are uses of it that are in none.
    async fn begin_hour(&self, now: Timestamp) {
        if !self.waiting().is_idle() {
            self.begin(now).await;
        }
    }

    /// Writes the next unit; how many tokens' uses, or nothing when nothing is left of any round.
    async fn write_unit(&self, store: &Store) -> Result<Option<usize>, Failure> {
        let _passage = self.passage.write().await;
        let Some((hour, part)) = self.waiting().next(AT_ONCE) else { return Ok(None) };
        let written = part.len();
        let unit = store.write(move |tx| {
            Box::pin(async move {
                let uses: Vec<TokenUse> = part.iter().filter_map(last_use).collect();
                let count = |noted: &Noted| TokenCount { token_id: noted.token_id(), hour, counts: noted.counts() };
                let counts: Vec<TokenCount> = part.iter().map(count).collect();
                tx.record_uses(&uses).await?;
                Ok::<_, Failure>(tx.add_counts(&counts).await?)
            })
        });
        unit.await?;
        self.waiting().advance(written);
        Ok(Some(written))
    }

    /// What waits, with everything in it that was noted so far.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        let mut waiting = lock(&self.waiting);
        let List { entries, since } = std::mem::take(&mut *lock(&self.list));
        waiting.add(entries, since);
        waiting
    }
}

fn last_use(noted: &Noted) -> Option<TokenUse> {
    noted.last_used().map(|last_used_at| TokenUse { token_id: noted.token_id(), last_used_at })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
