//! A schedule: what happens in which order, drawn from a seed, and what clients see of it.

use cluster::protocol::Nanos;

use crate::chance::Chance;
use crate::database::{Commit, Database, TOKENS};
use crate::node::{Change, Clock, Miss, Mistake, Node};

const NODES: usize = 3;
/// Things that happen in a schedule.
const STEPS: u64 = 400;

/// What came of a schedule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) violation: Option<String>,
    pub(crate) acknowledged: u64,
    pub(crate) waited_out: u64,
    pub(crate) hits: u64,
    pub(crate) refused_afterwards: u64,
    pub(crate) without_lease: u64,
    pub(crate) removed: u64,
    pub(crate) unregistered: u64,
    pub(crate) failovers: u64,
    pub(crate) unknown: u64,
}

impl Outcome {
    pub(crate) fn add(&mut self, other: &Self) {
        self.acknowledged += other.acknowledged;
        self.waited_out += other.waited_out;
        self.hits += other.hits;
        self.refused_afterwards += other.refused_afterwards;
        self.without_lease += other.without_lease;
        self.removed += other.removed;
        self.unregistered += other.unregistered;
        self.failovers += other.failovers;
        self.unknown += other.unknown;
    }
}

struct World {
    chance: Chance,
    mistake: Option<Mistake>,
    is_told: bool,
    now: Nanos,
    /// The order of events, as clients see it.
    step: u64,
    ids: u128,
    database: Database,
    nodes: Vec<Node>,
    /// When the revocation of a token was answered.
    answered: [Option<u64>; TOKENS],
    outcome: Outcome,
}

/// Plays a schedule; told step by step if asked for.
pub(crate) fn play(seed: u64, mistake: Option<Mistake>, is_told: bool) -> Outcome {
    let mut chance = Chance::new(seed);
    let nodes = (0..NODES)
        .map(|_| {
            let error = chance.pick(&[-19, 0, 0, 19]);
            // Far apart, since nothing may depend on what the clocks show.
            let offset = 1_000_000_000_000 + Nanos::try_from(chance.below(1_000)).unwrap() * 3_600_000_000_000;
            Node::new(0, Clock { offset, error })
        })
        .collect();
    let mut world = World {
        chance,
        mistake,
        is_told,
        now: 0,
        step: 0,
        ids: 0,
        database: Database::default(),
        nodes,
        answered: [None; TOKENS],
        outcome: Outcome::default(),
    };
    while world.step < STEPS && world.outcome.violation.is_none() {
        world.step += 1;
        world.happen();
    }
    world.outcome
}

impl World {
    #[expect(clippy::print_stdout, reason = "a schedule that failed is told step by step to whoever replays it")]
    fn tell(&self, what: impl FnOnce() -> String) {
        if self.is_told {
            println!("{:>4} {:>9} µs  {}", self.step, self.now / 1_000, what());
        }
    }

    fn happen(&mut self) {
        let at = self.chance.below(NODES);
        match self.chance.below(100) {
            0..14 => self.time_passes(),
            14..24 => self.client_asks(at),
            24..28 => self.client_revokes(at),
            28..30 => self.trouble(at),
            30..32 => self.recovery(at),
            _ => self.node_works(at),
        }
    }

    fn time_passes(&mut self) {
        let micros: Nanos = if self.chance.once_in(12) {
            self.chance.pick(&[900_000, 2_600_000, 5_100_000])
        } else {
            self.chance.pick(&[1, 10, 100, 1_000, 10_000, 50_000, 100_000, 300_000])
        };
        self.now += micros * 1_000;
    }

    fn client_asks(&mut self, at: usize) {
        let token = self.chance.below(TOKENS);
        self.tell(|| format!("a client asks node {at} about token {token}"));
        self.nodes[at].requests.push((token, self.step));
    }

    fn client_revokes(&mut self, at: usize) {
        let token = self.chance.below(TOKENS);
        let (now, node) = (self.now, &mut self.nodes[at]);
        // Some revoke what is revoked already, and are told the same.
        let is_repeated = self.database.primary.is_revoked[token];
        if node.is_suspended || !node.has_lease(now) || (is_repeated && !self.chance.once_in(3)) {
            return;
        }
        node.changes.push(Change::Begun(token));
        self.tell(|| format!("a client has node {at} revoke token {token}"));
    }

    fn trouble(&mut self, at: usize) {
        match self.chance.below(5) {
            0 | 1 => {
                self.nodes[at].is_suspended = true;
                self.tell(|| format!("node {at} is stopped"));
            }
            2 => {
                self.nodes[at].is_cut_off = true;
                self.nodes[at].cut();
                self.tell(|| format!("node {at} is cut off"));
            }
            3 => {
                let clock = self.nodes[at].clock;
                self.nodes[at] = Node::new(0, clock);
                self.tell(|| format!("node {at} is killed and started again"));
            }
            _ => {
                self.database.fail_over();
                self.nodes.iter_mut().for_each(Node::cut);
                self.outcome.failovers += 1;
                self.tell(|| "the standby takes over".to_owned());
            }
        }
    }

    fn recovery(&mut self, at: usize) {
        match self.chance.below(3) {
            0 => self.database.catch_up(),
            1 => self.nodes[at].is_suspended = false,
            _ => self.nodes[at].is_cut_off = false,
        }
        self.tell(|| format!("node {at} runs on, is connected, or the standby catches up"));
    }

    fn node_works(&mut self, at: usize) {
        match self.chance.below(10) {
            0..5 => self.poll(at),
            5..8 => self.answer_requests(at),
            _ => self.go_on_with_changes(at),
        }
    }

