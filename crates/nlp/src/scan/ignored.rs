//! Files that a scan leaves out by name.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use gix::Repository;
use gix::bstr::BStr;
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// The file with their names, in the syntax of `.gitignore`; it applies to scans only.
pub(super) const FILE: &str = ".nlpignore";

/// The `.nlpignore` files of a working tree, for scans of git objects: those walk no folders.
#[derive(Debug, Default)]
pub(crate) struct Ignored {
    /// The working tree; `None` leaves out nothing.
    root: Option<PathBuf>,
    /// The rules of each folder that was asked for.
    rules: HashMap<PathBuf, Gitignore>,
}

impl Ignored {
    /// The rules of a repository's working tree as it is now, which also apply to older versions of the files.
    pub(crate) fn of(repo: &Repository) -> Self {
        Self { root: repo.workdir().and_then(|root| root.canonicalize().ok()), rules: HashMap::new() }
    }

    /// Whether a path from the root of the working tree is left out, by itself or with a folder above it.
    pub(super) fn has(&mut self, path: &BStr) -> bool {
        let Some(root) = self.root.clone() else { return false };
        let path = Path::new(OsStr::from_bytes(path));
        let mut parts: Vec<&Path> = path.ancestors().filter(|part| !part.as_os_str().is_empty()).collect();
        // From the top, as a walk goes: nothing below a folder that is left out can be taken in again.
        parts.reverse();
        parts.into_iter().any(|part| self.names(&root, part, part != path))
    }

    /// Whether the closest rule about a file or folder leaves it out.
    fn names(&mut self, root: &Path, part: &Path, is_folder: bool) -> bool {
        let file = root.join(part);
        for folder in part.ancestors().skip(1) {
            let rules = self.rules.entry(folder.to_owned()).or_insert_with(|| read(&root.join(folder)));
            match rules.matched(&file, is_folder) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => {}
            }
        }
        false
    }
}

/// The rules in a folder's file. As in a walk, a rule that cannot be understood is passed over.
fn read(folder: &Path) -> Gitignore {
    let mut builder = GitignoreBuilder::new(folder);
    let _ = builder.add(folder.join(FILE));
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}
