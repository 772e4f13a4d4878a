//! Up, down, up again, many at once, and by the wrong program.

use crate::sql::{Sql, literals};
use std::collections::BTreeSet;
use storage::migrate::{self, MigrationStatus};
use storage::{DatabaseUrl, Store, StoreError, StoreOptions};
use test_support::Backend;
use test_support::database::{sqlite_url, with_empty_postgresql};
use tokio::runtime::{Builder, Runtime};

/// Runs on a database without tables, on both backends.
fn each(test: impl Fn(&DatabaseUrl, &Runtime)) {
    let runtime = || Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    test(&sqlite_url(folder.path().join("test.db")), &runtime());
    with_empty_postgresql(|url| test(url, &runtime()));
}

fn applied(statuses: &[MigrationStatus]) -> usize {
    statuses.iter().filter(|status| status.applied).count()
}

fn tables(url: &DatabaseUrl, runtime: &Runtime) -> Vec<String> {
    runtime.block_on(async {
        let query = if url.is_sqlite() {
            "SELECT name AS line FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        } else {
            "SELECT relname::text AS line FROM pg_class WHERE relnamespace = 'public'::regnamespace \
             UNION SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        };
        let mut names = Sql::connect(url).await.lines(query).await;
        names.retain(|name| !name.starts_with("__diesel"));
        names.sort();
        names
    })
}

#[test]
fn migrations_go_up_and_down_and_up_again() {
    each(|url, runtime| {
        let before = migrate::status(url).unwrap();
        assert_eq!(applied(&before), 0);
        if let Some(path) = url.sqlite_path() {
            assert!(!path.exists(), "asking makes no file");
        }
        assert_eq!(migrate::down(url, 3).map(|statuses| applied(&statuses)), Ok(0));
        let all = migrate::up(url).unwrap();
        assert_eq!(applied(&all), all.len());
        let whole = tables(url, runtime);
        assert_eq!(migrate::up(url), Ok(all.clone()), "nothing is left to do");

        let mut left = all.len();
        while left > 0 {
            let statuses = migrate::down(url, 1).unwrap();
            left -= 1;
            assert_eq!(applied(&statuses), left);
        }
        assert_eq!(tables(url, runtime), Vec::<String>::new(), "nothing is left behind");
        assert_eq!(migrate::down(url, 1).map(|statuses| applied(&statuses)), Ok(0));

        migrate::up(url).unwrap();
        assert_eq!(tables(url, runtime), whole);
        assert_eq!(migrate::down(url, 99).map(|statuses| applied(&statuses)), Ok(0));
    });
}

#[test]
fn both_backends_have_the_same_migrations() {
    let folder = |backend: &str| {
        let path = format!("{}/../../migrations/{backend}", env!("CARGO_MANIFEST_DIR"));
        let mut names: Vec<_> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(folder("sqlite"), folder("postgresql"));
    assert!(!folder("sqlite").is_empty());
}

#[test]
fn four_at_once_all_succeed() {
    each(|url, _| {
        let results: Vec<_> = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| migrate::up(url))).collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        for result in results {
            assert!(result.as_ref().is_ok_and(|all| applied(all) == all.len()), "{result:?}");
        }
    });
}

#[test]
fn migrations_may_be_run_from_inside_a_runtime() {
    each(|url, runtime| {
        runtime.block_on(async { migrate::up(url) }).unwrap();
        let single = Builder::new_current_thread().enable_all().build().unwrap();
        single.block_on(async { migrate::status(url) }).unwrap();
    });
}

