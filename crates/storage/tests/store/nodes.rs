//! What servers that share a PostgreSQL database say to each other: the list, reports, news.

use crate::pooler::Pooler;
use crate::proxy::{Doubt, NamesStandby, Proxy};
use storage::model::{Consistency, LogPlace, NodeRecord, Poll, PollAnswer, SHARDS, Touched};
use storage::nodes::{EnterError, Registration, Registry, Session};
use storage::{OutageKind, Store, StoreError, StoreOptions, migrate};
use test_support::records::{after, id};
use test_support::sql::Sql;
use test_support::{Backend, Db};
use token_domain::id::NodeId;

const MINE: u64 = 1;
const OTHER: u64 = 2;

fn record(number: u64) -> NodeRecord {
    NodeRecord {
        id: id(number),
        protocol: 1,
        version: "0.1.0".to_owned(),
        migration: migrate::newest().to_owned(),
        tag_key: "0badcafe".to_owned(),
        consistency: Consistency::Strict,
        address: None,
    }
}

/// A report that has applied nothing yet.
fn poll(beat: i64, expected: [i64; 2]) -> Poll {
    Poll { beat, expected, history: String::new(), applied: vec![0; SHARDS], limit: 100 }
}

async fn registered(db: &Db, number: u64, beat: i64) -> (Registry, Session) {
    let registry = Registry::of(db.url()).unwrap();
    registry.register(&record(number), beat).await.unwrap();
    let session = registry.connect().await.unwrap();
    (registry, session)
}

async fn ask(session: &Session, number: u64, poll: &Poll) -> PollAnswer {
    session.poll(id(number), poll).await.unwrap()
}

fn on_postgresql(test: impl AsyncFn(&Db) + Sync) {
    Db::on(Backend::PostgreSql, StoreOptions::default(), test);
}

/// A change that others have to hear of.
async fn change(store: &Store, number: u64) -> Result<Option<LogPlace>, StoreError> {
    let unit = store.write(move |tx| {
        Box::pin(
            async move { tx.append_log(vec![Touched::Token(id(number)), Touched::Created(id(1))], after(1)).await },
        )
    });
    unit.await.map(|logged| logged.place())
}

fn superseded<T: std::fmt::Debug>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Unavailable(outage)) if outage.kind == OutageKind::Superseded)
}

#[test]
fn a_file_has_no_list() {
    Db::on(Backend::Sqlite, StoreOptions::default(), async |db| {
        assert!(Registry::of(db.url()).is_none());
        assert_eq!(db.store().read(|reads| Box::pin(reads.list_nodes())).await, Ok(vec![]));
    });
}

#[test]
fn a_report_is_taken_from_a_node_on_the_list_that_is_who_it_says() {
    on_postgresql(async |db| {
        let (registry, session) = registered(db, MINE, 10).await;
        assert!(registry.register(&record(MINE), 11).await.is_err(), "an id is used once");
        let history = ask(&session, MINE, &poll(20, [10, 10])).await.history;
        let table = [
            (poll(30, [20, 25]), true),
            (poll(40, [29, 30]), true),
            (poll(50, [39, 41]), false),
            (Poll { history: history.clone(), ..poll(50, [40, 40]) }, true),
            (Poll { history: format!("{history}0"), ..poll(60, [50, 50]) }, false),
            (poll(60, [50, 50]), true),
        ];
        for (poll, is_taken) in table {
            let answer = ask(&session, MINE, &poll).await;
            assert_eq!(answer.is_registered, is_taken, "{poll:?}");
            assert_eq!(answer.clocks, vec![0; SHARDS]);
            let [node] = answer.nodes.as_slice() else { panic!("{answer:?}") };
            assert_eq!((&node.record, node.beat == poll.beat), (&record(MINE), is_taken));
        }
        assert!(!ask(&session, OTHER, &poll(20, [10, 10])).await.is_registered);
        assert!(!session.remove(id(MINE), 59).await.unwrap(), "it reported since");
        assert!(session.remove(id(MINE), 60).await.unwrap());
        let answer = ask(&session, MINE, &poll(70, [60, 60])).await;
        assert!(!answer.is_registered && answer.nodes.is_empty());
    });
}

