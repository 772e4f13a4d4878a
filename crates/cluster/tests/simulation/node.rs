//! A node: the protocol's state machines, a memory behind fences, and what it has under way.

use cluster::protocol::{Follower, LEASE, Nanos, Peers, Proof, Question, Received, Ticket, Waiting};
use storage::model::{LogPlace, PollAnswer, RegisteredNode};
use token_domain::Timestamp;

use crate::database::{Database, TOKENS, node_id, number_of};

/// A change to the protocol that is known to break the promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// The stamp is taken after the read instead of before.
    StampAfterRead,
    /// Entries are applied when a notification said so, and the lease is renewed without.
    NotifyOnly,
    /// Misses read a replica.
    ReplicaRead,
    /// A use of memory makes it last longer.
    TouchOnHit,
    /// A commit whose wait for the standby was cancelled is taken for a success.
    CancelledCommit,
    /// A change is answered before the others have acknowledged it.
    AnswersBeforeAcknowledgements,
    /// A node that was taken off the list treats its report as written.
    ZombieWrite,
    /// The lease counts from the answer to the poll instead of from before it was sent.
    LeaseFromReceipt,
    /// A list that was read before the commit counts.
    ListBeforeCommit,
    /// A node that reported nothing yet counts as one that has applied everything.
    SilenceIsConsent,
    /// Nodes are taken off the list after half the time.
    HastyRemoval,
    /// The lease is renewed before the entries are applied.
    LeaseWithoutEntries,
    /// A report counts even if its numbers belong to another history of the database.
    NumbersOfAnotherHistory,
    /// A lease of a primary with a standby counts from the poll alone.
    LeaseOfReplacedPrimary,
    /// A server that drops its standby grants leases at once.
    LeaseWithoutQuarantine,
    /// What was seen of others at the primary before counts after a failover.
    SeenBeforeFailover,
    /// A repeated revocation is answered at once, though the first may not hold everywhere yet.
    RepetitionAtOnce,
}

impl Mistake {
    /// The mistakes that random schedules reach. The others have schedules of their own, in `scripts`.
    pub(crate) const BY_CHANCE: [Self; 12] = [
        Self::StampAfterRead,
        Self::NotifyOnly,
        Self::ReplicaRead,
        Self::TouchOnHit,
        Self::CancelledCommit,
        Self::AnswersBeforeAcknowledgements,
        Self::ZombieWrite,
        Self::LeaseFromReceipt,
        Self::SilenceIsConsent,
        Self::HastyRemoval,
        Self::LeaseWithoutEntries,
        Self::RepetitionAtOnce,
    ];
}

/// A clock that runs from the machine's start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub(crate) offset: Nanos,
    /// Thousandths that it runs too fast.
    pub(crate) error: Nanos,
}

impl Clock {
    pub(crate) const fn at(self, now: Nanos) -> Nanos {
        self.offset + now + now / 1000 * self.error
    }
}

/// A poll under way. Its parts are carried out one by one.
#[derive(Clone, Debug)]
pub(crate) struct PollUnderWay {
    question: Question,
    /// The poll advances in one of this many steps, on average.
    pub(crate) slowness: usize,
    is_registered: Option<bool>,
    clocks: Option<Vec<i64>>,
    entries: Option<Vec<storage::model::LogEntry>>,
    nodes: Option<Vec<RegisteredNode>>,
    history: String,
}

/// A miss under way: the token, when the client sent it, the stamp, and what was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Miss {
    pub(crate) token: usize,
    pub(crate) sent: u64,
    pub(crate) stamp: u64,
    pub(crate) is_revoked: Option<bool>,
}

/// A change under way.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// To be committed.
    Begun(usize),
    /// Committed, or not; the node does not know yet.
    Committed { token: usize, place: Option<LogPlace>, is_certain: bool },
    /// Waits for the others.
    Waits { token: usize, ticket: Ticket, until: Nanos },
}

/// What came of something a node did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Did {
    pub(crate) removed: u64,
    pub(crate) unregistered: u64,
}

