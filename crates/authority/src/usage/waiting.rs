//! Unwritten uses, in the order in which they will be written: rounds first, then entries used since.
//!
//! Entries are found by their token in a table. A validation only appends to a list; readers and the writer of rounds move
//! the list into the table, so that an entry is in one of the two.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use hashbrown::HashTable;
use token_domain::Timestamp;
use token_domain::id::TokenId;
use token_domain::usage::{Hour, UsageHour, UseCounts};

use super::round::Round;
use crate::memory::{Entry, Noted};

/// The most unfinished rounds: one of an earlier hour and one of this hour. The next begins when one of them is done. So
/// memory stays bounded in an outage of several hours, but uses in it may be counted in a wrong hour.
const MOST_ROUNDS: usize = 2;

/// Evicted entries may wait here up to this number plus a quarter of the remembered entries. Then at least one entry in five
/// is evicted, so a search for evicted entries looks at no more than five for each that it frees.
const LEFT: usize = 256;

/// Entries used since the last round began. Each entry is here once; a token whose entry was replaced has several.
#[derive(Debug, Default)]
pub(super) struct Used {
    by_token: HashTable<Arc<Entry>>,
    /// The uses of entries that were freed, once for each token: a fraction of the memory that the entries took.
    noted: HashTable<Noted>,
    hasher: RandomState,
    /// When the first was noted.
    since: Option<Timestamp>,
}

/// Everything that waits.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    open: Used,
    /// The entries being sorted for the next round.
    closing: Option<Arc<Used>>,
    /// The oldest first.
    rounds: Vec<Round>,
}

impl Used {
    fn add(&mut self, entries: Vec<Arc<Entry>>, since: Option<Timestamp>) {
        let hash = |entry: &Arc<Entry>| self.hasher.hash_one(entry.token_id());
        self.by_token.reserve(entries.len(), hash);
        for entry in entries {
            self.by_token.insert_unique(hash(&entry), entry, hash);
        }
        self.since = self.since.or(since);
    }

    fn of(&self, id: TokenId) -> impl Iterator<Item = &Arc<Entry>> {
        self.by_token.iter_hash(self.hasher.hash_one(id)).filter(move |entry| entry.token_id() == id)
    }

    /// Frees the entries that only this table still refers to, and keeps their uses.
    fn let_go(&mut self) {
        let Self { by_token, noted, hasher, .. } = self;
        let hash = |of: &Noted| hasher.hash_one(of.token_id());
        // This table holds the only reference to such an entry and gives out no other, so its counts are final.
        let gone = by_token.extract_if(|entry| Arc::strong_count(entry) == 1).filter_map(Arc::into_inner);
        for uses in gone.map(|entry| entry.take_uses()) {
            let is_joined = noted.iter_hash_mut(hash(&uses)).any(|known| known.join(&uses));
            if !is_joined {
                noted.insert_unique(hash(&uses), uses, hash);
            }
        }
    }

    fn len(&self) -> usize {
        self.by_token.len() + self.noted.len()
    }

    fn last_used(&self, id: TokenId) -> Option<Timestamp> {
        let noted = self.noted_of(id).filter_map(Noted::last_used);
        self.of(id).filter_map(|entry| entry.last_used()).chain(noted).max()
    }

    fn counts(&self, id: TokenId) -> impl Iterator<Item = UseCounts> {
        self.of(id).map(|entry| entry.noted()).chain(self.noted_of(id).map(Noted::counts))
    }

    fn noted_of(&self, id: TokenId) -> impl Iterator<Item = &Noted> {
        self.noted.iter_hash(self.hasher.hash_one(id)).filter(move |noted| noted.token_id() == id)
    }

    /// Takes the uses out of the entries. Those noted from here on put their entries into the list again.
    pub(super) fn round(&self) -> Option<Round> {
        let entries = self.by_token.iter().map(|entry| entry.take_uses());
        Some(Round::new(self.since?, entries.chain(self.noted.iter().copied())))
    }
}

