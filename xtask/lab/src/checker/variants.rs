//! Known mistakes, each played by a small model of the cluster, whose histories the checker must find fault with. The
//! model without a mistake must pass, on the same schedules.
//!
//! The protocol itself is simulated in the tests of the package `cluster`; this shows that the checker sees what clients
//! would see of each mistake.

use super::check;
use crate::history::{Change, History, Life, Look, Moment, Outcome, Said, State};
use task_support::chance::Chance;

const NODES: usize = 3;
const TOKENS: usize = 2;
/// Length of a lease, and how long a change waits for nodes that do not report.
const LEASE: Moment = 50;
const PATIENCE: Moment = 55;
const TICKS: Moment = 400;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    StampAfterRead,
    NotifyOnly,
    ReplicaRead,
    TouchOnHit,
    CancelledCommit,
    AnswersBeforeAcknowledgements,
    ZombieWrite,
}

const MISTAKES: [Mistake; 7] = [
    Mistake::StampAfterRead,
    Mistake::NotifyOnly,
    Mistake::ReplicaRead,
    Mistake::TouchOnHit,
    Mistake::CancelledCommit,
    Mistake::AnswersBeforeAcknowledgements,
    Mistake::ZombieWrite,
];

/// What a database server knows: which tokens are revoked, and in which order they were.
#[derive(Clone, Default)]
struct Facts {
    is_revoked: [bool; TOKENS],
    log: Vec<usize>,
}

#[derive(Clone, Default)]
struct Node {
    remembers: [bool; TOKENS],
    fences: [u64; TOKENS],
    applied: usize,
    history: u64,
    lease_until: Moment,
    polled: Moment,
    suspended_until: Moment,
    is_listed: bool,
    is_notified: bool,
}

#[derive(Clone, Copy)]
enum Stage {
    Begun,
    Stamped(u64),
    Read(u64, bool),
    Committed(usize, Moment),
}

struct World {
    mistake: Option<Mistake>,
    chance: Chance,
    now: Moment,
    primary: Facts,
    standby: Facts,
    replica: Facts,
    history: u64,
    nodes: Vec<Node>,
    looks: Vec<(Look, Stage)>,
    change: Option<(usize, Change, Stage)>,
    seen: History,
}

fn play(seed: u64, mistake: Option<Mistake>) -> History {
    let made = Change { sent: 0, answered: 1, node: 0, to: State::Valid, outcome: Outcome::Acknowledged };
    let lives = vec![Life { changes: vec![made] }; TOKENS];
    let mut world = World {
        mistake,
        chance: Chance::new(seed.wrapping_mul(0xd134_2543_de82_ef95)),
        now: 2,
        primary: Facts::default(),
        standby: Facts::default(),
        replica: Facts::default(),
        history: 1,
        nodes: vec![Node::default(); NODES],
        looks: Vec::new(),
        change: None,
        seen: History { lives, looks: Vec::new() },
    };
    while world.now < TICKS {
        world.now += 1;
        world.tick();
    }
    // What was not answered by the end may hold all the same.
    if let Some((token, change, _)) = world.change.take() {
        world.seen.lives[token].changes.push(change);
    }
    world.seen
}

