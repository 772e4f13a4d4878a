//! 100 000 rows of everything that is listed, a neighbour beside each with a few, and 100 000 organisations and projects with
//! hardly anything. In the long version of the tests it is a million of each.

use crate::sql::{Sql, literals};
use test_support::{Backend, Db};
use token_domain::id::Kind;
use token_domain::{Id, Timestamp};
use uuid::Uuid;

/// The organisation with 100 000 of everything, and the one with a few.
pub(super) const LARGE: u128 = 1;
pub(super) const SMALL: u128 = 2;
/// A member of both, with 100 000 keys.
pub(super) const PERSON: u128 = 3;
/// The project with 100 000 of everything, and the one with a thousand.
pub(super) const PROJECT: u128 = 4;
pub(super) const SMALL_PROJECT: u128 = 5;
/// An access scope with an eighth of the project's actors.
pub(super) const SCOPE: u128 = 6;
/// One with half of the small project's.
pub(super) const SMALL_SCOPE: u128 = 10;
/// An actor with 100 000 tokens.
pub(super) const ACTOR: u128 = 8;
/// A repository with 100 000 executions and baselines.
pub(super) const REPOSITORY: u128 = 9;
/// A custom role that a hundred members wear.
pub(super) const ROLE: u128 = 11;

/// Each table has this many times 100 000 rows, all within the same 100 000 seconds.
pub(super) fn scale() -> i64 {
    if std::env::var_os("NOLAPSE_TEST_FULL").is_some() { 10 } else { 1 }
}

/// How many rows there are of everything.
pub(super) fn rows() -> u64 {
    scale().unsigned_abs() * 100_000
}

/// A token that was used in each hour, and an actor in the middle of the list: of second 50 000.
pub(super) fn middle() -> u128 {
    u128::from(rows() / 2)
}

/// `n` runs from 1 to the number of rows; `{row:5}` is the id of the number `n + 5`, and `{m}` the moment of row `n`, which
/// is in the first 100 000 seconds after 1970. Of each owner's tokens one in a thousand is rotating, revoked, expired or bound
/// to the project, one in ten was rotated long ago, and one in ten will expire. `{few}` are a hundred of everybody.
const FILL: &str = "
INSERT INTO organizations VALUES ({id:1}, 'large', 'Large', NULL, NULL, {t:1}, {t:1}, {no}, 'revoke', {no}), ({id:2}, 'small', 'Small', NULL, NULL, {t:1}, {t:1}, {no}, 'revoke', {no});
INSERT INTO organizations SELECT {row:1000000}, 'o-' || n, 'O', NULL, NULL, {t:1}, {t:1}, {no}, 'revoke', {no} FROM numbers;
INSERT INTO token_policies SELECT {row:1000000}, 'personal', {yes}, NULL, NULL, NULL, NULL, {t:1}, 'system' FROM numbers;
INSERT INTO users (id, email, email_key, name, password_hash, disabled_at, created_at, updated_at) VALUES ({id:3}, 'ada@example.org', 'ada@example.org', 'Ada', NULL, NULL, {t:1}, {t:1});
INSERT INTO users (id, email, email_key, name, password_hash, disabled_at, created_at, updated_at) SELECT {row:1000000}, 'p' || n || '@example.org', 'p' || n || '@example.org', 'P', NULL, NULL, {t:1}, {t:1} FROM numbers;
INSERT INTO roles VALUES ({id:11}, {id:1}, 'Role', 'role', 'x', {t:1}, {t:1});
INSERT INTO roles SELECT {row:1000000}, {id:1}, 'R' || n, 'r' || n, 'x', {t:1}, {t:1} FROM numbers;
INSERT INTO roles SELECT {row:2000000}, {id:2}, 'R' || n, 'r' || n, 'x', {t:1}, {t:1} FROM numbers WHERE n <= 20;
INSERT INTO memberships (organization_id, user_id, built_in_role, role_id, created_at) VALUES ({id:1}, {id:3}, 'owner', NULL, {t:1}), ({id:2}, {id:3}, 'owner', NULL, {t:1});
INSERT INTO memberships (organization_id, user_id, built_in_role, role_id, created_at)
    SELECT {id:1}, {row:1000000}, CASE WHEN n % {few} <> 0 THEN 'member' END, CASE n % {few} WHEN 0 THEN {id:11} END, {m} FROM numbers;
