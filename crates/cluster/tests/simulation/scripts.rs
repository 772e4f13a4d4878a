//! Schedules that chance hardly ever draws, written out: what has to happen takes a dozen steps in one order.

use cluster::protocol::{LEASE, PATIENCE, QUARANTINE};
use storage::model::LogPlace;

use crate::database::{Commit, Database};
use crate::node::{Clock, Mistake, Node};

const MILLISECOND: i64 = 1_000_000;
const TOKEN: usize = 0;
/// Another of the same shard.
const OTHER: usize = 2;

fn node(id: u128, database: &mut Database, now: i64) -> Node {
    let mut node = Node::new(id, Clock { offset: 0, error: 0 });
    node.register(id, database, now, None);
    node
}

/// A poll from its sending to its answer.
fn poll(node: &mut Node, database: &mut Database, now: i64, mistake: Option<Mistake>) {
    node.begin_poll(now, 1);
    go_on(node, database, now, mistake, 5);
}

fn go_on(node: &mut Node, database: &mut Database, now: i64, mistake: Option<Mistake>, parts: usize) {
    for _ in 0..parts {
        node.go_on_with_poll(database, now, mistake);
    }
}

/// Whether a change that a node committed may be answered after its next answer.
fn is_answered(
    node: &mut Node,
    place: LogPlace,
    database: &mut Database,
    now: i64,
    go_on_with: impl FnOnce(&mut Node, &mut Database),
) -> bool {
    node.outdate(TOKEN);
    let (ticket, _) = node.waiting.begin(place, node.clock.at(now));
    go_on_with(node, database);
    node.acknowledged.contains(&ticket)
}

/// The list of a poll was read, then a node came and read the token, then the change was committed.
fn a_node_comes_between_list_and_commit(mistake: Option<Mistake>) -> bool {
    let mut database = Database::default();
    let mut revoking = node(1, &mut database, 0);
    poll(&mut revoking, &mut database, MILLISECOND, mistake);
    revoking.begin_poll(2 * MILLISECOND, 1);
    go_on(&mut revoking, &mut database, 2 * MILLISECOND, mistake, 4);

    let mut late = node(2, &mut database, 3 * MILLISECOND);
    poll(&mut late, &mut database, 3 * MILLISECOND, mistake);
    late.remember(TOKEN, late.stamp());

    let place = database.revoke(1, TOKEN, Commit::Durable).unwrap();
    let now = 4 * MILLISECOND;
    let is_answered = is_answered(&mut revoking, place, &mut database, now, |node, database| {
        go_on(node, database, now, mistake, 1);
    });
    is_answered && late.recall(TOKEN, 5 * MILLISECOND, mistake)
}

/// A node applies an entry that a failover loses, and whose number goes to the next change.
fn a_number_is_given_twice(mistake: Option<Mistake>) -> bool {
    let mut database = Database::default();
    let mut revoking = node(1, &mut database, 0);
    let mut other = node(2, &mut database, 0);
    for now in [MILLISECOND, 2 * MILLISECOND] {
        poll(&mut revoking, &mut database, now, mistake);
        poll(&mut other, &mut database, now, mistake);
    }
    // Its report reaches the standby, with a durable commit behind it. The next commit does not, and it reads both.
    let now = 3 * MILLISECOND;
    other.begin_poll(now, 1);
    go_on(&mut other, &mut database, now, mistake, 1);
    database.revoke(1, OTHER, Commit::Durable).unwrap();
    let lost = database.revoke(1, TOKEN, Commit::Cancelled).unwrap();
    go_on(&mut other, &mut database, now, mistake, 4);

    database.fail_over();
    revoking.cut();
    other.cut();
    other.remember(TOKEN, other.stamp());
    let now = 4 * MILLISECOND;
    revoking.register(3, &mut database, now, mistake);
    poll(&mut revoking, &mut database, now, mistake);
    other.begin_poll(now, 1);
    go_on(&mut other, &mut database, now, mistake, 1);

    let place = database.revoke(3, TOKEN, Commit::Durable).unwrap();
    assert_eq!(place, lost, "the same number");
    database.remove(1, revoking_beat(&database));
    let now = 5 * MILLISECOND;
    let is_answered = is_answered(&mut revoking, place, &mut database, now, |node, database| {
        poll(node, database, now, mistake);
    });
    is_answered && other.recall(TOKEN, 6 * MILLISECOND, mistake)
}

