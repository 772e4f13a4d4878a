//! How a unit of work begins, ends, fails and is interrupted.

use crate::run::{founded, read, write};
use crate::tokens::insert;
use crate::trails::{event, shard};
use futures::future::join_all;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use storage::model::Touched;
use storage::{Store, StoreError, StoreOptions, Tx};
use test_support::records::{self, after, id};
use test_support::{Backend, Db};
use token_domain::execution::RepositoryName;
use token_domain::record::{AuditHead, Token};
use token_domain::token::GraceMode;

#[test]
fn a_failed_unit_leaves_nothing_behind() {
    #[derive(Debug, PartialEq)]
    enum Refused {
        ByUs(u8),
        ByStore(StoreError),
    }
    impl From<StoreError> for Refused {
        fn from(error: StoreError) -> Self {
            Self::ByStore(error)
        }
    }
    Db::each(async |db| {
        let refused: Result<(), Refused> = db
            .store()
            .write(|tx| {
                Box::pin(async move {
                    tx.insert_organization(&records::organization(1)).await?;
                    Err(Refused::ByUs(7))
                })
            })
            .await;
        assert_eq!(refused, Err(Refused::ByUs(7)));
        let refused: Result<(), Refused> = db
            .store()
            .write(|tx| {
                Box::pin(async move {
                    tx.insert_organization(&records::organization(1)).await?;
                    Ok(tx.insert_organization(&records::organization(1)).await?)
                })
            })
            .await;
        assert!(matches!(refused, Err(Refused::ByStore(StoreError::Conflict(_)))), "{refused:?}");
        assert_eq!(read(db.store(), |r| Box::pin(r.count_organizations())).await, 0);
        assert_eq!((db.store().counters().writes(), db.store().counters().reads()), (2, 1));
    });
}

#[test]
fn a_unit_that_passes_over_an_error_is_not_committed() {
    Db::each(async |db| {
        founded(db.store()).await;
        let swallowed = write(db.store(), |tx| {
            Box::pin(async move {
                tx.insert_organization(&records::organization(2)).await?;
                let twin = tx.insert_organization(&records::organization(1)).await;
                assert!(matches!(twin, Err(StoreError::Conflict(_))), "{twin:?}");
                // The next operation is refused, on SQLite as on PostgreSQL.
                assert!(matches!(tx.count_organizations().await, Err(StoreError::Broken(_))));
                Ok(())
            })
        });
        let swallowed = swallowed.await;
        assert!(matches!(swallowed, Err(StoreError::Broken(_))), "{swallowed:?}");
        assert_eq!(read(db.store(), |r| Box::pin(r.count_organizations())).await, 1);
    });
}

#[test]
fn a_unit_whose_last_statements_fail_is_not_committed() {
    Db::each(async |db| {
        founded(db.store()).await;
        // As the very first unit of its connections, which have every statement to prepare yet, and as a later one.
        let fresh = db.another_store().await;
        for _ in 0..2 {
            for failing in 0..4 {
                let unit = write(&fresh, move |tx| {
                    Box::pin(async move {
                        let head = tx.audit_head(None).await?;
                        tx.insert_organization(&records::organization(2)).await?;
                        tx.insert_token(&records::kept(records::token(id(if failing == 0 { 77 } else { 1 }), 1)))
                            .await?;
                        let head = if failing == 1 { AuditHead { seq: head.seq + 1, ..head } } else { head };
                        tx.append_audit(event(None, head, "")).await?;
                        tx.append_log(vec![Touched::Token(id(1))], after(1)).await?;
                        let last = match failing {
                            2 => Some(records::token(id(1), 1)),
                            // Fails before it is sent.
                            3 => Some(Token { scopes: vec!["a b".to_owned()], ..records::token(id(1), 2) }),
                            _ => None,
                        };
                        if let Some(token) = last {
                            tx.insert_token(&records::kept(token)).await?;
                        }
                        Ok(())
                    })
                });
                let result = unit.await;
                assert!(result.as_ref().is_err_and(|error| !error.is_unavailable()), "{failing}: {result:?}");
                let shard = shard(db);
                let left = read(&fresh, move |r| {
                    Box::pin(async move {
                        let trail = r.audit_end(None).await?.map_or(0, |end| end.seq);
                        let tokens = r.live_token_count(id(1), after(2)).await?;
                        Ok((r.count_organizations().await?, tokens, r.log_tail(shard).await?, trail))
                    })
                });
                assert_eq!(left.await, (1, 0, 0, 0), "{failing}");
            }
        }
        fresh.shutdown().await;
    });
}

