//! The last entries of the log, by what they touched: whether facts that another node read are still as it read them.
//!
//! # The rule
//!
//! A node that is about to read facts from the primary notes how far it has followed the log ([`Recent::mark`]), and keeps
//! the mark with what it read. Another node may use those facts as if it had read them itself if no entry that it has applied
//! lies beyond the mark and touches the token or its organisation ([`Recent::holds`]).
//!
//! # Why it holds
//!
//! What is read after an entry was seen in the log is at least as new as that entry. So the facts have all changes up to the
//! mark. Of those beyond it, the ones that this node has applied are looked up here. The ones that it has not applied yet will
//! raise the fence of what it keeps, as they do for what it read itself: it takes its stamp before it looks.
//!
//! A mark counts only in the log it was made in, not beyond what is applied here, and not from before the entries that are
//! remembered. Within one history the numbers of a log can be given away a second time only by a restore, which every node
//! notices as a registration that is gone or as clocks that went back; what was read until all have noticed is not used
//! ([`SETTLED`]). A node that has just started knows nothing of what was before: the database may have been restored a moment
//! ago, so it uses nothing either that was read until then.

use super::{Nanos, PATIENCE};
use std::collections::{HashMap, VecDeque};
use storage::model::{LogEntry, LogMark, Touched};
use token_domain::id::{OrganizationId, TokenId};
use token_domain::{Span, Timestamp};

/// Entries of a shard that are remembered at the most.
const MOST_KEPT: usize = 4_096;
/// How long an entry is remembered: for as long as facts are passed on, a minute, and as long as a node may go unheard.
const KEPT: Nanos = 60_000_000_000 + 2 * PATIENCE;
/// How long after a node started, or found its database replaced, the facts read by others do not count: each lost its lease within
/// this time, or has noticed too.
const SETTLED: Span = Span::seconds(6);

/// The last entries of the log that a node follows.
#[derive(Clone, Debug)]
pub struct Recent {
    /// Which log; empty before the first answer.
    log: String,
    shards: Vec<Shard>,
    /// Of each thing touched, the last entry in each shard.
    last: HashMap<u128, Vec<(usize, i64)>>,
    /// Facts read before this are not used.
    not_before: Timestamp,
}

#[derive(Clone, Debug, Default)]
struct Shard {
    /// The last entry that is not remembered.
    floor: i64,
    /// The last entry applied.
    end: i64,
    /// What was touched by the entries between that took something away, and when that was heard.
    kept: VecDeque<(i64, u128, Nanos)>,
}

impl Default for Recent {
    fn default() -> Self {
        Self { log: String::new(), shards: Vec::new(), last: HashMap::new(), not_before: Timestamp::EPOCH }
    }
}

impl Recent {
    /// Begins anew at these ends of a log. `replaced_at`: when the database was found to be another one than before, or none was
    /// known, by its clock.
    pub fn begin(&mut self, log: &str, ends: &[i64], replaced_at: Option<Timestamp>) {
        let not_before = replaced_at.map_or(self.not_before, |at| self.not_before.max(at + SETTLED));
        let shards = ends.iter().map(|end| Shard { floor: *end, end: *end, kept: VecDeque::new() }).collect();
        *self = Self { log: log.to_owned(), shards, last: HashMap::new(), not_before };
    }

    /// Knows no log until the next beginning.
    pub fn forget(&mut self) {
        self.log.clear();
    }

    /// Whether this is the log that is followed.
    pub fn is_of(&self, log: &str) -> bool {
        self.log == log
    }

    /// An entry was read. Call it before memory is told of it.
    pub fn note(&mut self, entry: &LogEntry, now: Nanos) {
        let Some(at) = usize::try_from(entry.place.shard).ok().filter(|at| *at < self.shards.len()) else { return };
        self.keep(at, entry, now);
        self.shards[at].end = self.shards[at].end.max(entry.place.seq);
        while self.shards[at].kept.len() > MOST_KEPT
            || self.shards[at].kept.front().is_some_and(|(_, _, heard)| now - heard > KEPT)
        {
            self.drop_first(at);
        }
    }

    /// Forgets what is too old, in every shard.
    pub fn sweep(&mut self, now: Nanos) {
        for at in 0..self.shards.len() {
            while self.shards[at].kept.front().is_some_and(|(_, _, heard)| now - heard > KEPT) {
                self.drop_first(at);
            }
        }
    }

    fn keep(&mut self, at: usize, entry: &LogEntry, now: Nanos) {
        let id = match entry.touched {
            Touched::Token(token) => token.uuid().as_u128(),
            Touched::Organization(organization) => organization.uuid().as_u128(),
            // It takes nothing away from what exists.
            Touched::Created(_) => return,
        };
        let seq = entry.place.seq;
        self.shards[at].kept.push_back((seq, id, now));
        let places = self.last.entry(id).or_default();
        match places.iter_mut().find(|(shard, _)| *shard == at) {
            Some((_, last)) => *last = (*last).max(seq),
            None => places.push((at, seq)),
        }
    }

    fn drop_first(&mut self, at: usize) {
        let Some((seq, id, _)) = self.shards[at].kept.pop_front() else { return };
        self.shards[at].floor = self.shards[at].floor.max(seq);
        if let Some(places) = self.last.get_mut(&id) {
            places.retain(|place| *place != (at, seq));
            if places.is_empty() {
                self.last.remove(&id);
            }
        }
    }

