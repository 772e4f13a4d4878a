//! The two schemas and diesel's description of them are one: tables, columns, types, nullability, keys.

use crate::sql::Sql;
use std::collections::{BTreeMap, BTreeSet};
use storage::DatabaseUrl;
use test_support::{Backend, Db};

/// `table.column type nullability`, in the words of diesel's types.
type Columns = BTreeSet<String>;

async fn columns(db: &Db) -> Columns {
    let mut sql = Sql::connect(db.url()).await;
    let query = match db.backend() {
        Backend::Sqlite => {
            "SELECT m.name || '.' || c.name || ' ' || c.type || CASE c.\"notnull\" WHEN 1 THEN '' ELSE ' null' END AS line \
             FROM sqlite_schema m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND m.name <> '__diesel_schema_migrations'"
        }
        Backend::PostgreSql => {
            "SELECT table_name || '.' || column_name || ' ' || data_type || CASE is_nullable WHEN 'NO' THEN '' ELSE ' null' END AS line \
             FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '__diesel_schema_migrations'"
        }
    };
    sql.lines(query).await.into_iter().collect()
}

/// Diesel's description, read from its source, in the words of each database.
fn described(backend: Backend) -> Columns {
    let mut columns = Columns::new();
    let mut table = "";
    for line in include_str!("../../src/schema.rs").lines().map(str::trim) {
        if let Some((name, _)) = line.strip_suffix(" {").and_then(|line| line.split_once(" (")) {
            table = name;
        } else if let Some((column, of_type)) = line.trim_end_matches(',').split_once(" -> ") {
            if line.starts_with("joinable!") {
                continue;
            }
            let (of_type, null) = match of_type.strip_prefix("Nullable<") {
                Some(inner) => (inner.trim_end_matches('>'), " null"),
                None => (of_type, ""),
            };
            let of_type = match (of_type, backend) {
                ("Text", Backend::Sqlite) => "TEXT",
                ("BigInt" | "Integer" | "SmallInt" | "Moment" | "Bool", Backend::Sqlite) => "INTEGER",
                ("Uid" | "Binary", Backend::Sqlite) => "BLOB",
                ("Text", Backend::PostgreSql) => "text",
                ("BigInt", Backend::PostgreSql) => "bigint",
                ("Integer", Backend::PostgreSql) => "integer",
                ("SmallInt", Backend::PostgreSql) => "smallint",
                ("Moment", Backend::PostgreSql) => "timestamp with time zone",
                ("Bool", Backend::PostgreSql) => "boolean",
                ("Uid", Backend::PostgreSql) => "uuid",
                ("Binary", Backend::PostgreSql) => "bytea",
                (unknown, _) => panic!("{unknown}"),
            };
            columns.insert(format!("{table}.{column} {of_type}{null}"));
        }
    }
    columns
}

#[test]
fn diesel_describes_every_table_as_it_is() {
    Db::each(async |db| {
        let (real, described) = (columns(db).await, described(db.backend()));
        assert!(described.len() > 100, "the description was not understood");
        let missing: Vec<_> = real.difference(&described).collect();
        let invented: Vec<_> = described.difference(&real).collect();
        assert!(missing.is_empty() && invented.is_empty(), "not described: {missing:?}; not there: {invented:?}");
    });
}

/// `table (columns)` of every unique key and primary key.
async fn unique_keys(url: &DatabaseUrl) -> BTreeSet<String> {
    let mut sql = Sql::connect(url).await;
    let query = match sql {
        Sql::Sqlite(_) => {
            "SELECT m.name || ' (' || (SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) || ')' AS line \
             FROM sqlite_schema m, pragma_index_list(m.name) i \
             WHERE m.type = 'table' AND i.\"unique\" = 1 AND m.name <> '__diesel_schema_migrations' \
             UNION SELECT m.name || ' (' || c.name || ')' FROM sqlite_schema m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND c.pk = 1 AND m.name <> '__diesel_schema_migrations' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
             AND (SELECT count(*) FROM pragma_table_info(m.name) k WHERE k.pk > 0) = 1"
        }
        Sql::PostgreSql(_) => {
            "SELECT c.relname || ' (' || (SELECT string_agg(a.attname, ', ' ORDER BY k.place) \
             FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place) \
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number WHERE k.place <= i.indnkeyatts) || ')' AS line \
             FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = 'public' AND i.indisunique AND c.relname <> '__diesel_schema_migrations'"
        }
    };
    sql.lines(query).await.into_iter().collect()
}