    fn poll(&mut self, at: usize) {
        let (now, mistake) = (self.now, self.mistake);
        let node = &mut self.nodes[at];
        if node.is_cut_off {
            return;
        }
        if let Some(poll) = &node.poll {
            if !self.chance.once_in(poll.slowness) {
                return;
            }
            // Often several parts of it are carried out with nothing in between.
            for _ in 0..=self.chance.below(5) {
                let did = node.go_on_with_poll(&mut self.database, now, mistake);
                self.outcome.removed += did.removed;
                self.outcome.unregistered += did.unregistered;
            }
            self.tell(|| format!("node {at} polls"));
        } else if node.is_suspended {
        } else if node.is_registered {
            // Some are long under way.
            let slowness = self.chance.pick(&[1, 1, 1, 1, 1, 12]);
            node.begin_poll(now, slowness);
            self.tell(|| format!("node {at} sends a poll"));
        } else {
            self.ids += 1;
            node.register(self.ids, &mut self.database, now, mistake);
            self.tell(|| format!("node {at} registers"));
        }
    }

    /// Takes up a request, or goes on with a miss.
    fn answer_requests(&mut self, at: usize) {
        let (now, mistake) = (self.now, self.mistake);
        let node = &mut self.nodes[at];
        if node.is_suspended {
            return;
        }
        if !node.requests.is_empty() && (node.misses.is_empty() || self.chance.once_in(2)) {
            let (token, sent) = node.requests.swap_remove(self.chance.below(node.requests.len()));
            if node.recall(token, now, mistake) {
                self.outcome.hits += 1;
                self.judge(at, token, sent, "from memory");
                return;
            }
            if !node.has_lease(now) {
                self.outcome.without_lease += 1;
            }
            if !node.is_cut_off {
                let stamp = node.stamp();
                node.misses.push(Miss { token, sent, stamp, is_revoked: None });
            }
            return;
        }
        if node.misses.is_empty() {
            return;
        }
        let index = self.chance.below(node.misses.len());
        let Miss { token, sent, mut stamp, is_revoked } = node.misses[index];
        let Some(is_revoked) = is_revoked else {
            let read = if mistake == Some(Mistake::ReplicaRead) {
                self.database.is_revoked_at_replica(token)
            } else {
                self.database.primary.is_revoked[token]
            };
            node.misses[index].is_revoked = Some(read);
            return;
        };
        node.misses.swap_remove(index);
        if is_revoked {
            if self.answered[token].is_some() {
                self.outcome.refused_afterwards += 1;
            }
            return;
        }
        if mistake == Some(Mistake::StampAfterRead) {
            stamp = node.stamp();
        }
        node.remember(token, stamp);
        self.judge(at, token, sent, "from the database");
    }

    /// A node said "valid".
    fn judge(&mut self, at: usize, token: usize, sent: u64, how: &str) {
        self.tell(|| format!("node {at} says, {how}, that token {token} is valid"));
        if self.answered[token].is_some_and(|answered| answered < sent) {
            self.outcome.violation = Some(format!("node {at}, {how}: token {token} is valid"));
        }
    }

    fn go_on_with_changes(&mut self, at: usize) {
        let (now, mistake) = (self.now, self.mistake);
        let node = &mut self.nodes[at];
        if node.changes.is_empty() {
            return;
        }
        let index = self.chance.below(node.changes.len());
        match node.changes[index] {
            // At the database, whatever the node does meanwhile.
            Change::Begun(token)
                if mistake == Some(Mistake::RepetitionAtOnce) && self.database.primary.is_revoked[token] =>
            {
                node.changes.swap_remove(index);
                self.answer(at, token);
            }
            Change::Begun(token) => {
                let commit = if self.chance.once_in(4) { Commit::Cancelled } else { Commit::Durable };
                let place = self.database.revoke(node.id, token, commit);
                let is_certain = commit == Commit::Durable || mistake == Some(Mistake::CancelledCommit);
                node.changes[index] = Change::Committed { token, place, is_certain };
                for other in &mut self.nodes {
                    other.is_notified |= self.chance.once_in(2);
                }
                self.tell(|| format!("node {at} commits: {place:?}, {commit:?}"));
            }
            _ if node.is_suspended => {}
            Change::Committed { token, place, is_certain } => {
                node.outdate(token);
                match place {
                    Some(place) if is_certain => {
                        if mistake == Some(Mistake::AnswersBeforeAcknowledgements) {
                            node.changes.swap_remove(index);
                            return self.answer(at, token);
                        }
                        let (ticket, until) = node.waiting.begin(place, node.clock.at(now));
                        node.changes[index] = Change::Waits { token, ticket, until };
                    }
                    Some(_) => {
                        self.outcome.unknown += 1;
                        node.changes.swap_remove(index);
                    }
                    None => drop(node.changes.swap_remove(index)),
                }
            }
            Change::Waits { token, ticket, until } => {
                let is_acknowledged = node.acknowledged.contains(&ticket);
                if !is_acknowledged && node.clock.at(now) < until {
                    return;
                }
                let count = if is_acknowledged { &mut self.outcome.acknowledged } else { &mut self.outcome.waited_out };
                *count += 1;
                node.waiting.end(ticket);
                node.changes.swap_remove(index);
                self.answer(at, token);
            }
        }
    }

    fn answer(&mut self, at: usize, token: usize) {
        self.answered[token].get_or_insert(self.step);
        self.tell(|| format!("node {at} answers that token {token} is revoked"));
    }
}
