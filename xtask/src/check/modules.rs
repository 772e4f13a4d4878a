//! Rule: the table `modules` names only existing files and folders.
//!
//! The table need not be complete, but a place that was moved or removed is a finding.

use super::architecture::Architecture;
use super::tidy::TrackedFile;
use super::{ARCHITECTURE, Finding};
use std::collections::BTreeSet;

/// Searches every named place among the files of its package.
pub(super) fn check(architecture: &Architecture, files: &[TrackedFile]) -> Vec<Finding> {
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let exists = |package: &str, place: &str| {
        let inside = format!("crates/{package}/src/{place}");
        let folder = format!("{inside}/");
        paths.contains(format!("{inside}.rs").as_str()) || paths.iter().any(|path| path.starts_with(&folder))
    };
    let named =
        architecture.modules.iter().flat_map(|(package, places)| places.iter().map(move |place| (package, place)));
    named
        .filter(|(package, place)| !exists(package, place))
        .map(|(package, place)| Finding::new(ARCHITECTURE, format!("`{package}` has no module `{place}`")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_place_has_to_exist() {
        let files = [
            "crates/a/src/file.rs",
            "crates/a/src/folder/mod.rs",
            "crates/a/src/folder/part.rs",
            "crates/b/src/other.rs",
        ]
        .map(|path| TrackedFile::fixture(path, "//! x\n"));
        for (place, findings) in
            [("file", 0), ("folder", 0), ("folder/part", 0), ("fold", 1), ("other", 1), ("folder/gone", 1)]
        {
            let modules = [("a".to_owned(), vec![place.to_owned()])].into();
            let architecture = Architecture { modules, ..Architecture::default() };
            assert_eq!(check(&architecture, &files).len(), findings, "{place}");
        }
    }
}