/// One process.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says of itself whether one thing has happened to the node")]
pub(crate) struct Node {
    pub(crate) id: u128,
    pub(crate) clock: Clock,
    pub(crate) is_suspended: bool,
    pub(crate) is_cut_off: bool,
    pub(crate) is_registered: bool,
    pub(crate) is_notified: bool,
    follower: Follower,
    peers: Peers,
    pub(crate) waiting: Waiting,
    /// The last commit that the standby has, in schedules in which the primary goes on after a failover.
    pub(crate) proof: Option<Proof>,
    pub(crate) has_standby: bool,
    good_until: Nanos,
    raises: u64,
    fences: [u64; TOKENS],
    memory: [Option<u64>; TOKENS],
    pub(crate) poll: Option<PollUnderWay>,
    pub(crate) requests: Vec<(usize, u64)>,
    pub(crate) misses: Vec<Miss>,
    pub(crate) changes: Vec<Change>,
    pub(crate) acknowledged: Vec<Ticket>,
}

impl Node {
    pub(crate) fn new(id: u128, clock: Clock) -> Self {
        Self {
            id,
            clock,
            is_suspended: false,
            is_cut_off: false,
            is_registered: false,
            is_notified: false,
            follower: Follower::new(0),
            peers: Peers::default(),
            waiting: Waiting::default(),
            proof: None,
            has_standby: false,
            good_until: Nanos::MIN,
            raises: 0,
            fences: [0; TOKENS],
            memory: [None; TOKENS],
            poll: None,
            requests: Vec::new(),
            misses: Vec::new(),
            changes: Vec::new(),
            acknowledged: Vec::new(),
        }
    }

    pub(crate) const fn has_lease(&self, now: Nanos) -> bool {
        self.clock.at(now) < self.good_until
    }

    /// Whether memory may answer for the token.
    pub(crate) fn recall(&mut self, token: usize, now: Nanos, mistake: Option<Mistake>) -> bool {
        let Some(stamp) = self.memory[token] else { return false };
        if !self.has_lease(now) || self.fences[token] > stamp {
            return false;
        }
        if mistake == Some(Mistake::TouchOnHit) {
            self.good_until = self.clock.at(now) + LEASE;
        }
        true
    }

    pub(crate) const fn stamp(&self) -> u64 {
        self.raises
    }

    pub(crate) fn remember(&mut self, token: usize, stamp: u64) {
        if self.memory[token].is_none_or(|known| known <= stamp) {
            self.memory[token] = Some(stamp);
        }
    }

    pub(crate) fn outdate(&mut self, token: usize) {
        self.raises += 1;
        self.fences[token] = self.raises;
    }

    fn forget(&mut self) {
        self.raises += 1;
        self.fences = [self.raises; TOKENS];
    }

    /// The link to the database is lost: nothing under way on it comes to an answer.
    pub(crate) fn cut(&mut self) {
        self.poll = None;
        self.misses.clear();
        for change in &mut self.changes {
            if let Change::Committed { is_certain, .. } = change {
                *is_certain = false;
            }
        }
        // Changes that were not committed yet never will be.
        self.changes.retain(|change| !matches!(change, Change::Begun(_)));
    }

    /// Has a commit reach the standby.
    pub(crate) fn prove(&mut self, database: &mut Database, now: Nanos) {
        database.replicate();
        self.proof = Some(Proof { noted_at: self.clock.at(now), history: database.history() });
    }

    pub(crate) fn register(&mut self, id: u128, database: &mut Database, now: Nanos, mistake: Option<Mistake>) {
        self.id = id;
        let beat = self.clock.at(now);
        database.register(id, beat);
        self.follower = self.follower.registered_again(beat);
        if mistake != Some(Mistake::SeenBeforeFailover) {
            self.peers = Peers::default();
        }
        self.is_registered = true;
    }

