//! Every list of the store, by every filter, in every order, from its beginning and from further back, at 100 000 rows of
//! each (`--full`: a million): the statements that are really sent find what they look for in an index and read it off in order.
//!
//! PostgreSQL also tells how many rows it looked at. That is what keeps an index from being walked to its end for a page
//! of a few rows, which a plan does not show; where a list may do that, its row in the table says how far.

mod capture;
mod fill;
mod lists;
mod reading;

use crate::sql::Sql;
use capture::Statement;
use lists::{Found, List};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use storage::StoreOptions;
use test_support::{Backend, Db};

/// A statement of a list, and how it should be gone about.
struct Sent {
    list: String,
    is_in_lane: bool,
    statement: Statement,
    found: Found,
}

#[test]
fn every_list_is_found_in_an_index_and_read_off_it() {
    capture::listen();
    // Rows are counted here, not seconds.
    let options = StoreOptions { statement_timeout: Duration::from_mins(10), ..StoreOptions::default() };
    Db::each_with(options, async |db| {
        let mut sql = fill::filled(db).await;
        let mut sent = Vec::new();
        for List { operation, details, call, statements } in lists::all() {
            let name = format!("{operation} {details}");
            let before = db.store().counters().lane_reads();
            let heard = capture::sent_by(async { db.store().read(|reads| call(reads)).await.unwrap() }).await;
            let is_in_lane = db.store().counters().lane_reads() - before == 1;
            assert_eq!(is_in_lane, !FOUND_AT_ONCE.contains(&operation), "{name}: whether it goes through the lane");
            assert_eq!(heard.len(), statements.len(), "{name}: {heard:?}");
            let statements = heard.into_iter().zip(statements);
            sent.extend(statements.map(|(statement, found)| Sent { list: name.clone(), is_in_lane, statement, found }));
        }
        let wrong = match db.backend() {
            Backend::Sqlite => on_sqlite(&mut sql, &sent).await,
            Backend::PostgreSql => on_postgresql(&mut sql, &sent).await,
        };
        assert!(wrong.is_empty(), "{} plans are not as they should be:\n\n{}", wrong.len(), wrong.join("\n\n"));
    });
}

async fn on_sqlite(sql: &mut Sql, sent: &[Sent]) -> Vec<String> {
    let mut wrong = Vec::new();
    for Sent { list, statement, found, .. } in sent {
        for plan in statement.plans(sql).await {
            if let Err(why) = reading::on_sqlite(&plan, found) {
                wrong.push(format!("{list}: {why}\n{}\n{plan}", statement.text));
            }
        }
    }
    wrong
}

async fn on_postgresql(sql: &mut Sql, sent: &[Sent]) -> Vec<String> {
    let first_columns = "SELECT i.indexrelid::regclass::text || ' ' || a.attname AS line FROM pg_index AS i \
                         JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]";
    let first_columns = sql.lines(first_columns).await;
    let first_columns: BTreeMap<&str, &str> = first_columns.iter().filter_map(|line| line.split_once(' ')).collect();
    let mut wrong = Vec::new();
    for Sent { list, is_in_lane, statement, found } in sent {
        // As in the lane: `lane::lists_are_planned_for_their_own_values`.
        let mode = if *is_in_lane { "force_custom_plan" } else { "auto" };
        sql.run(&format!("SET plan_cache_mode = {mode}")).await.unwrap();
        for plan in statement.plans(sql).await {
            if let Err(why) = reading::on_postgresql(&plan, found, &first_columns) {
                wrong.push(format!("{list}: {why}\n{}\n{plan}", statement.text));
            }
        }
    }
    wrong
}

#[test]
fn sqlite_is_told_about_every_index_of_a_table_or_about_none() {
    Db::on(Backend::Sqlite, StoreOptions::default(), async |db| {
        let untold = "SELECT name AS line FROM sqlite_schema WHERE type = 'index' AND tbl_name IN (SELECT tbl FROM sqlite_stat1) \
                      AND name NOT IN (SELECT idx FROM sqlite_stat1)";
        let mut sql = Sql::connect(db.url()).await;
        assert_eq!(sql.lines(untold).await, Vec::<String>::new());
        assert_eq!(sql.lines("SELECT DISTINCT tbl AS line FROM sqlite_stat1").await.len(), 3);
    });
}

/// Lists of a handful of rows at most, which are read where the caller stands. All others may look at more than a few hundred
/// rows and go through the lane, where nothing else waits for them.
const FOUND_AT_ONCE: [&str; 6] = [
    "first_organization",
    "organization_by_slug",
    "published_coverage",
    "scope_uses",
    "share_organization",
    "token_rules",
];

/// Reads of the store that are not lists: of a row by its key, of a number, or of a whole table.
const NO_LISTS: [&str; 79] = [
    "access_scope",
    "actor",
    "actor_of_organization",
    "audit_end",
    "audit_trails",
    "trails_since",
    "baseline",
    "candidate",
    "candidates",
    "candidates_among",
    "count_by_hint",
    "imported",
    "count_members_of_role",
    "count_organizations",
    "count_recovery_codes",
    "count_static_tokens",
    "count_tokens",
    "execution",
    "execution_key",
    "first_made_organization",
    "idempotency",
    "invitation_by_digest",
    "invitation_for",
    "mailed_invitation",
    "count_mail",
    "has_devices",
    "hashes_of_events",
    "has_identity",
    "identity",
    "count_second_factors",
    "is_known_device",
    "live_key_count",
    "live_token_ids",
    "some_sealed_secret",
    "some_verify_tag",
    "tokens_of_project",
    "list_nodes",
    "live_token_count",
    "log_tail",
    "logged_at",
    "membership_standing",
    "meta_get",
    "newest_event",
    "organization",
    "password_reset",
    "project",
    "project_contents",
    "repository",
    "role",
    "second_factor",
    "session_by_digest",
    "session_standing",
    "token",
    "token_leak",
    "token_terms",
    "failed_trust_attempts",
    "list_trust_attempts",
    "list_trust_policies",
    "trust_policies_of_issuer",
    "trust_policy",
    "trust_policy_by_id",
    "webhook",
    "some_webhook_secret",
    "muted_notices",
    "expiring_tokens",
    "list_address_notices",
    "administrators",
    "due_leak_alerts",
    "due_webhooks",
    "webhook_delivery",
    "list_webhooks",
    "due_deliveries",
    "list_deliveries",
    "user",
    "user_by_email_key",
    "account",
    "account_by_email_key",
    "tokens_by_id",
    "uses_since",
];

#[test]
fn every_read_of_the_store_has_its_plan_here_or_is_no_list() {
    let operations = include_str!("../../src/operations.rs");
    let (_, reads) = operations.split_once("\n    reads {\n").unwrap();
    let (reads, _) = reads.split_once("\n    writes {\n").unwrap();
    let signatures = reads.lines().map(str::trim).filter(|line| !line.starts_with("///"));
    let names = signatures.filter_map(|line| line.split_once('(')?.0.split_once("::"));
    let names: BTreeSet<&str> = names.map(|(_, name)| name).collect();
    assert!(names.len() > 50, "the operations were not understood: {names:?}");
    let listed: BTreeSet<&str> = lists::all().iter().map(|list| list.operation).chain(NO_LISTS).collect();
    assert_eq!(names, listed);
}