#[test]
fn what_follows_a_commit_follows_no_failure() {
    Db::each(async |db| {
        let (told, heard) = std::sync::mpsc::channel();
        for number in 1..=4 {
            let told = told.clone();
            let unit = write(db.store(), move |tx| {
                Box::pin(async move {
                    tx.afterwards(move || told.send(number).unwrap());
                    tx.insert_organization(&records::organization(number)).await?;
                    match number {
                        2 => Err(StoreError::Broken("on purpose".to_owned())),
                        // Fails with its commit on PostgreSQL, where nobody waits for the answer.
                        3 => tx.insert_token(&records::kept(records::token(id(77), 1))).await,
                        _ => Ok(()),
                    }
                })
            });
            assert_eq!(unit.await.is_ok(), number == 1 || number == 4, "{number}");
        }
        assert_eq!(heard.try_iter().collect::<Vec<_>>(), [1, 4]);
    });
}

#[test]
fn what_is_left_for_later_is_seen_by_what_follows() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        let counted = write(store, move |tx| {
            Box::pin(async move {
                for number in 1..=40 {
                    tx.insert_token(&records::kept(records::token(org, number))).await?;
                }
                let before = tx.live_token_count(org, after(2)).await?;
                tx.insert_token(&records::kept(records::token(org, 41))).await?;
                let logged = tx.append_log(vec![Touched::Created(id(41))], after(1)).await?;
                let is_there = tx.token(org, id(41)).await?.is_some();
                Ok((before, logged.place().map(|place| place.seq), is_there))
            })
        });
        assert_eq!(counted.await, Ok((40, Some(1), true)));
        assert_eq!(read(store, |r| Box::pin(r.live_token_count(org, after(2)))).await, 41);
    });
}

#[test]
fn a_unit_that_panics_is_rolled_back_and_hurts_nobody() {
    Db::each(async |db| {
        let store = db.store();
        let panics = write(store, |tx| {
            Box::pin(async move {
                tx.insert_organization(&records::organization(1)).await?;
                panic!("on purpose")
            })
        });
        let panicked: Result<(), StoreError> = panics.await;
        assert!(matches!(panicked, Err(StoreError::Broken(_))), "{panicked:?}");
        let early: Result<(), StoreError> = write(store, |_| panic!("before the first await")).await;
        assert!(matches!(early, Err(StoreError::Broken(_))), "{early:?}");
        assert_eq!(read(store, |r| Box::pin(r.count_organizations())).await, 0);
        founded(store).await;
        assert_eq!(read(store, |r| Box::pin(r.count_organizations())).await, 1);
    });
}

#[test]
fn a_committed_unit_is_seen_at_once_by_every_reader() {
    Db::each(async |db| {
        let other = db.another_store().await;
        for number in 1..=50 {
            let inserted = write(db.store(), move |tx| {
                Box::pin(async move { tx.insert_organization(&records::organization(number)).await })
            });
            inserted.await.unwrap();
            for store in [db.store(), &other] {
                assert!(read(store, |r| Box::pin(r.organization(id(number)))).await.is_some(), "{number}");
            }
        }
        other.shutdown().await;
    });
}

#[test]
fn one_failing_unit_of_a_group_does_not_hurt_the_others() {
    Db::each(async |db| {
        let store = db.store();
        let units = (1..=10).map(|number| {
            write(store, move |tx| {
                Box::pin(async move {
                    tx.insert_organization(&records::organization(number)).await?;
                    match number {
                        3 => Err(StoreError::Broken("on purpose".to_owned())),
                        5 => panic!("on purpose"),
                        7 => tx.insert_organization(&records::organization(number)).await,
                        _ => Ok(()),
                    }
                })
            })
        });
        let results = join_all(units).await;
        let failed: Vec<_> = (1..=10).zip(&results).filter(|(_, r)| r.is_err()).map(|(number, _)| number).collect();
        assert_eq!(failed, [3, 5, 7]);
        let other = db.another_store().await;
        for number in 1..=10 {
            let there = read(&other, |r| Box::pin(r.organization(id(number)))).await.is_some();
            assert_eq!(there, ![3, 5, 7].contains(&number), "{number}");
        }
        other.shutdown().await;
        let counters = store.counters();
        assert_eq!(counters.writes(), 10);
        match db.backend() {
            Backend::Sqlite => assert!(counters.commits() < 10, "{} commits", counters.commits()),
            Backend::PostgreSql => assert_eq!(counters.commits(), 7),
        }
    });
}

