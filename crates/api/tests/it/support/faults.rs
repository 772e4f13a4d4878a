//! A disk that fails when a test says so: a library that is preloaded into the program, made of `faults.c` by the C compiler
//! that the workspace needs anyway.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What may go wrong with the database's files, and what may be watched.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Reads fail (EIO).
    Reads,
    /// Writes find no room (ENOSPC).
    Writes,
    /// Nothing fails; the name of every file and folder that is synced is written down.
    Syncs,
}

/// The library, and its switches.
pub(crate) struct Faults {
    folder: PathBuf,
    switches: File,
}

impl Faults {
    /// Makes the library in this folder, with everything switched off.
    pub(crate) fn new(folder: &Path) -> Self {
        let source = folder.join("faults.c");
        fs::write(&source, include_str!("faults.c")).unwrap();
        let made = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(folder.join("faults.so"))
            .arg(&source)
            .arg("-ldl")
            .output()
            .expect("a C compiler");
        assert!(made.status.success(), "{made:?}");
        fs::write(folder.join("switches"), "000").unwrap();
        let switches = File::options().write(true).open(folder.join("switches")).unwrap();
        Self { folder: folder.to_owned(), switches }
    }

    /// What the program's environment needs.
    pub(crate) fn variables(&self) -> [(String, String); 3] {
        [("LD_PRELOAD", "faults.so"), ("FAULTS_SWITCHES", "switches"), ("FAULTS_SYNCED", "synced")]
            .map(|(variable, file)| (variable.to_owned(), self.folder.join(file).display().to_string()))
    }

    /// From now on.
    pub(crate) fn begin(&self, fault: Fault) {
        self.set(fault, b'1');
    }

    /// No longer.
    pub(crate) fn end(&self, fault: Fault) {
        self.set(fault, b'0');
    }

    fn set(&self, fault: Fault, state: u8) {
        self.switches.write_all_at(&[state], fault as u64).unwrap();
    }

    /// What was synced while that was watched, in order.
    pub(crate) fn synced(&self) -> Vec<PathBuf> {
        let list = fs::read_to_string(self.folder.join("synced")).unwrap_or_default();
        list.lines().map(PathBuf::from).collect()
    }
}