#[test]
fn a_node_says_where_it_is_reached_and_one_of_an_earlier_version_says_nothing() {
    on_postgresql(async |db| {
        let (registry, session) = registered(db, MINE, 10).await;
        session.tell_address(id(MINE), "10.0.0.7:8080").await.unwrap();
        let returned = NodeRecord { address: Some("10.0.0.8:8080".to_owned()), ..record(OTHER) };
        registry.register(&returned, 20).await.unwrap();
        let earlier = format!(
            "INSERT INTO nodes (id, protocol, version, migration, tag_key, consistency, beat, applied, started_at, seen_at) \
             VALUES ('{}', 1, '0', '0', '0', 'strict', 1, '', now(), clock_timestamp())",
            id::<token_domain::id::kind::Node>(3).uuid()
        );
        Sql::connect(db.url()).await.run(&earlier).await.unwrap();
        let listed = db.store().read(|reads| Box::pin(reads.list_nodes())).await.unwrap();
        let addresses: Vec<Option<&str>> = listed.iter().map(|node| node.record.address.as_deref()).collect();
        assert_eq!(addresses, [Some("10.0.0.7:8080"), Some("10.0.0.8:8080"), None]);
    });
}

#[test]
fn moments_of_entries_are_read_by_their_places() {
    on_postgresql(async |db| {
        let (_, session) = registered(db, MINE, 10).await;
        change(db.store(), 7).await.unwrap();
        change(db.store(), 9).await.unwrap();
        let entries = ask(&session, MINE, &poll(20, [10, 10])).await.entries;
        let mut places: Vec<LogPlace> = entries.iter().map(|entry| entry.place).collect();
        let expected: Vec<_> = entries.iter().map(|entry| (entry.place, entry.at)).collect();
        // More than one question has room for, of which most are of no entry.
        places.extend((0..200).map(|seq| LogPlace { shard: 3, seq }));
        let read = db.store().read(move |reads| Box::pin(async move { reads.logged_at(&places).await })).await;
        let mut found = read.unwrap();
        found.sort_unstable_by_key(|(place, _)| *place);
        assert_eq!((found.len(), found), (4, expected));
    });
}

#[test]
fn what_is_new_is_read_with_clocks_of_before_and_as_many_entries_as_are_wanted() {
    on_postgresql(async |db| {
        let (_, session) = registered(db, MINE, 10).await;
        let first = change(db.store(), 7).await.unwrap().unwrap();
        assert_eq!(first, LogPlace { shard: 7, seq: 2 });
        change(db.store(), 7).await.unwrap();
        let second = change(db.store(), 9).await.unwrap().unwrap();
        assert_eq!(second, LogPlace { shard: 9, seq: 2 });
        let places = |answer: &PollAnswer| -> Vec<(i16, i64)> {
            answer.entries.iter().map(|entry| (entry.place.shard, entry.place.seq)).collect()
        };
        let all = ask(&session, MINE, &poll(20, [10, 10])).await;
        assert_eq!(places(&all), [(7, 1), (7, 2), (7, 3), (7, 4), (9, 1), (9, 2)]);
        assert_eq!((all.clocks[7], all.clocks[9], all.clocks.iter().sum::<i64>()), (4, 2, 6));
        assert_eq!(all.entries[0].touched, Touched::Token(id(7)));
        let some = ask(&session, MINE, &Poll { limit: 1, ..poll(30, [20, 20]) }).await;
        assert_eq!(places(&some), [(7, 1), (9, 1)], "of each shard");
        let mut rest = poll(40, [30, 30]);
        (rest.applied[7], rest.applied[9]) = (3, 2);
        let rest = ask(&session, MINE, &rest).await;
        assert_eq!(places(&rest), [(7, 4)]);
        let [node] = rest.nodes.as_slice() else { panic!("{rest:?}") };
        assert_eq!((node.applied[7], node.applied[9]), (3, 2), "what is reported is on the list");
        assert!(node.seen_at >= node.started_at);
    });
}