#[test]
fn groups_are_bounded() {
    let options = StoreOptions { group_jobs: 4, group_wait: Duration::from_mins(1), ..StoreOptions::default() };
    Db::on(Backend::Sqlite, options, async |db| {
        let units = (1..=64).map(|number| {
            write(db.store(), move |tx| {
                Box::pin(async move { tx.insert_organization(&records::organization(number)).await })
            })
        });
        assert!(join_all(units).await.iter().all(Result::is_ok));
        assert!(db.store().counters().commits() >= 16);
    });
}

#[test]
fn a_full_queue_makes_callers_wait_and_loses_none() {
    let options = StoreOptions { queue_length: 2, pool_size: 2, ..StoreOptions::default() };
    Db::each_with(options, async |db| {
        let units = (1..=100).map(|number| {
            write(db.store(), move |tx| {
                Box::pin(async move { tx.insert_organization(&records::organization(number)).await })
            })
        });
        assert!(join_all(units).await.iter().all(Result::is_ok));
        assert_eq!(read(db.store(), |r| Box::pin(r.count_organizations())).await, 100);
    });
}

/// What a unit of work of an organisation locks first, and waits for in the process.
#[derive(Clone, Copy, Debug)]
enum First {
    Trail,
    Repository,
}

impl First {
    async fn lock(self, tx: &mut Tx, number: u64) -> Result<(), StoreError> {
        match self {
            Self::Trail => tx.audit_head(Some(id(number))).await.map(drop),
            Self::Repository => {
                let name = RepositoryName::parse("widgets").unwrap();
                tx.register_repository(id(number), id(number), &name, records::T0).await.map(drop)
            }
        }
    }
}

#[test]
fn a_busy_organisation_leaves_connections_to_others() {
    let patience = Duration::from_mins(1);
    let options =
        StoreOptions { pool_size: 2, acquire_timeout: patience, lock_timeout: patience, ..StoreOptions::default() };
    Db::on(Backend::PostgreSql, options, async |db| {
        let store = db.store();
        for number in [1, 2] {
            write(store, move |tx| {
                Box::pin(async move { tx.insert_organization(&records::organization(number)).await })
            })
            .await
            .unwrap();
        }
        for first in [First::Trail, First::Repository] {
            crowded(store, first).await;
        }
    });
}

/// One unit holds the lock, twenty wait for it, and one of another organisation gets through on the two connections there are.
async fn crowded(store: &Store, first: First) {
    let touch = |number| write(store, move |tx| Box::pin(async move { first.lock(tx, number).await }));
    let (started, start) = tokio::sync::oneshot::channel();
    let (go_on, gate) = tokio::sync::oneshot::channel::<()>();
    let long = write(store, move |tx| {
        Box::pin(async move {
            first.lock(tx, 1).await?;
            started.send(()).unwrap();
            gate.await.unwrap();
            Ok(())
        })
    });
    let others = async {
        start.await.unwrap();
        let crowd = join_all((0..20).map(|_| touch(1)));
        tokio::pin!(crowd);
        // Another organisation's change gets through while all of those wait.
        tokio::select! {
            biased;
            _ = &mut crowd => panic!("they wait for the first"),
            another = touch(2) => another.unwrap(),
        }
        go_on.send(()).unwrap();
        crowd.await
    };
    let (long, crowd) = futures::future::join(long, others).await;
    assert!(long.is_ok() && crowd.iter().all(Result::is_ok), "{first:?}: {long:?}, {crowd:?}");
}

