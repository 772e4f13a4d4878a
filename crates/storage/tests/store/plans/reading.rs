//! What a plan says.

use super::lists::{Found, Order};
use std::collections::BTreeMap;

/// The most rows that may be sorted where a list has an index for its order: those that PostgreSQL found by other conditions
/// and finds cheaper to sort.
const FEW: u64 = 1_010;

/// Whether SQLite goes about it as it should.
pub(super) fn on_sqlite(plan: &str, found: &Found) -> Result<(), String> {
    if let Some(step) = plan.lines().find(|step| step.starts_with("SCAN") || step.contains("ANY(")) {
        return Err(format!("reads through: {step}"));
    }
    if plan.contains("TEMP B-TREE") && found.order == Order::Read {
        return Err("sorts".to_owned());
    }
    // The index of a key does not go by the key's name.
    let is_it = |index: &&&str| match index.strip_suffix("_key").or(index.strip_suffix("_pkey")) {
        Some(_) => plan.contains("sqlite_autoindex_") || plan.contains("PRIMARY KEY"),
        None => plan.contains(**index),
    };
    let Some(index) = found.indexes.iter().find(is_it) else { return Err(format!("not in {:?}", found.indexes)) };
    // SQLite's keys of slugs have no id, and its indexes of the unscoped no access scope. What is before a page is skipped
    // without a look at the table all the same, which plans do not say.
    let is_bare = index.ends_with("_slug_key") || index.starts_with("actors_unscoped_");
    if found.is_alone && !is_bare && !plan.contains("COVERING INDEX") {
        return Err("looks at the table".to_owned());
    }
    sought(plan, found.sought.map(|[sqlite, _]| sqlite))
}

/// Whether PostgreSQL goes about it as it should.
pub(super) fn on_postgresql(plan: &str, found: &Found, first_columns: &BTreeMap<&str, &str>) -> Result<(), String> {
    let (mut rows, mut found_rows) = (0, 0);
    // Each node of the plan with the lines that are about it.
    for node in plan.split("->  ") {
        let (scan, details) = node.split_once('\n').unwrap_or((node, ""));
        if scan.contains("Seq Scan") {
            return Err(format!("reads through: {scan}"));
        }
        if let Some(index) = index_of(scan) {
            let condition =
                details.lines().find_map(|line| line.trim().strip_prefix("Index Cond: ")).unwrap_or_default();
            let first = first_columns.get(index).copied().unwrap_or_default();
            if !condition.contains(&format!("({first} ")) {
                return Err(format!("walks the whole of {index}: {condition}"));
            }
        }
        if scan.contains(" Scan") && !scan.contains("Bitmap Index Scan") {
            let removed = details.lines().find_map(|line| line.trim().strip_prefix("Rows Removed by Filter: "));
            let removed: u64 = removed.map_or(0, |count| count.trim().parse().unwrap());
            let (kept, loops) = (number(scan, "rows="), number(scan, "loops="));
            rows += (kept + removed) * loops;
            found_rows += kept * loops;
        }
    }
    if rows > found.rows {
        return Err(format!("looks at {rows} rows, not at most {}", found.rows));
    }
    if plan.contains("Sort") {
        // Found by other conditions, or more of them.
        let is_fine = found.order == Order::Made || found_rows <= FEW;
        return if is_fine { Ok(()) } else { Err(format!("sorts {found_rows} rows")) };
    }
    if !found.indexes.iter().any(|index| plan.contains(index)) {
        return Err(format!("not in {:?}", found.indexes));
    }
    if found.is_alone && !plan.contains("Index Only Scan") {
        return Err("looks at the table".to_owned());
    }
    sought(plan, found.sought.map(|[_, postgresql]| postgresql))
}

fn sought(plan: &str, place: Option<&str>) -> Result<(), String> {
    match place {
        Some(place) if !plan.contains(place) => Err(format!("does not look up {place}")),
        Some(_) | None => Ok(()),
    }
}

/// The index that a node of a plan of PostgreSQL's reads.
fn index_of(scan: &str) -> Option<&str> {
    let (_, rest) = scan
        .split_once("Bitmap Index Scan on ")
        .or_else(|| scan.split_once("Scan using "))
        .or_else(|| scan.split_once("Scan Backward using "))?;
    rest.split(' ').next()
}

/// The number after a word; none where the node was never reached.
fn number(scan: &str, word: &str) -> u64 {
    let digits = scan.split_once(word).map(|(_, rest)| rest);
    let digits = digits.and_then(|rest| rest.split([' ', ')']).next());
    digits.map_or(0, |digits| digits.parse().unwrap())
}
