//! Rule: the workspace's packages depend on each other exactly as the table `packages` says.
//!
//! Tests may also use the packages for tests, which are never normal dependencies, the API client, the seeding package,
//! what the tasks share, and their own package's dependencies. A row without a dependency is a finding as well, so that the table is never
//! stale.

use super::architecture::Architecture;
use super::members::Members;
use super::{ARCHITECTURE, Finding};
use std::collections::BTreeSet;

/// The packages that only tests may depend on.
const FOR_TESTS: [&str; 2] = ["test-support", "test-issuer"];

/// Packages that every test may depend on, and that may be normal dependencies too.
const ALSO_FOR_TESTS: [&str; 3] = ["client", "seed", "task-support"];

/// Compares the table with the workspace.
pub(super) fn check(architecture: &Architecture, members: &Members) -> Vec<Finding> {
    let mut found = Vec::new();
    for member in &members.all {
        let Some(row) = architecture.packages.get(&member.name) else {
            found.push(Finding::new(ARCHITECTURE, format!("the table packages has no row `{}`", member.name)));
            continue;
        };
        let ours = || member.dependencies.iter().filter(|dependency| dependency.ours);
        let drawn: BTreeSet<_> = row.uses.iter().map(String::as_str).collect();
        let real: BTreeSet<_> = ours().filter(|one| !one.dev).map(|one| one.name.as_str()).collect();
        for name in real.difference(&drawn) {
            found.push(Finding::new(&member.name, format!("depends on `{name}`, which the table does not allow")));
        }
        for name in drawn.difference(&real) {
            let text = format!("the row `{}` allows `{name}`, which is not used: remove it there", member.name);
            found.push(Finding::new(ARCHITECTURE, text));
        }
        for name in FOR_TESTS.iter().filter(|name| real.contains(*name)) {
            found.push(Finding::new(&member.name, format!("{name} belongs into [dev-dependencies]")));
        }
        let for_tests = ours().filter(|one| one.dev).map(|one| one.name.as_str());
        let may = [&FOR_TESTS[..], &ALSO_FOR_TESTS].concat();
        for name in for_tests.filter(|name| !may.contains(name) && *name != member.name && !drawn.contains(name)) {
            let text =
                format!("its tests depend on `{name}`: only {} and what the package itself may use", may.join(", "));
            found.push(Finding::new(&member.name, text));
        }
    }
    let names: BTreeSet<_> = members.all.iter().map(|member| member.name.as_str()).collect();
    for stale in architecture.packages.keys().filter(|name| !names.contains(name.as_str())) {
        found.push(Finding::new(ARCHITECTURE, format!("the row `{stale}` is about no package of the workspace")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::architecture::Package;
    use super::super::members::fixtures::{member, members};
    use super::*;

    fn architecture(rows: &[(&str, &[&str])]) -> Architecture {
        let row =
            |uses: &[&str]| Package { uses: uses.iter().copied().map(str::to_owned).collect(), ..Package::default() };
        let packages = rows.iter().map(|(name, uses)| ((*name).to_owned(), row(uses))).collect();
        Architecture { packages, ..Architecture::default() }
    }

    #[test]
    fn a_workspace_as_drawn_has_no_findings() {
        let drawn =
            architecture(&[("api", &["domain"]), ("client", &[]), ("domain", &[]), ("test-support", &["domain"])]);
        let real = [
            member("api", &["domain", "~test-support", "~client", "+serde"]),
            member("client", &[]),
            member("domain", &["~test-support"]),
            member("test-support", &["domain"]),
        ];
        assert_eq!(check(&drawn, &members(real.into(), &[])), []);
    }

    #[test]
    fn every_breach_is_found() {
        let rows: &[(&str, &[&str])] = &[("api", &["domain"]), ("domain", &[]), ("test-support", &[])];
        let good = || vec![member("api", &["domain"]), member("domain", &[]), member("test-support", &[])];
        for (name, replacement, expected) in [
            ("api", Some(&["domain", "test-support"][..]), "belongs into [dev-dependencies]"),
            ("domain", Some(&["api"]), "depends on `api`, which the table does not allow"),
            ("api", Some(&[]), "allows `domain`, which is not used"),
            ("domain", Some(&["~api"]), "its tests depend on `api`"),
            ("domain", None, "the row `domain` is about no package"),
        ] {
            let mut all = good();
            all.retain(|one| one.name != name);
            all.extend(replacement.map(|dependencies| member(name, dependencies)));
            let found = check(&architecture(rows), &members(all, &[]));
            assert!(found.iter().any(|one| one.text.contains(expected)), "{expected}: {found:?}");
        }
        let found = check(&architecture(&rows[1..]), &members(good(), &[]));
        assert!(found.iter().any(|one| one.text.contains("no row `api`")), "{found:?}");
    }
}