/// The number of the first row of the revoking node, which nobody reports under any more.
fn revoking_beat(database: &Database) -> i64 {
    let first = database.nodes().into_iter().find(|node| node.record.id.uuid().as_u128() == 1);
    first.map_or(0, |node| node.beat)
}

/// A node stays with a primary whose place the standby has taken, and which goes on.
fn a_primary_goes_on_beside_the_one_that_replaced_it(mistake: Option<Mistake>) -> bool {
    is_answered_from_a_replaced_primary(mistake, |_, _| true)
}

/// A node stays with a primary whose place the standby has taken, until that is told to wait for no standby and is stopped.
fn a_replaced_primary_drops_its_standby_before_it_stops(mistake: Option<Mistake>) -> bool {
    is_answered_from_a_replaced_primary(mistake, |staying, passed| {
        staying.has_standby = false;
        passed < QUARANTINE
    })
}

/// Whether a node answers from a primary whose place the standby has taken, after a change there was answered. `goes_on` says
/// whether the old one still answers so long after the failover.
fn is_answered_from_a_replaced_primary(mistake: Option<Mistake>, goes_on: fn(&mut Node, i64) -> bool) -> bool {
    let mut old = Database::default();
    let mut revoking = node(1, &mut old, 0);
    let mut staying = node(2, &mut old, 0);
    staying.has_standby = true;
    let mut now = MILLISECOND;
    staying.prove(&mut old, now);
    for node in [&mut revoking, &mut staying] {
        poll(node, &mut old, now, mistake);
    }
    staying.remember(TOKEN, staying.stamp());
    assert!(staying.recall(TOKEN, now, mistake));

    let mut new = old.clone();
    new.fail_over();
    let replaced_at = now;
    now += MILLISECOND;
    revoking.cut();
    revoking.register(3, &mut new, now, mistake);
    poll(&mut revoking, &mut new, now, mistake);
    let place = new.revoke(3, TOKEN, Commit::Durable).unwrap();
    revoking.outdate(TOKEN);
    let (ticket, until) = revoking.waiting.begin(place, now);
    // Commits at the old primary wait for ever; everything else goes on there.
    while !revoking.acknowledged.contains(&ticket) && now < until {
        now += 100 * MILLISECOND;
        if goes_on(&mut staying, now - replaced_at) {
            poll(&mut staying, &mut old, now, mistake);
        }
        poll(&mut revoking, &mut new, now, mistake);
    }
    staying.recall(TOKEN, now, mistake)
}

/// A node is seen for the last time long before a failover. It reports once more, which no commit carries to the standby.
fn a_report_is_lost_in_a_failover(mistake: Option<Mistake>) -> bool {
    let mut database = Database::default();
    let mut revoking = node(1, &mut database, 0);
    let mut other = node(2, &mut database, 0);
    poll(&mut other, &mut database, MILLISECOND, mistake);
    poll(&mut revoking, &mut database, 2 * MILLISECOND, mistake);
    database.replicate();
    let mut now = LEASE - 100 * MILLISECOND;
    poll(&mut other, &mut database, now, mistake);
    other.remember(TOKEN, other.stamp());

    database.fail_over();
    other.cut();
    revoking.cut();
    revoking.register(3, &mut database, now, mistake);
    now = 3 * MILLISECOND + PATIENCE;
    poll(&mut revoking, &mut database, now, mistake);
    let place = database.revoke(3, TOKEN, Commit::Durable).unwrap();
    database.remove(1, revoking_beat(&database));
    let is_answered = is_answered(&mut revoking, place, &mut database, now, |node, database| {
        poll(node, database, now, mistake);
    });
    is_answered && other.recall(TOKEN, now + MILLISECOND, mistake)
}

/// A schedule; whether it went wrong with this mistake in the code, or none.
type Script = fn(Option<Mistake>) -> bool;

#[test]
fn scripted_schedules_catch_the_rare_mistakes() {
    let scripts: [(Script, Mistake); 5] = [
        (a_node_comes_between_list_and_commit, Mistake::ListBeforeCommit),
        (a_number_is_given_twice, Mistake::NumbersOfAnotherHistory),
        (a_primary_goes_on_beside_the_one_that_replaced_it, Mistake::LeaseOfReplacedPrimary),
        (a_replaced_primary_drops_its_standby_before_it_stops, Mistake::LeaseWithoutQuarantine),
        (a_report_is_lost_in_a_failover, Mistake::SeenBeforeFailover),
    ];
    for (script, mistake) in scripts {
        assert!(!script(None), "{mistake:?}: the protocol as it is");
        assert!(script(Some(mistake)), "{mistake:?} is not caught");
    }
}
