//! Rule: both databases have the same migrations, and every one can be undone.

use super::Finding;
use super::tidy::TrackedFile;
use std::collections::{BTreeMap, BTreeSet};

/// The two folders, one per database.
const FOLDERS: [&str; 2] = ["migrations/sqlite/", "migrations/postgresql/"];
/// What a migration consists of.
const PARTS: [&str; 2] = ["down.sql", "up.sql"];

/// Compares the folders with each other.
pub(super) fn check(files: &[TrackedFile]) -> Vec<Finding> {
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
        assert_eq!(check(&files(&GOOD)), []);
        assert_eq!(check(&[]), []);
    }

    #[test]
    fn every_breach_is_found() {
        let place = |found: Vec<Finding>| found.into_iter().map(|one| one.place).collect::<Vec<_>>();
        assert_eq!(place(check(&files(&GOOD[..2]))), ["migrations/postgresql/2026_first"]);
        assert_eq!(place(check(&files(&GOOD[..3]))), ["migrations/postgresql/2026_first"]);
        let mut empty = GOOD;
        empty[1].1 = " \n";
        assert_eq!(place(check(&files(&empty))), ["migrations/sqlite/2026_first"]);
        let more = [&GOOD[..], &[("migrations/sqlite/2026_first/notes.md", "x")]].concat();
        assert_eq!(place(check(&files(&more))), ["migrations/sqlite/2026_first"]);
    }
}
