//! The header of a database file in use, which tells it from any other that somebody copies over it.
//!
//! Two numbers in it (SQLite's file format, section 1.3) cannot be those of a copy:
//!
//! - The *version*, bytes 24 to 27, counts changes of the first page. Whoever writes by way of SQLite counts on from the number it
//!   found, and a checkpoint writes the newest, so that it never falls. The writer counts it up with what it writes, so that a
//!   copy of the file's bytes is behind as soon as it differs from the file.
//! - The *start*, bytes 60 to 63 (`PRAGMA user_version`), is chosen by every start ([`migrate`](crate::migrate::up)), and differs
//!   in a copy from another start or of another database, whatever version that has.
//!
//! Another program may set the second number by SQL. From then on only the first is compared.
//! The time of the last change would show every copy, but also a checkpoint by another program, or a `touch`.

use std::fs::File;
use std::io::{ErrorKind, Result};
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, Weak};
use std::time::Duration;

/// What every SQLite database begins with.
pub(crate) const MAGIC: &[u8] = b"SQLite format 3\0";

/// How often a header that differs is read, and the time between: a read during a write may see half of it.
const READS: usize = 10;
const BETWEEN_READS: Duration = Duration::from_millis(5);

/// The numbers of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    version: u32,
    start: u32,
}

/// The header of a locked file as it was last seen.
pub(crate) struct HeaderWatch {
    /// The lock's own descriptor: closing any other would take away the locks that SQLite has on the file.
    file: Weak<File>,
    last: Mutex<Last>,
    is_overwritten: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    /// `None` while the file is empty: everything may be in the log.
    version: Option<u32>,
    /// `None` where it is not compared.
    start: Option<u32>,
}

impl HeaderWatch {
    /// Compares with the header as it is now. `start` is what SQLite reads, with the log; a start that differs in the file itself
    /// is not compared.
    pub(crate) fn begin(file: Weak<File>, start: u32) -> Result<Self> {
        let header = match file.upgrade() {
            Some(file) => settled(&file)?,
            None => None,
        };
        let last = Last {
            version: header.map(|header| header.version),
            start: header.map(|header| header.start).filter(|known| *known == start),
        };
        Ok(Self { file, last: Mutex::new(last), is_overwritten: AtomicBool::new(false) })
    }

    /// Whether the file has a header that this database may have now. What it has is remembered.
    pub(crate) fn is_ours(&self) -> Result<bool> {
        let Some(file) = self.file.upgrade() else { return Ok(true) };
        for read in 0..READS {
            if read > 0 {
                std::thread::sleep(BETWEEN_READS);
            }
            let found = Header::of(&file)?;
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.may_become(found) {
                last.version = found.map(|header| header.version);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// From now on only the version is compared, if SQLite says that another program set the start.
    pub(crate) fn start_is(&self, start: u32) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.start = last.start.filter(|known| *known == start);
    }

    /// Notes for good that the file was overwritten.
    pub(crate) fn condemn(&self) {
        self.is_overwritten.store(true, Ordering::Release);
    }

    /// Whether it was noted.
    pub(crate) fn is_condemned(&self) -> bool {
        self.is_overwritten.load(Ordering::Acquire)
    }
}

/// The header, once two reads in a row agree on it.
fn settled(file: &File) -> Result<Option<Header>> {
    let mut found = Header::of(file)?;
    loop {
        let again = Header::of(file)?;
        if again == found {
            return Ok(found);
        }
        found = again;
    }
}

impl Last {
    fn may_become(self, found: Option<Header>) -> bool {
        match (self.version, found) {
            (None, _) => true,
            (Some(_), None) => false,
            // It starts again from zero at its end: the nearer way from one number to another is the one it took.
            (Some(version), Some(found)) => {
                found.version.wrapping_sub(version) <= u32::MAX / 2
                    && self.start.is_none_or(|start| start == found.start)
            }
        }
    }
}

impl Header {
    /// Of an open file; nothing if it is empty, shorter, or another program's.
    fn of(file: &File) -> Result<Option<Self>> {
        let mut header = [0; 64];
        let mut read = 0;
        while read < header.len() {
            match file.read_at(&mut header[read..], u64::try_from(read).unwrap_or(u64::MAX)) {
                Ok(0) => return Ok(None),
                Ok(count) => read += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        Ok(header.starts_with(MAGIC).then(|| Self { version: number(24), start: number(60) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_falls_and_another_start_are_told_and_nothing_else() {
        let header = |version, start| Some(Header { version, start });
        let last = Last { version: Some(7), start: Some(1) };
        let unset = Last { start: None, ..last };
        for (last, found, is_ours) in [
            (last, header(7, 1), true),
            (last, header(8, 1), true),
            (last, header(6, 1), false),
            (last, header(8, 2), false),
            (last, None, false),
            (unset, header(8, 2), true),
            (unset, header(6, 2), false),
            (Last { version: None, start: None }, None, true),
            (Last { version: None, start: None }, header(1, 2), true),
            (Last { version: Some(u32::MAX), ..last }, header(1, 1), true),
            (Last { version: Some(1), ..last }, header(u32::MAX, 1), false),
        ] {
            assert_eq!(last.may_become(found), is_ours, "{last:?} {found:?}");
        }
    }
}
