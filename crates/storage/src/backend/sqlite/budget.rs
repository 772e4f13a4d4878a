//! How long a read in the lane may go on.
//!
//! SQLite has no time limit of its own, and the call that interrupts a statement from outside is not to be had without unsafe
//! code. So statements that may look at many rows ask in their condition, row by row, whether there is time left:
//! `in_time()`.

use crate::boottime::boottime_nanos;
use diesel::serialize::{IsNull, Output, ToSql};
use diesel::sql_types::Bool;
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, SqliteConnection};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

/// Rows between two looks at the clock.
const ROWS: u32 = 128;

diesel::define_sql_function! {
    /// True while there is time left; an error afterwards.
    fn in_time() -> Bool;
}

/// The time that statements on a connection have.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// In nanoseconds of the clock of leases.
    end: AtomicI64,
    asked: AtomicU32,
}

impl Default for Budget {
    /// As long as they want.
    fn default() -> Self {
        Self(Arc::new(Inner { end: AtomicI64::new(i64::MAX), asked: AtomicU32::new(0) }))
    }
}

impl Budget {
    /// What begins now may go on for so long.
    pub(super) fn begin(&self, length: Duration) {
        let length = i64::try_from(length.as_nanos()).unwrap_or(i64::MAX);
        self.0.end.store(boottime_nanos().saturating_add(length), Ordering::Relaxed);
        self.0.asked.store(0, Ordering::Relaxed);
    }

    /// Lets statements on this connection ask.
    pub(super) fn watch(&self, connection: &mut SqliteConnection) -> QueryResult<()> {
        let budget = self.clone();
        in_time_utils::register_nondeterministic_impl(connection, move || budget.look())
    }

    fn look(&self) -> InTime {
        let asked = self.0.asked.fetch_add(1, Ordering::Relaxed);
        if asked.is_multiple_of(ROWS) && boottime_nanos() >= self.0.end.load(Ordering::Relaxed) {
            return InTime::No;
        }
        InTime::Yes
    }
}

/// The function's answer.
#[derive(Debug)]
enum InTime {
    Yes,
    No,
}

impl ToSql<Bool, Sqlite> for InTime {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> diesel::serialize::Result {
        match self {
            Self::Yes => {
                out.set_value(1);
                Ok(IsNull::No)
            }
            Self::No => Err("interrupted: a list or search took longer than database.statement_timeout_ms".into()),
        }
    }
}