impl World {
    fn is(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    fn once_in(&mut self, many: usize) -> bool {
        self.chance.below(many) == 0
    }

    fn tick(&mut self) {
        if self.once_in(10) {
            self.replica = self.primary.clone();
        }
        if self.once_in(150) {
            self.primary = self.standby.clone();
            self.history += 1;
        }
        for number in 0..NODES {
            self.live(number);
        }
        if self.once_in(2) {
            let (token, node) = (self.chance.below(TOKENS), self.chance.below(NODES));
            let look = Look { token, sent: self.now, answered: 0, node, said: Said::Nothing };
            self.looks.push((look, Stage::Begun));
        }
        if self.change.is_none() && self.once_in(60) {
            let (token, node) = (self.chance.below(TOKENS), self.chance.below(NODES));
            let to = State::Revoked;
            let change = Change { sent: self.now, answered: Moment::MAX, node, to, outcome: Outcome::Unknown };
            self.change = Some((token, change, Stage::Begun));
        }
        for (look, stage) in std::mem::take(&mut self.looks) {
            self.go_on_with_look(look, stage);
        }
        if let Some((token, change, stage)) = self.change.take() {
            self.go_on_with_change(token, change, stage);
        }
    }

    fn is_awake(&self, number: usize) -> bool {
        self.nodes[number].suspended_until < self.now
    }

    fn live(&mut self, number: usize) {
        if self.once_in(120) {
            self.nodes[number].suspended_until = self.now + 10 + self.chance.below(120) as Moment;
        }
        // Others take it off the list.
        if self.nodes[number].polled + PATIENCE < self.now {
            self.nodes[number].is_listed = false;
        }
        if !self.is_awake(number) || !self.once_in(12) {
            return;
        }
        let follows = !self.is(Mistake::NotifyOnly) || self.nodes[number].is_notified;
        let (log, history, now) = (self.primary.log.clone(), self.history, self.now);
        let node = &mut self.nodes[number];
        if !node.is_listed || node.history != history {
            node.remembers = [false; TOKENS];
            node.fences.iter_mut().for_each(|fence| *fence += 1);
            (node.is_listed, node.history, node.applied) = (true, history, log.len());
        } else if follows {
            for token in &log[node.applied.min(log.len())..] {
                node.remembers[*token] = false;
                node.fences[*token] += 1;
            }
            node.applied = log.len();
        }
        node.is_notified = false;
        (node.polled, node.lease_until) = (now, now + LEASE);
    }

    fn go_on_with_look(&mut self, look: Look, stage: Stage) {
        if !self.is_awake(look.node) || self.once_in(2) {
            self.looks.push((look, stage));
            return;
        }
        let (now, token) = (self.now, look.token);
        let stamp_counts = !self.is(Mistake::StampAfterRead);
        let touches = self.is(Mistake::TouchOnHit);
        let facts = if self.is(Mistake::ReplicaRead) { &self.replica } else { &self.primary };
        let is_valid = !facts.is_revoked[token];
        let node = &mut self.nodes[look.node];
        let has_lease = now < node.lease_until;
        let next = match stage {
            Stage::Begun if node.remembers[token] && has_lease => {
                if touches {
                    node.lease_until = now + LEASE;
                }
                Err(true)
            }
            Stage::Begun => Ok(Stage::Stamped(node.fences[token])),
            Stage::Stamped(stamp) => Ok(Stage::Read(stamp, is_valid)),
            Stage::Read(stamp, is_valid) => {
                let is_current = stamp == node.fences[token] || !stamp_counts;
                node.remembers[token] |= is_valid && has_lease && is_current;
                Err(is_valid)
            }
            Stage::Committed(..) => unreachable!("a validation commits nothing"),
        };
        match next {
            Ok(stage) => self.looks.push((look, stage)),
            Err(is_valid) => {
                let said = if is_valid { Said::Valid } else { Said::Invalid };
                self.seen.looks.push(Look { answered: now, said, ..look });
            }
        }
    }

    fn go_on_with_change(&mut self, token: usize, change: Change, stage: Stage) {
        if !self.is_awake(change.node) || self.once_in(2) {
            self.change = Some((token, change, stage));
            return;
        }
        let now = self.now;
        let answer = |outcome| Change { answered: now, outcome, ..change };
        let (is_listed, has_lease) = (self.nodes[change.node].is_listed, now < self.nodes[change.node].lease_until);
        let answered = match stage {
            Stage::Committed(place, since) => {
                let has_applied = |node: &Node| node.history == self.history && node.applied >= place;
                let is_settled = self
                    .nodes
                    .iter()
                    .enumerate()
                    .all(|(number, node)| number == change.node || !node.is_listed || has_applied(node));
                (is_settled || now > since + PATIENCE).then(|| answer(Outcome::Acknowledged))
            }
            _ if !is_listed || !has_lease => {
                // A node that lost its place: its change commits nothing, unless it is made past the list and the log.
                if self.is(Mistake::ZombieWrite) {
                    self.primary.is_revoked[token] = true;
                    self.nodes[change.node].remembers[token] = false;
                    Some(answer(Outcome::Acknowledged))
                } else {
                    Some(answer(Outcome::Unknown))
                }
            }
            _ => self.commit(token, change.node).map(answer),
        };
        if let Some(change) = answered {
            self.seen.lives[token].changes.push(change);
            return;
        }
        let (place, since) = match stage {
            Stage::Committed(place, since) => (place, since),
            _ => (self.primary.log.len(), now),
        };
        self.change = Some((token, change, Stage::Committed(place, since)));
    }

    /// Commits a revocation. The outcome, where it is answered at once.
    fn commit(&mut self, token: usize, number: usize) -> Option<Outcome> {
        self.primary.is_revoked[token] = true;
        self.primary.log.push(token);
        for node in &mut self.nodes {
            // Notifications get lost.
            node.is_notified |= self.chance.below(2) == 0;
        }
        let node = &mut self.nodes[number];
        node.remembers[token] = false;
        node.fences[token] += 1;
        // An operator cancels the wait for the standby.
        if self.once_in(4) {
            return Some(if self.is(Mistake::CancelledCommit) { Outcome::Acknowledged } else { Outcome::Unknown });
        }
        self.standby = self.primary.clone();
        self.is(Mistake::AnswersBeforeAcknowledgements).then_some(Outcome::Acknowledged)
    }
}

#[test]
fn histories_without_a_mistake_pass() {
    let (mut valid, mut invalid, mut either) = (0, 0, 0);
    for seed in 0..5_000 {
        let found = check(&play(seed, None));
        assert_eq!(found.violations, [], "seed {seed}");
        valid += found.rightly_valid;
        invalid += found.rightly_invalid;
        either += found.either;
    }
    assert!(valid > 50_000 && invalid > 50_000 && either > 50_000, "{valid} {invalid} {either}");
}

#[test]
fn each_known_mistake_is_found() {
    for mistake in MISTAKES {
        let found = (0..5_000).find(|seed| !check(&play(*seed, Some(mistake))).violations.is_empty());
        assert!(found.is_some(), "{mistake:?} was not found");
    }
}
