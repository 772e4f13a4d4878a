//! Which file a path leads to, and whether it still leads there.
//!
//! A file may be moved, removed or replaced while it is open. Whoever has it open goes on reading and writing it, and
//! nobody else ever sees what was written.

use std::ffi::OsString;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{ErrorKind, Result};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A file, whatever it is called: its device and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
}

/// What became of a database file that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is where it was, under one name.
    InPlace,
    /// Nothing is at its path any more.
    Missing,
    /// It has a second name (a hard link). SQLite keeps a log beside each name, so whoever opens it by the other one
    /// does not see what is written here, nor the other way round.
    Linked,
    /// Another file is at its path.
    Replaced,
}

impl Identity {
    /// Of the file a path leads to.
    pub(crate) fn at(path: &Path) -> Result<Self> {
        std::fs::metadata(path).map(|found| Self::of(&found))
    }

    /// Of an open file.
    pub(crate) fn of_file(file: &File) -> Result<Self> {
        file.metadata().map(|found| Self::of(&found))
    }

    fn of(found: &Metadata) -> Self {
        Self { device: found.dev(), inode: found.ino() }
    }

    /// What is at this path, where the file was once: one question to the operating system.
    pub(crate) fn standing_at(self, path: &Path) -> Result<Standing> {
        match std::fs::metadata(path) {
            Ok(found) if Self::of(&found) != self => Ok(Standing::Replaced),
            Ok(found) if found.nlink() > 1 => Ok(Standing::Linked),
            Ok(_) => Ok(Standing::InPlace),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Standing::Missing),
            Err(error) => Err(error),
        }
    }
}

/// `dir/name.db` → `dir/name.db<suffix>`, following links, so that two names of one file share what lies beside it.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.canonicalize().unwrap_or_else(|_| path.to_path_buf()).into();
    name.push(suffix);
    name.into()
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InPlace => "the database file is where it was",
            Self::Missing => "the database file was moved or removed: put it back",
            Self::Linked => {
                "the database file has a second name (a hard link), under which others miss its log: remove it"
            }
            Self::Replaced => "another file is in the place of the database file",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_of_a_file_is_told_by_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("a.db"), "").unwrap();
        let file = Identity::at(&path("a.db")).unwrap();
        assert_eq!(Identity::of_file(&File::open(path("a.db")).unwrap()).unwrap(), file);
        let standing = || file.standing_at(&path("a.db")).unwrap();
        assert_eq!(standing(), Standing::InPlace);
        std::fs::hard_link(path("a.db"), path("b.db")).unwrap();
        assert_eq!(standing(), Standing::Linked);
        std::fs::remove_file(path("b.db")).unwrap();
        assert_eq!(standing(), Standing::InPlace);
        std::fs::rename(path("a.db"), path("c.db")).unwrap();
        assert_eq!(standing(), Standing::Missing);
        std::os::unix::fs::symlink(path("c.db"), path("a.db")).unwrap();
        assert_eq!(standing(), Standing::InPlace, "a link leads there as well");
        std::fs::remove_file(path("a.db")).unwrap();
        std::fs::write(path("a.db"), "").unwrap();
        assert_eq!(standing(), Standing::Replaced);
    }
}