    /// How far the log was followed: for facts that are read from the primary after this call. Nothing before the first answer.
    pub fn mark(&self) -> Option<LogMark> {
        let ends = self.shards.iter().map(|shard| shard.end).collect();
        (!self.log.is_empty()).then(|| LogMark { log: self.log.clone(), ends })
    }

    /// Whether nothing that was applied has changed a token or its organisation since a mark, made at a moment by the database's
    /// clock. False as well if that is not known.
    pub fn holds(&self, mark: &LogMark, made_at: Timestamp, token: TokenId, organization: OrganizationId) -> bool {
        let is_known = !self.log.is_empty()
            && mark.log == self.log
            && mark.ends.len() == self.shards.len()
            && made_at >= self.not_before
            && mark.ends.iter().zip(&self.shards).all(|(end, shard)| (shard.floor..=shard.end).contains(end));
        let is_unchanged = |id: u128| {
            self.last.get(&id).is_none_or(|places| places.iter().all(|(shard, seq)| *seq <= mark.ends[*shard]))
        };
        is_known && is_unchanged(token.uuid().as_u128()) && is_unchanged(organization.uuid().as_u128())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use storage::model::LogPlace;
    use token_domain::id::{Id, Kind, Uuid};

    const T: u128 = 1;
    const O: u128 = 2;
    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

    fn id<K: Kind>(number: u128) -> Id<K> {
        Id::from_uuid(Uuid::from_u128(number))
    }

    fn token(number: u128) -> Touched {
        Touched::Token(id(number))
    }

    fn entry(shard: i16, seq: i64, touched: Touched) -> LogEntry {
        LogEntry { place: LogPlace { shard, seq }, touched, at: NOW }
    }

    /// A log of two shards, followed from 5 and 7.
    fn recent() -> Recent {
        let mut recent = Recent::default();
        recent.begin("1/1/9", &[5, 7], None);
        recent
    }

    fn mark(ends: [i64; 2]) -> LogMark {
        LogMark { log: "1/1/9".to_owned(), ends: ends.to_vec() }
    }

    fn holds(recent: &Recent, ends: [i64; 2]) -> bool {
        recent.holds(&mark(ends), NOW, id(T), id(O))
    }

    #[test]
    fn what_was_touched_beyond_the_mark_does_not_hold() {
        for (touched, changes) in [
            (token(T), true),
            (Touched::Organization(id(O)), true),
            (token(9), false),
            (Touched::Organization(id(9)), false),
            (Touched::Created(id(T)), false),
        ] {
            for shard in [0, 1] {
                let mut recent = recent();
                let end = if shard == 0 { 6 } else { 8 };
                recent.note(&entry(shard, end, touched), 1);
                assert_eq!(holds(&recent, [5, 7]), !changes, "{touched:?} in {shard}");
                let after = if shard == 0 { [6, 7] } else { [5, 8] };
                assert!(holds(&recent, after), "read after {touched:?} in {shard}");
                assert_eq!(recent.mark(), Some(mark(after)));
            }
        }
    }

    #[test]
    fn a_mark_counts_between_the_entries_that_are_remembered_and_those_applied() {
        let recent = recent();
        for (ends, expected) in
            [([5, 7], true), ([4, 7], false), ([5, 6], false), ([6, 7], false), ([5, 8], false), ([0, 0], false)]
        {
            assert_eq!(holds(&recent, ends), expected, "{ends:?}");
        }
        for log in ["1/2/9", "1/1/8", ""] {
            let other = LogMark { log: log.to_owned(), ..mark([5, 7]) };
            assert!(!recent.holds(&other, NOW, id(T), id(O)), "the log {log:?}");
        }
        let short = LogMark { ends: vec![5], ..mark([5, 7]) };
        assert!(!recent.holds(&short, NOW, id(T), id(O)));
        let empty = LogMark { log: String::new(), ends: Vec::new() };
        assert!(!Recent::default().holds(&empty, NOW, id(T), id(O)) && Recent::default().mark().is_none());
    }

    #[test]
    fn facts_from_around_a_replacement_of_the_database_do_not_count() {
        let mut recent = Recent::default();
        recent.begin("1/1/9", &[5, 7], Some(NOW));
        let at = |moment| recent.holds(&mark([5, 7]), moment, id(T), id(O));
        assert!(!at(NOW) && !at(NOW + Span::seconds(5)) && at(NOW + SETTLED));
        recent.begin("1/1/9", &[5, 7], None);
        assert!(!holds(&recent, [5, 7]), "another beginning does not end that");
    }

    #[test]
    fn what_is_forgotten_raises_the_floor() {
        let mut recent = recent();
        recent.note(&entry(0, 6, token(T)), 0);
        recent.sweep(KEPT);
        assert!(!holds(&recent, [5, 7]) && holds(&recent, [6, 7]), "remembered");
        recent.sweep(KEPT + 1);
        assert!(!holds(&recent, [5, 7]) && holds(&recent, [6, 7]), "forgotten, and below the floor");
        assert!(recent.last.is_empty());
        for seq in 7..10_000 {
            recent.note(&entry(0, seq, token(u128::try_from(seq).unwrap())), 0);
        }
        assert_eq!((recent.shards[0].kept.len(), recent.last.len()), (MOST_KEPT, MOST_KEPT));
        assert!(!holds(&recent, [9_999 - 4_097, 7]) && holds(&recent, [9_999 - 4_096, 7]));
    }
}
