//! Rules that span keys: what no single value can be judged for.

use super::key::Value;
use super::layers::Gathered;
use super::problem::Problem;

/// Notes a problem for every rule the settings break. Keys that are missing because they were refused break no rule.
pub(super) fn check(gathered: &mut Gathered) {
    let number = |path: &str| match gathered.settings.get(path).map(|setting| &setting.value) {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    };
    let flag =
        |path: &str| matches!(gathered.settings.get(path).map(|setting| &setting.value), Some(Value::Bool(true)));
    let postgres = matches!(gathered.settings.get("database.url").map(|setting| &setting.value),
        Some(Value::Text(url)) if url.starts_with("postgres"));

    let mut broken: Vec<(&str, String, String)> = Vec::new();
    if let (Some(default), Some(max)) = (number("tokens.default_grace_seconds"), number("tokens.max_grace_seconds"))
        && default > max
    {
        let wrong = format!("{default} is more than tokens.max_grace_seconds ({max})");
        broken.push(("tokens.default_grace_seconds", wrong, "lower it, or raise the other".into()));
    }
    if let (Some(poll), Some(lease)) = (number("cluster.poll_interval_ms"), number("cluster.lease_ms"))
        && poll * 4 > lease
    {
        let wrong = format!("{poll} is more than a quarter of cluster.lease_ms ({lease})");
        broken.push(("cluster.poll_interval_ms", wrong, "lower it: one lost poll must not end a lease".into()));
    }
    for (path, floor) in
        [("hashing.bcrypt_cost", 10), ("hashing.argon2_memory_kib", 19_456), ("hashing.argon2_passes", 2)]
    {
        if number(path).is_some_and(|cost| cost < floor) && !flag("hashing.insecure_test_costs") {
            let right =
                format!("use at least {floor}, or set hashing.insecure_test_costs = true where nothing is real");
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
    if postgres && !keyed.iter().any(|path| gathered.settings.contains_key(path)) && !mentions(gathered, &keyed) {
        let right = "set keys.tag_key_path to where this node may keep one, or give all nodes one in keys.tag_key_file";
        broken.push(("keys.tag_key_path", "is needed with PostgreSQL".into(), right.into()));
    }
    for (path, wrong, right) in broken {
        let origin =
            gathered.settings.get(path).map_or(super::layers::Origin::Default, |setting| setting.origin.clone());
        gathered.problems.push(Problem::new(path, origin, wrong, right));
    }
}

/// Whether one of these keys already has a problem of its own.
fn mentions(gathered: &Gathered, keys: &[&str]) -> bool {
    gathered.problems.iter().any(|problem| keys.contains(&problem.key.as_str()))
}
