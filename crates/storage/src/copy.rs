//! Copying an SQLite database into an empty PostgreSQL database.
//!
//! Which tables and columns there are is read from the target's own catalogue and compared with the source, so that a new table
//! is copied without a line here. All of it is one transaction of the target: until it commits, the target is as empty as
//! before, and a copy that is interrupted can simply be repeated. Rows go over in PostgreSQL's binary form of `COPY`, in pieces,
//! and are read back and compared byte by byte before the commit, which tells more than a digest.
//!
//! The source is read in one transaction, and a caller keeps servers away from it by its lock.

mod layout;
mod source;
mod target;

use crate::backend::sqlite::establish;
use crate::error::StoreError;
use crate::url::{DatabaseUrl, Target as Place};
use layout::Role;
use source::Source;
use target::Target;

/// What a copy is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'a> {
    /// So many rows of a table are copied; more may follow.
    Copied(&'a str, u64),
    /// A table was read back, and has so many rows in both databases, all of them alike.
    Compared(&'a str, u64),
}

/// Copies everything from an SQLite database into a PostgreSQL database with the same migrations and nothing else in it. Blocks;
/// may be called from anywhere but a thread of a runtime. `tell` is called now and then, and once for each table that was compared.
///
/// # Errors
/// The databases are not of these two kinds, their tables differ, the target has rows, or one of the two cannot be read or
/// written. The target is as it was before.
pub fn sqlite_to_postgresql(
    from: &DatabaseUrl,
    to: &DatabaseUrl,
    mut tell: impl FnMut(Progress<'_>),
) -> Result<(), StoreError> {
    let (Place::Sqlite(path), Place::PostgreSql(server)) = (from.target(), to.target()) else {
        return Err(StoreError::Broken("a copy is made from SQLite to PostgreSQL".to_owned()));
    };
    let mut source = Source::begin(establish(path)?)?;
    let mut target = Target::begin(server)?;
    let tables = target.tables()?;
    source.check_columns(&tables)?;
    target.check_empty(&tables)?;
    for table in tables.iter().filter(|table| matches!(table.role(), Role::Copied | Role::Clock)) {
        target.fill(table, &mut source, |rows| tell(Progress::Copied(&table.name, rows)))?;
    }
    target.check_references()?;
    for table in tables.iter().filter(|table| table.role() != Role::LeftOut) {
        let rows = target.compare(table, &mut source)?;
        tell(Progress::Compared(&table.name, rows));
    }
    target.commit()
}
