//! One server process per database.

use crate::proxy::Proxy;
use std::time::Duration;
use storage::instance::{AcquireError, InstanceLock};
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
    Db::on(Backend::PostgreSql, storage::StoreOptions::default(), async |db| {
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
    Db::on(Backend::PostgreSql, storage::StoreOptions::default(), async |db| {
        let (proxy, url) = Proxy::before(db.url()).await;
        let first = InstanceLock::acquire(&url, "first").await.unwrap();
        proxy.cut();
        // The server sees the cut and gives the lock to the second, who waits until the first must have stopped.
        let mut second = None;
        while second.is_none() {
            match holder(db, "second").await {
                Ok(lock) => second = Some(lock),
                Err(AcquireError::AlreadyRunning(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(AcquireError::Store(error)) => panic!("{error}"),
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
