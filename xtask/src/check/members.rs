//! The workspace as cargo sees it, with the fields that the rules need.

use super::Finding;
use cargo_metadata::DependencyKind;
use std::collections::BTreeSet;
use task_support::fail::{Context as _, Result};
use task_support::project;

/// The workspace's packages, and the crates that the root manifest offers them.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// Every member of the workspace.
    pub(super) all: Vec<Member>,
    /// Names in `[workspace.dependencies]` that are not ours.
    pub(super) offered: BTreeSet<String>,
}

/// One of our packages.
#[derive(Clone, Debug, Default)]
pub(super) struct Member {
    /// Package name.
    pub(super) name: String,
    /// The dependencies in its manifest.
    pub(super) dependencies: Vec<Dependency>,
    /// Whether the manifest has `[lints] workspace = true`.
    pub(super) inherits_lints: bool,
}

/// One line of a `[dependencies]` section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dependency {
    /// Package name, even if it is renamed.
    pub(super) name: String,
    /// Whether it lives in this workspace.
    pub(super) ours: bool,
    /// Whether it is a dependency of tests, benches and examples only.
    pub(super) dev: bool,
}

impl Members {
    /// Reads the workspace through cargo.
    pub(super) fn read() -> Result<Self> {
        let root = project::root();
        let metadata = cargo_metadata::MetadataCommand::new()
            .current_dir(&root)
            .no_deps()
            .exec()
            .attempt(|| "read the workspace (`cargo metadata`)".into())?;
        let mut all = Vec::new();
        for package in metadata.packages {
            let manifest = std::fs::read_to_string(&package.manifest_path)
                .attempt(|| format!("read {}", package.manifest_path))?;
            let dependencies = package.dependencies.into_iter().map(|dependency| Dependency {
                ours: dependency.path.is_some(),
                dev: dependency.kind == DependencyKind::Development,
                name: dependency.name,
            });
            all.push(Member {
                name: package.name.to_string(),
                dependencies: dependencies.collect(),
                inherits_lints: inherits_lints(&manifest)?,
            });
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        let manifest = std::fs::read_to_string(root.join("Cargo.toml")).attempt(|| "read Cargo.toml".into())?;
        let offered = offered(&manifest)?;
        Ok(Self { all, offered })
    }
}

fn parse(manifest: &str) -> Result<toml::Table> {
    manifest.parse().attempt(|| "parse a Cargo.toml".into())
}

fn inherits_lints(manifest: &str) -> Result<bool> {
    let lints = parse(manifest)?.get("lints").and_then(|lints| lints.get("workspace")).cloned();
    Ok(lints == Some(toml::Value::Boolean(true)))
}

/// Package names offered by `[workspace.dependencies]`, without ours (which have a path).
fn offered(manifest: &str) -> Result<BTreeSet<String>> {
    let table = parse(manifest)?;
    let dependencies = table.get("workspace").and_then(|workspace| workspace.get("dependencies"));
    let rows = dependencies.and_then(toml::Value::as_table).into_iter().flatten();
    let outside = rows.filter(|(_, value)| value.get("path").is_none());
    Ok(outside.map(|(key, value)| value.get("package").and_then(|name| name.as_str()).unwrap_or(key).into()).collect())
}

/// Every member inherits the workspace's lints.
pub(super) fn check_lints(members: &Members) -> Vec<Finding> {
    let without = members.all.iter().filter(|member| !member.inherits_lints);
    without.map(|member| Finding::new(&member.name, "its Cargo.toml lacks `[lints]` with `workspace = true`")).collect()
}

#[cfg(test)]
pub(super) mod fixtures {
    //! Short ways to write workspaces in tests.
    use super::*;

    /// A member whose dependencies are written `name` (ours), `+name` (outside), with a leading `~` for dev.
    pub(in crate::check) fn member(name: &str, dependencies: &[&str]) -> Member {
        let dependencies = dependencies.iter().map(|written| {
            let dev = written.starts_with('~');
            let written = written.trim_start_matches('~');
            Dependency { name: written.trim_start_matches('+').into(), ours: !written.starts_with('+'), dev }
        });
        Member { name: name.into(), dependencies: dependencies.collect(), inherits_lints: true }
    }

    /// A workspace that offers the named crates from outside.
    pub(in crate::check) fn members(all: Vec<Member>, offered: &[&str]) -> Members {
        Members { all, offered: offered.iter().copied().map(str::to_owned).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::fixtures::{member, members};
    use super::*;

    #[test]
    fn lints_are_inherited_or_found_missing() {
        for (manifest, expected) in [
            ("[lints]\nworkspace = true", true),
            ("lints.workspace = true", true),
            ("[lints]\nworkspace = false", false),
            ("[lints.rust]\nunsafe_code = \"forbid\"", false),
            ("[package]\nname = \"x\"", false),
        ] {
            assert_eq!(inherits_lints(manifest).unwrap(), expected, "{manifest}");
        }
        let careless = Member { inherits_lints: false, ..member("careless", &[]) };
        let found = check_lints(&members(vec![member("good", &[]), careless], &[]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, "careless");
    }

    #[test]
    fn the_workspace_offers_what_is_not_ours_under_its_real_name() {
        let manifest = "[workspace.dependencies]\nours = { path = \"x\" }\nserde = \"1\"\n\
                        short = { package = \"long-name\", version = \"1\" }";
        assert_eq!(offered(manifest).unwrap().into_iter().collect::<Vec<_>>(), ["long-name", "serde"]);
    }
}
