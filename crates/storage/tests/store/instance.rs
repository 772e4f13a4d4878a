//! One server process per database.

use crate::pooler::Pooler;
use crate::proxy::Proxy;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use storage::instance::{AcquireError, InstanceLock, Lost};
use storage::model::Touched;
use storage::{OutageKind, Store, StoreError, StoreOptions};
use test_support::database::sqlite_url;
use test_support::records::{after, id};
use test_support::sql::Sql;
use test_support::{Backend, Db};

async fn holder(db: &Db, name: &str) -> Result<InstanceLock, AcquireError> {
    InstanceLock::acquire(db.url(), name).await
}

/// Waits for something that must come, however slow the machine.
async fn until(what: impl Fn() -> bool) {
    let come = async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), come).await.expect("it never came");
}

#[test]
fn the_second_process_is_told_who_the_first_is() {
    Db::each(async |db| {
        let first = holder(db, "pid 1 on ada").await.unwrap();
        assert!(first.is_current());
        let second = holder(db, "pid 2 on bob").await;
        let Err(AcquireError::AlreadyRunning(running)) = second else { panic!("{second:?}") };
        assert_eq!(running.holder.as_deref(), Some("pid 1 on ada"));
        assert!(running.to_string().contains("pid 1 on ada"));
        assert!(first.is_current());
        first.release().await;
        let second = holder(db, "pid 2 on bob").await.unwrap();
        assert!(second.is_current());
        second.release().await;
    });
}

#[test]
fn of_many_at_once_one_gets_it() {
    Db::each(async |db| {
        let names: Vec<_> = (0..8).map(|number| format!("pid {number}")).collect();
        let attempts = futures::future::join_all(names.iter().map(|name| holder(db, name))).await;
        assert_eq!(attempts.iter().filter(|attempt| attempt.is_ok()).count(), 1);
        for lock in attempts.into_iter().flatten() {
            lock.release().await;
        }
    });
}

#[test]
fn the_proof_is_renewed_and_its_loss_is_noticed() {
    Db::on(Backend::PostgreSql, StoreOptions::default(), async |db| {
        let (proxy, url) = Proxy::before(db.url()).await;
        let lock = InstanceLock::acquire(&url, "first").await.unwrap();
        let good_until = lock.good_until();
        let read = || good_until.load(std::sync::atomic::Ordering::Acquire);
        let before = read();
        until(|| read() > before).await;

        // A connection lost and found again: nobody was there meanwhile, so nothing is lost for good.
        proxy.cut();
        until(|| !lock.is_current()).await;
        proxy.open();
        until(|| lock.is_current()).await;

        // A way that swallows everything: the session lives on at the server, the proof does not.
        proxy.stall();
        until(|| !lock.is_current()).await;
        proxy.open();
        until(|| lock.is_current()).await;
        lock.release().await;
    });
}

