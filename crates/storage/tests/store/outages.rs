//! A database that is away, slow, locked or gone in the middle.

use crate::proxy::{Doubt, Proxy, Translated};
use crate::run::{founded, read, write};
use crate::sql::Sql;
use crate::tokens::insert;
use std::time::Duration;
use storage::model::{Narrowing, TokenFilter};
use storage::{Outage, OutageKind, Store, StoreError, StoreOptions};
use test_support::database::sqlite_url;
use test_support::records::{self, T0, id};
use test_support::{Backend, Db};
use token_domain::id::OrganizationId;
use token_domain::record::TokenOwner;

/// Short limits, so that a test of a limit is short as well; long enough for a machine with other work.
fn impatient() -> StoreOptions {
    StoreOptions {
        pool_size: 2,
        connect_timeout: Duration::from_millis(1_500),
        statement_timeout: Duration::from_millis(1_500),
        validation_timeout: Duration::from_secs(10),
        lock_timeout: Duration::from_millis(500),
        ..StoreOptions::default()
    }
}

fn outage<T>(result: &Result<T, StoreError>) -> Option<OutageKind> {
    match result {
        Err(StoreError::Unavailable(Outage { kind, .. })) => Some(*kind),
        Ok(_) | Err(_) => None,
    }
}

async fn count_in_unit(store: &Store) -> Result<i64, StoreError> {
    write(store, |tx| Box::pin(tx.count_organizations())).await
}

#[test]
fn a_connection_found_dead_is_replaced_unnoticed() {
    Db::on(Backend::PostgreSql, StoreOptions::default(), async |db| {
        founded(db.store()).await;
        let mut admin = Sql::connect(db.url()).await;
        for _ in 0..5 {
            read(db.store(), |r| Box::pin(r.count_organizations())).await;
            count_in_unit(db.store()).await.unwrap();
            let others = "SELECT pg_terminate_backend(pid)::text AS line FROM pg_stat_activity \
                          WHERE datname = current_database() AND pid <> pg_backend_pid()";
            assert!(admin.lines(others).await.len() >= 2, "a reader and a pooled connection");
            assert_eq!(read(db.store(), |r| Box::pin(r.count_organizations())).await, 1);
            // Whichever statement the unit starts with: this one goes with its BEGIN.
            let numbers = write(db.store(), |tx| {
                Box::pin(async move {
                    let head = tx.audit_head(None).await?;
                    Ok((head.seq, tx.count_organizations().await?))
                })
            });
            assert_eq!(numbers.await, Ok((0, 1)));
            assert!(admin.lines(others).await.len() >= 2, "a reader and a pooled connection");
            assert_eq!(count_in_unit(db.store()).await, Ok(1));
        }
    });
}

#[test]
fn a_connection_cut_between_two_statements_of_a_reader_is_replaced() {
    Db::on(Backend::PostgreSql, StoreOptions::default(), async |db| {
        founded(db.store()).await;
        let (proxy, url) = Proxy::before(db.url()).await;
        let store = Store::open(&url, StoreOptions::default(), db.background().clone()).await.unwrap();
        let counts = read(&store, |r| {
            Box::pin(async move {
                let first = r.count_organizations().await?;
                proxy.cut();
                tokio::task::yield_now().await;
                proxy.open();
                Ok((first, r.count_organizations().await?, proxy))
            })
        });
        let (first, second, _proxy) = counts.await;
        assert_eq!((first, second), (1, 1));
        store.shutdown().await;
    });
}

