//! Rules that span several keys.

use super::merged::Merged;
use super::problem::Problem;

/// The longest address of a node that its row has room for.
const LONGEST_ADDRESS: usize = 255;

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
    if merged.text("cluster.advertise").is_some_and(|address| address.len() > LONGEST_ADDRESS) {
        let wrong = format!("is longer than {LONGEST_ADDRESS} characters");
        broken.push(("cluster.advertise", wrong, "write a name and a port".into()));
    }
    let direct = merged.text("database.direct_url");
    if direct.as_ref().is_some_and(|url| !postgres || !url.starts_with("postgres")) {
        let right = "name the same PostgreSQL server in both, or unset it";
        broken.push((
            "database.direct_url",
            "is set, and one of it and database.url is not PostgreSQL".into(),
            right.into(),
        ));
    }
    let redis = merged.text("redis.url");
    if redis.is_some() && !postgres {
        let right = "unset it, or move to PostgreSQL: one process serves an SQLite file and has nobody to share with";
        broken.push(("redis.url", "is set, and database.url is not PostgreSQL".into(), right.into()));
    }
    if merged.get("redis.ca_file").is_some() && !redis.is_some_and(|url| url.starts_with("rediss")) {
        let right = "use rediss:// in redis.url, or unset it";
        broken.push(("redis.ca_file", "is set, and redis.url has no TLS".into(), right.into()));
    }
    mail(merged, problems, &mut broken);
    let lacks_url = !mentioned(&"server.public_url");
    if merged.get("sso.file").is_some() && lacks_url {
        let right = "write where people reach this service: identity providers send browsers back there";
        broken.push(("server.public_url", "is needed with sso.file".into(), right.into()));
    }
    alerts(merged, problems, &mut broken);
    problems
        .extend(broken.into_iter().map(|(path, wrong, right)| Problem::new(path, merged.origin(path), wrong, right)));
}

/// What the keys of `mail` need of each other, and of the address that links in mail lead to.
fn mail(merged: &Merged, problems: &[Problem], broken: &mut Vec<(&'static str, String, String)>) {
    let is_refused = |path: &str| problems.iter().any(|problem| problem.key == path);
    let lacks = |path: &str| merged.get(path).is_none() && !is_refused(path);
    let mut needs = |path: &'static str, other: &str, right: &str| {
        if lacks(path) {
            broken.push((path, format!("is needed with {other}"), right.to_owned()));
        }
    };
    if merged.get("mail.server").is_some() {
        needs("mail.from", "mail.server", "write the address that mail comes from");
        needs("server.public_url", "mail.server", "write where people reach this service: links in mail lead there");
    }
    for path in ["mail.from", "mail.username", "mail.password"] {
        if merged.get(path).is_some() {
            needs("mail.server", path, "write the server that takes the mail, such as smtps://mail.example.com");
        }
    }
    if merged.get("mail.username").is_some() && !is_refused("mail.password_file") {
        needs("mail.password", "mail.username", "write it, or name a file that holds it in mail.password_file");
    }
    if merged.get("mail.password").is_some() {
        needs("mail.username", "mail.password", "write who signs in to the mail server");
    }
    if merged.flag("mail.plaintext") {
        if merged.text("mail.server").is_some_and(|url| url.starts_with("smtps")) {
            broken.push(("mail.plaintext", "is set, and mail.server has TLS".into(), "unset one of the two".into()));
        }
        if merged.get("mail.username").is_some() {
            let right = "unset it: the password would be sent in the clear";
            broken.push(("mail.plaintext", "is set, and mail.username as well".into(), right.into()));
        }
    }
}

/// A webhook's secret and the token that fetches what its deliveries are about need each other.
fn alerts(merged: &Merged, problems: &[Problem], broken: &mut Vec<(&'static str, String, String)>) {
    let is_there = |path: &str| merged.get(path).is_some() || problems.iter().any(|problem| problem.key == path);
    for (one, other) in
        [("leaks.github_webhook_secret", "leaks.github_token"), ("leaks.gitlab_webhook_secret", "leaks.gitlab_token")]
    {
        for (given, needed) in [(one, other), (other, one)] {
            if merged.get(given).is_some() && !is_there(needed) && !is_there(&format!("{needed}_file")) {
                let right = "write it, or name a file that holds it in the key that ends with _file";
                broken.push((needed, format!("is needed with {given}"), right.to_owned()));
            }
        }
    }
}
