//! A node's own side: what it has applied, and until when it may answer from memory.

use super::{LEASE, MOST_ENTRIES, Nanos, QUARANTINE};
use storage::model::{LogEntry, Poll, PollAnswer};

/// Follows the log in the name of one registration.
#[derive(Clone, Debug)]
pub struct Follower {
    /// The number of the last report that was answered, and of the last one sent.
    confirmed: i64,
    attempted: i64,
    /// Of each shard, the last entry applied; nothing before the first answer.
    applied: Vec<i64>,
    /// Of the database, as of the last answer.
    history: Option<String>,
    /// Of the server that answered last, whether or not anything was applied in the name of this registration.
    server: Option<String>,
    standby: Standby,
    good_until: Nanos,
}

/// What the server said about a standby that its commits wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standby {
    /// It never named one, or not for a long time.
    None,
    /// It names one.
    Named,
    /// It named one before, and none since this moment.
    Dropped(Nanos),
}

/// A poll, and the moment noted before it is sent.
#[derive(Clone, Debug)]
pub struct Question {
    /// What to send.
    pub poll: Poll,
    /// The moment.
    pub noted_at: Nanos,
}

/// A commit that the standby has, begun after a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The moment.
    pub noted_at: Nanos,
    /// Of the database that committed.
    pub history: String,
}

/// The result of an answer to a poll.
#[derive(Clone, Debug)]
pub enum Received {
    /// To be applied, and then [`Follower::applied`].
    News(News),
    /// The node is not on the list. It must forget everything and register under another id.
    NotRegistered,
}

/// The news that memory has to apply before the lease may begin.
#[derive(Clone, Debug)]
#[must_use = "the lease is renewed by `Follower::applied`, once memory has heard this"]
pub struct News {
    /// The reason, if everything is outdated.
    pub forget: Option<Forget>,
    /// Entries, in order within each shard.
    pub entries: Vec<LogEntry>,
    ends: Vec<i64>,
    standby: Standby,
    lease: Lease,
}

/// What an answer does to the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lease {
    /// It lasts until then at least.
    Until(Nanos),
    /// It is not renewed: the standby may have taken over.
    Kept,
    /// It ends at once: the server dropped its standby, as a replaced one does before it is stopped.
    Ended,
}

/// Why everything in memory is outdated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forget {
    /// Nothing was followed before.
    Begin,
    /// The log lacks entries that were not applied, or has more than are read at once.
    Behind,
    /// Another server has the database, or another copy of it.
    OtherHistory,
    /// The log ends before what was applied: the database went back to an earlier state.
    Backwards,
}

impl Follower {
    /// For a node that is on the list, with this number.
    pub const fn new(beat: i64) -> Self {
        Self {
            confirmed: beat,
            attempted: beat,
            applied: Vec::new(),
            history: None,
            server: None,
            standby: Standby::None,
            good_until: 0,
        }
    }

    /// The same node under another registration, with this number. It has applied nothing, and knows the server as before.
    #[must_use]
    pub fn registered_again(&self, beat: i64) -> Self {
        Self { server: self.server.clone(), standby: self.standby, ..Self::new(beat) }
    }

    /// The next poll. `now` is noted: send it afterwards.
    ///
    /// The number of the report is the moment. So two processes with one memory, as a machine that was copied while it ran
    /// makes them, do not pass for each other: the report of one is refused.
    pub fn poll(&mut self, now: Nanos) -> Question {
        let beat = now.max(self.attempted + 1);
        let expected = [self.confirmed, self.attempted];
        self.attempted = beat;
        let history = self.history.clone().unwrap_or_default();
        let poll = Poll { beat, expected, history, applied: self.applied.clone(), limit: MOST_ENTRIES };
        Question { poll, noted_at: now }
    }