#[test]
fn while_the_server_is_away_nothing_is_known_and_afterwards_all_is_well() {
    Db::on(Backend::PostgreSql, impatient(), async |db| {
        founded(db.store()).await;
        let (proxy, url) = Proxy::before(db.url()).await;
        let store = Store::open(&url, impatient(), db.background().clone()).await.unwrap();
        assert_eq!(count_in_unit(&store).await, Ok(1));
        proxy.cut();
        for _ in 0..3 {
            assert!(store.candidates(1).await.is_err_and(|error| error.is_unavailable()));
            assert!(count_in_unit(&store).await.is_err_and(|error| error.is_unavailable()));
            assert!(store.ping().await.is_err_and(|error| error.is_unavailable()));
        }
        proxy.open();
        assert!(store.candidates(1).await.is_ok());
        assert_eq!(count_in_unit(&store).await, Ok(1));
        assert_eq!(store.ping().await, Ok(()));

        proxy.stall();
        assert_eq!(outage(&store.candidates(1).await), Some(OutageKind::Timeout));
        assert_eq!(outage(&store.candidates(1).await), Some(OutageKind::Connect));
        proxy.open();
        assert!(store.candidates(1).await.is_ok());
        store.shutdown().await;
    });
}

#[test]
fn a_server_that_is_not_there_is_an_outage() {
    let url = storage::DatabaseUrl::parse("postgres://nobody@127.0.0.1:1/none").unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let opened = runtime.block_on(Store::open(&url, impatient(), runtime.handle().clone()));
    assert_eq!(outage(&opened), Some(OutageKind::Connect));
    assert_eq!(outage(&storage::migrate::up(&url)), Some(OutageKind::Connect));
}

#[test]
fn a_plaintext_server_is_refused_where_encryption_is_asked_for() {
    Db::on(Backend::PostgreSql, StoreOptions::default(), async |db| {
        for mode in ["require", "verify-full"] {
            let url = storage::DatabaseUrl::parse(&format!("{}?sslmode={mode}", db.url())).unwrap();
            let opened = Store::open(&url, impatient(), db.background().clone()).await;
            let Err(StoreError::Unavailable(outage)) = opened else { panic!("{mode}") };
            assert!(outage.detail.contains("sslmode=disable"), "{}", outage.detail);
        }
        for mode in ["disable", "prefer"] {
            let url = storage::DatabaseUrl::parse(&format!("{}?sslmode={mode}", db.url())).unwrap();
            Store::open(&url, impatient(), db.background().clone()).await.unwrap().shutdown().await;
        }
    });
}

#[test]
fn waiting_for_a_lock_or_a_connection_has_an_end() {
    Db::on(Backend::PostgreSql, impatient(), async |db| {
        let (org, _) = founded(db.store()).await;
        let mut other = Sql::connect(db.url()).await;
        other.run("BEGIN; SELECT * FROM organizations FOR UPDATE").await.unwrap();
        let capped = || write(db.store(), move |tx| Box::pin(tx.set_token_cap(org, Some(1), T0)));
        assert_eq!(outage(&capped().await), Some(OutageKind::Timeout));

        other.run("LOCK TABLE organizations").await.unwrap();
        let slow = db.store().read(move |r| Box::pin(r.organization(org))).await;
        assert_eq!(outage(&slow), Some(OutageKind::Timeout));

        // Two units hold both connections; the third finds none in time.
        let slow_unit = || write(db.store(), move |tx| Box::pin(tx.organization(org)));
        let results = futures::future::join_all((0..8).map(|_| slow_unit())).await;
        assert!(results.into_iter().all(|result| outage(&result) == Some(OutageKind::Timeout)));
        other.run("ROLLBACK").await.unwrap();
        assert!(matches!(capped().await, Ok(Some(_))));
    });
}

#[test]
fn a_read_whose_error_cannot_be_read_is_sent_again_only_after_a_lost_connection() {
    Db::on(Backend::PostgreSql, StoreOptions::default(), async |db| {
        let (org, _) = founded(db.store()).await;
        let (server, url) = Translated::before(db.url()).await;
        let mut other = Sql::connect(db.url()).await;
        other.run("BEGIN; LOCK TABLE organizations").await.unwrap();
        let store = Store::open(&url, impatient(), db.background().clone()).await.unwrap();
        let slow = store.read(move |r| Box::pin(r.organization(org))).await;
        assert_eq!(outage(&slow), Some(OutageKind::Timeout), "{slow:?}");
        assert_eq!(server.errors(), 1);
        store.shutdown().await;

        let store = Store::open(&url, StoreOptions::default(), db.background().clone()).await.unwrap();
        // Not the one in a transaction, which goes on seeing the activity it saw first.
        let mut admin = Sql::connect(db.url()).await;
        let ended = async {
            let waiting = "SELECT pg_terminate_backend(pid)::text AS line FROM pg_stat_activity \
                           WHERE datname = current_database() AND wait_event_type = 'Lock'";
            while admin.lines(waiting).await.is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            other.run("ROLLBACK").await.unwrap();
        };
        let (read, ()) = futures::future::join(store.read(move |r| Box::pin(r.organization(org))), ended).await;
        assert!(matches!(read, Ok(Some(_))), "{read:?}");
        assert_eq!(server.errors(), 2);
        store.shutdown().await;
    });
}

