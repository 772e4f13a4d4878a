//! Adding to a ledger what it lacks of a database that an older copy is to replace: changes from before it was kept, from the time
//! in which its disk failed, or of a ledger that is lost. The replay on the copy then repeats those as well.

use std::collections::HashSet;

use audit_trail::chain::hex;
use audit_trail::ledger::{Entry, Folder, Limits, Writer};
use token_domain::record::AuditRecord;
use token_domain::{Span, Timestamp};

use super::LedgerError;
use super::parts::{parts, take_from};
use crate::ledger::kinds;

/// Nothing is removed: the replay that follows needs all there is. The next server keeps the limits again.
const EVERYTHING: Limits = Limits { keep: Span::days(36_500), max_bytes: u64::MAX };

/// A ledger that is being completed.
#[derive(Debug)]
pub struct Completion {
    folder: Folder,
    writer: Writer,
    database: String,
    began: Option<Timestamp>,
    known: HashSet<[u8; 32]>,
    added: usize,
}

impl Completion {
    /// Reads all of a ledger. `first` is the hash of the first event of the deployment's own trail.
    ///
    /// # Errors
    /// It is of another database, or cannot be read.
    pub fn begin(folder: Folder, first: &[u8; 32]) -> Result<Self, LedgerError> {
        let database = hex(first);
        let began = folder.oldest_began().map_err(|error| LedgerError::Unreadable(folder.path().to_owned(), error))?;
        let mut known = HashSet::new();
        for part in parts(&folder)? {
            take_from(&part, Some(&database), |entry| {
                known.insert(entry.hash);
            })?;
        }
        Ok(Self { writer: Writer::new(folder.clone(), EVERYTHING), folder, database, began, known, added: 0 })
    }

    /// When the ledger began; nothing where none was kept.
    pub const fn began(&self) -> Option<Timestamp> {
        self.began
    }

    /// How many changes it lacked.
    pub const fn added(&self) -> usize {
        self.added
    }

    /// Adds those of these events that take rights away and that it lacks. They are on disk when this returns.
    ///
    /// # Errors
    /// [`LedgerError::Unwritable`].
    pub fn add(&mut self, events: &[AuditRecord], now: Timestamp) -> Result<(), LedgerError> {
        let lacking = events.iter().filter(|event| !self.known.contains(&event.hash));
        let entries: Vec<Entry> = lacking.filter_map(kinds::entry).collect();
        if entries.is_empty() {
            return Ok(());
        }
        self.writer
            .append(Some(&self.database), &entries, now)
            .map_err(|error| LedgerError::Unwritable(self.folder.path().to_owned(), error))?;
        self.added += entries.len();
        Ok(())
    }
}