    /// Takes the answer to the last poll, with the last commit that the standby is known to have.
    pub fn receive(&mut self, question: &Question, answer: PollAnswer, proof: Option<&Proof>) -> Received {
        if !answer.is_registered {
            return Received::NotRegistered;
        }
        self.confirmed = question.poll.beat;
        let proven_at = proof.filter(|proof| proof.history == answer.history).map(|proof| proof.noted_at);
        let standby = self.standby_after(&answer, question.noted_at);
        let lease = match (standby, proven_at) {
            (Standby::None, _) => Lease::Until(question.noted_at + LEASE),
            (Standby::Named, Some(proven_at)) => Lease::Until(proven_at.min(question.noted_at) + LEASE),
            (Standby::Named, None) => Lease::Kept,
            (Standby::Dropped(_), _) => Lease::Ended,
        };
        let (forget, entries, ends) = match self.follow(&answer) {
            Ok(ends) => (None, answer.entries, ends),
            // Entries beyond these ends are read again.
            Err(why) => (Some(why), Vec::new(), answer.clocks),
        };
        self.server = Some(answer.history.clone());
        self.history = Some(answer.history);
        Received::News(News { forget, entries, ends, standby, lease })
    }

    /// What is known of the standby after an answer. A server that named one and names none is quarantined for a time, unless it
    /// is another server: a cluster manager that finds a replaced primary running drops its standby first and stops it then.
    fn standby_after(&self, answer: &PollAnswer, now: Nanos) -> Standby {
        let is_same_server = self.server.as_ref() == Some(&answer.history);
        match self.standby {
            _ if answer.has_standby => Standby::Named,
            // One that was replaced: of one database the higher timeline is the newer one.
            _ if self.server.as_ref().is_some_and(|known| is_before(&answer.history, known)) => Standby::Dropped(now),
            Standby::Named if is_same_server => Standby::Dropped(now),
            Standby::Dropped(since) if is_same_server && now - since < QUARANTINE => Standby::Dropped(since),
            Standby::None | Standby::Named | Standby::Dropped(_) => Standby::None,
        }
    }

    /// The ends after the entries, if those are all that is new.
    fn follow(&self, answer: &PollAnswer) -> Result<Vec<i64>, Forget> {
        match &self.history {
            Some(known) if *known != answer.history => return Err(Forget::OtherHistory),
            Some(_) if self.applied.len() == answer.clocks.len() => {}
            Some(_) | None => return Err(Forget::Begin),
        }
        if self.applied.iter().zip(&answer.clocks).any(|(applied, clock)| clock < applied) {
            return Err(Forget::Backwards);
        }
        let mut ends = self.applied.clone();
        for entry in &answer.entries {
            let end = usize::try_from(entry.place.shard).ok().and_then(|shard| ends.get_mut(shard));
            match end {
                Some(end) if entry.place.seq == *end + 1 => *end += 1,
                Some(_) | None => return Err(Forget::Behind),
            }
        }
        // The clocks were read before the entries, which may be more than they say, and must not be less.
        if ends.iter().zip(&answer.clocks).any(|(end, clock)| end < clock) { Err(Forget::Behind) } else { Ok(ends) }
    }

    /// Memory has heard the news. The end of the lease, which is taken up now.
    pub fn applied(&mut self, news: News) -> Nanos {
        self.applied = news.ends;
        self.standby = news.standby;
        self.good_until = match news.lease {
            Lease::Until(until) => self.good_until.max(until),
            Lease::Kept => self.good_until,
            Lease::Ended => 0,
        };
        self.good_until
    }

    /// The number of the last report sent.
    pub const fn beat(&self) -> i64 {
        self.attempted
    }

    /// Of each shard, the last entry applied; empty before the first.
    pub fn ends(&self) -> &[i64] {
        &self.applied
    }
}

/// Whether a server's history, its database and its timeline, is an earlier one of the same database.
fn is_before(history: &str, known: &str) -> bool {
    match (history.split_once('/'), known.split_once('/')) {
        (Some((database, timeline)), Some((same, newer))) => database == same && timeline < newer,
        _ => false,
    }
}

impl News {
    /// Of each shard, the last entry once this is applied.
    pub fn ends(&self) -> &[i64] {
        &self.ends
    }

    /// Whether others may wait to hear that this is applied.
    pub const fn is_awaited(&self) -> bool {
        self.forget.is_some() || !self.entries.is_empty()
    }

    /// Whether the server's commits wait for a standby, as far as is known: also in the quarantine of one that just dropped it.
    pub const fn has_standby(&self) -> bool {
        !matches!(self.standby, Standby::None)
    }