#[test]
fn a_node_off_the_list_or_without_a_lease_changes_nothing() {
    on_postgresql(async |db| {
        let (_, session) = registered(db, MINE, 10).await;
        let node: NodeId = id(MINE);
        let registration = Registration::new(node);
        let opened = Store::open_registered(
            db.url(),
            StoreOptions::default(),
            db.background().clone(),
            Some(registration.clone()),
        );
        let store = opened.await.unwrap();
        let refused = change(&store, 7).await;
        assert!(superseded(&refused), "without a lease: {refused:?}");
        registration.good_until().store(i64::MAX, std::sync::atomic::Ordering::Release);
        assert_eq!(change(&store, 7).await, Ok(Some(LogPlace { shard: 7, seq: 2 })));

        // A node is not taken off the list in the middle of its change.
        let (begun, go_on) = (tokio::sync::Notify::new(), tokio::sync::Notify::new());
        let (begun, go_on) = (std::sync::Arc::new(begun), std::sync::Arc::new(go_on));
        let unit = {
            let (store, begun, go_on) = (store.clone(), begun.clone(), go_on.clone());
            tokio::spawn(async move {
                let unit = store.write(move |tx| {
                    Box::pin(async move {
                        let logged = tx.append_log(vec![Touched::Token(id(7))], after(1)).await?;
                        // Sends what waits.
                        tx.log_tail(0).await?;
                        begun.notify_one();
                        go_on.notified().await;
                        Ok::<_, StoreError>(logged)
                    })
                });
                unit.await.map(|logged| logged.place())
            })
        };
        begun.notified().await;
        assert!(ask(&session, MINE, &poll(20, [10, 10])).await.is_registered, "its reports do not wait for its change");
        assert!(!session.remove(node, 20).await.unwrap());
        go_on.notify_one();
        assert_eq!(unit.await.unwrap(), Ok(Some(LogPlace { shard: 7, seq: 3 })));

        // Even one that believes in its lease, as a process does that was stopped in the middle of a change.
        assert!(session.remove(node, 20).await.unwrap());
        let refused = change(&store, 7).await;
        assert!(superseded(&refused), "off the list: {refused:?}");
        assert_eq!(change(db.store(), 7).await, Ok(Some(LogPlace { shard: 7, seq: 5 })), "numbers were taken back");
        store.shutdown().await;
    });
}

#[test]
fn a_commit_for_the_standby_shows_which_server_took_it_unless_its_wait_was_cancelled() {
    on_postgresql(async |db| {
        let (registry, session) = registered(db, MINE, 10).await;
        let answer = ask(&session, MINE, &poll(20, [10, 10])).await;
        assert_eq!(answer.history, session.history());
        assert!(!answer.has_standby, "no commit of this server waits for another");
        let witness = registry.connect_witness().await.unwrap();
        assert_eq!(witness.history(), session.history());
        assert_eq!(witness.prove().await, Ok(false), "the commit waited for no standby");

        let (standby, url) = NamesStandby::before(db.url()).await;
        let witness = Registry::of(&url).unwrap().connect_witness().await.unwrap();
        for names_it in [true, false, true] {
            standby.does.store(names_it, std::sync::atomic::Ordering::SeqCst);
            assert_eq!(witness.prove().await, Ok(names_it));
        }

        let (_doubt, url) = Doubt::before(db.url()).await;
        let witness = Registry::of(&url).unwrap().connect_witness().await.unwrap();
        for _ in 0..2 {
            assert_eq!(witness.prove().await, Ok(false));
        }
    });
}

#[test]
fn a_node_registers_at_the_server_that_it_polls() {
    on_postgresql(async |db| {
        let (_, session) = registered(db, MINE, 10).await;
        session.register(&record(OTHER), 20).await.unwrap();
        assert!(ask(&session, OTHER, &poll(30, [20, 20])).await.is_registered);
        assert!(session.register(&record(OTHER), 40).await.is_err(), "an id is used once");
    });
}

