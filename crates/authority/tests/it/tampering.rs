//! The audit trail against somebody who can write to the database: whatever they do to it is found and named.

use authority::audit::chain::{Fault, Place, hex};
use authority::audit::hash;
use authority::audit::read::{Audit, Outcome, VerifyError};
use storage::model::AuditFilter;
use test_support::sql::{Sql, literals};
use test_support::{Backend, Db, World};
use token_domain::id::OrganizationId;
use token_domain::record::AuditRecord;

/// Events of the trail that is tampered with.
const EVENTS: i64 = 6;

/// A trail of [`EVENTS`] events without its guards, kept aside so that it can be put back.
struct Victim<'a> {
    db: &'a Db,
    trail: OrganizationId,
    sql: Sql,
    audit: Audit,
}

impl<'a> Victim<'a> {
    async fn new(db: &'a Db) -> Self {
        let world = World::new(db).await;
        for _ in 0..EVENTS {
            world.issue(&["read"]).await;
        }
        let mut sql = Sql::connect(db.url()).await;
        let on = if db.backend() == Backend::PostgreSql { "ON audit_events" } else { "" };
        for statement in [
            &format!("DROP TRIGGER audit_events_no_update {on}"),
            &format!("DROP TRIGGER audit_events_no_delete {on}"),
            "CREATE TABLE saved_events AS SELECT * FROM audit_events",
            "CREATE TABLE saved_heads AS SELECT * FROM audit_heads",
        ] {
            sql.run(statement).await.expect(statement);
        }
        Self { db, trail: world.owner.organization_id, sql, audit: Audit::new(db.store().clone()) }
    }

    /// Runs a statement in which `{trail}` is the trail.
    async fn tamper(&mut self, statement: &str) {
        let digits = self.trail.uuid().simple();
        let trail = match self.db.backend() {
            Backend::Sqlite => format!("x'{digits}'"),
            Backend::PostgreSql => format!("'{digits}'::uuid"),
        };
        let statement = literals(self.db.backend(), &statement.replace("{trail}", &trail));
        self.sql.run(&statement).await.expect(&statement);
    }

    async fn put_back(&mut self) {
        let restore = "DELETE FROM audit_events; DELETE FROM audit_heads; INSERT INTO audit_heads SELECT * FROM saved_heads; \
                       INSERT INTO audit_events SELECT * FROM saved_events";
        self.sql.run(restore).await.expect("what was kept aside");
    }

    async fn verified(&self, remembered: Option<Place>) -> Outcome {
        self.audit.verify(Some(self.trail), Place::START, remembered).await.expect("the database answers").outcome
    }

    async fn events(&self) -> Vec<AuditRecord> {
        let chain = AuditFilter::chain(Some(self.trail), 0, 100);
        let read = self.db.store().read(move |reads| Box::pin(async move { reads.list_audit(&chain).await }));
        read.await.expect("the trail")
    }
}

fn named(outcome: Outcome) -> Option<(i64, Fault)> {
    match outcome {
        Outcome::Broken(broken) => Some((broken.seq, broken.fault)),
        Outcome::Whole | Outcome::More => None,
    }
}

