//! Rules that span several keys.

use super::merged::Merged;
use super::problem::Problem;

/// Records a problem for every broken rule. A key that is missing because its value was refused breaks no rule.
pub(super) fn check(merged: &Merged, problems: &mut Vec<Problem>) {
    let number = |path: &str| merged.number(path);
    let postgres = merged.text("database.url").is_some_and(|url| url.starts_with("postgres"));

    let mut broken: Vec<(&str, String, String)> = Vec::new();
    if let (Some(default), Some(max)) = (number("tokens.default_grace_seconds"), number("tokens.max_grace_seconds"))
        && default > max
    {
        let wrong = format!("{default} is more than tokens.max_grace_seconds ({max})");
        broken.push(("tokens.default_grace_seconds", wrong, "lower it, or raise tokens.max_grace_seconds".into()));
    }
    for (path, floor) in
        [("hashing.bcrypt_cost", 10), ("hashing.argon2_memory_kib", 19_456), ("hashing.argon2_passes", 2)]
    {
        if number(path).is_some_and(|cost| cost < floor) && !merged.flag("hashing.insecure_test_costs") {
            let right = format!("use at least {floor}, or set hashing.insecure_test_costs = true for tests");
            broken.push((path, format!("is below {floor}"), right));
        }
    }
    if let (Some(memory), Some(lanes)) = (number("hashing.argon2_memory_kib"), number("hashing.argon2_lanes"))
        && memory < 8 * lanes
    {
        let wrong = format!("{memory} is less than 8 KiB for each of {lanes} lanes");
        broken.push(("hashing.argon2_memory_kib", wrong, format!("use at least {}", 8 * lanes)));
    }
    let keyed = ["keys.tag_key", "keys.tag_key_file", "keys.tag_key_path"];
    // A key that was refused has a problem of its own, and one is enough.
    let mentioned = |path: &&str| merged.get(path).is_some() || problems.iter().any(|problem| problem.key == *path);
    if postgres && !keyed.iter().any(mentioned) {
        let right = "set keys.tag_key_path to a file where this node can store its key, or give all nodes the same key with keys.tag_key_file";
        broken.push(("keys.tag_key_path", "is required with PostgreSQL".into(), right.into()));
    }
    problems
        .extend(broken.into_iter().map(|(path, wrong, right)| Problem::new(path, merged.origin(path), wrong, right)));
}