#[test]
fn a_deadlock_ends_for_one_of_the_two() {
    let patient = StoreOptions {
        lock_timeout: Duration::from_secs(20),
        statement_timeout: Duration::from_secs(20),
        ..StoreOptions::default()
    };
    Db::on(Backend::PostgreSql, patient, async |db| {
        founded(db.store()).await;
        write(db.store(), |tx| Box::pin(async move { tx.insert_organization(&records::organization(2)).await }))
            .await
            .unwrap();
        let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(2));
        let crossed = |first, second| {
            let barrier = std::sync::Arc::clone(&barrier);
            write(db.store(), move |tx| {
                Box::pin(async move {
                    tx.set_token_cap(id(first), Some(1), T0).await?;
                    barrier.wait().await;
                    tx.set_token_cap(id(second), Some(1), T0).await
                })
            })
        };
        let (one, other) = futures::future::join(crossed(1, 2), crossed(2, 1)).await;
        let mut kinds = [outage(&one), outage(&other)];
        kinds.sort_by_key(Option::is_some);
        assert_eq!(kinds, [None, Some(OutageKind::Busy)], "{one:?} {other:?}");
    });
}

#[test]
fn a_file_locked_by_another_process_is_an_outage_and_not_for_good() {
    Db::on(Backend::Sqlite, impatient(), async |db| {
        founded(db.store()).await;
        let mut other = Sql::connect(db.url()).await;
        other.run("BEGIN IMMEDIATE").await.unwrap();
        assert_eq!(outage(&count_in_unit(db.store()).await), Some(OutageKind::Busy));
        assert_eq!(read(db.store(), |r| Box::pin(r.count_organizations())).await, 1, "readers do not mind");
        other.run("ROLLBACK").await.unwrap();
        assert_eq!(count_in_unit(db.store()).await, Ok(1));
    });
}

/// No time at all, so that the first row of a list is one too many: nothing here depends on how fast the machine is.
#[test]
fn a_list_that_takes_too_long_is_given_up_and_the_next_one_is_not() {
    let options = StoreOptions { statement_timeout: Duration::ZERO, lane_width: 1, ..StoreOptions::default() };
    Db::on(Backend::Sqlite, options, async |db| {
        let (org, _) = founded(db.store()).await;
        insert(db.store(), (1..10).map(|number| records::token(org, number)).collect()).await;
        let filter = all_tokens(org);
        let counted = db.store().read(move |r| Box::pin(async move { r.count_tokens(&filter).await })).await;
        assert_eq!(outage(&counted), Some(OutageKind::Timeout), "{counted:?}");
        // Reads of a few rows have no time limit, and the lane goes on after the timeout.
        assert_eq!(read(db.store(), |r| Box::pin(r.count_organizations())).await, 1);
        let page = db.store().read(move |r| Box::pin(async move { r.list_tokens(&all_tokens(org)).await })).await;
        assert_eq!(page.map(|page| page.len()), Ok(9));
    });
    Db::on(Backend::Sqlite, StoreOptions::default(), async |db| {
        let (org, _) = founded(db.store()).await;
        insert(db.store(), (1..10).map(|number| records::token(org, number)).collect()).await;
        let filter = all_tokens(org);
        let counted = db.store().read(move |r| Box::pin(async move { r.count_tokens(&filter).await })).await;
        assert_eq!(counted.map(|counts| counts.active), Ok(9));
    });
}

