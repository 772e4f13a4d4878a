//! Every order that a list offers is walked in an index, in both directions, without sorting and without a look at the
//! table; so is every narrowing of the audit trail read off one.

use crate::sql::{Sql, literals};
use test_support::{Backend, Db};

/// 100 000 rows of each kind in one project: half of the access scopes without a name, one in eight actors in the first
/// access scope, one in eight in none.
const FILL: &str = "
INSERT INTO organizations VALUES ({id:1}, 'one', 'One', NULL, NULL, {t:1}, {t:1}, {no});
INSERT INTO projects SELECT {n}, {id:1}, 'P', 'p-' || n, {t:1}, {t:1} FROM numbers;
INSERT INTO projects VALUES ({id:1}, {id:1}, 'P', 'p', {t:1}, {t:1});
INSERT INTO access_scopes SELECT {n}, {id:1}, 's-' || n, CASE n % 2 WHEN 0 THEN 'N' || n END, NULL, NULL, {yes}, {t:1}, {t:1} FROM numbers;
INSERT INTO access_scopes VALUES ({id:1}, {id:1}, 's', NULL, NULL, NULL, {yes}, {t:1}, {t:1}), ({id:2}, {id:1}, 't', NULL, NULL, NULL, {yes}, {t:1}, {t:1});
INSERT INTO actors SELECT {n}, {id:1}, CASE n % 8 WHEN 0 THEN {id:1} WHEN 1 THEN NULL ELSE {id:2} END, 'A' || n, 'device', NULL, NULL, NULL, NULL, {t:1}, {t:1} FROM numbers;
ANALYZE;
";

/// Table, the condition of the list, what it is ordered by, the index that serves it.
const LISTS: &[(&str, &str, &str, &str)] = &[
    ("projects", "organization_id = {id:1}", "slug", "projects_slug_key"),
    ("projects", "organization_id = {id:1}", "name", "projects_name_idx"),
    ("projects", "organization_id = {id:1}", "created_at", "projects_created_idx"),
    ("projects", "organization_id = {id:1}", "updated_at", "projects_updated_idx"),
    ("access_scopes", "project_id = {id:1}", "slug", "access_scopes_slug_key"),
    ("access_scopes", "project_id = {id:1}", "name", "access_scopes_name_idx"),
    ("access_scopes", "project_id = {id:1}", "created_at", "access_scopes_created_idx"),
    ("access_scopes", "project_id = {id:1}", "updated_at", "access_scopes_updated_idx"),
    ("actors", "project_id = {id:1}", "name", "actors_project_name_idx"),
    ("actors", "project_id = {id:1}", "created_at", "actors_project_created_idx"),
    ("actors", "project_id = {id:1}", "updated_at", "actors_project_updated_idx"),
    ("actors", "project_id = {id:1} AND access_scope_id = {id:1}", "name", "actors_access_scope_name_idx"),
    ("actors", "project_id = {id:1} AND access_scope_id = {id:1}", "created_at", "actors_access_scope_idx"),
    ("actors", "project_id = {id:1} AND access_scope_id = {id:1}", "updated_at", "actors_access_scope_updated_idx"),
    ("actors", "project_id = {id:1} AND access_scope_id IS NULL", "name", "actors_unscoped_name_idx"),
    ("actors", "project_id = {id:1} AND access_scope_id IS NULL", "created_at", "actors_unscoped_created_idx"),
    ("actors", "project_id = {id:1} AND access_scope_id IS NULL", "updated_at", "actors_unscoped_updated_idx"),
];

/// The rest of what a list asks: its total, and the rows of its page; the key they are found by.
const LOOKED_UP: &[(&str, &str)] = &[
    ("SELECT actors FROM project_totals WHERE project_id = {id:1}", "project_totals_pkey"),
    (
        "SELECT actors FROM access_scope_totals WHERE project_id = {id:1} AND access_scope_id = {id:2}",
        "access_scope_totals_pkey",
    ),
    ("SELECT * FROM projects WHERE id IN ({id:7}, {id:8}, {id:9})", "projects_pkey"),
    ("SELECT * FROM access_scopes WHERE id IN ({id:7}, {id:8}, {id:9})", "access_scopes_pkey"),
    ("SELECT * FROM actors WHERE id IN ({id:7}, {id:8}, {id:9})", "actors_pkey"),
];

/// A table of the numbers 1000 to 100999.
const SQLITE_NUMBERS: &str = "CREATE TABLE numbers AS WITH RECURSIVE n (n) AS (SELECT 1000 UNION ALL SELECT n + 1 FROM n WHERE n < 100999) SELECT n FROM n;";
/// The same.
const POSTGRESQL_NUMBERS: &str = "CREATE TABLE numbers AS SELECT n FROM generate_series(1000, 100999) AS g (n);";

/// The order of a list, spelled as the store spells it.
fn order(backend: Backend, table: &str, column: &str, (direction, nothing): (&str, &str)) -> String {
    let bytewise = match backend {
        Backend::Sqlite => "BINARY",
        Backend::PostgreSql => "\"C\"",
    };
    match column {
        "slug" => format!("{table}.slug COLLATE {bytewise} {direction}"),
        "name" => {
            format!("{table}.name COLLATE {bytewise} {direction} NULLS {nothing}, {table}.id {direction}")
        }
        other => format!("{table}.{other} {direction}, {table}.id {direction}"),
    }
}