/// What is done to the trail, and what is said of it.
const TAMPERINGS: &[(&str, i64, Fault)] = &[
    ("UPDATE audit_events SET action = 'token.update' WHERE seq = 3", 3, Fault::Changed),
    ("UPDATE audit_events SET actor = 'service' WHERE seq = 3", 3, Fault::Changed),
    ("UPDATE audit_events SET actor = 'nobody at all' WHERE seq = 3", 3, Fault::Changed),
    ("UPDATE audit_events SET target_kind = 'session' WHERE seq = 3", 3, Fault::Changed),
    ("UPDATE audit_events SET target_id = '' WHERE seq = 3", 3, Fault::Changed),
    ("UPDATE audit_events SET request_id = 'another' WHERE seq = 3", 3, Fault::Changed),
    ("UPDATE audit_events SET detail = '[]' WHERE seq = 3", 3, Fault::Changed),
    ("UPDATE audit_events SET detail = 'nothing' WHERE seq = 1", 1, Fault::Changed),
    ("UPDATE audit_events SET at = {t:5} WHERE seq = 3", 3, Fault::Changed),
    ("UPDATE audit_events SET prev_hash = {b:32} WHERE seq = 3", 3, Fault::Changed),
    ("UPDATE audit_events SET hash = {b:32} WHERE seq = 3", 3, Fault::Changed),
    ("UPDATE audit_events SET hash = {b:32} WHERE seq = 6", 6, Fault::Changed),
    ("UPDATE audit_events SET seq = 99 WHERE trail = {trail} AND seq = 3", 3, Fault::Missing),
    ("UPDATE audit_events SET trail = {id:0}, seq = 99 WHERE trail = {trail} AND seq = 3", 3, Fault::Missing),
    ("DELETE FROM audit_events WHERE trail = {trail} AND seq = 1", 1, Fault::Missing),
    ("DELETE FROM audit_events WHERE trail = {trail} AND seq = 3", 3, Fault::Missing),
    ("DELETE FROM audit_events WHERE trail = {trail} AND seq = 6", 6, Fault::CutOff),
    ("DELETE FROM audit_events WHERE trail = {trail}", 1, Fault::CutOff),
    (
        "UPDATE audit_events SET seq = 1002 WHERE trail = {trail} AND seq = 2; \
         UPDATE audit_events SET seq = 2 WHERE trail = {trail} AND seq = 3; \
         UPDATE audit_events SET seq = 3 WHERE trail = {trail} AND seq = 1002",
        2,
        Fault::Changed,
    ),
    (
        "INSERT INTO audit_events SELECT trail, 7, at, action, actor, target_kind, target_id, request_id, detail, hash, hash \
         FROM audit_events WHERE trail = {trail} AND seq = 6",
        7,
        Fault::Added,
    ),
    (
        "INSERT INTO audit_events SELECT trail, 7, at, action, actor, target_kind, target_id, request_id, detail, hash, hash \
         FROM audit_events WHERE trail = {trail} AND seq = 6; UPDATE audit_heads SET seq = 7 WHERE trail = {trail}",
        7,
        Fault::Changed,
    ),
    ("UPDATE audit_heads SET hash = {b:32} WHERE trail = {trail}", 6, Fault::Replaced),
    (
        "UPDATE audit_heads SET seq = 5, hash = (SELECT hash FROM saved_events WHERE trail = {trail} AND seq = 5) \
         WHERE trail = {trail}",
        6,
        Fault::Added,
    ),
];

#[test]
fn whatever_is_done_to_a_trail_is_found_and_named() {
    Db::each(async |db| {
        let mut victim = Victim::new(db).await;
        assert_eq!(victim.verified(None).await, Outcome::Whole);
        for (statement, seq, fault) in TAMPERINGS {
            let statement = if statement.contains("WHERE seq") {
                statement.replace("WHERE seq", "WHERE trail = {trail} AND seq")
            } else {
                (*statement).to_owned()
            };
            victim.tamper(&statement).await;
            assert_eq!(named(victim.verified(None).await), Some((*seq, *fault)), "{statement}");
            victim.put_back().await;
        }
        assert_eq!(victim.verified(None).await, Outcome::Whole);
        // The deployment's own trail was not touched by any of it.
        let own = victim.audit.verify(None, Place::START, None).await.unwrap();
        assert_eq!(own.outcome, Outcome::Whole);
    });
}

#[test]
fn what_cannot_be_read_at_all_is_named_too() {
    Db::on(Backend::PostgreSql, storage::StoreOptions::default(), async |db| {
        let mut victim = Victim::new(db).await;
        victim.tamper("UPDATE audit_events SET at = 'infinity' WHERE trail = {trail} AND seq = 4").await;
        assert_eq!(named(victim.verified(None).await), Some((4, Fault::Unreadable)));
    });
}

