//! The uses that one round writes to the database: those of many tokens, taken out of their entries and sorted by token id.
//!
//! The order is that of the tables, so that a unit of work touches few pages, and the same on every node, so that nodes
//! that write at once wait for each other instead of deadlocking.

use token_domain::Timestamp;
use token_domain::id::TokenId;
use token_domain::usage::{Hour, UsageHour};

use crate::memory::Noted;

/// Uses on their way into the database, all counted in one hour.
#[derive(Debug)]
pub(super) struct Round {
    /// When the first of them was noted.
    since: Timestamp,
    rows: Vec<Noted>,
    /// How many of `rows` are written. Written rows stay until the next round begins, so that a reader that looks in the
    /// database first and here second misses no row written in between.
    written: usize,
}

impl Round {
    /// Collects the uses. A token whose entry was replaced occurs more than once: its uses are added up.
    pub(super) fn new(since: Timestamp, uses: impl Iterator<Item = Noted>) -> Self {
        let mut rows: Vec<Noted> = uses.filter(|noted| !noted.is_empty()).collect();
        rows.sort_unstable_by_key(Noted::token_id);
        rows.dedup_by(|next, kept| kept.join(next));
        Self { since, rows, written: 0 }
    }

    pub(super) const fn since(&self) -> Timestamp {
        self.since
    }

    /// The hour that all of it is counted in.
    pub(super) fn hour(&self) -> Hour {
        Hour::of(self.since)
    }

    /// How many tokens' uses are not written yet.
    pub(super) fn left(&self) -> usize {
        self.rows.len() - self.written
    }

    /// The next uses to write, at most `most`.
    pub(super) fn next(&self, most: usize) -> &[Noted] {
        let left = &self.rows[self.written..];
        &left[..left.len().min(most)]
    }

    /// Marks the next `written` rows as written.
    pub(super) fn advance(&mut self, written: usize) {
        self.written += written;
    }

    /// When a token was last used, as far as this round knows.
    pub(super) fn last_used(&self, id: TokenId) -> Option<Timestamp> {
        self.of(id).filter_map(|(_, noted)| noted.last_used()).max()
    }

    /// The counted but unwritten uses of a token.
    pub(super) fn unwritten(&self, id: TokenId) -> impl Iterator<Item = UsageHour> {
        let hour = self.hour();
        let left = self.of(id).filter(|(at, _)| *at >= self.written);
        left.map(move |(_, noted)| UsageHour { hour, counts: noted.counts() })
    }

    fn of(&self, id: TokenId) -> impl Iterator<Item = (usize, &Noted)> {
        let first = self.rows.partition_point(|noted| noted.token_id() < id);
        self.rows.iter().enumerate().skip(first).take_while(move |(_, noted)| noted.token_id() == id)
    }
}

#[cfg(test)]
mod tests {
    use token_domain::id::Id;

    use super::*;

    fn id(number: u8) -> TokenId {
        Id::from_uuid(uuid(number))
    }

    fn uuid(number: u8) -> token_domain::id::Uuid {
        token_domain::id::Uuid::from_u128(u128::from(number))
    }

    fn noted(number: u8, at: i64, counts: [u32; 3]) -> Noted {
        Noted::new(id(number), (at > 0).then(|| Timestamp::from_micros(at)), counts)
    }

    #[test]
    fn a_round_is_in_order_and_has_each_token_once() {
        let uses = [
            noted(3, 5, [1, 0, 0]),
            noted(1, 0, [0, 0, 2]),
            noted(3, 9, [2, 1, 0]),
            noted(2, 0, [0, 0, 0]),
            noted(3, 7, [0, 0, 1]),
        ];
        let mut round = Round::new(Timestamp::from_micros(1), uses.into_iter());
        assert_eq!(round.next(10), [noted(1, 0, [0, 0, 2]), noted(3, 9, [3, 1, 1])]);
        assert_eq!(round.next(1).len(), 1);
        assert_eq!((round.last_used(id(1)), round.last_used(id(2))), (None, None));
        round.advance(2);
        assert_eq!((round.left(), round.unwritten(id(3)).count()), (0, 0));
        assert_eq!(round.last_used(id(3)), Some(Timestamp::from_micros(9)), "it is still found");
    }

    #[test]
    fn counts_that_do_not_fit_together_stay_apart() {
        let uses = [noted(1, 1, [u32::MAX, 0, 0]), noted(1, 2, [1, 0, 0])];
        let round = Round::new(Timestamp::from_micros(1), uses.into_iter());
        let allowed: u64 = round.unwritten(id(1)).map(|part| part.counts.allowed).sum();
        assert_eq!((round.left(), allowed), (2, u64::from(u32::MAX) + 1));
        assert_eq!(round.last_used(id(1)), Some(Timestamp::from_micros(2)));
    }
}
