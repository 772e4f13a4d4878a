//! A copy has every row of every table as it was, or there is none.

use crate::rules::{ROWS, statement};
use crate::sql::Sql;
use std::panic::{AssertUnwindSafe, catch_unwind};
use storage::copy::{Progress, sqlite_to_postgresql};
use storage::{DatabaseUrl, migrate};
use tempfile::TempDir;
use test_support::Backend;
use test_support::database::{sqlite_url, with_empty_postgresql};
use tokio::runtime::{Builder, Runtime};

/// Beside one row in every table: moments to the last digit, texts that are not ASCII, and no node.
const MORE: &str = "UPDATE revocation_clock SET n = 1 WHERE shard = 0; DELETE FROM nodes; \
                    UPDATE users SET name = 'Адa 🗝', updated_at = {late} WHERE id = {id:4}; \
                    UPDATE tokens SET verify_tag = {digest:255}, lookup_hint = -9223372036854775808 WHERE id = {id:14};";

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

fn run(url: &DatabaseUrl, statements: &str) {
    runtime().block_on(async { Sql::connect(url).await.run(statements).await.unwrap() });
}

fn lines(url: &DatabaseUrl, query: &str) -> Vec<String> {
    runtime().block_on(async { Sql::connect(url).await.lines(query).await })
}

/// A migrated database with one row or more in every table.
fn fill(url: &DatabaseUrl) {
    migrate::up(url).unwrap();
    let (backend, late) = if url.is_sqlite() {
        (Backend::Sqlite, "-1000001")
    } else {
        (Backend::PostgreSql, "to_timestamp(0) - interval '1000001 microseconds'")
    };
    run(url, &statement(backend, &format!("{ROWS}{}", MORE.replace("{late}", late))));
}

fn filled() -> (TempDir, DatabaseUrl) {
    let folder = tempfile::tempdir().unwrap();
    let url = sqlite_url(folder.path().join("test.db"));
    fill(&url);
    (folder, url)
}

fn tables(url: &DatabaseUrl) -> Vec<String> {
    let query = "SELECT tablename::text AS line FROM pg_tables WHERE schemaname = 'public' \
                 AND tablename <> '__diesel_schema_migrations' ORDER BY 1";
    lines(url, query)
}

fn rows(url: &DatabaseUrl, table: &str) -> Vec<String> {
    lines(url, &format!("SELECT t::text AS line FROM \"{table}\" AS t ORDER BY 1"))
}

#[track_caller]
fn is_empty(url: &DatabaseUrl) {
    for table in tables(url).iter().filter(|table| *table != "revocation_clock") {
        assert!(rows(url, table).is_empty(), "{table}");
    }
    assert_eq!(rows(url, "revocation_clock").len(), 64);
}

#[test]
fn every_row_of_every_table_is_copied_as_it_is() {
    let (_folder, source) = filled();
    // The same rows, written to PostgreSQL by its own statements.
    with_empty_postgresql(|expected| {
        fill(expected);
        with_empty_postgresql(|copy| {
            migrate::up(copy).unwrap();
            let mut compared = Vec::new();
            sqlite_to_postgresql(&source, copy, |progress| {
                if let Progress::Compared(table, rows) = progress {
                    compared.push((table.to_owned(), rows));
                }
            })
            .unwrap();
            for table in tables(expected) {
                let (want, have) = (rows(expected, &table), rows(copy, &table));
                assert_eq!(have, want, "{table}");
                assert_eq!(want.is_empty(), table == "nodes", "a new table needs a row in ROWS of rules.rs: {table}");
                let told = compared.iter().find(|(name, _)| *name == table).map(|(_, rows)| *rows);
                let of_source = if table == "revocation_clock" { 1 } else { u64::try_from(want.len()).unwrap() };
                assert_eq!(told, (table != "nodes").then_some(of_source), "{table}");
            }
            // Nothing that was put off for the copy stays so.
            let constraints = "SELECT concat(conname, ' ', condeferrable, condeferred, convalidated) AS line \
                               FROM pg_constraint ORDER BY conname, conrelid::regclass::text";
            assert_eq!(lines(copy, constraints), lines(expected, constraints));
            let refused = sqlite_to_postgresql(&source, copy, |_| {}).unwrap_err().to_string();
            assert!(refused.contains("not empty") && refused.contains("tokens"), "{refused}");
            assert_eq!(rows(copy, "tokens"), rows(expected, "tokens"));
        });
    });
}

