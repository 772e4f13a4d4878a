//! Lists that go on from a cursor, at 100 000 entries: each page is found in an index and read off it in order, however
//! far back it is. Nothing is sorted, and no table is read through.

use crate::sql::{Sql, literals};
use test_support::{Backend, Db};

/// 100 000 of each, a second apart: tokens of the organisation, of which one in a thousand is revoked, rotating or about
/// to expire; a person's keys; an actor's tokens; repositories; the executions of two of them, and the
/// baselines of one.
const FILL: &str = "
INSERT INTO organizations VALUES ({id:1}, 'one', 'One', NULL, NULL, {t:1}, {t:1}, {no});
INSERT INTO users VALUES ({id:2}, 'a@b', 'a@b', 'Ada', NULL, NULL, {t:1}, {t:1});
INSERT INTO memberships (organization_id, user_id, built_in_role, role_id, created_at) VALUES ({id:1}, {id:2}, 'owner', NULL, {t:1});
INSERT INTO projects VALUES ({id:3}, {id:1}, 'P', 'p', {t:1}, {t:1});
INSERT INTO actors VALUES ({id:4}, {id:3}, NULL, 'A', 'device', NULL, NULL, NULL, NULL, {t:1}, {t:1});
INSERT INTO tokens (id, organization_id, kind, name, agent_type, scopes, hint, secret_hash, lookup_hint, created_at, created_by, expires_at, revoked_at, revoked_reason, revoked_by)
    SELECT {n}, {id:1}, 'organization', 'T', '', 'x', '3f7a', 'h', n, {m}, 'system',
        CASE n % 1000 WHEN 1 THEN {far} END, CASE n % 1000 WHEN 2 THEN {far} END, CASE n % 1000 WHEN 2 THEN 'leaked' END, CASE n % 1000 WHEN 2 THEN 'system' END FROM numbers;
INSERT INTO tokens (id, organization_id, kind, owner_user_id, name, agent_type, scopes, hint, secret_hash, lookup_hint, created_at, created_by)
    SELECT {k}, {id:1}, 'personal', {id:2}, 'T', '', 'x', '3f7a', 'h', -n, {m}, 'system' FROM numbers;
INSERT INTO tokens (id, organization_id, kind, actor_id, project_id, name, agent_type, scopes, hint, secret_hash, lookup_hint, created_at, created_by)
    SELECT {a}, {id:1}, 'actor', {id:4}, {id:3}, 'T', '', 'x', '3f7a', 'h', n, {m}, 'system' FROM numbers;
INSERT INTO repositories SELECT {n}, {id:1}, 'r-' || n, 0, NULL, NULL, {m} FROM numbers;
INSERT INTO repositories VALUES ({id:5}, {id:1}, 'a', 0, NULL, NULL, {t:1}), ({id:6}, {id:1}, 'b', 0, NULL, NULL, {t:1});
INSERT INTO baselines SELECT {id:5}, n, 0, NULL, {m}, {m}, 'system' FROM numbers;
INSERT INTO executions SELECT {n}, {id:1}, {id:5}, 'main', '0123456', 0, 0, 0, 0, {yes}, 'pass', NULL, 'system', {m} FROM numbers;
INSERT INTO executions SELECT {k}, {id:1}, {id:6}, 'main', '0123456', 0, 0, 0, 0, {yes}, 'pass', NULL, 'system', {m} FROM numbers;
INSERT INTO token_usage SELECT {one}, n, 0, 0, 0 FROM numbers;
INSERT INTO token_usage SELECT {n}, 1, 0, 0, 0 FROM numbers WHERE n <> 2000;
ANALYZE;
";

