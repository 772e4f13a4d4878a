//! Simulated disk failures: a library preloaded into the program, compiled from `faults.c` with the C compiler that the
//! workspace needs anyway.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The simulated failures of the database's files, and the log of syncs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Reads fail (EIO).
    Reads,
    /// Writes fail for lack of space (ENOSPC).
    Writes,
    /// Nothing fails; the name of every synced file and folder is logged.
    Syncs,
    /// Writes to the ledger of revocations fail for lack of space (ENOSPC).
    Ledger,
}

/// The library and its switches.
pub(crate) struct Faults {
    folder: PathBuf,
    switches: File,
}

impl Faults {
    /// Compiles the library in this folder, with all faults off.
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
        fs::write(folder.join("switches"), "0000").unwrap();
        let switches = File::options().write(true).open(folder.join("switches")).unwrap();
        Self { folder: folder.to_owned(), switches }
    }

    /// The environment variables for the program.
    pub(crate) fn variables(&self) -> [(String, String); 3] {
        [("LD_PRELOAD", "faults.so"), ("FAULTS_SWITCHES", "switches"), ("FAULTS_SYNCED", "synced")]
            .map(|(variable, file)| (variable.to_owned(), self.folder.join(file).display().to_string()))
    }

    /// The variables for a program that is killed before its so-many-th change of a name: a removal, a link, or a renaming.
    pub(crate) fn killing_at(&self, change: usize) -> Vec<(String, String)> {
        self.variables().into_iter().chain([("FAULTS_KILL_AT".to_owned(), change.to_string())]).collect()
    }

    /// Switches a fault on.
    pub(crate) fn begin(&self, fault: Fault) {
        self.set(fault, b'1');
    }

    /// Switches a fault off.
    pub(crate) fn end(&self, fault: Fault) {
        self.set(fault, b'0');
    }

    fn set(&self, fault: Fault, state: u8) {
        self.switches.write_all_at(&[state], fault as u64).unwrap();
    }

    /// The paths synced while [`Fault::Syncs`] was on, in order.
    pub(crate) fn synced(&self) -> Vec<PathBuf> {
        let list = fs::read_to_string(self.folder.join("synced")).unwrap_or_default();
        list.lines().map(PathBuf::from).collect()
    }
}
