//! Reads the checked tables of `docs/ARCHITECTURE.md` and `docs/reference/dependencies.md`, which say what may depend on what.
//!
//! A checked table follows a line `<!-- checked: NAME -->`. Words in backticks are data. Everything else is prose and
//! ignored.

use super::{ARCHITECTURE, DEPENDENCIES};
use std::collections::BTreeMap;
use task_support::fail::{Fail, Result};

/// The tables.
#[derive(Debug, Default)]
pub(super) struct Architecture {
    /// Our packages, by name.
    pub(super) packages: BTreeMap<String, Package>,
    /// Crates from outside, by name.
    pub(super) outside: BTreeMap<String, Allowed>,
    /// Crates that only some files of a package may name.
    pub(super) doors: Vec<Door>,
    /// The table `modules`: places in a package that are worth knowing.
    pub(super) modules: BTreeMap<String, Vec<String>>,
}

/// A row of the table `packages`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Package {
    /// One line about it.
    pub(super) about: String,
    /// Our packages it depends on, exactly these.
    pub(super) uses: Vec<String>,
    /// Patterns (a name, or a prefix and `*`) of crates that must not be linked into it, directly or indirectly.
    pub(super) never: Vec<String>,
}

/// Who may name a crate from outside: the second column of the table `outside`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    /// Every package.
    Any,
    /// Only tests, benches and examples.
    Tests,
    /// These packages, and the tests of all.
    Only(Vec<String>),
}

/// A row of the table `doors`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Door {
    /// The package the rule is about.
    pub(super) package: String,
    /// The crate that is behind the door.
    pub(super) behind: String,
    /// Files and folders (ending in `/`) under the package's `src` that may name it.
    pub(super) only_in: Vec<String>,
}

impl Architecture {
    /// # Errors
    /// If a table is missing, has a row of the wrong width, or names something twice.
    pub(super) fn parse(text: &str, dependencies: &str) -> Result<Self> {
        let mut architecture = Self::default();
        for [package, about, uses, never] in rows(ARCHITECTURE, text, "packages")? {
            let name = the_name(&package)?;
            let row = Package { about, uses: quoted(&uses), never: quoted(&never) };
            once(architecture.packages.insert(name.clone(), row).is_none(), &name)?;
        }
        for [name, named_by, _why] in rows(DEPENDENCIES, dependencies, "outside")? {
            let name = the_name(&name)?;
            let allowed = match named_by.as_str() {
                "any" => Allowed::Any,
                "tests" => Allowed::Tests,
                _ => Allowed::Only(quoted(&named_by)),
            };
            once(architecture.outside.insert(name.clone(), allowed).is_none(), &name)?;
        }
        for [package, behind, only_in] in rows(ARCHITECTURE, text, "doors")? {
            let door = Door { package: the_name(&package)?, behind: the_name(&behind)?, only_in: quoted(&only_in) };
            architecture.doors.push(door);
        }
        for [package, places] in rows(ARCHITECTURE, text, "modules")? {
            let name = the_name(&package)?;
            once(architecture.modules.insert(name.clone(), quoted(&places)).is_none(), &name)?;
        }
        Ok(architecture)
    }
}

fn once(first: bool, name: &str) -> Result {
    if first { Ok(()) } else { Err(Fail::new(format!("{ARCHITECTURE} or {DEPENDENCIES}: `{name}` has two rows"))) }
}

/// The rows of table `name`, without its two header lines.
fn rows<const COLUMNS: usize>(file: &str, text: &str, name: &str) -> Result<Vec<[String; COLUMNS]>> {
    let marker = format!("<!-- checked: {name} -->");
    let (_, after) = text.split_once(&marker).ok_or_else(|| {
        Fail::new(format!("{file} has no table {name}"))
            .fix(format!("write `{marker}` above a table of {COLUMNS} columns"))
    })?;
    let table = after.lines().skip_while(|line| line.trim().is_empty()).take_while(|line| line.starts_with('|'));
    table.skip(2).map(|line| cells(file, line, name)).collect()
}

fn cells<const COLUMNS: usize>(file: &str, line: &str, table: &str) -> Result<[String; COLUMNS]> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    let cells: Vec<_> = inner.split('|').map(|cell| cell.trim().to_owned()).collect();
    cells.try_into().map_err(|cells: Vec<String>| {
        let is = cells.len();
        Fail::new(format!("{file}: a row of the table {table} has {is} columns, not {COLUMNS}: {line}"))
    })
}

/// The words in backticks.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn the_name(cell: &str) -> Result<String> {
    match quoted(cell).as_slice() {
        [name] => Ok(name.clone()),
        _ => Err(Fail::new(format!("{ARCHITECTURE} or {DEPENDENCIES}: expected one `name` in the cell {cell:?}"))),
    }
}

/// Whether `name` matches `pattern`: a name, or a prefix and a final `*`.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLES: &str = "\
prose | with a bar
<!-- checked: packages -->

| package | what | uses | never |
|---|---|---|---|
| `domain` | What it means. | – | `tokio*`, `diesel` |
| `api` | The binary. | `domain`, and `storage` to wire it | – |

<!-- checked: doors -->
| package | crate | only in |
|---|---|---|
| `api` | `storage` | `compose.rs`, `cli/` |
<!-- checked: modules -->
| package | places |
|---|---|
| `api` | `compose` (the root), `cli` |
";

    const CRATES: &str = "\
<!-- checked: outside -->
| crate | named by | why |
|---|---|---|
| `serde` | any | everybody |
| `diesel` | `storage` | one door |
| `proptest` | tests | tables are not enough |
";

    #[test]
    fn the_tables_are_read() {
        let read = Architecture::parse(TABLES, CRATES).unwrap();
        let domain = &read.packages["domain"];
        assert_eq!((domain.about.as_str(), domain.uses.len()), ("What it means.", 0));
        assert_eq!(domain.never, ["tokio*", "diesel"]);
        assert_eq!(read.packages["api"].uses, ["domain", "storage"]);
        assert_eq!(read.outside["serde"], Allowed::Any);
        assert_eq!(read.outside["diesel"], Allowed::Only(vec!["storage".into()]));
        assert_eq!(read.outside["proptest"], Allowed::Tests);
        assert_eq!(read.doors[0].only_in, ["compose.rs", "cli/"]);
        assert_eq!(read.modules["api"], ["compose", "cli"]);
    }

    #[test]
    fn faults_of_a_table_are_reported() {
        let broken = |from: &str, to: &str| (TABLES.replace(from, to), CRATES.replace(from, to));
        for ((tables, crates), message) in [
            (broken("checked: doors", "unchecked"), "docs/ARCHITECTURE.md has no table doors"),
            (broken("checked: outside", "unchecked"), "docs/reference/dependencies.md has no table outside"),
            (broken("| `serde` | any | everybody |", "| `serde` | any |"), "has 2 columns, not 3"),
            (broken("| `diesel` |", "| `serde` |"), "`serde` has two rows"),
            (broken("| `domain` |", "| domain |"), "expected one `name`"),
        ] {
            let fail = Architecture::parse(&tables, &crates).unwrap_err().to_string();
            assert!(fail.contains(message), "{fail}");
        }
    }

    #[test]
    fn a_pattern_is_a_name_or_a_prefix_with_a_star() {
        for (pattern, name, expected) in [
            ("diesel*", "diesel", true),
            ("diesel*", "diesel-async", true),
            ("diesel", "diesel-async", false),
            ("tokio*", "my-tokio", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