#[test]
fn a_turn_ends_with_its_unit_however_that_ends() {
    let options = StoreOptions { pool_size: 1, acquire_timeout: Duration::from_mins(1), ..StoreOptions::default() };
    Db::on(Backend::PostgreSql, options, async |db| {
        founded(db.store()).await;
        let trail = Some(id(1));
        for _ in 0..3 {
            let refused = write(db.store(), move |tx| {
                Box::pin(async move {
                    tx.audit_head(trail).await?;
                    Err::<(), _>(StoreError::Broken("refused".to_owned()))
                })
            });
            assert!(refused.await.is_err());
            let panicked = write(db.store(), move |tx| {
                Box::pin(async move {
                    tx.audit_head(trail).await?;
                    panic!("on purpose")
                })
            });
            assert!(matches!(panicked.await, Err::<(), _>(StoreError::Broken(_))));
            let uncommittable = write(db.store(), move |tx| {
                Box::pin(async move {
                    tx.audit_head(trail).await?;
                    tx.insert_organization(&records::organization(1)).await
                })
            });
            assert!(matches!(uncommittable.await, Err(StoreError::Conflict(_))));
            // A caller that goes away while the unit waits for its turn.
            let mut dropped = Box::pin(write(db.store(), move |tx| Box::pin(tx.audit_head(trail))));
            assert!(futures::FutureExt::now_or_never(&mut dropped).is_none());
            drop(dropped);
        }
        let head = write(db.store(), move |tx| Box::pin(tx.audit_head(trail))).await;
        assert!(head.is_ok(), "{head:?}");
    });
}

#[test]
fn an_operation_that_was_never_begun_leaves_its_unit_alone() {
    Db::each(async |db| {
        founded(db.store()).await;
        let counted = write(db.store(), |tx| {
            Box::pin(async move {
                drop(tx.count_organizations());
                drop(tx.audit_head(None));
                tx.count_organizations().await
            })
        });
        assert_eq!(counted.await, Ok(1));
    });
}

#[test]
fn a_unit_once_begun_outlives_the_caller() {
    Db::each(async |db| {
        let store = db.store();
        let (started, start) = tokio::sync::oneshot::channel();
        let (go_on, gate) = std::sync::mpsc::channel::<()>();
        let unit = write(store, move |tx| {
            Box::pin(async move {
                started.send(()).unwrap();
                tx.insert_organization(&records::organization(1)).await?;
                // Blocks its thread, not the test's.
                gate.recv().unwrap();
                tx.insert_organization(&records::organization(2)).await
            })
        });
        let mut unit = Box::pin(unit);
        tokio::select! {
            _ = &mut unit => panic!("it waits for the gate"),
            started = start => started.unwrap(),
        }
        drop(unit);
        go_on.send(()).unwrap();
        // On SQLite the next unit waits for the one before it; on PostgreSQL closing the store does.
        write(store, |tx| Box::pin(tx.count_organizations())).await.unwrap();
        store.clone().shutdown().await;
        let other = db.another_store().await;
        assert_eq!(read(&other, |r| Box::pin(r.count_organizations())).await, 2);
        other.shutdown().await;
    });
}

/// Tells how many transactions were committed when it was dropped.
struct Told(Store, std::sync::mpsc::Sender<u64>);

impl Drop for Told {
    fn drop(&mut self) {
        // Nobody listening is a test that failed already.
        let _ = self.1.send(self.0.counters().commits());
    }
}

#[test]
fn what_a_unit_holds_goes_after_its_commit_and_before_its_answer() {
    Db::each(async |db| {
        let store = db.store();
        let (told, commits) = std::sync::mpsc::channel();
        let held = || Told(store.clone(), told.clone());
        let kept: Result<(), StoreError> = store
            .write_holding(held(), |tx| {
                Box::pin(async move { tx.insert_organization(&records::organization(1)).await })
            })
            .await;
        assert_eq!((kept, commits.try_recv()), (Ok(()), Ok(1)));
        let refused: Result<(), StoreError> =
            store.write_holding(held(), |_| Box::pin(async { Err(StoreError::Broken("on purpose".to_owned())) })).await;
        assert!(refused.is_err() && commits.try_recv().is_ok());
        let panicked: Result<(), StoreError> = store.write_holding(held(), |_| panic!("on purpose")).await;
        assert!(panicked.is_err() && commits.try_recv().is_ok());
    });
}