INSERT INTO memberships (organization_id, user_id, built_in_role, role_id, created_at) SELECT {row:1000000}, {row:1000000}, 'owner', NULL, {m} FROM numbers;
INSERT INTO sessions (id, user_id, organization_id, token_digest, user_agent, created_at, expires_at) SELECT {row:1000000}, {row:1000000}, {id:1}, {digest}, NULL, {m}, {far} FROM numbers;
INSERT INTO sessions (id, user_id, organization_id, token_digest, user_agent, created_at, expires_at) SELECT {row:2000000}, {id:3}, {id:1}, {other}, NULL, {m}, {far} FROM numbers WHERE n <= 20;
INSERT INTO invitations SELECT {row:1000000}, {id:1}, 'i' || n || '@example.org', 'i' || n || '@example.org', 'member', NULL, {digest}, 'system', NULL, {m}, {far} FROM numbers;
INSERT INTO invitations SELECT {row:2000000}, {row:1000000}, 'i@example.org', 'i@example.org', 'member', NULL, {other}, 'system', NULL, {m}, {far} FROM numbers;
INSERT INTO projects SELECT {row:1000000}, {id:1}, 'P' || n % 1000, 'p-' || n, {m}, {m} FROM numbers;
INSERT INTO projects SELECT {row:2000000}, {id:2}, 'P', 'p-' || n, {m}, {m} FROM numbers WHERE n <= 1000;
INSERT INTO projects SELECT {row:3000000}, {row:1000000}, 'P', 'p', {m}, {m} FROM numbers;
INSERT INTO projects VALUES ({id:4}, {id:1}, 'P', 'p', {t:1}, {t:1}), ({id:5}, {id:2}, 'P', 'p', {t:1}, {t:1});
INSERT INTO access_scopes VALUES ({id:6}, {id:4}, 's', NULL, NULL, NULL, {yes}, {t:1}, {t:1}), ({id:7}, {id:4}, 't', NULL, NULL, NULL, {yes}, {t:1}, {t:1});
INSERT INTO access_scopes SELECT {row:1000000}, {id:4}, 's-' || n, CASE n % 2 WHEN 0 THEN 'N' || n END, NULL, NULL, {yes}, {m}, {m} FROM numbers;
INSERT INTO access_scopes VALUES ({id:10}, {id:5}, 's', NULL, NULL, NULL, {yes}, {t:1}, {t:1});
INSERT INTO access_scopes SELECT {row:2000000}, {id:5}, 's-' || n, 'N', NULL, NULL, {yes}, {m}, {m} FROM numbers WHERE n <= 1000;
INSERT INTO access_scopes SELECT {row:3000000}, {row:3000000}, 's', 'N', NULL, NULL, {yes}, {m}, {m} FROM numbers;
INSERT INTO actors (id, project_id, access_scope_id, name, actor_type, external_id, metadata, disabled_at, expires_at, created_at, updated_at) SELECT {row:3000000}, {row:3000000}, {row:3000000}, 'A', 'device', NULL, NULL, NULL, NULL, {m}, {m} FROM numbers;
INSERT INTO actors (id, project_id, access_scope_id, name, actor_type, external_id, metadata, disabled_at, expires_at, created_at, updated_at) SELECT {row:0}, {id:4}, CASE n % 8 WHEN 0 THEN {id:6} WHEN 1 THEN NULL ELSE {id:7} END, 'A' || n, 'device', NULL, NULL, NULL, NULL, {m}, {m} FROM numbers WHERE n > 100;
INSERT INTO actors (id, project_id, access_scope_id, name, actor_type, external_id, metadata, disabled_at, expires_at, created_at, updated_at) SELECT {row:2000000}, {id:5}, CASE n % 2 WHEN 0 THEN {id:10} END, 'A' || n, 'device', NULL, NULL, NULL, NULL, {m}, {m} FROM numbers WHERE n <= 1000;
INSERT INTO actors (id, project_id, access_scope_id, name, actor_type, external_id, metadata, disabled_at, expires_at, created_at, updated_at) VALUES ({id:8}, {id:4}, NULL, 'A', 'device', NULL, NULL, NULL, NULL, {t:1}, {t:1});
INSERT INTO tokens (id, organization_id, kind, owner_user_id, actor_id, project_id, name, agent_type, scopes, hint, secret_hash, lookup_hint, created_at, created_by, expires_at,
        superseded_at, rotated_to, grace_ends_at, grace_mode, revoked_at, revoked_reason, revoked_by)
    SELECT id, organization, kind, person, actor, coalesce(project, CASE n % 1000 WHEN 4 THEN {id:4} END), 'T' || n % 1000, '', 'x', '3f7a', 'h', n, {m}, 'system',
        CASE WHEN n % 1000 = 3 THEN {t:150000} WHEN n % 10 = 7 THEN {far} END,
        CASE WHEN rotated THEN {t:150000} END, CASE WHEN rotated THEN next END, CASE WHEN rotated THEN CASE n % 1000 WHEN 1 THEN {far} ELSE {t:150001} END END, CASE WHEN rotated THEN 'fixed' END,
        CASE n % 1000 WHEN 2 THEN {t:150000} END, CASE n % 1000 WHEN 2 THEN 'leaked' END, CASE n % 1000 WHEN 2 THEN 'system' END
    FROM (SELECT n, n % 1000 = 1 OR n % 10 = 5 AS rotated, {row:0} AS id, {row:1} AS next, {id:1} AS organization, 'organization' AS kind, {none} AS person, {none} AS actor, {none} AS project FROM numbers
        UNION ALL SELECT n, n % 1000 = 1 OR n % 10 = 5, {row:1000000}, {row:1000001}, {id:1}, 'personal', {id:3}, NULL, NULL FROM numbers
        UNION ALL SELECT n, n % 1000 = 1 OR n % 10 = 5, {row:2000000}, {row:2000001}, {id:1}, 'actor', NULL, {id:8}, {id:4} FROM numbers
        UNION ALL SELECT n, n % 1000 = 1 OR n % 10 = 5, {row:3000000}, {row:3000001}, {row:1000000}, 'organization', NULL, NULL, NULL FROM numbers) AS owned;