fn all_tokens(org: OrganizationId) -> TokenFilter {
    TokenFilter {
        organization_id: org,
        owner: TokenOwner::Organization.into(),
        project_id: None,
        status: None,
        name_contains: None,
        narrowed: Narrowing::default(),
        now: T0,
        after: None,
        until: None,
        limit: 100,
    }
}

#[test]
fn a_database_whose_tables_are_gone_is_an_outage_and_no_fault_of_the_request() {
    Db::each(async |db| {
        let (org, _) = founded(db.store()).await;
        let mut sql = Sql::connect(db.url()).await;
        let gone = match db.backend() {
            Backend::Sqlite => "PRAGMA foreign_keys = OFF; DROP TABLE tokens; DROP TABLE organizations",
            Backend::PostgreSql => "ALTER SCHEMA public RENAME TO gone",
        };
        sql.run(gone).await.unwrap();
        let store = db.store();
        for found in [
            outage(&store.read(move |r| Box::pin(r.organization(org))).await),
            outage(&store.read(move |r| Box::pin(async move { r.list_tokens(&all_tokens(org)).await })).await),
            outage(&store.candidates(7).await),
            outage(&count_in_unit(store).await),
        ] {
            assert!(found.is_some());
        }
    });
}

#[test]
fn a_file_that_is_not_there_is_an_outage() {
    let folder = tempfile::tempdir().unwrap();
    let url = sqlite_url(folder.path().join("none.db"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let opened = runtime.block_on(Store::open(&url, StoreOptions::default(), runtime.handle().clone()));
    assert_eq!(outage(&opened), Some(OutageKind::Connect));
}

#[test]
fn a_row_that_this_program_could_not_have_written_is_told_apart() {
    Db::each(async |db| {
        let (org, _) = founded(db.store()).await;
        let mut sql = Sql::connect(db.url()).await;
        sql.run("UPDATE organizations SET slug = 'Not A Slug'").await.unwrap();
        let found = db.store().read(move |r| Box::pin(r.organization(org))).await;
        let Err(StoreError::Inconsistent(message)) = found else { panic!("{found:?}") };
        assert!(message.contains("slug") && !message.contains("Not A Slug"), "{message}");
    });
}

#[test]
fn a_commit_whose_wait_for_its_standby_was_cancelled_is_of_unknown_outcome() {
    Db::on(Backend::PostgreSql, StoreOptions::default(), async |db| {
        founded(db.store()).await;
        let (_doubt, url) = Doubt::before(db.url()).await;
        let store = Store::open(&url, StoreOptions::default(), db.background().clone()).await.unwrap();
        for _ in 0..3 {
            let told = store.write(|tx| Box::pin(tx.delete_invitations_before(records::after(1), 1))).await;
            assert_eq!(outage(&told), Some(OutageKind::Lost), "{told:?}");
        }
        // Reads commit nothing.
        assert_eq!(read(&store, |r| Box::pin(r.count_organizations())).await, 1);
        store.shutdown().await;
    });
}

#[test]
fn a_validation_waits_a_bounded_time_for_a_frozen_server() {
    let options = StoreOptions { validation_timeout: Duration::from_millis(200), ..StoreOptions::default() };
    Db::on(Backend::PostgreSql, options, async |db| {
        let (proxy, url) = Proxy::before(db.url()).await;
        let store = Store::open(&url, options, db.background().clone()).await.unwrap();
        assert!(store.candidates(1).await.unwrap().is_empty());
        proxy.stall();
        // Both on the connection there is and on one that would have to be opened: the statement's own limit, many times
        // longer, is not what ends the wait.
        for _ in 0..2 {
            let told = tokio::time::timeout(options.statement_timeout, store.candidates(1)).await;
            assert_eq!(told.map(|told| outage(&told)), Ok(Some(OutageKind::Timeout)));
        }
        proxy.open();
        store.shutdown().await;
    });
}
