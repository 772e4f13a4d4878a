//! Rule: both databases have the same migrations, every one can be undone, and none changes once it was released.

use super::Finding;
use super::tidy::TrackedFile;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The two folders, one per database.
const FOLDERS: [&str; 2] = ["migrations/sqlite/", "migrations/postgresql/"];
/// What a migration consists of.
const PARTS: [&str; 2] = ["down.sql", "up.sql"];

/// The SHA-256 of every file of a migration that was released, as `sha256sum` writes them.
const RELEASED: &str = "migrations/released.sha256";

/// Compares the folders with each other, and released files with what they were.
pub(super) fn check(files: &[TrackedFile]) -> Vec<Finding> {
    let mut found = changed(files);
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

/// Released files that are not as they were.
fn changed(files: &[TrackedFile]) -> Vec<Finding> {
    let text = |path: &str| files.iter().find(|file| file.path == path).and_then(|file| file.text.as_deref());
    let released = text(RELEASED).unwrap_or_default().lines().filter(|line| !line.starts_with('#'));
    let differs = |line: &str| match line.split_once("  ") {
        Some((hash, path)) if text(path).is_some_and(|text| sha256(text) == hash) => None,
        Some((_, path)) => {
            Some(Finding::new(path, "was released: it never changes and never goes; write another migration"))
        }
        None => Some(Finding::new(RELEASED, format!("a line that `sha256sum` did not write: {line}"))),
    };
    released.filter_map(differs).collect()
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

    #[test]
    fn a_released_migration_is_as_it_was() {
        let hash = sha256("CREATE TABLE t (a);");
        assert_eq!(hash.len(), 64);
        let released = |path: &str| (RELEASED, format!("# Released\n{hash}  {path}\n"));
        let place = |path: &str, text: &str| {
            let (list, lines) = released("migrations/sqlite/2026_first/up.sql");
            let found = check(&files(&[(list, &lines), (path, text)]));
            found.iter().any(|one| one.text.contains("released"))
        };
        assert!(!place("migrations/sqlite/2026_first/up.sql", "CREATE TABLE t (a);"));
        assert!(place("migrations/sqlite/2026_first/up.sql", "CREATE TABLE t (a); "), "edited");
        assert!(place("migrations/sqlite/2026_second/up.sql", "CREATE TABLE t (a);"), "removed");
    }
}