INSERT INTO token_usage SELECT {id:{middle}}, n, 0, 0, 0 FROM numbers;
INSERT INTO token_usage SELECT {row:0}, 1, 0, 0, 0 FROM numbers WHERE n <> {middle};
INSERT INTO token_origins SELECT {row:0}, '203.0.113.7', NULL, {m}, {m} FROM numbers;
INSERT INTO token_scope_uses SELECT {row:0}, 'scans:run', {m} FROM numbers;
INSERT INTO session_uses SELECT id, created_at, '203.0.113.7' FROM sessions;
INSERT INTO organization_usage SELECT {id:1}, n, 0, 0, 0 FROM numbers;
INSERT INTO organization_usage SELECT {row:1000000}, 1, 0, 0, 0 FROM numbers;
INSERT INTO repositories SELECT {row:1000000}, {id:1}, 'r-' || n, 0, NULL, NULL, {m} FROM numbers;
INSERT INTO repositories VALUES ({id:9}, {id:1}, 'a', 0, NULL, NULL, {t:1});
INSERT INTO repositories SELECT {row:2000000}, {row:1000000}, 'r', 0, NULL, NULL, {m} FROM numbers;
INSERT INTO baselines SELECT {id:9}, n, 0, NULL, {m}, {m}, 'system' FROM numbers;
INSERT INTO executions SELECT {row:0}, {id:1}, {id:9}, 'main', '0123456', 0, 0, 0, 0, {yes}, 'pass', NULL, 'system', {m} FROM numbers;
INSERT INTO executions SELECT {row:1000000}, {row:1000000}, {row:2000000}, 'main', '0123456', 0, 0, 0, 0, {yes}, 'pass', NULL, 'system', {m} FROM numbers;
INSERT INTO revocation_log SELECT 0, n, 'token', {row:0}, {m} FROM numbers;
INSERT INTO audit_heads VALUES ({id:1}, {rows}, {b:32}, {far}, {no}), ({id:2}, 0, {b:32}, {far}, {no});
INSERT INTO audit_heads SELECT {row:1000000}, 1, {b:32}, {far}, {no} FROM numbers;
INSERT INTO audit_events SELECT {row:1000000}, 1, {m}, 'x3', 'user:3', 'token', 't3', '', 'x', {b:32}, {b:32} FROM numbers;
INSERT INTO audit_events SELECT {id:1}, n, {m}, CASE n % 1000 WHEN 1 THEN 'rare' ELSE 'x' || n % 7 END,
    CASE n % 1000 WHEN 2 THEN 'service' ELSE 'user:' || n % 7 END, 'token', CASE n % 1000 WHEN 3 THEN 'rare' ELSE 't' || n % 7 END,
    '', 'x', {b:32}, {b:32} FROM numbers;