/// A list, as the store spells it: its table and conditions, its order, where the page goes on, the index that serves it.
struct List {
    table: &'static str,
    condition: &'static str,
    order: &'static str,
    after: &'static str,
    index: &'static str,
    /// What the plan must look up in the index, beside the first columns: on SQLite, on PostgreSQL.
    sought: [&'static str; 2],
}

const BEFORE: &str = "(created_at, id) < ({t:50000}, {id:70000})";
const NEWEST: &str = "created_at DESC, id DESC";
const SOUGHT: [&str; 2] = ["(created_at,id)<", "ROW(created_at, id) <"];

const LISTS: &[List] = &[
    tokens("organization_id = {id:1} AND kind = 'organization'", "tokens_listing_idx"),
    tokens(
        "organization_id = {id:1} AND kind = 'organization' AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > {t:7}) AND superseded_at IS NULL",
        "tokens_listing_idx",
    ),
    tokens("organization_id = {id:1} AND owner_user_id = {id:2}", "tokens_owner_user_idx"),
    tokens("organization_id = {id:1} AND actor_id = {id:4}", "tokens_actor_idx"),
    List {
        table: "executions",
        condition: "repository_id = {id:5}",
        order: NEWEST,
        after: BEFORE,
        index: "executions_listing_idx",
        sought: SOUGHT,
    },
    List {
        table: "repositories",
        condition: "organization_id = {id:1}",
        order: "name",
        after: "name > 'r-50000'",
        index: "repositories_name_key",
        sought: ["name>", "name >"],
    },
    List {
        table: "baselines",
        condition: "repository_id = {id:5}",
        order: "seq DESC",
        after: "seq < 50000",
        index: "baselines_pkey",
        sought: ["seq<", "seq <"],
    },
    List {
        table: "token_usage",
        condition: "token_id = {one} AND hour < 60000",
        order: "hour",
        after: "hour >= 50000",
        index: "token_usage_pkey",
        sought: ["hour>", "hour >="],
    },
];

const fn tokens(condition: &'static str, index: &'static str) -> List {
    List { table: "tokens", condition, order: NEWEST, after: BEFORE, index, sought: SOUGHT }
}

/// The id of number `first + n`, where `n` is a number or the column of that name.
fn id(backend: Backend, first: u32, n: &str) -> String {
    match backend {
        Backend::Sqlite => format!("CAST(printf('%016d', {first} + {n}) AS BLOB)"),
        Backend::PostgreSql => format!("lpad(to_hex({first} + {n}), 32, '0')::uuid"),
    }
}

/// The token with the longest record of uses.
fn one(backend: Backend) -> String {
    id(backend, 0, "2000")
}

async fn filled(db: &Db) -> Sql {
    let backend = db.backend();
    let mut sql = Sql::connect(db.url()).await;
    let numbers = match backend {
        Backend::Sqlite => {
            "CREATE TABLE numbers AS WITH RECURSIVE n (n) AS (SELECT 1001 UNION ALL SELECT n + 1 FROM n WHERE n < 101000) SELECT n FROM n;"
        }
        Backend::PostgreSql => "CREATE TABLE numbers AS SELECT n FROM generate_series(1001, 101000) AS g (n);",
    };
    let moment = match backend {
        Backend::Sqlite => "n * 1000000",
        Backend::PostgreSql => "to_timestamp(n)",
    };
    let fill = FILL
        .replace("{n}", &id(backend, 0, "n"))
        .replace("{k}", &id(backend, 1_000_000, "n"))
        .replace("{a}", &id(backend, 2_000_000, "n"))
        .replace("{m}", moment)
        .replace("{far}", "{t:4000000}")
        .replace("{one}", &one(backend));
    sql.run(&format!("{numbers}{}", literals(backend, &fill))).await.unwrap();
    sql
}

#[test]
fn every_page_is_found_in_an_index_and_read_off_it() {
    Db::each(async |db| {
        let backend = db.backend();
        let mut sql = filled(db).await;
        for list in LISTS {
            for after in [None, Some(list.after)] {
                let after_text = after.map(|after| format!(" AND {after}")).unwrap_or_default();
                let query = format!(
                    "SELECT * FROM {} WHERE {}{after_text} ORDER BY {} LIMIT 101",
                    list.table, list.condition, list.order
                );
                let query = query.replace("{one}", &one(backend));
                let plan = sql.plan(&literals(backend, &query)).await;
                // SQLite does not call the index of a key by the key's name.
                let index = match backend {
                    Backend::Sqlite if list.index.ends_with("_pkey") => "PRIMARY KEY",
                    Backend::Sqlite if list.index.ends_with("_key") => "sqlite_autoindex_repositories_2",
                    Backend::Sqlite | Backend::PostgreSql => list.index,
                };
                assert!(plan.contains(index), "{query}\n{plan}");
                for through in ["Sort", "TEMP B-TREE", "Seq Scan", "SCAN"] {
                    assert!(!plan.contains(through), "{query}\n{plan}");
                }
                let sought = list.sought[usize::from(backend == Backend::PostgreSql)];
                assert!(after.is_none() || plan.contains(sought), "{query}\n{plan}");
            }
        }
    });
}
