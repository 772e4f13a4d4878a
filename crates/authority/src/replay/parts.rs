//! Reading a ledger of this database.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use audit_trail::ledger::{Entry, Folder, read};
use token_domain::{Span, Timestamp};

use super::LedgerError;
use crate::ledger::kinds::REPLAY;

/// How many of the newest entries are compared at a start.
const NEWEST: usize = 500;
/// The clocks of two threads and the moments of two commits: entries this close to a replay are looked at again.
pub(super) const MARGIN: Span = Span::seconds(10);

/// The newest entries, from the last parts. What is before a replay in its part, or a little older than it in another, is not among
/// them: several processes may have written at the same time, each to a part of its own.
pub(super) fn newest(folder: &Folder, identity: Option<&str>) -> Result<Vec<Entry>, LedgerError> {
    let mut newest: Vec<Entry> = Vec::new();
    let mut settled: Option<Timestamp> = None;
    for part in parts(folder)?.into_iter().rev() {
        let mut entries = VecDeque::new();
        let mut newest_replay = settled;
        take_from(&part, identity, |entry| {
            if settled.is_some_and(|settled| entry.at <= settled - MARGIN) {
                return;
            }
            if entry.action == REPLAY {
                newest_replay = newest_replay.max(Some(entry.at));
                entries.clear();
            }
            entries.push_back(entry);
            if entries.len() > NEWEST {
                entries.pop_front();
            }
        })?;
        newest.extend(entries);
        settled = newest_replay;
        if newest.len() >= NEWEST {
            break;
        }
    }
    Ok(newest)
}

pub(super) fn parts(folder: &Folder) -> Result<Vec<PathBuf>, LedgerError> {
    folder.parts().map_err(|error| LedgerError::Unreadable(folder.path().to_owned(), error))
}

/// Hands the entries of a part over, if it is of this database; how many of its lines are damaged.
pub(super) fn take_from(part: &Path, identity: Option<&str>, mut take: impl FnMut(Entry)) -> Result<u64, LedgerError> {
    let mut entries = Vec::new();
    let reading = read(part, |entry| {
        entries.push(entry);
        Ok(())
    });
    let reading = match reading {
        Ok(reading) => reading,
        // Another process removed it because of its age.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(LedgerError::Unreadable(part.to_owned(), error)),
    };
    if reading.database.is_some() && reading.database.as_deref() != identity {
        return Err(LedgerError::OtherDatabase(part.to_owned()));
    }
    entries.into_iter().for_each(&mut take);
    Ok(reading.damaged)
}