#[test]
fn what_a_unit_holds_goes_after_its_commit_though_nobody_waits_any_more() {
    Db::each(async |db| {
        let store = db.store();
        let (told, commits) = std::sync::mpsc::channel();
        let (started, start) = tokio::sync::oneshot::channel();
        let (go_on, gate) = std::sync::mpsc::channel::<()>();
        let mut unit = Box::pin(store.write_holding::<_, StoreError, _, _>(Told(store.clone(), told), move |tx| {
            Box::pin(async move {
                started.send(()).unwrap();
                gate.recv().unwrap();
                tx.insert_organization(&records::organization(1)).await
            })
        }));
        tokio::select! {
            _ = &mut unit => panic!("it waits for the gate"),
            started = start => started.unwrap(),
        }
        drop(unit);
        assert!(commits.try_recv().is_err(), "the unit is not over");
        go_on.send(()).unwrap();
        let told = tokio::task::spawn_blocking(move || commits.recv()).await.unwrap();
        assert_eq!(told, Ok(1));
    });
}

#[test]
fn of_a_thousand_rotations_at_once_one_wins() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        insert(store, vec![records::token(org, 1)]).await;
        let won = Arc::new(AtomicUsize::new(0));
        let rotations = (2..=1_001).map(|number| {
            let won = Arc::clone(&won);
            write(store, move |tx| {
                Box::pin(async move {
                    tx.insert_token(&records::kept(records::token(org, number))).await?;
                    let by = id(u64::from(number));
                    let old = tx
                        .supersede_active(org, id(1), by, after(1), after(9), GraceMode::Fixed, after(1))
                        .await?
                        .ok_or_else(|| StoreError::Broken("not active".to_owned()))?;
                    won.fetch_add(1, Ordering::Relaxed);
                    Ok((old, by))
                })
            })
        });
        let results = join_all(rotations).await;
        let winners: Vec<_> = results.into_iter().filter_map(Result::ok).collect();
        assert_eq!((winners.len(), won.load(Ordering::Relaxed)), (1, 1));
        let (old, by) = &winners[0];
        assert_eq!(old.facts.superseded.map(|superseded| superseded.by), Some(*by));
        // The losers' successors are gone with their units.
        assert_eq!(read(store, |r| Box::pin(r.live_token_count(org, after(2)))).await, 2);
    });
}

#[test]
fn two_owners_who_leave_at_once_are_counted_one_after_the_other() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        write(store, move |tx| {
            Box::pin(async move {
                tx.insert_user(&records::user(2), None).await?;
                let owner = records::member(org, id(2), token_domain::person::BuiltInRole::Owner);
                tx.insert_membership(&owner).await
            })
        })
        .await
        .unwrap();
        let leave = |user| {
            write(store, move |tx| {
                Box::pin(async move {
                    if tx.count_owners(org).await? < 2 {
                        return Err(StoreError::Broken("the last owner".to_owned()));
                    }
                    tx.delete_membership(org, user).await
                })
            })
        };
        let left = join_all([leave(id(1)), leave(id(2))]).await;
        assert_eq!(left.iter().filter(|left| **left == Ok(true)).count(), 1);
    });
}

#[test]
fn a_closed_store_takes_no_more_work() {
    Db::each(async |db| {
        let store = db.another_store().await;
        founded(&store).await;
        store.clone().shutdown().await;
        let late = write(&store, |tx| Box::pin(tx.count_organizations())).await;
        assert!(late.as_ref().is_err_and(StoreError::is_unavailable), "{late:?}");
    });
}

#[test]
fn a_backup_is_a_database_of_its_own() {
    Db::each(async |db| {
        founded(db.store()).await;
        let copy = db.path("copy.db");
        let made = db.store().backup_sqlite(&copy).await;
        if db.backend() == Backend::PostgreSql {
            assert!(matches!(made, Err(StoreError::Broken(_))), "{made:?}");
            return;
        }
        made.unwrap();
        assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o077, 0, "for this user alone");
        let url = test_support::database::sqlite_url(copy.clone());
        let store = Store::open(&url, StoreOptions::default(), db.background().clone()).await.unwrap();
        assert_eq!(read(&store, |r| Box::pin(r.count_organizations())).await, 1);
        store.shutdown().await;
        assert!(db.store().backup_sqlite(&copy).await.is_err(), "an existing file is never overwritten");
    });
}
