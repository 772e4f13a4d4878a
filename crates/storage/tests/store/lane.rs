//! Reads that may look at many rows hold nobody else. SQLite's lane has its tests beside it.

use crate::run::{founded, read};
use crate::sql::Sql;
use futures::future::{join, join_all};
use std::time::Duration;
use storage::StoreOptions;
use storage::model::AuditFilter;
use test_support::{Backend, Db};

#[test]
fn twelve_lists_that_do_not_end_hold_neither_validations_nor_reads_of_a_row() {
    // Nothing here ends by its time limit.
    let patience = Duration::from_mins(5);
    let options = StoreOptions {
        statement_timeout: patience,
        lock_timeout: patience,
        validation_timeout: Duration::from_secs(30),
        ..StoreOptions::default()
    };
    Db::on(Backend::PostgreSql, options, async |db| {
        let (org, _) = founded(db.store()).await;
        let mut other = Sql::connect(db.url()).await;
        other.run("BEGIN; LOCK TABLE audit_events").await.unwrap();
        let before = db.store().counters().lane_reads();
        let lists = join_all((0..12).map(|_| {
            let filter = AuditFilter::chain(Some(org), 0, 100);
            db.store().read(move |reads| Box::pin(async move { reads.list_audit(&filter).await }))
        }));
        let beside = async {
            assert_eq!(db.store().counters().lane_reads() - before, 12, "all of them have begun");
            for _ in 0..3 {
                assert_eq!(db.store().candidates(7).await.map(|found| found.len()), Ok(0));
                assert!(read(db.store(), move |reads| Box::pin(reads.organization(org))).await.is_some());
            }
            other.run("ROLLBACK").await.unwrap();
        };
        let (lists, ()) = join(lists, beside).await;
        assert!(lists.iter().all(Result::is_ok), "{lists:?}");
    });
}

#[test]
fn lists_are_planned_for_their_own_values() {
    Db::on(Backend::PostgreSql, StoreOptions::default(), async |db| {
        let (org, _) = founded(db.store()).await;
        let mut sql = Sql::connect(db.url()).await;
        // Every read of the table notes the setting under which it is planned.
        sql.run(
            "CREATE TABLE observed (value text); \
             CREATE FUNCTION observe() RETURNS boolean LANGUAGE plpgsql AS $$BEGIN \
             INSERT INTO observed VALUES (current_setting('plan_cache_mode')); RETURN true; END$$; \
             ALTER TABLE memberships RENAME TO members; \
             CREATE VIEW memberships AS SELECT * FROM members WHERE observe()",
        )
        .await
        .unwrap();
        assert_eq!(read(db.store(), move |reads| Box::pin(reads.list_members(org, None, 10))).await.len(), 1);
        let lists = sql.lines("DELETE FROM observed RETURNING value AS line").await;
        assert!(!lists.is_empty() && lists.iter().all(|mode| mode == "force_custom_plan"), "{lists:?}");
    });
}
