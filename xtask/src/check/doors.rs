//! Rule: a crate behind a door is named only by the files the table `doors` lists.
//!
//! The rule searches text (`storage::` outside comments). It can be circumvented, but finds accidents without a
//! compiler.

use super::Finding;
use super::architecture::{Architecture, Door};
use super::tidy::TrackedFile;

/// Checks every source file of the packages that have doors.
pub(super) fn check(architecture: &Architecture, files: &[TrackedFile]) -> Vec<Finding> {
    architecture.doors.iter().flat_map(|door| files.iter().flat_map(|file| breaches(door, file))).collect()
}

fn breaches(door: &Door, file: &TrackedFile) -> Vec<Finding> {
    let Some(inside) = file.path.strip_prefix(&format!("crates/{}/src/", door.package)) else { return Vec::new() };
    let allowed = door.only_in.iter().any(|place| match place.strip_suffix('/') {
        Some(_) => inside.starts_with(place.as_str()),
        None => inside == place,
    });
    let Some(text) = file.text.as_deref().filter(|_| !allowed && file.is_rust()) else { return Vec::new() };
    let path = format!("{}::", door.behind.replace('-', "_"));
    let lines = text.lines().enumerate().filter(|(_, line)| names(line, &path));
    let places = door.only_in.join(", ");
    let finding = |(at, _)| {
        let text = format!("names `{}`, which only {places} may", door.behind);
        Finding::new(format!("{}:{}", file.path, at + 1), text)
    };
    lines.map(finding).collect()
}

/// Whether `line`, without its comment, has `path` as a path's first segment.
fn names(line: &str, path: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    code.match_indices(path).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_listed_files_may_name_the_crate() {
        let door =
            Door { package: "api".into(), behind: "storage".into(), only_in: vec!["compose.rs".into(), "cli/".into()] };
        for (path, text, expected) in [
            ("crates/api/src/compose.rs", "use storage::Store;", 0),
            ("crates/api/src/cli/backup.rs", "use storage::Store;", 0),
            ("crates/api/src/http/compose.rs", "use storage::Store;", 1),
            ("crates/api/src/surface/a.rs", "//! x\nuse storage::Store;\nlet a = storage::open();", 2),
            ("crates/api/src/surface/a.rs", "// storage::Store is elsewhere", 0),
            ("crates/api/src/surface/a.rs", "use authority::storage::Kind; my_storage::f()", 0),
            ("crates/authority/src/lib.rs", "use storage::Store;", 0),
        ] {
            let found = breaches(&door, &TrackedFile::fixture(path, text));
            assert_eq!(found.len(), expected, "{path}: {found:?}");
        }
    }
}