#[test]
fn whoever_comes_back_after_another_was_there_has_lost() {
    Db::on(Backend::PostgreSql, StoreOptions::default(), async |db| {
        let (proxy, url) = Proxy::before(db.url()).await;
        let first = InstanceLock::acquire(&url, "first").await.unwrap();
        proxy.cut();
        // The server sees the cut and gives the lock to the second, who waits until the first must have stopped.
        let mut second = None;
        while second.is_none() {
            match holder(db, "second").await {
                Ok(lock) => second = Some(lock),
                Err(AcquireError::AlreadyRunning(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(!first.is_current(), "two at once");
        let second = second.unwrap();
        assert!(second.is_current());
        // Even when the second is gone again, the first's memory is out of date.
        second.release().await;
        proxy.open();
        tokio::time::timeout(Duration::from_secs(30), first.lost()).await.expect("it never noticed");
        assert!(!first.is_current());
        first.release().await;
        // And it has left no trace.
        let third = holder(db, "third").await.unwrap();
        assert!(third.is_current());
        third.release().await;
    });
}

#[test]
fn a_lock_dropped_is_free_again() {
    Db::each(async |db| {
        drop(holder(db, "first").await.unwrap());
        let mut taken = holder(db, "second").await;
        while let Err(AcquireError::AlreadyRunning(_)) = taken {
            tokio::time::sleep(Duration::from_millis(20)).await;
            taken = holder(db, "second").await;
        }
        taken.unwrap().release().await;
    });
}

/// A change that others have to hear of.
async fn change(store: &Store) -> Result<(), StoreError> {
    store.write(|tx| Box::pin(async move { tx.append_log(vec![Touched::Token(id(1))], after(1)).await })).await
}

fn superseded(result: &Result<(), StoreError>) -> bool {
    matches!(result, Err(StoreError::Unavailable(outage)) if outage.kind == OutageKind::Superseded)
}

#[test]
fn a_server_that_lost_its_lock_session_commits_no_change() {
    Db::on(Backend::PostgreSql, StoreOptions::default(), async |db| {
        // Only the way of the lock's session is cut; the pool of the first server works as before.
        let (proxy, url) = Proxy::before(db.url()).await;
        let first = InstanceLock::acquire(&url, "first").await.unwrap();
        let opened =
            Store::open_registered(db.url(), StoreOptions::default(), db.background().clone(), first.registration());
        let store = opened.await.unwrap();
        assert_eq!(change(&store).await, Ok(()));
        proxy.cut();
        until(|| !first.is_current()).await;
        let refused = change(&store).await;
        assert!(superseded(&refused), "without a proof: {refused:?}");

        let mut second = holder(db, "second").await;
        while let Err(AcquireError::AlreadyRunning(_)) = second {
            tokio::time::sleep(Duration::from_millis(20)).await;
            second = holder(db, "second").await;
        }
        let second = second.unwrap();
        let opened =
            Store::open_registered(db.url(), StoreOptions::default(), db.background().clone(), second.registration());
        let successor = opened.await.unwrap();
        assert_eq!(change(&successor).await, Ok(()));
        // Even one that believes in its lock, as a process does that was stopped in the middle of a change.
        let fooled = first.good_until();
        fooled.store(i64::MAX, std::sync::atomic::Ordering::Release);
        let refused = change(&store).await;
        assert!(superseded(&refused), "in an old epoch: {refused:?}");
        assert_eq!(change(&successor).await, Ok(()));
        second.release().await;
        store.shutdown().await;
        successor.shutdown().await;
    });
}

#[test]
fn an_older_copy_put_in_place_of_the_database_is_noticed() {
    Db::on(Backend::PostgreSql, StoreOptions::default(), async |db| {
        for older in [
            "DELETE FROM revocation_log; UPDATE revocation_clock SET n = 0",
            "UPDATE revocation_clock SET epoch = epoch - 1",
        ] {
            let lock = holder(db, "server").await.unwrap();
            let opened =
                Store::open_registered(db.url(), StoreOptions::default(), db.background().clone(), lock.registration());
            let store = opened.await.unwrap();
            assert_eq!(change(&store).await, Ok(()));
            let read = lock.good_until();
            let before = read.load(std::sync::atomic::Ordering::Acquire);
            // The change has been seen by a proof.
            until(|| read.load(std::sync::atomic::Ordering::Acquire) > before).await;
            Sql::connect(db.url()).await.run(older).await.unwrap();
            tokio::time::timeout(Duration::from_secs(30), lock.lost()).await.expect(older);
            assert!(!lock.is_current(), "{older}");
            let refused = change(&store).await;
            assert!(superseded(&refused), "{older}: {refused:?}");
            store.shutdown().await;
            lock.release().await;
        }
    });
}

#[test]
fn a_pooler_in_transaction_mode_is_refused_and_one_in_session_mode_serves() {
    Db::on(Backend::PostgreSql, StoreOptions::default(), async |db| {
        let (_pooler, url) = Pooler::before(db.url()).await;
        let refused = InstanceLock::acquire(&url, "pooled").await;
        assert!(matches!(refused, Err(AcquireError::TransactionPooler)), "{refused:?}");
        assert!(refused.unwrap_err().to_string().contains("transaction mode"));
        // One server connection for each client, for as long as it stays: what session mode does.
        let (_proxy, url) = Proxy::before(db.url()).await;
        InstanceLock::acquire(&url, "through").await.unwrap().release().await;
    });
}

#[test]
fn a_weaker_commit_configured_at_the_server_is_made_durable_and_a_stronger_one_is_kept() {
    Db::on(Backend::PostgreSql, StoreOptions::default(), async |db| {
        let mut sql = Sql::connect(db.url()).await;
        let observed = "CREATE TABLE observed (value text); \
            CREATE FUNCTION observe() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN \
            INSERT INTO observed VALUES (current_setting('synchronous_commit')); RETURN NEW; END$$; \
            CREATE TRIGGER observe AFTER INSERT ON revocation_log FOR EACH ROW EXECUTE FUNCTION observe()";
        sql.run(observed).await.unwrap();
        let name = db.url().to_string().rsplit_once('/').unwrap().1.to_owned();
        for (configured, used) in
            [("off", "on"), ("local", "on"), ("remote_write", "on"), ("on", "on"), ("remote_apply", "remote_apply")]
        {
            sql.run(&format!("ALTER DATABASE \"{name}\" SET synchronous_commit = {configured}")).await.unwrap();
            let store = db.another_store().await;
            assert_eq!(change(&store).await, Ok(()));
            store.shutdown().await;
            assert_eq!(sql.lines("SELECT value AS line FROM observed").await, [used], "{configured}");
            sql.run("DELETE FROM observed").await.unwrap();
        }
    });
}

/// The path of a test's database file, and of another file beside it.
fn paths(db: &Db) -> (PathBuf, PathBuf) {
    let path = db.url().sqlite_path().unwrap().to_owned();
    let other = path.with_file_name("other.db");
    (path, other)
}

#[test]
fn nothing_that_is_done_to_the_files_lets_a_second_process_in() {
    Db::on(Backend::Sqlite, StoreOptions::default(), async |db| {
        let (path, other) = paths(db);
        let first = holder(db, "first").await.unwrap();
        fs::remove_file(path.with_file_name("test.db.lock")).unwrap();
        assert!(matches!(holder(db, "second").await, Err(AcquireError::AlreadyRunning(_))), "without its lock file");
        fs::hard_link(&path, &other).unwrap();
        let linked = InstanceLock::acquire(&sqlite_url(other.clone()), "second").await;
        assert!(matches!(linked, Err(AcquireError::AlreadyRunning(_))), "by a hard link: {linked:?}");
        fs::remove_file(&other).unwrap();
        std::os::unix::fs::symlink(&path, &other).unwrap();
        let linked = InstanceLock::acquire(&sqlite_url(other), "second").await;
        assert!(matches!(linked, Err(AcquireError::AlreadyRunning(_))), "by a symbolic link: {linked:?}");
        first.release().await;
    });
}

#[test]
fn a_file_with_two_names_is_not_served() {
    Db::on(Backend::Sqlite, StoreOptions::default(), async |db| {
        let (path, other) = paths(db);
        fs::hard_link(&path, &other).unwrap();
        let refused = holder(db, "first").await;
        assert!(
            matches!(&refused, Err(AcquireError::Store(error)) if error.to_string().contains("hard link")),
            "{refused:?}"
        );
    });
}

#[test]
fn memory_is_not_trusted_while_the_file_is_not_where_it_was() {
    Db::on(Backend::Sqlite, StoreOptions::default(), async |db| {
        let (path, other) = paths(db);
        let lock = holder(db, "first").await.unwrap();
        assert!(lock.is_current());
        fs::hard_link(&path, &other).unwrap();
        until(|| !lock.is_current()).await;
        fs::remove_file(&other).unwrap();
        until(|| lock.is_current()).await;

        let change = || db.store().write(|tx| Box::pin(tx.meta_set("key", "value")));
        assert_eq!(change().await, Ok(()));
        fs::rename(&path, &other).unwrap();
        until(|| !lock.is_current()).await;
        // It could still be written to, and nobody would ever find what was written.
        let refused: Result<(), StoreError> = change().await;
        assert!(matches!(&refused, Err(error) if error.is_unavailable()), "{refused:?}");
        assert!(db.store().check_disk().await.is_err());
        fs::rename(&other, &path).unwrap();
        until(|| lock.is_current()).await;
        assert_eq!(db.store().check_disk().await, Ok(()), "the end of the trouble is seen without a change");
        assert_eq!(change().await, Ok(()));

        fs::copy(&path, &other).unwrap();
        fs::rename(&other, &path).unwrap();
        let lost = tokio::time::timeout(Duration::from_secs(30), lock.lost()).await.expect("it never noticed");
        assert_eq!(lost, Lost::Replaced);
        assert!(!lock.is_current());
        lock.release().await;
    });
}

#[test]
fn a_commit_by_another_program_is_noticed_and_our_own_are_not() {
    Db::on(Backend::Sqlite, StoreOptions::default(), async |db| {
        let change = || db.store().write(|tx| Box::pin(tx.meta_set("key", "value")));
        for _ in 0..20 {
            assert_eq!(change().await, Ok::<_, StoreError>(()));
        }
        let mut other = Sql::connect(db.url()).await;
        other.run("INSERT INTO deployment VALUES ('foreign', 'x')").await.unwrap();
        until(|| db.store().counters().foreign_commits() > 0).await;
        assert_eq!(change().await, Ok::<_, StoreError>(()));
        assert_eq!(db.store().counters().foreign_commits(), 1, "once for what one other program did");
        assert_eq!(db.store().counters().doubts(), 1);
    });
}

#[test]
fn what_others_did_while_the_connection_that_watches_them_was_lost_is_in_doubt() {
    let options = StoreOptions { lock_timeout: Duration::from_millis(50), ..StoreOptions::default() };
    Db::on(Backend::Sqlite, options, async |db| {
        let change = || db.store().write(|tx| Box::pin(tx.meta_set("key", "value")));
        let mut other = Sql::connect(db.url()).await;
        other.run("BEGIN IMMEDIATE").await.unwrap();
        other.run("INSERT INTO deployment VALUES ('foreign', 'x')").await.unwrap();
        let refused: Result<(), StoreError> = change().await;
        assert!(matches!(&refused, Err(error) if error.is_unavailable()), "{refused:?}");
        other.run("COMMIT").await.unwrap();
        // A new connection, which cannot have seen the change of the other.
        assert_eq!(change().await, Ok(()));
        until(|| db.store().counters().doubts() > 0).await;
    });
}
