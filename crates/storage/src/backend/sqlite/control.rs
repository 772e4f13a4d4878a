//! The statements around units of work, prepared once.
//!
//! Five of them surround every unit that has a group to itself, and preparing one costs more than running it.

use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl, SqliteConnection};

/// A statement that begins, ends or divides a transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Control {
    /// Begins a transaction that writes.
    Begin,
    /// Ends it: what was written is on disk afterwards.
    Commit,
    /// Begins a part that can be taken back by itself.
    Mark,
    /// Takes back what was written since the mark, which stays.
    TakeBack,
    /// Ends the part.
    Unmark,
}

impl Control {
    const fn text(self) -> &'static str {
        match self {
            Self::Begin => "BEGIN IMMEDIATE",
            Self::Commit => "COMMIT",
            Self::Mark => "SAVEPOINT unit",
            Self::TakeBack => "ROLLBACK TO unit",
            Self::Unmark => "RELEASE unit",
        }
    }

    pub(crate) fn run(self, connection: &mut SqliteConnection) -> QueryResult<()> {
        self.execute(connection).map(drop)
    }
}

impl QueryFragment<Sqlite> for Control {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(self.text());
        Ok(())
    }
}

/// Known by its text, which differs by variant.
impl QueryId for Control {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl RunQueryDsl<SqliteConnection> for Control {}