#[test]
fn a_database_of_a_newer_program_is_left_alone() {
    each(|url, runtime| {
        migrate::up(url).unwrap();
        runtime.block_on(async {
            let mut sql = Sql::connect(url).await;
            sql.run("INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')").await.unwrap();
        });
        for result in [migrate::up(url), migrate::down(url, 1), migrate::status(url)] {
            let Err(StoreError::Broken(message)) = result else { panic!("{result:?}") };
            assert!(message.contains("29990101000000") && message.contains("newer"), "{message}");
        }
    });
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    // Diesel's own table, which many programs have, makes it no more ours.
    let diesel = "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY, run_on TIMESTAMP); \
                  INSERT INTO __diesel_schema_migrations (version) VALUES ('20200101000000')";
    for strange in ["CREATE TABLE customers (id INTEGER)", "CREATE VIEW numbers AS SELECT 1 AS n", diesel] {
        each(|url, runtime| {
            runtime.block_on(async { Sql::connect(url).await.run(strange).await.unwrap() });
            let before = (tables(url, runtime), url.sqlite_path().map(|path| std::fs::read(path).unwrap()));
            let losses = migrate::losses(url, 1).map(|_| Vec::new());
            for result in [migrate::up(url), migrate::down(url, 1), migrate::status(url), losses] {
                let Err(StoreError::Broken(message)) = result else { panic!("{strange}: {result:?}") };
                assert!(message.contains("another program") && message.contains("database.url"), "{message}");
                assert!(message.starts_with(&url.to_string()), "{message}");
            }
            let after = (tables(url, runtime), url.sqlite_path().map(|path| std::fs::read(path).unwrap()));
            // SQLite: not one byte, unless its log had to be looked at to see whose migrations these are.
            assert_eq!(before.0, after.0, "{strange}");
            assert!(before.1 == after.1 || strange == diesel, "{strange}");
        });
    }
}

#[test]
fn a_file_that_another_program_has_marked_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let url = sqlite_url(path.clone());
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { Sql::connect(&url).await.run("PRAGMA application_id = 1196444487").await.unwrap() });
    let before = std::fs::read(&path).unwrap();
    let Err(StoreError::Broken(message)) = migrate::up(&url) else { panic!() };
    for part in ["another program", "application_id is 1196444487", "database.url", path.to_str().unwrap()] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn objects_of_an_extension_do_not_stop_the_migrations() {
    with_empty_postgresql(|url| {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            // The one extension that every database has, with something more of its own.
            let brought = "CREATE VIEW settings AS SELECT 1 AS n; ALTER EXTENSION plpgsql ADD VIEW settings";
            Sql::connect(url).await.run(brought).await.unwrap();
        });
        let all = migrate::up(url).unwrap();
        assert_eq!(applied(&all), all.len());
    });
}

#[test]
fn a_store_is_not_opened_on_a_database_without_tables() {
    each(|url, runtime| {
        let opened = runtime.block_on(Store::open(url, StoreOptions::default(), runtime.handle().clone()));
        let error = opened.expect_err("there are no tables");
        match url.sqlite_path() {
            Some(path) => {
                assert!(error.is_unavailable() && error.to_string().contains("migrate up"), "{error}");
                assert!(!path.exists(), "opening makes no file");
            }
            // A server that was emptied: no fault of what is asked.
            None => assert!(error.is_unavailable(), "{error}"),
        }
    });
}

#[test]
fn a_database_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let url = sqlite_url(folder.path().join("test.db"));
    migrate::up(&url).unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
    let nowhere = sqlite_url(folder.path().join("no/such/folder/test.db"));
    let error = migrate::up(&nowhere).unwrap_err();
    assert!(error.is_unavailable(), "{error}");
}

#[test]
fn totals_of_what_is_there_already_are_counted() {
    each(|url, runtime| {
        let all = migrate::up(url).unwrap();
        let totals = all.iter().position(|one| one.name.ends_with("_list_totals")).unwrap();
        migrate::down(url, all.len() - totals).unwrap();
        let backend = if url.is_sqlite() { Backend::Sqlite } else { Backend::PostgreSql };
        let lines = |query: &str| runtime.block_on(async { Sql::connect(url).await.lines(query).await });
        let rows = "
            INSERT INTO organizations (id, slug, name, created_at, updated_at) VALUES ({id:1}, 'one', 'One', {t:1}, {t:1}), ({id:2}, 'two', 'Two', {t:1}, {t:1});
            INSERT INTO projects VALUES ({id:3}, {id:1}, 'P', 'p', {t:1}, {t:1}), ({id:4}, {id:1}, 'Q', 'q', {t:1}, {t:1});
            INSERT INTO access_scopes VALUES ({id:5}, {id:3}, 's', NULL, NULL, NULL, {yes}, {t:1}, {t:1}), ({id:6}, {id:3}, 't', NULL, NULL, NULL, {yes}, {t:1}, {t:1});
            INSERT INTO actors VALUES ({id:7}, {id:3}, {id:5}, 'A', 'device', NULL, NULL, NULL, NULL, {t:1}, {t:1}), ({id:8}, {id:3}, NULL, 'B', 'device', NULL, NULL, NULL, NULL, {t:1}, {t:1}), ({id:9}, {id:3}, {id:5}, 'C', 'device', NULL, NULL, NULL, NULL, {t:1}, {t:1});";
        runtime.block_on(async { Sql::connect(url).await.run(&literals(backend, rows)).await }).unwrap();
        migrate::up(url).unwrap();
        let projects = "SELECT CAST(projects AS text) AS line FROM organization_totals ORDER BY organization_id";
        assert_eq!(lines(projects), ["2", "0"]);
        let contents = "SELECT access_scopes || ' ' || actors || ' ' || unscoped_actors AS line FROM project_totals ORDER BY project_id";
        assert_eq!(lines(contents), ["2 3 1", "0 0 0"]);
        let scoped = "SELECT CAST(actors AS text) AS line FROM access_scope_totals ORDER BY access_scope_id";
        assert_eq!(lines(scoped), ["2", "0"]);
    });
}

