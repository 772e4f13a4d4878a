//! The version of a database as its file has it, which tells a file that somebody copied another one over.
//!
//! Bytes 24 to 27 of a database file count changes of its first page (SQLite's file format, section 1.3.6). Whoever writes by
//! way of SQLite counts on from the number it found, and a checkpoint writes the newest. So the number never falls, and one that
//! fell was written past SQLite. Every start counts it up ([`migrate`](crate::migrate::up)), so that the file has a higher one than
//! any copy from before; copies that SQLite makes begin with 1.
//!
//! The time of the last change would show a copy with the same number too, but also a checkpoint by another program, or a
//! `touch`.

use std::fs::File;
use std::io::Result;
use std::os::unix::fs::FileExt as _;

/// What every SQLite database begins with.
pub(crate) const MAGIC: &[u8] = b"SQLite format 3\0";

/// What was seen so far.
#[derive(Debug, Default)]
pub(crate) struct FileVersion {
    /// The last look.
    seen: Option<Found>,
    /// The last number that two looks in a row saw.
    settled: Option<u32>,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Database(u32),
    /// Empty, shorter than the number, or another program's.
    NoDatabase,
}

impl FileVersion {
    /// As an open file has it now, by two looks in a row.
    pub(crate) fn of(file: &File) -> Result<Self> {
        let mut version = Self::default();
        let mut found = Found::of(file)?;
        while version.seen != Some(found) {
            version.is_impossible(found);
            found = Found::of(file)?;
        }
        version.is_impossible(found);
        Ok(version)
    }

    /// Whether the file was written over since then. Said when two looks in a row agree: one may meet a page while
    /// it is being written.
    pub(crate) fn is_overwritten(&mut self, file: &File) -> Result<bool> {
        Ok(self.is_impossible(Found::of(file)?))
    }

    fn is_impossible(&mut self, found: Found) -> bool {
        if self.seen.replace(found) != Some(found) {
            return false;
        }
        match (self.settled, found) {
            (None, Found::NoDatabase) => false,
            (Some(_), Found::NoDatabase) => true,
            // It starts again from zero at its end: the nearer way from one number to another is the one it took.
            (Some(settled), Found::Database(number)) if number.wrapping_sub(settled) > u32::MAX / 2 => true,
            (_, Found::Database(number)) => {
                self.settled = Some(number);
                false
            }
        }
    }
}

impl Found {
    /// The file stays open: closing any descriptor of it would take away the locks that SQLite has on it.
    fn of(file: &File) -> Result<Self> {
        let mut header = [0; 28];
        let mut read = 0;
        while read < header.len() {
            match file.read_at(&mut header[read..], u64::try_from(read).unwrap_or(u64::MAX))? {
                0 => return Ok(Self::NoDatabase),
                count => read += count,
            }
        }
        let [magic @ .., a, b, c, d] = header;
        Ok(if magic.starts_with(MAGIC) { Self::Database(u32::from_be_bytes([a, b, c, d])) } else { Self::NoDatabase })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_falls_for_good_is_told_and_nothing_else() {
        use Found::{Database, NoDatabase};
        let rows: [(&[Found], bool); 9] = [
            (&[Database(7), Database(7), Database(8), Database(8), Database(8)], false),
            (&[Database(7), Database(7), Database(6), Database(6)], true),
            (&[Database(7), Database(7), Database(6), Database(7), Database(7)], false),
            // A page while it is being written, in either direction.
            (&[Database(255), Database(255), Database(511), Database(256), Database(256)], false),
            (&[Database(255), Database(255), Database(0), Database(256), Database(256)], false),
            (&[Database(7), Database(7), NoDatabase, NoDatabase], true),
            (&[NoDatabase, NoDatabase, Database(1), Database(1)], false),
            (&[Database(u32::MAX), Database(u32::MAX), Database(1), Database(1)], false),
            (&[Database(1), Database(1), Database(u32::MAX), Database(u32::MAX)], true),
        ];
        for (looks, told) in rows {
            let mut version = FileVersion::default();
            assert_eq!(looks.iter().any(|found| version.is_impossible(*found)), told, "{looks:?}");
        }
    }
}
