//! Rules about files: their places, sizes, and a few habits that a formatter does not check.

use super::Finding;
use std::path::Path;
use std::process::Command;
use task_support::fail::{Context as _, Result};
use task_support::process::output;
use task_support::project;

/// The only permitted entries at the top of the project, so that none is added by accident.
const TOP_LEVEL: &[&str] = &[
    ".cargo",
    ".ci",
    ".config",
    ".gitignore",
    ".pre-commit-hooks.yaml",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "bench",
    "clippy.toml",
    "config",
    "crates",
    "deny.toml",
    "docs",
    "migrations",
    "packaging",
    "rust-toolchain.toml",
    "rustfmt.toml",
    "xtask",
];
/// Largest file, in bytes. Split larger ones or keep them out of the repository.
const LARGEST: usize = 100 * 1024;
/// Generated files that grow with the project.
const MAY_BE_LARGE: &[&str] = &[
    "Cargo.lock",
    "crates/client/src/generated/operations.rs",
    "crates/client/src/generated/types.rs",
    "docs/reference/openapi.json",
];
/// Pages that are read from beginning to end, and the most lines of each.
const LONGEST_PAGES: &[(&str, usize)] = &[("docs/ARCHITECTURE.md", 150)];
/// A macro that is only used for debugging. In two halves so that this file passes its own rule.
const DEBUGGING: &str = concat!("dbg", "!(");

/// A file that is tracked, or new and not ignored.
#[derive(Clone, Debug)]
pub(super) struct TrackedFile {
    /// Path from the project's root, with `/`.
    pub(super) path: String,
    /// Its size in bytes.
    pub(super) size: usize,
    /// Its text, if it is UTF-8.
    pub(super) text: Option<String>,
}

impl TrackedFile {
    fn new(path: String, bytes: Vec<u8>) -> Self {
        Self { path, size: bytes.len(), text: String::from_utf8(bytes).ok() }
    }

    /// Whether it is Rust source.
    pub(super) fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|extension| extension == "rs")
    }

    #[cfg(test)]
    pub(super) fn fixture(path: &str, text: &str) -> Self {
        Self::new(path.into(), text.into())
    }
}

/// Reads every file that is tracked, or new and not ignored.
pub(super) fn tracked_files() -> Result<Vec<TrackedFile>> {
    let root = project::root();
    let mut git = Command::new("git");
    git.current_dir(&root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listing = String::from_utf8(output(&mut git)?).attempt(|| "read the names of our files".into())?;
    let mut files = Vec::new();
    for path in listing.split('\0').filter(|path| !path.is_empty()) {
        match std::fs::read(root.join(path)) {
            Ok(bytes) => files.push(TrackedFile::new(path.into(), bytes)),
            // Removed in the work tree, not yet in the index.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).attempt(|| format!("read {path}")),
        }
    }
    Ok(files)
}

/// Applies every rule to every file.
pub(super) fn check(files: &[TrackedFile]) -> Vec<Finding> {
    files.iter().flat_map(|file| place(file).into_iter().chain(size(file)).chain(text(file))).collect()
}

fn place(file: &TrackedFile) -> Option<Finding> {
    let top = file.path.split('/').next().unwrap_or_default();
    let text = "does not belong at the top of the project (or add it to TOP_LEVEL in xtask/src/check/tidy.rs)";
    (!TOP_LEVEL.contains(&top)).then(|| Finding::new(&file.path, text))
}

fn size(file: &TrackedFile) -> Option<Finding> {
    let too_large = file.size > LARGEST && !MAY_BE_LARGE.contains(&file.path.as_str());
    too_large.then(|| Finding::new(&file.path, format!("has {} bytes, more than {LARGEST}", file.size)))
}

fn text(file: &TrackedFile) -> Vec<Finding> {
    let Some(text) = file.text.as_deref() else { return Vec::new() };
    let is_rust = file.is_rust();
    let mut found = Vec::new();
    if is_rust && !text.starts_with("//!") {
        found.push(Finding::new(&file.path, "must begin with `//!`: one paragraph about what it is for"));
    }
    let lines = text.lines().count();
    if let Some((_, most)) = LONGEST_PAGES.iter().find(|(path, most)| *path == file.path && lines > *most) {
        found.push(Finding::new(&file.path, format!("has {lines} lines, more than {most}: shorten it")));
    }
    if !text.is_empty() && !text.ends_with('\n') {
        found.push(Finding::new(&file.path, "must end with a line break"));
    }
    for (at, line) in text.split('\n').enumerate() {
        let mut problem = |text: &str| found.push(Finding::new(format!("{}:{}", file.path, at + 1), text));
        if line.ends_with([' ', '\t', '\r']) {
            problem("white space at the end of the line");
        }
        if is_rust && line.contains(DEBUGGING) {
            problem("left over from debugging");
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<String> {
        check(&[TrackedFile::fixture(path, text)]).into_iter().map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn good_files_have_no_findings() {
        for (path, text) in [
            ("crates/api/src/main.rs", "//! The binary.\n\nfn main() {}\n"),
            ("README.md", "# Title\n\nText.\n"),
            ("docs/ARCHITECTURE.md", &"x\n".repeat(150)),
            ("crates/api/tests/empty.txt", ""),
            ("Cargo.lock", &"x\n".repeat(LARGEST)),
        ] {
            assert_eq!(problems(path, text), [] as [String; 0]);
        }
        let image = TrackedFile::new("crates/api/src/dashboard/assets/icon.png".into(), vec![0xff, b' ', b'\n', b' ']);
        assert_eq!(check(&[image]), []);
    }

    #[test]
    fn every_breach_is_found() {
        let debugging = format!("//! x\nfn f() {{ {DEBUGGING}1); }}\n");
        let (large, long) = ("x\n".repeat(LARGEST), "x\n".repeat(151));
        for (path, text, expected) in [
            ("notes.txt", "a\n", "does not belong at the top"),
            ("scripts/run.sh", "a\n", "does not belong at the top"),
            ("docs/huge.md", large.as_str(), "more than 102400"),
            ("docs/ARCHITECTURE.md", long.as_str(), "has 151 lines, more than 150"),
            ("crates/a/src/lib.rs", "fn f() {}\n", "must begin with `//!`"),
            ("crates/a/src/lib.rs", "//! x", "must end with a line break"),
            ("docs/a.md", "one\ntwo \n", "docs/a.md:2: white space"),
            ("docs/a.md", "one\r\n", "docs/a.md:1: white space"),
            ("crates/a/src/lib.rs", debugging.as_str(), "lib.rs:2: left over from debugging"),
        ] {
            let found = problems(path, text);
            assert_eq!(found.len(), 1, "{path}: {found:?}");
            assert!(found[0].contains(expected), "{found:?}");
        }
    }
}
