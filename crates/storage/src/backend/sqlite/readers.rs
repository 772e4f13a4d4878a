//! Connections for reading: taken for one unit of reading, then put back.

use super::connection::{SqliteConn, open_reader};
use crate::error::StoreError;
use crate::options::StoreOptions;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// Idle connections kept; more readers at once open their own and close it.
const KEPT: usize = 64;

/// The idle connections, last used first, so that a few warm page caches serve everyone.
///
/// One list under a lock held for a push or a pop, not a connection in a thread-local: the lock costs some 40 ns of
/// a read's 10 µs, and the connections end with the store instead of with the threads.
pub(crate) struct Readers {
    path: PathBuf,
    options: StoreOptions,
    idle: Mutex<Vec<SqliteConn>>,
}

impl Readers {
    pub(crate) fn new(path: PathBuf, options: StoreOptions) -> Self {
        Self { path, options, idle: Mutex::new(Vec::new()) }
    }

    /// An idle connection, or a new one.
    pub(crate) fn take(&self) -> Result<SqliteConn, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| open_reader(&self.path, &self.options), Ok)
    }

    /// Puts a connection back, unless what it was used for failed in a way that may be its fault.
    pub(crate) fn put_back<T>(&self, connection: SqliteConn, result: &Result<T, StoreError>) {
        match result {
            Ok(_) | Err(StoreError::Conflict(_) | StoreError::Inconsistent(_)) => {
                let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
                if idle.len() < KEPT {
                    idle.push(connection);
                }
            }
            Err(StoreError::Unavailable(_) | StoreError::Broken(_)) => drop(connection),
        }
    }

    /// Closes what is idle.
    pub(crate) fn close(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
