//! Rule: both databases have the same migrations, every migration can be undone, and none changes once it is committed.

use super::Finding;
use super::tidy::TrackedFile;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use task_support::fail::{Context as _, Result};
use task_support::{project, say};

/// The two folders, one per database.
const FOLDERS: [&str; 2] = ["migrations/sqlite/", "migrations/postgresql/"];
/// The files of a migration.
const PARTS: [&str; 2] = ["down.sql", "up.sql"];

/// The SHA-256 of every file of a migration, as `sha256sum` writes them.
const RELEASED: &str = "migrations/released.sha256";

/// Compares the folders with each other and the files with the list; adds unlisted files if `write`.
pub(super) fn check(files: &[TrackedFile], write: bool) -> Result<Vec<Finding>> {
    let mut found = [changed(files), unequal(files)].concat();
    let new = unlisted(files);
    if write && !new.is_empty() {
        let list = with(text(files, RELEASED).unwrap_or_default(), &new);
        std::fs::write(project::root().join(RELEASED), list).attempt(|| format!("write {RELEASED}"))?;
        say::note(format!("wrote {RELEASED}"));
    } else {
        let fix = format!("nothing in {RELEASED} keeps it as it is: cargo xtask check --write, then commit it");
        found.extend(new.iter().map(|(path, _)| Finding::new(*path, fix.clone())));
    }
    Ok(found)
}

/// Migrations that one database lacks, or that cannot be undone.
fn unequal(files: &[TrackedFile]) -> Vec<Finding> {
    let mut found = Vec::new();
    let sides = FOLDERS.map(|folder| migrations(folder, files));
    let all: BTreeSet<_> = sides.iter().flat_map(BTreeMap::keys).copied().collect();
    for name in all {
        for (folder, side) in FOLDERS.iter().zip(&sides) {
            let place = format!("{folder}{name}");
            match side.get(name) {
                None => found.push(Finding::new(place, "is missing: both databases have the same migrations")),
                Some(parts) if parts.iter().copied().ne(PARTS) => {
                    found.push(Finding::new(place, "must hold up.sql and down.sql, not empty, and nothing else"));
                }
                Some(_) => {}
            }
        }
    }
    found
}

fn text<'a>(files: &'a [TrackedFile], path: &str) -> Option<&'a str> {
    files.iter().find(|file| file.path == path)?.text.as_deref()
}

/// The lines of the list, without comments.
fn listed(files: &[TrackedFile]) -> impl Iterator<Item = &str> {
    text(files, RELEASED).unwrap_or_default().lines().filter(|line| !line.starts_with('#'))
}

/// Listed files that were changed or removed.
fn changed(files: &[TrackedFile]) -> Vec<Finding> {
    let differs = |line: &str| match line.split_once("  ") {
        Some((hash, path)) if text(files, path).is_some_and(|text| sha256(text) == hash) => None,
        Some((_, path)) => {
            let text = "was committed: it never changes and never goes; write another migration";
            Some(Finding::new(path, text))
        }
        None => Some(Finding::new(RELEASED, format!("a line that `sha256sum` did not write: {line}"))),
    };
    listed(files).filter_map(differs).collect()
}

/// Unlisted files of migrations, with their content.
fn unlisted(files: &[TrackedFile]) -> Vec<(&str, &str)> {
    let known: BTreeSet<&str> = listed(files).filter_map(|line| Some(line.split_once("  ")?.1)).collect();
    let of_migrations = files.iter().filter(|file| FOLDERS.iter().any(|folder| file.path.starts_with(folder)));
    let new = of_migrations.filter(|file| !known.contains(file.path.as_str()));
    new.filter_map(|file| Some((file.path.as_str(), file.text.as_deref()?))).collect()
}