    pub(crate) fn begin_poll(&mut self, now: Nanos, slowness: usize) {
        let question = self.follower.poll(self.clock.at(now));
        self.poll = Some(PollUnderWay {
            question,
            slowness,
            is_registered: None,
            clocks: None,
            entries: None,
            nodes: None,
            history: String::new(),
        });
    }

    /// The next part of the poll: at the database, or its answer's arrival.
    pub(crate) fn go_on_with_poll(&mut self, database: &mut Database, now: Nanos, mistake: Option<Mistake>) -> Did {
        let Some(poll) = &mut self.poll else { return Did::default() };
        if mistake == Some(Mistake::NumbersOfAnotherHistory) {
            poll.question.poll.history.clear();
        }
        let asked = &poll.question.poll;
        match poll {
            PollUnderWay { is_registered: None, .. } => poll.is_registered = Some(database.report(self.id, asked)),
            PollUnderWay { clocks: None, .. } => poll.clocks = Some(database.clocks()),
            PollUnderWay { entries: None, .. } => poll.entries = Some(database.entries_beyond(asked)),
            PollUnderWay { nodes: None, .. } => {
                poll.nodes = Some(database.nodes());
                poll.history = database.history();
            }
            PollUnderWay { .. } if self.is_suspended => {}
            PollUnderWay { .. } => return self.answered(database, now, mistake),
        }
        Did::default()
    }

    fn answered(&mut self, database: &mut Database, now: Nanos, mistake: Option<Mistake>) -> Did {
        let poll = self.poll.take().unwrap();
        let is_registered = poll.is_registered.unwrap() || mistake == Some(Mistake::ZombieWrite);
        let mut nodes = poll.nodes.unwrap();
        let answer = PollAnswer {
            is_registered,
            clocks: poll.clocks.unwrap(),
            entries: poll.entries.unwrap(),
            nodes: nodes.clone(),
            now: Timestamp::EPOCH,
            history: poll.history,
            has_standby: self.has_standby && mistake != Some(Mistake::LeaseOfReplacedPrimary),
        };
        let noted_at = poll.question.noted_at;
        let before = self.follower.clone();
        let news = match self.follower.receive(&poll.question, answer, self.proof.as_ref()) {
            Received::NotRegistered => {
                self.good_until = Nanos::MIN;
                self.forget();
                self.is_registered = false;
                return Did { unregistered: 1, ..Did::default() };
            }
            Received::News(news) => news,
        };
        let is_hinted = std::mem::take(&mut self.is_notified);
        if mistake == Some(Mistake::NotifyOnly) && !news.entries.is_empty() && !is_hinted {
            self.follower = before;
            self.good_until = self.good_until.max(noted_at + LEASE);
            return Did::default();
        }
        if news.forget.is_some() {
            self.forget();
        }
        if mistake != Some(Mistake::LeaseWithoutEntries) {
            for entry in &news.entries {
                self.outdate(number_of(entry.touched));
            }
        }
        self.good_until = self.follower.applied(news);
        if mistake == Some(Mistake::LeaseWithoutQuarantine) && !self.has_standby {
            self.good_until = noted_at + LEASE;
        }
        if mistake == Some(Mistake::LeaseFromReceipt) {
            self.good_until = self.clock.at(now) + LEASE;
        }
        if mistake == Some(Mistake::SilenceIsConsent) {
            for node in nodes.iter_mut().filter(|node| node.applied.is_empty()) {
                node.applied = vec![i64::MAX; crate::database::SHARDS];
            }
        }
        let noted_at = if mistake == Some(Mistake::ListBeforeCommit) { Nanos::MAX } else { noted_at };
        self.acknowledged.extend(self.waiting.observe(noted_at, node_id(self.id), &nodes));
        let haste = if mistake == Some(Mistake::HastyRemoval) { 2 } else { 1 };
        let gone = self.peers.observe(self.clock.at(now) * haste, node_id(self.id), &nodes);
        let removed = gone.iter().filter(|(id, beat)| database.remove(id.uuid().as_u128(), *beat)).count();
        Did { removed: u64::try_from(removed).unwrap(), unregistered: 0 }
    }
}
