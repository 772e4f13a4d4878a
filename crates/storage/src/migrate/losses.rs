//! What would be lost if migrations were taken back: read off the statements that take them back.
//!
//! Some facts take rights away: that a member is switched off, that a second factor is asked for. Gone and made again
//! empty, the rights would be back. So whatever holds such facts is not taken back, and a table or column that nobody
//! has judged yet counts as one of these.

use super::MigrationStatus;
use std::fmt;

/// Of each migration, by database: its name, and what takes it back.
pub(super) mod downs {
    include!(concat!(env!("OUT_DIR"), "/downs.rs"));
}

/// Tables and columns whose loss gives nobody a right back: with a thing goes the right to it.
const HARMLESS: [&str; 55] = [
    "access_scope_totals",
    "access_scopes",
    "actors",
    "actors.description",
    "address_codes",
    "address_notices",
    "audit_events",
    "audit_heads",
    "audit_heads.at",
    "audit_heads.has_webhooks",
    "baselines",
    "deployment",
    "execution_keys",
    "executions",
    "idempotency_keys",
    "imported_tokens",
    "invitations",
    "leak_alerts",
    "mailed_invitations",
    "memberships",
    "muted_notices",
    "nodes",
    "nodes.address",
    "organization_totals",
    "organization_usage",
    "organizations",
    "organizations.leak_action",
    "outbox",
    "password_resets",
    "project_totals",
    "projects",
    "recovery_codes",
    "repositories",
    "revocation_clock",
    "revocation_log",
    "roles",
    "session_uses",
    "sessions",
    "sessions.proven_at",
    // Its sessions end before.
    "sessions.provider",
    "token_leaks",
    "token_notices",
    "token_origins",
    "token_scope_uses",
    "token_usage",
    "tokens",
    "tokens.last_used_at",
    "tokens.first_used_at",
    "tokens.description",
    "trust_attempts",
    "trust_policies",
    "users",
    "users.pending_email",
    "webhook_deliveries",
    "webhooks",
];

/// Something that goes with a migration, and how much of it there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// A table, or `table.column`.
    pub what: String,
    /// Its rows, or those with something in the column.
    pub rows: i64,
    /// Whether somebody could do again what was taken from them.
    pub gives_rights_back: bool,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = if self.rows == 1 { "row" } else { "rows" };
        write!(f, "{} ({} {rows})", self.what, self.rows)
    }
}

/// The table and, if no more than that goes, the column of each thing lost with the last `steps` migrations that are applied.
pub(super) fn candidates(
    downs: &[(&str, &str)],
    statuses: &[MigrationStatus],
    steps: usize,
) -> Vec<(String, Option<String>)> {
    let reverted = statuses.iter().filter(|status| status.applied).rev().take(steps);
    let mut lost: Vec<(String, Option<String>)> = reverted
        .filter_map(|status| downs.iter().find(|(name, _)| *name == status.name))
        .flat_map(|(_, down)| dropped(down))
        .collect();
    // Of a table that goes, its columns need no mention.
    let tables: Vec<String> =
        lost.iter().filter(|(_, column)| column.is_none()).map(|(table, _)| table.clone()).collect();
    lost.retain(|(table, column)| column.is_none() || !tables.contains(table));
    lost
}

/// The question how many [rows](Counted::rows) of it there are: those of a table, those with something else than nothing or "no" in a column.
pub(super) fn question(table: &str, column: Option<&str>) -> String {
    column.map_or_else(
        || format!("SELECT count(*) AS rows FROM {table}"),
        |column| {
            format!(
                "SELECT count(*) AS rows FROM {table} WHERE {column} IS NOT NULL \
                 AND CAST({column} AS TEXT) NOT IN ('0', 'false', '')"
            )
        },
    )
}

/// What it is, once it is counted.
pub(super) fn judged(table: &str, column: Option<&str>, rows: i64) -> Loss {
    let what = column.map_or_else(|| table.to_owned(), |column| format!("{table}.{column}"));
    Loss { gives_rights_back: !HARMLESS.contains(&what.as_str()), what, rows }
}

/// Tables and columns dropped by these statements.
fn dropped(down: &str) -> Vec<(String, Option<String>)> {
    let mut dropped = Vec::new();
    for statement in down.split(';') {
        let words: Vec<&str> = statement
            .lines()
            .filter(|line| !line.trim_start().starts_with("--"))
            .flat_map(|line| line.split([' ', ',']))
            .filter(|word| !word.is_empty() && !["IF", "EXISTS", "CASCADE"].contains(word))
            .collect();
        match words.as_slice() {
            ["DROP", "TABLE", tables @ ..] => dropped.extend(tables.iter().map(|table| ((*table).to_owned(), None))),
            ["ALTER", "TABLE", table, changes @ ..] => {
                let columns = changes.windows(3).filter(|words| words[..2] == ["DROP", "COLUMN"]).map(|words| words[2]);
                dropped.extend(columns.map(|column| ((*table).to_owned(), Some(column.to_owned()))));
            }
            _ => {}
        }
    }
    dropped
}

/// An answer to [`question`].
#[derive(diesel::QueryableByName)]
pub(super) struct Counted {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub(super) rows: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_statements_drop_is_read_off_them() {
        let down = "-- DROP TABLE not_this;\nDROP TABLE a;\nDROP TABLE IF EXISTS b, c;\nDROP INDEX i;\n\
                    ALTER TABLE t DROP COLUMN x,\n    DROP COLUMN y;\nALTER TABLE t DROP CONSTRAINT z;";
        let found: Vec<String> =
            dropped(down).iter().map(|(table, column)| judged(table, column.as_deref(), 0).what).collect();
        assert_eq!(found, ["a", "b", "c", "t.x", "t.y"]);
    }

    #[test]
    fn both_databases_lose_the_same() {
        let all = |downs: &[(&str, &str)]| {
            let status = |(name, _): &(&str, &str)| MigrationStatus { name: (*name).to_owned(), applied: true };
            let statuses: Vec<MigrationStatus> = downs.iter().map(status).collect();
            (1..=statuses.len())
                .map(|steps| {
                    let mut lost = candidates(downs, &statuses, steps);
                    lost.sort();
                    lost
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(all(downs::SQLITE), all(downs::POSTGRESQL));
    }
}