#[test]
fn both_databases_have_the_same_keys_checks_and_indexes() {
    let found: std::sync::Mutex<BTreeMap<String, Vec<BTreeSet<String>>>> = std::sync::Mutex::default();
    let note = |what: &str, lines: BTreeSet<String>| {
        assert!(!lines.is_empty(), "{what}");
        found.lock().unwrap().entry(what.to_owned()).or_default().push(lines);
    };
    Db::each(async |db| {
        let unsuited = |line: &String| line.ends_with(" null");
        let nullable = columns(db).await.into_iter().filter(unsuited);
        let names = |line: String| line.split(' ').next().unwrap_or_default().to_owned();
        note("nullable columns", nullable.map(names).collect());
        note("columns", columns(db).await.into_iter().map(names).collect());
        note("unique keys", unique_keys(db.url()).await);
        note("rules", rules(db).await);
        let mut sql = Sql::connect(db.url()).await;
        let indexes = match db.backend() {
            Backend::Sqlite => "SELECT name AS line FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL",
            Backend::PostgreSql => {
                "SELECT indexname::text AS line FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE '%\\_idx'"
            }
        };
        note("indexes", sql.lines(indexes).await.into_iter().collect());
    });
    for (what, sides) in found.into_inner().unwrap() {
        let [sqlite, postgresql] = sides.as_slice() else { panic!("{what} of both") };
        let (only_sqlite, only_postgresql): (Vec<_>, Vec<_>) =
            (sqlite.difference(postgresql).collect(), postgresql.difference(sqlite).collect());
        assert!(only_sqlite.is_empty() && only_postgresql.is_empty(), "{what}: {only_sqlite:?} {only_postgresql:?}");
    }
}

/// The columns of SQLite whose length of 16 bytes is checked. (References are of that length by what they refer to.)
pub(crate) const UID_COLUMNS: [(&str, &str); 17] = [
    ("organizations", "id"),
    ("users", "id"),
    ("roles", "id"),
    ("sessions", "id"),
    ("projects", "id"),
    ("access_scopes", "id"),
    ("actors", "id"),
    ("tokens", "id"),
    ("audit_heads", "trail"),
    ("revocation_log", "touched_id"),
    ("repositories", "id"),
    ("executions", "id"),
    ("invitations", "id"),
    ("trust_policies", "id"),
    ("nodes", "id"),
    ("outbox", "id"),
    ("webhooks", "id"),
];

/// The names of all constraints but primary keys; without the few that only one side needs.
pub(crate) async fn rules(db: &Db) -> BTreeSet<String> {
    let mut sql = Sql::connect(db.url()).await;
    match db.backend() {
        Backend::PostgreSql => {
            let query = "SELECT conname::text AS line FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace \
                         WHERE n.nspname = 'public' AND contype IN ('c', 'u', 'f')";
            sql.lines(query).await.into_iter().collect()
        }
        Backend::Sqlite => {
            // Named in the text of the tables and nowhere else.
            let tables = sql.lines("SELECT sql AS line FROM sqlite_schema WHERE type = 'table'").await.join("\n");
            let named = tables.split("CONSTRAINT ").skip(1).filter_map(|rest| rest.split_whitespace().next());
            // A 16-byte blob and a 0-or-1 integer are types of their own on the other side.
            let own = |name: &&str| {
                let of_an_id = UID_COLUMNS.iter().any(|(table, column)| **name == format!("{table}_{column}_length"));
                !(name.ends_with("_pkey") || name.ends_with("_bool") || of_an_id)
            };
            named.filter(own).map(str::to_owned).collect()
        }
    }
}
