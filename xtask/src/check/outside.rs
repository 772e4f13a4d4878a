//! Rule: every external crate has a row with its purpose and the packages that may use it.

use super::architecture::{Allowed, Architecture};
use super::members::Members;
use super::{DEPENDENCIES, Finding};

/// Compares the table `outside` with the manifests.
pub(super) fn check(architecture: &Architecture, members: &Members) -> Vec<Finding> {
    let mut found = Vec::new();
    for name in &members.offered {
        if !architecture.outside.contains_key(name) {
            found.push(Finding::new(DEPENDENCIES, format!("no row says why the workspace has `{name}`")));
        }
    }
    for name in architecture.outside.keys().filter(|name| !members.offered.contains(*name)) {
        found.push(Finding::new(DEPENDENCIES, format!("the row `{name}` is about no dependency of the workspace")));
    }
    for member in &members.all {
        for dependency in member.dependencies.iter().filter(|dependency| !dependency.ours) {
            let name = &dependency.name;
            let problem = match architecture.outside.get(name) {
                None if members.offered.contains(name) => None,
                None => Some(format!("`{name}` is not in [workspace.dependencies], where versions live")),
                Some(_) if dependency.dev => None,
                Some(Allowed::Any) => None,
                Some(Allowed::Only(names)) if names.contains(&member.name) => None,
                Some(Allowed::Only(names)) => Some(format!("names `{name}`, kept to {}", names.join(", "))),
                Some(Allowed::Tests) => Some(format!("names `{name}`, kept to tests")),
            };
            found.extend(problem.map(|text| Finding::new(&member.name, text)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::members::fixtures::{member, members};
    use super::*;

    fn architecture() -> Architecture {
        let outside =
            [("serde", Allowed::Any), ("diesel", Allowed::Only(vec!["storage".into()])), ("proptest", Allowed::Tests)];
        Architecture {
            outside: outside.into_iter().map(|(name, allowed)| (name.to_owned(), allowed)).collect(),
            ..Architecture::default()
        }
    }

    const OFFERED: &[&str] = &["serde", "diesel", "proptest"];

    #[test]
    fn allowed_uses_have_no_findings() {
        let all = vec![
            member("storage", &["+diesel", "+serde", "~+proptest"]),
            member("api", &["+serde", "~+diesel", "domain"]),
        ];
        assert_eq!(check(&architecture(), &members(all, OFFERED)), []);
    }

    #[test]
    fn every_breach_is_found() {
        for (dependency, expected) in [
            ("+diesel", "names `diesel`, kept to storage"),
            ("+proptest", "names `proptest`, kept to tests"),
            ("+rand", "`rand` is not in [workspace.dependencies]"),
            ("~+rand", "`rand` is not in [workspace.dependencies]"),
        ] {
            let found = check(&architecture(), &members(vec![member("api", &[dependency])], OFFERED));
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].text.contains(expected), "{found:?}");
        }
        let found = check(&architecture(), &members(vec![], &["serde", "diesel", "proptest", "rand"]));
        assert!(found[0].text.contains("no row says why the workspace has `rand`"), "{found:?}");
        let found = check(&architecture(), &members(vec![], &["serde", "diesel"]));
        assert!(found[0].text.contains("the row `proptest` is about no dependency"), "{found:?}");
    }
}