    /// Whether the server dropped its standby a moment ago. A change that it acknowledged may be on no other server.
    pub const fn is_quarantined(&self) -> bool {
        matches!(self.standby, Standby::Dropped(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use storage::model::{LogPlace, Touched};
    use token_domain::Timestamp;
    use token_domain::id::{Id, Uuid};

    const NOW: Nanos = 1_000;

    fn entry(shard: i16, seq: i64) -> LogEntry {
        let touched = Touched::Token(Id::from_uuid(Uuid::from_u128(1)));
        LogEntry { place: LogPlace { shard, seq }, touched, at: Timestamp::EPOCH }
    }

    fn answer(clocks: [i64; 2], entries: &[(i16, i64)]) -> PollAnswer {
        PollAnswer {
            is_registered: true,
            clocks: clocks.to_vec(),
            entries: entries.iter().map(|&(shard, seq)| entry(shard, seq)).collect(),
            nodes: Vec::new(),
            now: Timestamp::EPOCH,
            history: "1/1".to_owned(),
            has_standby: false,
        }
    }

    fn news(follower: &mut Follower, now: Nanos, answer: PollAnswer) -> News {
        let question = follower.poll(now);
        match follower.receive(&question, answer, None) {
            Received::News(news) => news,
            Received::NotRegistered => panic!("it is registered"),
        }
    }

    /// One that has applied 5 entries of the first shard, and 7 of the second.
    fn following() -> Follower {
        let mut follower = Follower::new(1);
        let begun = news(&mut follower, NOW, answer([5, 7], &[]));
        assert_eq!(begun.forget, Some(Forget::Begin));
        assert_eq!(follower.applied(begun), NOW + LEASE);
        assert_eq!(follower.ends(), [5, 7]);
        follower
    }

    #[test]
    fn what_is_new_is_applied_in_order_and_anything_odd_empties_the_memory() {
        let other_history = PollAnswer { history: "1/2".to_owned(), ..answer([5, 7], &[]) };
        let other_shards = PollAnswer { clocks: vec![5], ..answer([5, 7], &[]) };
        let table = [
            (answer([5, 7], &[]), None, [5, 7]),
            (answer([6, 9], &[(0, 6), (1, 8), (1, 9)]), None, [6, 9]),
            // Committed between the two statements.
            (answer([5, 7], &[(0, 6)]), None, [6, 7]),
            (answer([6, 7], &[]), Some(Forget::Behind), [6, 7]),
            (answer([7, 7], &[(0, 7)]), Some(Forget::Behind), [7, 7]),
            (answer([9, 7], &[(0, 6), (0, 7)]), Some(Forget::Behind), [9, 7]),
            (answer([5, 7], &[(2, 1)]), Some(Forget::Behind), [5, 7]),
            (answer([4, 7], &[]), Some(Forget::Backwards), [4, 7]),
            (answer([4, 9], &[(1, 8), (1, 9)]), Some(Forget::Backwards), [4, 9]),
            (other_history, Some(Forget::OtherHistory), [5, 7]),
        ];
        for (answer, forget, ends) in table {
            let mut follower = following();
            let news = news(&mut follower, NOW + 1, answer.clone());
            assert_eq!(news.forget, forget, "{answer:?}");
            assert_eq!(news.entries.is_empty(), forget.is_some() || answer.entries.is_empty(), "{answer:?}");
            assert_eq!(follower.ends(), [5, 7], "nothing is applied before memory has heard it");
            assert_eq!(follower.applied(news), NOW + 1 + LEASE);
            assert_eq!(follower.ends(), ends, "{answer:?}");
        }
        let mut follower = following();
        assert_eq!(news(&mut follower, NOW, other_shards).forget, Some(Forget::Begin));
    }

    #[test]
    fn a_lease_counts_from_before_the_poll_and_never_shrinks() {
        let mut follower = following();
        let question = follower.poll(NOW + 9);
        let Received::News(late) = follower.receive(&question, answer([5, 7], &[]), None) else { panic!() };
        assert_eq!(follower.applied(late), NOW + 9 + LEASE);
        let earlier = news(&mut follower, NOW + 3, answer([5, 7], &[]));
        assert_eq!(follower.applied(earlier), NOW + 9 + LEASE);
    }

    #[test]
    fn where_a_standby_may_take_over_a_lease_counts_from_the_last_commit_that_it_has() {
        let proof = |noted_at, history: &str| Some(Proof { noted_at, history: history.to_owned() });
        let before = NOW + LEASE;
        for (proof, good_until) in [
            (None, before),
            (proof(NOW + 3, "1/1"), NOW + 3 + LEASE),
            (proof(NOW + 9, "1/1"), NOW + 9 + LEASE),
            (proof(NOW + 12, "1/1"), NOW + 9 + LEASE),
            (proof(NOW - 5, "1/1"), before),
            (proof(NOW + 9, "1/2"), before),
        ] {
            let mut follower = following();
            let question = follower.poll(NOW + 9);
            let answer = PollAnswer { has_standby: true, ..answer([6, 7], &[(0, 6)]) };
            let Received::News(news) = follower.receive(&question, answer, proof.as_ref()) else { panic!() };
            assert_eq!(follower.applied(news), good_until, "{proof:?}");
            assert_eq!(follower.ends(), [6, 7], "what is new is applied all the same");
        }
    }

    #[test]
    fn a_server_that_drops_its_standby_is_quarantined() {
        let mut follower = following();
        let take = |follower: &mut Follower, now: Nanos, has_standby, history: &str| {
            let proof = Proof { noted_at: now, history: history.to_owned() };
            let question = follower.poll(now);
            let answer = PollAnswer { has_standby, history: history.to_owned(), ..answer([5, 7], &[]) };
            let Received::News(news) = follower.receive(&question, answer, Some(&proof)) else { panic!() };
            let seen = (news.has_standby(), news.is_quarantined());
            (seen, follower.applied(news))
        };
        let mut now = NOW + LEASE;
        assert_eq!(take(&mut follower, now, true, "1/1"), ((true, false), now + LEASE));
        for passed in [1, 2, QUARANTINE] {
            assert_eq!(take(&mut follower, now + passed, false, "1/1"), ((true, true), 0), "{passed}");
        }
        // One that a cluster manager keeps without its standby is used again.
        now += 1 + QUARANTINE;
        assert_eq!(take(&mut follower, now, false, "1/1"), ((false, false), now + LEASE));
        // A standby that comes back ends the quarantine.
        assert_eq!(take(&mut follower, now + 1, true, "1/1"), ((true, false), now + 1 + LEASE));
        assert_eq!(take(&mut follower, now + 2, false, "1/1"), ((true, true), 0));
        assert_eq!(take(&mut follower, now + 3, true, "1/1"), ((true, false), now + 3 + LEASE));
        // Another registration does not end a quarantine.
        let mut follower = follower.registered_again(now + 3);
        let question = follower.poll(now + 4);
        assert_eq!(question.poll.history, "", "nothing is applied in its name");
        let Received::News(news) = follower.receive(&question, answer([5, 7], &[]), None) else { panic!() };
        assert!(news.is_quarantined());
        assert_eq!(follower.applied(news), 0);
        // Another server may begin without one, and the one before is not trusted again at once.
        assert_eq!(take(&mut follower, now + 4, false, "1/2"), ((false, false), now + 4 + LEASE));
        assert_eq!(take(&mut follower, now + 5, false, "1/1"), ((true, true), 0));
        assert_eq!(take(&mut follower, now + 6, false, "1/2"), ((false, false), now + 6 + LEASE));
        // A copy of another database is a restore.
        assert_eq!(take(&mut follower, now + 7, false, "0/1"), ((false, false), now + 7 + LEASE));
    }

    #[test]
    fn a_node_that_is_not_on_the_list_gets_no_lease() {
        let mut follower = following();
        let question = follower.poll(NOW + 1);
        let refused = PollAnswer { is_registered: false, ..answer([5, 7], &[]) };
        assert!(matches!(follower.receive(&question, refused, None), Received::NotRegistered));
    }

    #[test]
    fn a_report_whose_answer_was_lost_is_expected_and_no_other() {
        let mut follower = following();
        let lost = follower.poll(NOW + 5);
        assert_eq!(lost.poll.expected, [NOW, NOW]);
        let next = follower.poll(NOW + 5);
        assert_eq!(next.poll.beat, NOW + 6, "each has a number of its own");
        assert_eq!(next.poll.expected, [NOW, NOW + 5]);
    }
}