#[test]
fn every_order_has_its_index() {
    Db::each(async |db| {
        let backend = db.backend();
        let mut sql = Sql::connect(db.url()).await;
        let (numbers, id) = match backend {
            Backend::Sqlite => (SQLITE_NUMBERS, "CAST(printf('%016d', n) AS BLOB)"),
            Backend::PostgreSql => (POSTGRESQL_NUMBERS, "lpad(to_hex(n), 32, '0')::uuid"),
        };
        let fill = literals(backend, &FILL.replace("{n}", id));
        sql.run(&format!("{numbers}{fill}")).await.unwrap();
        // Tells PostgreSQL which rows an index alone vouches for, as it does by itself before long.
        sql.run("VACUUM").await.unwrap();
        for (table, condition, column, index) in LISTS {
            // The middle of the list, as far as a page ever is from its nearer end.
            let offset = if condition.contains("access_scope_id") { 6_240 } else { 49_990 };
            // SQLite does not call the index of a unique key by the key's name.
            let index = match backend {
                // And it finds the rows of no access scope in the index of those that have one, in the same order.
                Backend::Sqlite if *index == "actors_unscoped_created_idx" => "actors_access_scope_idx".to_owned(),
                Backend::Sqlite => index
                    .strip_suffix("_slug_key")
                    .map_or_else(|| (*index).to_owned(), |table| format!("sqlite_autoindex_{table}_2")),
                Backend::PostgreSql => (*index).to_owned(),
            };
            for direction in [("ASC", "LAST"), ("DESC", "FIRST")] {
                let order = order(backend, table, column, direction);
                let query =
                    format!("SELECT id FROM {table} WHERE {condition} ORDER BY {order} LIMIT 10 OFFSET {offset}");
                let plan = sql.plan(&literals(backend, &query)).await;
                // On SQLite the key of slugs has no id, and the indexes of the unscoped no access scope. What is before the page
                // is skipped without a look at the table all the same, which plans do not say.
                let alone = match backend {
                    Backend::Sqlite if *column == "slug" || index.starts_with("actors_unscoped_") => "USING INDEX",
                    Backend::Sqlite => "USING COVERING INDEX",
                    Backend::PostgreSql => "Index Only Scan",
                };
                assert!(plan.contains(&index) && plan.contains(alone), "{query}\n{plan}");
                assert!(!plan.contains("Sort") && !plan.contains("TEMP B-TREE"), "{query}\n{plan}");
            }
        }
        for (query, key) in LOOKED_UP {
            let plan = sql.plan(&literals(backend, query)).await;
            let (searched, read_through) = match backend {
                Backend::Sqlite => ("SEARCH", "SCAN"),
                Backend::PostgreSql => (*key, "Seq Scan"),
            };
            assert!(plan.contains(searched) && !plan.contains(read_through), "{query}\n{plan}");
        }
    });
}

/// 4 000 events of one trail: one in a hundred of them of an action, by an actor, on a target of their own; a second apart.
const TRAIL: &str = "
INSERT INTO audit_heads VALUES ({id:1}, 4000, {b:32}, {t:5000});
INSERT INTO audit_events SELECT {id:1}, n - 999, {at}, CASE n % 100 WHEN 1 THEN 'rare' ELSE 'x' || n % 7 END,
    CASE n % 100 WHEN 2 THEN 'service' ELSE 'user:' || n % 7 END, 'token', CASE n % 100 WHEN 3 THEN 'rare' ELSE 't' || n % 7 END,
    '', '{no}', {b:32}, {b:32} FROM numbers;
ANALYZE;
";

/// What the trail is narrowed by, and the index that serves it.
const NARROWED: [(&str, &str); 5] = [
    ("seq > 2000", "audit_events_pkey"),
    ("seq > 2000 AND seq < 3000", "audit_events_pkey"),
    ("action = 'rare'", "audit_events_action_idx"),
    ("actor = 'service' AND seq < 3000", "audit_events_actor_idx"),
    ("target_id = 'rare' AND seq > 10", "audit_events_target_idx"),
];

#[test]
fn every_narrowing_of_a_trail_has_its_index() {
    Db::each(async |db| {
        let backend = db.backend();
        let mut sql = Sql::connect(db.url()).await;
        let (numbers, at) = match backend {
            Backend::Sqlite => (SQLITE_NUMBERS, "n * 1000000"),
            Backend::PostgreSql => (POSTGRESQL_NUMBERS, "to_timestamp(n)"),
        };
        let fill = literals(backend, &TRAIL.replace("{at}", at));
        sql.run(&format!("{numbers}{fill}")).await.unwrap();
        let trail = literals(backend, "trail = {id:1}");
        let mut plans = Vec::new();
        for (condition, index) in NARROWED {
            for direction in ["ASC", "DESC"] {
                let query = format!(
                    "SELECT * FROM audit_events WHERE {trail} AND {condition} ORDER BY seq {direction} LIMIT 10"
                );
                plans.push((query, index));
            }
        }
        let moment = literals(backend, "at >= {t:2000}");
        plans.push((
            format!("SELECT seq FROM audit_events WHERE {trail} AND {moment} ORDER BY at, seq LIMIT 1"),
            "audit_events_at_idx",
        ));
        for (query, index) in plans {
            let index = match backend {
                Backend::Sqlite if index == "audit_events_pkey" => "sqlite_autoindex_audit_events_1",
                Backend::Sqlite | Backend::PostgreSql => index,
            };
            let plan = sql.plan(&query).await;
            assert!(plan.contains(index), "{query}\n{plan}");
            assert!(!plan.contains("Sort") && !plan.contains("TEMP B-TREE"), "{query}\n{plan}");
        }
    });
}
