//! A copy of the project in which files are edited and built again, so that nobody's own files are touched, whatever
//! happens meanwhile. The copy and what was built from it stay for the next time; the first time builds everything.

use super::goals::Goal;
use crate::fail::{Context as _, Result};
use crate::process::{output, run};
use crate::{project, say};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// What is edited: the goal, the package, a file in the middle of it.
pub(super) const EDITS: [(Goal, &str, &str); 2] = [
    (Goal::RebuildApi, "api", "crates/api/src/surface/auth/validate.rs"),
    (Goal::RebuildAuthority, "authority", "crates/authority/src/validate/mod.rs"),
];

/// The copy.
pub(super) struct Tree {
    root: PathBuf,
    target: PathBuf,
    package: &'static str,
}

impl Tree {
    /// Brings the copy up to date and builds it.
    pub(super) fn prepare() -> Result<Self> {
        let folder = project::target_directory()?.join("rebuild");
        let tree = Self { root: folder.join("tree"), target: folder.join("target"), package: "api" };
        let mut git = Command::new("git");
        git.current_dir(project::root()).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listing = String::from_utf8(output(&mut git)?).attempt(|| "read the names of our files".into())?;
        copy(&project::root(), &tree.root, &listing.split('\0').filter(|path| !path.is_empty()).collect())?;
        say::step("building a copy of the project; the first time takes minutes");
        tree.build()?;
        Ok(tree)
    }

    /// Seconds of a build after a comment was added to `file`; it differs with each `round`. The comment is taken away
    /// again, and should that not come to pass, the next [`Tree::prepare`] does it.
    pub(super) fn after_edit(&self, file: &str, round: u32) -> Result<f64> {
        let path = self.root.join(file);
        let text = std::fs::read_to_string(&path).attempt(|| format!("read the copy of {file}"))?;
        let write = |text: &str| std::fs::write(&path, text).attempt(|| format!("edit the copy of {file}"));
        write(&format!("{text}// Edit {round}.\n"))?;
        let started = Instant::now();
        let built = self.build();
        let taken = started.elapsed().as_secs_f64();
        write(&text)?;
        built.map(|()| taken)
    }

    fn build(&self) -> Result {
        run(project::cargo()
            .current_dir(&self.root)
            .args(["build", "--quiet", "--locked", "--package", self.package])
            .env("CARGO_TARGET_DIR", &self.target))
    }
}

/// Makes `to` hold the files of `from` and no others. What is the same already keeps its time of change, by which cargo
/// goes.
fn copy(from: &Path, to: &Path, files: &BTreeSet<&str>) -> Result {
    for file in files {
        let (source, copy) = (from.join(file), to.join(file));
        let text = match std::fs::read(&source) {
            // Removed in the work tree, not yet in the index.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            text => text.attempt(|| format!("read {file}"))?,
        };
        if std::fs::read(&copy).is_ok_and(|there| there == text) {
            continue;
        }
        let folder = copy.parent().unwrap_or(to);
        std::fs::create_dir_all(folder).attempt(|| format!("create {}", folder.display()))?;
        std::fs::write(&copy, text).attempt(|| format!("write {}", copy.display()))?;
    }
    remove_others(to, to, &|path| from.join(path).exists() && path.to_str().is_some_and(|path| files.contains(path)))
}

fn remove_others(root: &Path, folder: &Path, keep: &dyn Fn(&Path) -> bool) -> Result {
    let name = || format!("look into {}", folder.display());
    for entry in std::fs::read_dir(folder).attempt(name)? {
        let entry = entry.attempt(name)?;
        let path = entry.path();
        if entry.file_type().attempt(name)?.is_dir() {
            remove_others(root, &path, keep)?;
        } else if !path.strip_prefix(root).is_ok_and(keep) && path.file_name() != Some(OsStr::new("Cargo.lock")) {
            std::fs::remove_file(&path).attempt(|| format!("remove {}", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let file = root.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    #[test]
    fn a_copy_follows_its_original_and_leaves_alone_what_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| folder.path().join(name));
        write(&from, "a/same.rs", "same");
        write(&from, "a/edited.rs", "before");
        write(&from, "b/gone.rs", "gone");
        let files = BTreeSet::from(["a/same.rs", "a/edited.rs", "b/gone.rs", "never/was.rs"]);
        copy(&from, &to, &files).unwrap();
        let changed = |path: &str| std::fs::metadata(to.join(path)).unwrap().modified().unwrap();
        let old = std::time::SystemTime::UNIX_EPOCH;
        std::fs::File::open(to.join("a/same.rs")).unwrap().set_modified(old).unwrap();
        write(&from, "a/edited.rs", "after");
        std::fs::remove_file(from.join("b/gone.rs")).unwrap();
        write(&to, "a/left.rs", "an edit that was cut off");
        copy(&from, &to, &files).unwrap();
        assert_eq!(changed("a/same.rs"), old);
        assert_eq!(std::fs::read_to_string(to.join("a/edited.rs")).unwrap(), "after");
        assert!(!to.join("b/gone.rs").exists() && !to.join("a/left.rs").exists());
    }

    #[test]
    fn an_edit_is_built_and_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree { root: folder.path().join("tree"), target: folder.path().join("target"), package: "tiny" };
        write(
            &tree.root,
            "Cargo.toml",
            "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n",
        );
        write(&tree.root, "Cargo.lock", "version = 4\n\n[[package]]\nname = \"tiny\"\nversion = \"0.1.0\"\n");
        write(&tree.root, "src/lib.rs", "//! Tiny.\n");
        tree.build().unwrap();
        assert!(tree.after_edit("src/lib.rs", 1).unwrap() > 0.0);
        assert_eq!(std::fs::read_to_string(tree.root.join("src/lib.rs")).unwrap(), "//! Tiny.\n");
        write(&tree.root, "src/lib.rs", "not rust\n");
        assert!(tree.after_edit("src/lib.rs", 2).is_err());
        assert_eq!(
            std::fs::read_to_string(tree.root.join("src/lib.rs")).unwrap(),
            "not rust\n",
            "also after a failure"
        );
    }

    #[test]
    fn what_is_edited_is_there() {
        for (_, package, file) in EDITS {
            assert!(project::root().join(file).is_file(), "{file}");
            assert!(file.starts_with(&format!("crates/{package}/")));
        }
    }
}