#[test]
fn described_actors_of_every_type_survive_the_way_down() {
    each(|url, runtime| {
        let statuses = migrate::up(url).unwrap();
        let steps = statuses.iter().rev().position(|status| status.name.ends_with("actor_details")).unwrap() + 1;
        let store = runtime.block_on(Store::open(url, StoreOptions::default(), runtime.handle().clone())).unwrap();
        let lines = |query: &str| runtime.block_on(async { Sql::connect(url).await.lines(query).await });
        runtime.block_on(async {
            crate::projects::furnished(&store).await;
            store.shutdown().await;
        });
        runtime.block_on(async {
            Sql::connect(url).await.run("UPDATE actors SET actor_type = 'session', description = 'x'").await.unwrap();
        });
        assert!(!lines("SELECT actor_type AS line FROM actors").is_empty());
        migrate::down(url, steps).unwrap();
        assert_eq!(
            BTreeSet::from_iter(lines("SELECT actor_type AS line FROM actors")),
            BTreeSet::from(["service".to_owned()])
        );
        let narrow =
            runtime.block_on(async { Sql::connect(url).await.run("UPDATE actors SET actor_type = 'session'").await });
        assert!(narrow.is_err(), "the older rule is back");
        migrate::up(url).unwrap();
        runtime.block_on(async {
            Sql::connect(url).await.run("UPDATE actors SET actor_type = 'observer'").await.unwrap();
        });
    });
}

#[test]
fn no_way_down_gives_rights_back() {
    // A table or a column that takes rights away, and how many migrations it is from the end.
    let facts = [
        ("memberships.disabled_at", "UPDATE memberships SET disabled_at = created_at", "invitations"),
        (
            "organizations.requires_second_factor",
            "UPDATE organizations SET requires_second_factor = {yes}",
            "second_factors",
        ),
        ("organizations.trust_only", "UPDATE organizations SET trust_only = {yes}", "trust_only"),
        (
            "token_policies",
            "INSERT INTO token_policies (organization_id, kind, is_permitted, updated_at, updated_by) \
             SELECT id, 'personal', {yes}, created_at, 'system' FROM organizations",
            "token_policies",
        ),
    ];
    for (what, fact, migration) in facts {
        each(|url, runtime| {
            let statuses = migrate::up(url).unwrap();
            let steps = statuses.iter().rev().position(|status| status.name.ends_with(migration)).unwrap() + 1;
            let store = runtime.block_on(Store::open(url, StoreOptions::default(), runtime.handle().clone())).unwrap();
            runtime.block_on(async {
                crate::run::founded(&store).await;
                let yes = if url.is_sqlite() { "1" } else { "true" };
                Sql::connect(url).await.run(&fact.replace("{yes}", yes)).await.unwrap();
                store.shutdown().await;
            });
            let losses = migrate::losses(url, steps).unwrap();
            let loss = losses.iter().find(|loss| loss.what == what);
            assert_eq!(loss.map(|loss| (loss.rows, loss.gives_rights_back)), Some((1, true)), "{losses:?}");
            let refused = migrate::down(url, steps).unwrap_err();
            assert!(refused.to_string().contains(what), "{refused}");
            assert_eq!(migrate::status(url).unwrap(), statuses, "nothing was taken back");
            let all = statuses.len();
            assert_eq!(
                migrate::down(url, all).map(|statuses| applied(&statuses)),
                Ok(0),
                "with everything gone there are no rights"
            );
        });
    }
}