";

/// A table of the numbers.
const SQLITE_NUMBERS: &str = "PRAGMA foreign_keys = OFF; CREATE TABLE numbers AS WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows}) SELECT n FROM n;";
/// The same. Neither database need look up what every row refers to.
const POSTGRESQL_NUMBERS: &str = "SET session_replication_role = replica; CREATE TABLE numbers AS SELECT n FROM generate_series(1, {rows}) AS g (n);";
/// How many entries lists have, which is not kept up while PostgreSQL fills the tables.
const POSTGRESQL_TOTALS: &str = "
INSERT INTO organization_totals SELECT o.id, (SELECT count(*) FROM projects WHERE organization_id = o.id) FROM organizations AS o;
INSERT INTO project_totals SELECT p.id, (SELECT count(*) FROM access_scopes WHERE project_id = p.id), (SELECT count(*) FROM actors WHERE project_id = p.id),
    (SELECT count(*) FROM actors WHERE project_id = p.id AND access_scope_id IS NULL) FROM projects AS p;
INSERT INTO access_scope_totals SELECT s.project_id, s.id, (SELECT count(*) FROM actors WHERE project_id = s.project_id AND access_scope_id = s.id) FROM access_scopes AS s;
";

/// The id of that number.
pub(super) fn id<K: Kind>(number: u128) -> Id<K> {
    Id::from_uuid(Uuid::from_u128(number))
}

/// The moment this many seconds after 1970.
pub(super) const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

/// [`FILL`] as the database writes it.
fn statements(backend: Backend) -> String {
    let (id, digest, moment, none) = match backend {
        Backend::Sqlite => ("unhex(printf('%032x', n + ", "unhex(printf('%064x', n + ", "(n * {micros})", "NULL"),
        Backend::PostgreSql => (
            "(lpad(to_hex(n + ",
            "decode(lpad(to_hex(n + ",
            "('epoch'::timestamptz + n * interval '{micros} microseconds')",
            "NULL::uuid",
        ),
    };
    let (id_ends, digest_ends) = match backend {
        Backend::Sqlite => ("))", "))"),
        Backend::PostgreSql => ("), 32, '0'))::uuid", "), 64, '0'), 'hex')"),
    };
    let mut text = FILL
        .replace("{m}", moment)
        .replace("{far}", "{t:4000000}")
        .replace("{none}", none)
        .replace("{digest}", &format!("{digest}0{digest_ends}"))
        .replace("{other}", &format!("{digest}1000000{digest_ends}"));
    for first in ["0", "1", "1000000", "1000001", "2000000", "2000001", "3000000", "3000001"] {
        text = text.replace(&format!("{{row:{first}}}"), &format!("{id}{first}{id_ends}"));
    }
    literals(backend, &numbered(&text))
}

/// With what depends on how many rows there are.
fn numbered(text: &str) -> String {
    let scale = scale();
    [("rows", 100_000 * scale), ("middle", 50_000 * scale), ("few", 1_000 * scale), ("micros", 1_000_000 / scale)]
        .iter()
        .fold(text.to_owned(), |text, (name, number)| text.replace(&format!("{{{name}}}"), &number.to_string()))
}

/// Fills the database. What it knows about its tables is what it learns by itself: on SQLite nothing.
pub(super) async fn filled(db: &Db) -> Sql {
    let backend = db.backend();
    let mut sql = Sql::connect(db.url()).await;
    match backend {
        Backend::Sqlite => {
            sql.run(&format!("{} BEGIN; {} COMMIT", numbered(SQLITE_NUMBERS), statements(backend))).await.unwrap();
        }
        Backend::PostgreSql => {
            let numbers = numbered(POSTGRESQL_NUMBERS);
            sql.run(&format!("{numbers} {} {POSTGRESQL_TOTALS}", statements(backend))).await.unwrap();
            // Also tells which rows an index alone vouches for, as it is told by itself before long. One pass now and then
            // leaves tables out.
            sql.run("VACUUM (ANALYZE)").await.unwrap();
            let left_out = "SELECT relname::text AS line FROM pg_class \
                            WHERE relkind = 'r' AND relpages > 100 AND relallvisible < relpages / 2";
            for _ in 0..10 {
                if !sql.lines(left_out).await.is_empty() {
                    sql.run("VACUUM").await.unwrap();
                }
            }
            assert_eq!(sql.lines(left_out).await, Vec::<String>::new());
        }
    }
    sql
}