#[test]
fn tables_larger_than_a_statement_are_copied_whole() {
    let (_folder, source) = filled();
    // With the rows that are there, exactly two statements, and one row more than one.
    let numbers = "WITH RECURSIVE n (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < ";
    run(
        &source,
        &format!(
            "INSERT INTO organization_usage {numbers}99999) SELECT x'00000000000000000000000000000001', n, n, 0, 0 FROM n; \
             INSERT INTO token_usage {numbers}50000) SELECT x'0000000000000000000000000000000e', n, n, 0, 0 FROM n"
        ),
    );
    with_empty_postgresql(|copy| {
        migrate::up(copy).unwrap();
        let mut told = Vec::new();
        sqlite_to_postgresql(&source, copy, |progress| match progress {
            Progress::Copied(table @ ("organization_usage" | "token_usage"), rows) => {
                told.push((table.to_owned(), rows));
            }
            Progress::Copied(..) | Progress::Compared(..) => {}
        })
        .unwrap();
        let of = |table: &str| told.iter().filter(|(name, _)| name == table).map(|(_, rows)| *rows).collect::<Vec<_>>();
        assert_eq!(of("organization_usage"), [50_000, 100_000, 100_000]);
        assert_eq!(of("token_usage"), [50_000, 50_001]);
        let sums = "SELECT count(*)::text || ' ' || sum(allowed)::text AS line FROM ";
        assert_eq!(lines(copy, &format!("{sums} organization_usage")), ["100000 4999949999"]);
        assert_eq!(lines(copy, &format!("{sums} token_usage")), ["50001 1250024999"]);
    });
}

#[test]
fn a_copy_that_fails_leaves_nothing() {
    let (_folder, source) = filled();
    with_empty_postgresql(|copy| {
        migrate::up(copy).unwrap();
        let refused = || sqlite_to_postgresql(&source, copy, |_| {}).unwrap_err().to_string();
        // A row that arrives as another one.
        run(
            copy,
            "CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.name := 'other'; RETURN NEW; END$$; \
             CREATE TRIGGER change BEFORE INSERT ON tokens FOR EACH ROW EXECUTE FUNCTION change()",
        );
        assert!(refused().contains("row 1 of tokens is not the same"), "{}", refused());
        is_empty(copy);
        // One that does not arrive.
        run(
            copy,
            "CREATE OR REPLACE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS \
             $$BEGIN RETURN NULL; END$$; DROP TRIGGER change ON tokens; \
             CREATE TRIGGER change BEFORE INSERT ON muted_notices FOR EACH ROW EXECUTE FUNCTION change()",
        );
        assert!(refused().contains("of muted_notices is not the same"), "{}", refused());
        is_empty(copy);
        run(copy, "DROP TRIGGER change ON muted_notices; DROP FUNCTION change");
        // One that PostgreSQL refuses.
        run(copy, "ALTER TABLE tokens ADD CONSTRAINT never CHECK (name <> 'T')");
        assert!(refused().contains("never"), "{}", refused());
        run(copy, "ALTER TABLE tokens DROP CONSTRAINT never; ALTER TABLE tokens ADD COLUMN more text");
        assert!(refused().contains("tokens.more"), "{}", refused());
        run(copy, "ALTER TABLE tokens DROP COLUMN more");
        // The program ends in the middle.
        let ended = catch_unwind(AssertUnwindSafe(|| {
            sqlite_to_postgresql(&source, copy, |progress| assert!(!matches!(progress, Progress::Copied("tokens", _))))
        }));
        assert!(ended.is_err());
        is_empty(copy);
        sqlite_to_postgresql(&source, copy, |_| {}).unwrap();
    });
}

#[test]
fn a_database_that_is_served_is_not_copied_to() {
    let (_folder, source) = filled();
    with_empty_postgresql(|copy| {
        migrate::up(copy).unwrap();
        run(
            copy,
            &statement(
                Backend::PostgreSql,
                "INSERT INTO nodes VALUES ({id:70}, 1, '', '', '', 'strict', 1, '', {t:1}, {t:1})",
            ),
        );
        let refused = sqlite_to_postgresql(&source, copy, |_| {}).unwrap_err().to_string();
        assert!(refused.contains("(nodes)"), "{refused}");
    });
}