#[test]
fn a_covered_trace_shows_against_what_was_remembered() {
    Db::each(async |db| {
        let mut victim = Victim::new(db).await;
        let events = victim.events().await;
        let remembered = Place::of(&events[5]);
        assert_eq!(victim.verified(Some(remembered)).await, Outcome::Whole);

        // The last two events are gone and the head says that there never were any.
        let covered = "DELETE FROM audit_events WHERE trail = {trail} AND seq > 4; UPDATE audit_heads SET seq = 4, \
                       hash = (SELECT hash FROM saved_events WHERE trail = {trail} AND seq = 4) WHERE trail = {trail}";
        victim.tamper(covered).await;
        assert_eq!(victim.verified(None).await, Outcome::Whole, "by itself it looks whole");
        assert_eq!(named(victim.verified(Some(remembered)).await), Some((5, Fault::CutOff)));
        let behind = victim.audit.verify(Some(victim.trail), remembered, None).await.unwrap();
        assert_eq!(named(behind.outcome), Some((6, Fault::CutOff)));
        victim.put_back().await;

        // The last event is another one, with a hash that fits it.
        let mut forged = events[5].clone();
        forged.detail = "forged".to_owned();
        forged.hash = hash(&forged);
        let digits = hex(&forged.hash);
        let digest = match db.backend() {
            Backend::Sqlite => format!("x'{digits}'"),
            Backend::PostgreSql => format!("decode('{digits}', 'hex')"),
        };
        let rewritten = format!(
            "UPDATE audit_events SET detail = 'forged', hash = {digest} WHERE trail = {{trail}} AND seq = 6; \
             UPDATE audit_heads SET hash = {digest} WHERE trail = {{trail}}"
        );
        victim.tamper(&rewritten).await;
        assert_eq!(victim.verified(None).await, Outcome::Whole, "by itself it looks whole");
        assert_eq!(named(victim.verified(Some(remembered)).await), Some((6, Fault::Replaced)));
    });
}

#[test]
fn a_long_trail_is_verified_in_several_goes() {
    Db::each(async |db| {
        let victim = Victim::new(db).await;
        let audit = Audit::new(db.store().clone()).at_most(4);
        let first = audit.verify(Some(victim.trail), Place::START, None).await.unwrap();
        assert_eq!((first.reached.seq, first.outcome), (4, Outcome::More));
        let second = audit.verify(Some(victim.trail), first.reached, None).await.unwrap();
        assert_eq!((second.reached.seq, second.outcome), (EVENTS, Outcome::Whole));
        let again = audit.verify(Some(victim.trail), second.reached, None).await.unwrap();
        assert_eq!((again.reached, again.outcome), (second.reached, Outcome::Whole));
        // A place that never was in the trail is not gone on from.
        let elsewhere = Place { seq: 4, hash: [1; 32] };
        let refused = audit.verify(Some(victim.trail), elsewhere, None).await.unwrap();
        assert_eq!(named(refused.outcome), Some((4, Fault::Replaced)));
        let start = Place { seq: 0, hash: [1; 32] };
        let refused = audit.verify(Some(victim.trail), start, None).await.unwrap();
        assert_eq!(named(refused.outcome), Some((1, Fault::Replaced)));
    });
}

#[test]
fn a_trail_is_verified_by_one_at_a_time() {
    Db::each(async |db| {
        let victim = Victim::new(db).await;
        let walk = |trail| Box::pin(victim.audit.verify(trail, Place::START, None));
        let (mine, others) = (Some(victim.trail), None);
        let (first, second, other) = futures::future::join3(walk(mine), walk(mine), walk(others)).await;
        assert_eq!(first.unwrap().outcome, Outcome::Whole);
        assert!(matches!(second, Err(VerifyError::UnderWay)));
        assert_eq!(other.unwrap().outcome, Outcome::Whole, "another trail is nobody's business");
        assert_eq!(walk(mine).await.unwrap().outcome, Outcome::Whole, "the turn is given back");
    });
}

#[test]
fn the_times_of_a_trail_never_go_back() {
    Db::each(async |db| {
        let world = World::new(db).await;
        world.issue(&["read"]).await;
        let set_back = test_support::records::T0 - token_domain::Span::seconds(3_600);
        world.clock.set(set_back);
        world.issue(&["read"]).await;
        let chain = AuditFilter::chain(Some(world.owner.organization_id), 0, 100);
        let read = db.store().read(move |reads| Box::pin(async move { reads.list_audit(&chain).await }));
        let times: Vec<_> = read.await.unwrap().iter().map(|event| event.at).collect();
        assert_eq!(times, [test_support::records::T0; 2]);
    });
}
