//! One server process per SQLite file.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use storage::instance::{AcquireError, InstanceLock, Lost};
use storage::{Store, StoreError, StoreOptions, migrate};
use test_support::sql::Sql;
use test_support::{Backend, Db};

fn holder(db: &Db, name: &str) -> Result<InstanceLock, AcquireError> {
    InstanceLock::acquire(db.url().sqlite_path().unwrap(), name)
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
    Db::on(Backend::Sqlite, StoreOptions::default(), async |db| {
        let first = holder(db, "pid 1 on ada").unwrap();
        assert!(first.is_current());
        let second = holder(db, "pid 2 on bob");
        let Err(AcquireError::AlreadyRunning(running)) = second else { panic!("{second:?}") };
        assert_eq!(running.holder.as_deref(), Some("pid 1 on ada"));
        assert!(running.to_string().contains("pid 1 on ada"));
        assert!(first.is_current());
        first.release();
        let second = holder(db, "pid 2 on bob").unwrap();
        assert!(second.is_current());
        second.release();
    });
}

#[test]
fn of_many_at_once_one_gets_it() {
    Db::on(Backend::Sqlite, StoreOptions::default(), async |db| {
        let names: Vec<_> = (0..8).map(|number| format!("pid {number}")).collect();
        let attempts: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = names.iter().map(|name| scope.spawn(move || holder(db, name))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(attempts.iter().filter(|attempt| attempt.is_ok()).count(), 1);
        attempts.into_iter().flatten().for_each(|lock| lock.release());
    });
}

#[test]
fn a_lock_dropped_is_free_again() {
    Db::on(Backend::Sqlite, StoreOptions::default(), async |db| {
        drop(holder(db, "first").unwrap());
        let mut taken = holder(db, "second");
        while let Err(AcquireError::AlreadyRunning(_)) = taken {
            tokio::time::sleep(Duration::from_millis(20)).await;
            taken = holder(db, "second");
        }
        taken.unwrap().release();
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
        let first = holder(db, "first").unwrap();
        fs::remove_file(path.with_file_name("test.db.lock")).unwrap();
        assert!(matches!(holder(db, "second"), Err(AcquireError::AlreadyRunning(_))), "without its lock file");
        fs::hard_link(&path, &other).unwrap();
        let linked = InstanceLock::acquire(&other, "second");
        assert!(matches!(linked, Err(AcquireError::AlreadyRunning(_))), "by a hard link: {linked:?}");
        fs::remove_file(&other).unwrap();
        std::os::unix::fs::symlink(&path, &other).unwrap();
        let linked = InstanceLock::acquire(&other, "second");
        assert!(matches!(linked, Err(AcquireError::AlreadyRunning(_))), "by a symbolic link: {linked:?}");
        first.release();
    });
}

#[test]
fn a_file_with_two_names_is_not_served() {
    Db::on(Backend::Sqlite, StoreOptions::default(), async |db| {
        let (path, other) = paths(db);
        fs::hard_link(&path, &other).unwrap();
        let refused = holder(db, "first");
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
        let lock = holder(db, "first").unwrap();
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
        lock.release();
    });
}

#[test]
fn what_would_go_into_a_log_that_was_removed_is_refused_and_the_file_is_lost() {
    for name in ["test.db-wal", "test.db-shm"] {
        for is_replaced in [false, true] {
            Db::on(Backend::Sqlite, StoreOptions::default(), async |db| {
                let path = paths(db).0.with_file_name(name);
                let lock = holder(db, "first").unwrap();
                lock.watch(db.store());
                let change = || db.store().write(|tx| Box::pin(tx.meta_set("key", "value")));
                assert_eq!(change().await, Ok::<_, StoreError>(()));
                fs::remove_file(&path).unwrap();
                if is_replaced {
                    fs::write(&path, "").unwrap();
                }
                let refused: Result<(), StoreError> = change().await;
                assert!(matches!(&refused, Err(error) if error.is_unavailable()), "{name} {is_replaced}: {refused:?}");
                let lost = tokio::time::timeout(Duration::from_secs(30), lock.lost()).await.expect("it never noticed");
                assert_eq!(lost, Lost::LogReplaced, "{name} {is_replaced}");
                assert!(!lock.is_current());
                lock.release();
            });
        }
    }
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

async fn change(store: &Store) -> Result<(), StoreError> {
    store.write(|tx| Box::pin(tx.meta_set("key", "value"))).await
}

/// Brings the log into the file.
async fn checkpoint(db: &Db) {
    Sql::connect(db.url()).await.run("PRAGMA wal_checkpoint(PASSIVE)").await.unwrap();
}

fn is_overwritten<T: std::fmt::Debug>(refused: &Result<T, StoreError>) -> bool {
    matches!(refused, Err(error) if error.is_unavailable() && error.to_string().contains("was overwritten"))
}

/// The bytes of the file as they were before some changes, of which none made it longer.
async fn copy_from_before(db: &Db, store: &Store) -> Vec<u8> {
    let path = &paths(db).0;
    assert_eq!(change(store).await, Ok(()));
    checkpoint(db).await;
    let before = fs::read(path).unwrap();
    let version = |bytes: &[u8]| bytes[24..28].to_vec();
    let come = async {
        while version(&fs::read(path).unwrap()) == version(&before) {
            tokio::time::sleep(Duration::from_millis(10)).await;
            assert_eq!(change(store).await, Ok(()));
            checkpoint(db).await;
        }
        // After this checkpoint, which is not the writer's own.
        assert_eq!(change(store).await, Ok(()));
    };
    tokio::time::timeout(Duration::from_secs(30), come).await.expect("the version is never counted up");
    assert_eq!(before.len(), fs::read(path).unwrap().len());
    before
}

#[test]
fn no_change_is_acknowledged_once_another_file_was_copied_over_the_database() {
    for name in ["earlier", "later", "of another start", "empty"] {
        let copied = |mut bytes: Vec<u8>| match name {
            "of another start" => {
                bytes[24..28].copy_from_slice(&1_000_000_u32.to_be_bytes());
                bytes[60..64].copy_from_slice(&1_u32.to_be_bytes());
                bytes
            }
            "empty" => Vec::new(),
            _ => bytes,
        };
        Db::on(Backend::Sqlite, StoreOptions::default(), async |db| {
            let path = paths(db).0;
            let lock = holder(db, "first").unwrap();
            lock.watch(db.store());
            let mut before = copy_from_before(db, db.store()).await;
            if name == "later" {
                // The version has been counted up already, and must go on.
                before = copy_from_before(db, db.store()).await;
            }
            fs::write(&path, copied(before)).unwrap();
            let refused = change(db.store()).await;
            assert!(is_overwritten(&refused), "{name}: {refused:?}");
            let mark = path.with_file_name("test.db.overwritten");
            assert!(mark.exists(), "{name}: on disk before anybody is told");
            assert!(db.store().check_disk().await.is_err());
            let lost = tokio::time::timeout(Duration::from_secs(30), lock.lost()).await.expect("it never noticed");
            assert_eq!(lost, Lost::Overwritten, "{name}");
            assert!(!lock.is_current());
            lock.release();

            let refused = holder(db, "second");
            assert!(matches!(&refused, Err(AcquireError::Store(error)) if error.to_string().contains("mixture")));
            let opened = Store::open(db.url(), StoreOptions::default(), db.background().clone()).await;
            assert!(matches!(&opened, Err(error) if error.to_string().contains("mixture")), "{opened:?}");
            let migrated = migrate::up(db.url());
            assert!(matches!(&migrated, Err(error) if error.to_string().contains("test.db.overwritten")));
            fs::remove_file(&mark).unwrap();
            holder(db, "second").unwrap().release();
        });
    }
}

#[test]
fn a_checkpoint_does_not_hide_that_the_file_was_overwritten() {
    Db::on(Backend::Sqlite, StoreOptions::default(), async |db| {
        let path = paths(db).0;
        let lock = holder(db, "first").unwrap();
        lock.watch(db.store());
        let before = copy_from_before(db, db.store()).await;
        let refused = db.store().write(move |tx| {
            Box::pin(async move {
                fs::write(&path, before).unwrap();
                // So much that SQLite writes the log into the file at the commit, and the first page with it.
                tx.meta_set("large", &"x".repeat(8 * 1024 * 1024)).await
            })
        });
        let refused: Result<(), StoreError> = refused.await;
        assert!(is_overwritten(&refused), "{refused:?}");
        lock.release();
    });
}

#[test]
fn a_stop_leaves_the_mark_beside_a_file_that_was_overwritten_just_before() {
    Db::on(Backend::Sqlite, StoreOptions::default(), async |db| {
        let path = paths(db).0;
        let lock = holder(db, "first").unwrap();
        let store = db.another_store().await;
        lock.watch(&store);
        let before = copy_from_before(db, &store).await;
        fs::write(&path, before).unwrap();
        store.shutdown().await;
        lock.release();
        assert!(path.with_file_name("test.db.overwritten").exists());
    });
}

#[test]
fn nothing_that_is_done_by_way_of_sqlite_looks_like_a_file_that_was_overwritten() {
    for is_seen_before in [false, true] {
        Db::on(Backend::Sqlite, StoreOptions::default(), async |db| {
            let (path, other) = paths(db);
            let lock = holder(db, "first").unwrap();
            lock.watch(db.store());
            let mut theirs = Sql::connect(db.url()).await;
            let elsewhere = format!("VACUUM INTO '{}'", other.display());
            for statement in [
                "CREATE TABLE lines (line TEXT)",
                "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 3000) \
                 INSERT INTO lines SELECT printf('%01000d', n) FROM n",
                "PRAGMA wal_checkpoint(RESTART)",
                "DELETE FROM lines WHERE rowid % 2 = 0",
                "VACUUM",
                &elsewhere,
                "BEGIN; CREATE TABLE other (line TEXT); ROLLBACK",
                "DROP TABLE lines",
                "PRAGMA user_version = 7",
                "PRAGMA user_version = 8",
            ] {
                let commits = db.store().counters().foreign_commits();
                theirs.run(statement).await.unwrap();
                if is_seen_before && statement.contains("user_version") {
                    until(|| db.store().counters().foreign_commits() > commits).await;
                }
                theirs.run("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
                assert_eq!(change(db.store()).await, Ok(()), "{statement}");
                theirs.run("PRAGMA wal_checkpoint(PASSIVE)").await.unwrap();
                assert_eq!(change(db.store()).await, Ok(()), "{statement}");
            }
            assert!(!path.with_file_name("test.db.overwritten").exists());
            assert!(lock.is_current());
            lock.release();
        });
    }
}
