//! The ledger of revocations: when an older copy of the database is restored, tokens that were revoked after the copy was made stay
//! revoked.

mod disk;
mod kinds;
mod nodes;
mod restore;

use std::path::{Path, PathBuf};

use crate::support::{Server, texts};

/// The file beside this one with a suffix.
fn beside(file: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", file.display()))
}

/// The folder of the ledger of a server on SQLite.
fn folder(server: &Server) -> PathBuf {
    beside(&server.database.file(), ".ledger")
}

/// Makes a token; returns its id and its secret.
#[track_caller]
fn make(server: &Server) -> [String; 2] {
    texts(&server.owner().create("of this test"), ["id", "secret"])
}

/// Makes a copy of the database.
fn back_up(server: &Server) -> PathBuf {
    let copy = server.database.folder().join("copy.db");
    server.command(&["backup", copy.to_str().unwrap()], "").succeeds();
    copy
}

/// Puts a copy in the place of the database of a stopped server, as a person would by hand.
fn put_back(server: &Server, copy: &Path) {
    let file = server.database.file();
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(beside(&file, suffix));
    }
    std::fs::copy(copy, &file).unwrap();
}

/// Whether the log since the last start says that something was repeated.
fn has_repeated(server: &Server) -> bool {
    server.log_since_start().contains("what the ledger of revocations says was repeated")
}