#[test]
fn a_store_uses_only_the_server_that_its_node_follows_and_reads_only_with_a_lease_where_a_standby_may_take_over() {
    on_postgresql(async |db| {
        let (_, session) = registered(db, MINE, 10).await;
        let registration = Registration::new(id(MINE));
        let good_until = |nanos| registration.good_until().store(nanos, std::sync::atomic::Ordering::Release);
        good_until(i64::MAX);
        let (standby, url) = NamesStandby::before(db.url()).await;
        let opened =
            Store::open_registered(&url, StoreOptions::default(), db.background().clone(), Some(registration.clone()));
        let store = opened.await.unwrap();
        let uses_it = async || {
            let read = store.candidates(1).await;
            let listed = store.read(|reads| Box::pin(reads.list_nodes())).await;
            let changed = change(&store, 7).await;
            assert_eq!(read.is_ok(), changed.is_ok(), "{read:?} {changed:?}");
            assert_eq!(read.is_ok(), listed.is_ok(), "{read:?} {listed:?}");
            read.is_ok()
        };
        assert!(uses_it().await, "nothing is followed yet");
        registration.follow(session.history(), true);
        assert!(uses_it().await);
        registration.follow("another/00000002", true);
        assert!(!uses_it().await, "its connections lead to another server, and so do new ones");
        registration.follow(session.history(), true);
        assert!(uses_it().await);

        let before = change(db.store(), 7).await.unwrap().unwrap();
        standby.does.store(false, std::sync::atomic::Ordering::SeqCst);
        let unknown = change(&store, 7).await;
        let is_unknown = matches!(&unknown, Err(StoreError::Unavailable(outage)) if outage.kind == OutageKind::Lost);
        assert!(is_unknown, "whether the standby has it is unknown: {unknown:?}");
        let after = change(db.store(), 7).await.unwrap().unwrap();
        assert_eq!(after.seq, before.seq + 4, "this server has the two entries of each");
        standby.does.store(true, std::sync::atomic::Ordering::SeqCst);
        assert!(change(&store, 7).await.is_ok());

        good_until(0);
        assert!(superseded(&store.candidates(1).await));
        registration.follow(session.history(), false);
        assert!(store.candidates(1).await.is_ok(), "no other server could have taken its place");
        store.shutdown().await;
    });
}

#[test]
fn a_notification_reaches_every_node() {
    on_postgresql(async |db| {
        let (_, session) = registered(db, MINE, 10).await;
        let (_, other) = registered(db, OTHER, 10).await;
        session.notify().await.unwrap();
        session.notified().await;
        other.notified().await;
    });
}

#[test]
fn a_pooler_in_transaction_mode_is_refused_and_one_in_session_mode_serves() {
    on_postgresql(async |db| {
        let (_pooler, url) = Pooler::before(db.url()).await;
        let refused = Registry::of(&url).unwrap().enter().await;
        assert_eq!(refused, Err(EnterError::TransactionPooler));
        assert!(refused.unwrap_err().to_string().contains("transaction mode"));
        // One server connection for each client, for as long as it stays: what session mode does.
        let (_proxy, url) = Proxy::before(db.url()).await;
        assert_eq!(Registry::of(&url).unwrap().enter().await, Ok(()));
    });
}

#[test]
fn a_server_of_a_version_that_serves_alone_keeps_nodes_out_and_nodes_do_not() {
    on_postgresql(async |db| {
        let mut older = Sql::connect(db.url()).await;
        older.run("SELECT pg_advisory_lock(7956858194981027842)").await.unwrap();
        let registry = Registry::of(db.url()).unwrap();
        assert_eq!(registry.enter().await, Err(EnterError::OlderServer));
        older.run("SELECT pg_advisory_unlock_all()").await.unwrap();
        let (one, two) = futures::future::join(registry.enter(), registry.enter()).await;
        assert_eq!((one, two), (Ok(()), Ok(())));
    });
}

/// Has the database note what a setting is in sessions that log a change; a connection to it, and its name.
async fn observing(db: &Db, setting: &str) -> (Sql, String) {
    let mut sql = Sql::connect(db.url()).await;
    let observed = format!(
        "CREATE TABLE observed (value text); \
         CREATE FUNCTION observe() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN \
         INSERT INTO observed VALUES (current_setting('{setting}')); RETURN NEW; END$$; \
         CREATE TRIGGER observe AFTER INSERT ON revocation_log FOR EACH ROW \
         WHEN (NEW.touched = 'token') EXECUTE FUNCTION observe()"
    );
    sql.run(&observed).await.unwrap();
    (sql, db.url().to_string().rsplit_once('/').unwrap().1.to_owned())
}

