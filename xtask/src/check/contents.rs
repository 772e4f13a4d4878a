//! Rule: a package does not link what the column "never contains" forbids, directly or indirectly.
//!
//! A direct dependency is visible in review; this rule also finds, for example, an async runtime behind a harmless
//! crate.

use super::Finding;
use super::architecture::{Architecture, matches};
use task_support::fail::{Context as _, Result};
use task_support::process::output;
use task_support::project;

/// Runs `cargo tree` for every package that forbids something.
pub(super) fn check(architecture: &Architecture) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    for (name, row) in architecture.packages.iter().filter(|(_, row)| !row.never.is_empty()) {
        let tree =
            output(project::cargo().args(["tree", "--locked", "--edges", "normal", "--prefix", "none"]).args([
                "--format",
                "{p}",
                "--package",
                name,
            ]))?;
        let tree = String::from_utf8(tree).attempt(|| "read cargo tree".into())?;
        found.extend(forbidden(name, &row.never, linked(&tree)));
    }
    Ok(found)
}

/// Names in the output of `cargo tree --prefix none --format {p}`: `name v1.2.3 (path)`.
fn linked(tree: &str) -> Vec<&str> {
    let mut names: Vec<_> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn forbidden(package: &str, never: &[String], linked: Vec<&str>) -> Vec<Finding> {
    let hits = linked.into_iter().filter(|name| never.iter().any(|pattern| matches(pattern, name)));
    let text = |name| format!("links `{name}`, which it must not: cargo tree -p {package} -e normal -i {name}");
    hits.map(|name| Finding::new(package, text(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "domain v0.1.0 (/x)\nserde v1.0.0\nserde_core v1.0.0\ntokio-util v0.7.0\nserde v1.0.0 (*)\n";

    #[test]
    fn indirect_dependencies_are_found_once() {
        assert_eq!(linked(TREE), ["domain", "serde", "serde_core", "tokio-util"]);
        let found = forbidden("domain", &["tokio*".into(), "diesel*".into()], linked(TREE));
        assert_eq!(found.len(), 1);
        assert!(found[0].text.starts_with("links `tokio-util`"), "{found:?}");
        assert_eq!(forbidden("domain", &["tokio".into()], linked(TREE)), []);
    }
}