impl Waiting {
    /// Adds entries that were used, the first of them at that moment.
    pub(super) fn add(&mut self, entries: Vec<Arc<Entry>>, since: Option<Timestamp>) {
        self.open.add(entries, since);
    }

    /// Lets go of entries that nobody remembers any longer, if there are many of them.
    pub(super) fn let_go(&mut self, remembered: usize) {
        if self.open.by_token.len() > remembered + remembered / 4 + LEFT {
            self.open.let_go();
        }
    }

    /// Closes the open entries if a round is due: no other is unfinished, or the open entries belong to a past hour and another
    /// round may begin. Reads find the closed entries until [`Waiting::begin`].
    pub(super) fn close(&mut self, now: Timestamp) -> Option<Arc<Used>> {
        let since = self.open.since?;
        let unfinished = self.rounds.iter().filter(|round| round.left() > 0).count();
        let is_over = Hour::of(since) < Hour::of(now);
        if unfinished > 0 && (unfinished >= MOST_ROUNDS || !is_over) {
            return None;
        }
        let closing = Arc::new(std::mem::take(&mut self.open));
        self.closing = Some(Arc::clone(&closing));
        Some(closing)
    }

    /// Replaces the closed entries by their round, and returns the finished rounds for the caller to drop.
    pub(super) fn begin(&mut self, round: Option<Round>) -> Vec<Round> {
        self.closing = None;
        let done = self.rounds.extract_if(.., |round| round.left() == 0).collect();
        self.rounds.extend(round);
        done
    }

    /// The next uses to write, at most `most`, and the hour they are counted in.
    pub(super) fn next(&self, most: usize) -> Option<(Hour, Vec<Noted>)> {
        let round = self.rounds.iter().find(|round| round.left() > 0)?;
        Some((round.hour(), round.next(most).to_vec()))
    }

    /// Marks the next `written` uses as written.
    pub(super) fn advance(&mut self, written: usize) {
        if let Some(round) = self.rounds.iter_mut().find(|round| round.left() > 0) {
            round.advance(written);
        }
    }

    /// Whether nothing is here, not even the rows that the last round has written already.
    pub(super) fn is_empty(&self) -> bool {
        self.open.len() == 0 && self.closing.is_none() && self.rounds.is_empty()
    }

    /// Whether every round is written.
    pub(super) fn is_idle(&self) -> bool {
        self.rounds.iter().all(|round| round.left() == 0)
    }

    /// Whether more entries wait than are remembered: then some are alive only because they wait.
    pub(super) fn exceeds(&self, remembered: usize) -> bool {
        self.open.len() > remembered || self.rounds.iter().any(|round| round.left() > remembered)
    }

    /// The number of tokens with unwritten uses, and the time of the earliest use. A token counts once for each round it is in.
    pub(super) fn backlog(&self) -> (usize, Option<Timestamp>) {
        let rounds = self.rounds.iter().filter(|round| round.left() > 0);
        let closing = self.closing.as_deref();
        let left: usize = rounds.clone().map(Round::left).sum();
        let entries = self.open.len() + closing.map_or(0, Used::len);
        let first = rounds.map(Round::since).next();
        (left + entries, first.or(closing.and_then(|used| used.since)).or(self.open.since))
    }

    /// When a token was last used, as far as it is known here.
    pub(super) fn last_used(&self, id: TokenId) -> Option<Timestamp> {
        let closing = self.closing.as_ref().and_then(|used| used.last_used(id));
        let rounds = self.rounds.iter().filter_map(|round| round.last_used(id));
        rounds.chain(self.open.last_used(id)).chain(closing).max()
    }

    /// The counted but unwritten uses of a token. Must not be called while entries are being closed.
    pub(super) fn unwritten(&self, id: TokenId) -> Vec<UsageHour> {
        let rounds = self.rounds.iter().flat_map(|round| round.unwritten(id));
        let open = self
            .open
            .since
            .map(Hour::of)
            .into_iter()
            .flat_map(|hour| self.open.counts(id).map(move |counts| UsageHour { hour, counts }));
        rounds.chain(open).collect()
    }
}