/// Errors are told by their messages.
#[test]
fn messages_are_asked_for_in_english() {
    on_postgresql(async |db| {
        let (mut sql, name) = observing(db, "lc_messages").await;
        // The one other that every machine has.
        sql.run(&format!("ALTER DATABASE \"{name}\" SET lc_messages = 'POSIX'")).await.unwrap();
        let store = db.another_store().await;
        assert_eq!(change(&store, 7).await.map(drop), Ok(()));
        store.shutdown().await;
        assert_eq!(sql.lines("SELECT value AS line FROM observed").await, ["C"]);
    });
}

#[test]
fn a_weaker_commit_configured_at_the_server_is_made_durable_and_a_stronger_one_is_kept() {
    on_postgresql(async |db| {
        let (mut sql, name) = observing(db, "synchronous_commit").await;
        for (configured, used) in
            [("off", "on"), ("local", "on"), ("remote_write", "on"), ("on", "on"), ("remote_apply", "remote_apply")]
        {
            sql.run(&format!("ALTER DATABASE \"{name}\" SET synchronous_commit = {configured}")).await.unwrap();
            let store = db.another_store().await;
            assert_eq!(change(&store, 7).await.map(drop), Ok(()));
            store.shutdown().await;
            assert_eq!(sql.lines("SELECT value AS line FROM observed").await, [used], "{configured}");
            sql.run("DELETE FROM observed").await.unwrap();
        }
    });
}

#[test]
fn migrations_are_not_taken_back_under_a_node_and_no_node_comes_meanwhile() {
    on_postgresql(async |db| {
        let (registry, _session) = registered(db, MINE, 10).await;
        let refused = migrate::down(db.url(), 1);
        assert!(matches!(&refused, Err(error) if error.to_string().contains("nodes: 1")), "{refused:?}");
        assert!(migrate::status(db.url()).unwrap().iter().all(|migration| migration.applied));

        // What a command holds while it takes migrations back.
        let mut command = Sql::connect(db.url()).await;
        command.run("SELECT pg_advisory_lock(7956858194981027843)").await.unwrap();
        let waits = async {
            let waiting = "SELECT 'one' AS line FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
                           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
            while command.lines(waiting).await.is_empty() {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            let listed = command.lines("SELECT beat::text AS line FROM nodes").await;
            command.run("SELECT pg_advisory_unlock_all()").await.unwrap();
            listed
        };
        let other = record(OTHER);
        let (registered, listed) = futures::future::join(registry.register(&other, 20), waits).await;
        assert_eq!((registered, listed), (Ok(()), vec!["10".to_owned()]));

        // One that came after all of it.
        command.run("DELETE FROM nodes").await.unwrap();
        assert!(migrate::down(db.url(), 1).is_ok());
        let refused = registry.register(&record(3), 30).await;
        assert!(matches!(&refused, Err(error) if error.to_string().contains("migrate up")), "{refused:?}");
        assert_eq!(command.lines("SELECT beat::text AS line FROM nodes").await, Vec::<String>::new());
        migrate::up(db.url()).unwrap();
        assert_eq!(registry.register(&record(3), 30).await, Ok(()));
    });
}

#[test]
fn nodes_that_reported_lately_are_counted() {
    on_postgresql(async |db| {
        let (registry, _session) = registered(db, MINE, 10).await;
        registered(db, OTHER, 10).await;
        assert_eq!(registry.live_nodes().await, Ok(2));
        let mut sql = Sql::connect(db.url()).await;
        sql.run("UPDATE nodes SET seen_at = seen_at - interval '11 seconds' WHERE beat = 10").await.unwrap();
        assert_eq!(registry.live_nodes().await, Ok(0));
        sql.run("ALTER TABLE nodes RENAME TO before").await.unwrap();
        assert_eq!(registry.live_nodes().await, Ok(0), "before there was a list");
        sql.run("ALTER TABLE before RENAME TO nodes").await.unwrap();
    });
}