/// The list with these files added, in the order of their paths.
fn with(list: &str, new: &[(&str, &str)]) -> String {
    let (comments, known): (Vec<&str>, Vec<&str>) = list.lines().partition(|line| line.starts_with('#'));
    let new = new.iter().map(|(path, text)| format!("{}  {path}", sha256(text)));
    let mut lines: Vec<String> = known.into_iter().map(str::to_owned).chain(new).collect();
    lines.sort_by(|a, b| a.split_once("  ").map(|line| line.1).cmp(&b.split_once("  ").map(|line| line.1)));
    comments.into_iter().map(str::to_owned).chain(lines).fold(String::new(), |list, line| list + &line + "\n")
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hash, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hash, "{byte:02x}");
        hash
    })
}

/// Non-empty files by migration.
fn migrations<'a>(folder: &str, files: &'a [TrackedFile]) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut migrations: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for file in files {
        let Some((name, part)) = file.path.strip_prefix(folder).and_then(|rest| rest.split_once('/')) else { continue };
        let parts = migrations.entry(name).or_default();
        if file.text.as_ref().is_some_and(|text| !text.trim().is_empty()) {
            parts.insert(part);
        }
    }
    migrations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(listing: &[(&str, &str)]) -> Vec<TrackedFile> {
        listing.iter().map(|(path, text)| TrackedFile::fixture(path, text)).collect()
    }

    const GOOD: [(&str, &str); 4] = [
        ("migrations/sqlite/2026_first/up.sql", "CREATE TABLE t (a);"),
        ("migrations/sqlite/2026_first/down.sql", "DROP TABLE t;"),
        ("migrations/postgresql/2026_first/up.sql", "CREATE TABLE t (a text);"),
        ("migrations/postgresql/2026_first/down.sql", "DROP TABLE t;"),
    ];

    #[test]
    fn equal_folders_have_no_findings() {
        assert_eq!(unequal(&files(&GOOD)), []);
        assert_eq!(check(&[], false).unwrap(), []);
    }

    #[test]
    fn every_breach_is_found() {
        let place = |found: Vec<Finding>| found.into_iter().map(|one| one.place).collect::<Vec<_>>();
        assert_eq!(place(unequal(&files(&GOOD[..2]))), ["migrations/postgresql/2026_first"]);
        assert_eq!(place(unequal(&files(&GOOD[..3]))), ["migrations/postgresql/2026_first"]);
        let mut empty = GOOD;
        empty[1].1 = " \n";
        assert_eq!(place(unequal(&files(&empty))), ["migrations/sqlite/2026_first"]);
        let more = [&GOOD[..], &[("migrations/sqlite/2026_first/notes.md", "x")]].concat();
        assert_eq!(place(unequal(&files(&more))), ["migrations/sqlite/2026_first"]);
    }

    #[test]
    fn a_changed_or_removed_migration_is_found() {
        let list = with("# Comment\n", &GOOD[..2]);
        let found = |path: &str, text: &str| changed(&files(&[(RELEASED, &list), GOOD[1], (path, text)])).len();
        let (path, text) = GOOD[0];
        assert_eq!(found(path, text), 0);
        assert_eq!(found(path, &format!("{text} ")), 1, "edited");
        assert_eq!(found("migrations/sqlite/2026_second/up.sql", text), 1, "removed");
    }

    #[test]
    fn a_migration_that_is_not_listed_is_found_and_can_be_added() {
        let list = with("# Comment\n", &GOOD[..2]);
        let all = [&GOOD[..], &[(RELEASED, list.as_str())]].concat();
        let missing: Vec<String> = check(&files(&all), false).unwrap().into_iter().map(|one| one.place).collect();
        assert_eq!(missing, [GOOD[2].0, GOOD[3].0]);
        let whole = with(&list, &unlisted(&files(&all)));
        let paths: Vec<&str> = whole.lines().map(|line| line.split_once("  ").map_or(line, |line| line.1)).collect();
        assert_eq!(paths, ["# Comment", GOOD[3].0, GOOD[2].0, GOOD[1].0, GOOD[0].0]);
        let all = [&GOOD[..], &[(RELEASED, whole.as_str())]].concat();
        assert_eq!(check(&files(&all), false).unwrap(), []);
    }
}
