//! Statements that a connection keeps prepared although diesel would not.
//!
//! Diesel prepares every `UPDATE`, upsert and plain text anew: what is set may change the text, and it fears a cache that
//! grows without end. On SQLite that is most of the time of a small change; on PostgreSQL it is a round trip to prepare
//! and a message to forget. Statements whose text never changes are marked with [`Keep::kept`].
//!
//! What is kept is found by its whole text, so a statement whose text does vary would still be right; it must not be kept
//! when the variants have no bound, as with a list of values.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

/// A statement to be prepared once per connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept<Q>(Q);

/// Says that a statement always has the same text.
pub(crate) trait Keep: Sized {
    /// The same statement, prepared once.
    fn kept(self) -> Kept<Self> {
        Kept(self)
    }
}

impl<Q> Keep for Q {}

impl<DB: Backend, Q: QueryFragment<DB>> QueryFragment<DB> for Kept<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q> QueryId for Kept<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Kept<Q> {
    type SqlType = Q::SqlType;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::revocation_clock;
    use diesel::pg::Pg;
    use diesel::prelude::*;
    use diesel::sqlite::Sqlite;

    #[test]
    fn a_kept_statement_has_the_same_text_and_may_be_kept() {
        let change = || {
            diesel::update(revocation_clock::table.find(1))
                .set(revocation_clock::n.eq(7_i64))
                .returning(revocation_clock::n)
        };
        assert_eq!(
            diesel::debug_query::<Sqlite, _>(&change().kept()).to_string(),
            diesel::debug_query::<Sqlite, _>(&change()).to_string()
        );
        assert_eq!(
            diesel::debug_query::<Pg, _>(&change().kept()).to_string(),
            diesel::debug_query::<Pg, _>(&change()).to_string()
        );
        // Should diesel keep them one day by itself, this file can go.
        assert!(!change().is_safe_to_cache_prepared(&Sqlite).unwrap());
        assert!(!change().is_safe_to_cache_prepared(&Pg).unwrap());
        assert!(change().kept().is_safe_to_cache_prepared(&Sqlite).unwrap());
        assert!(change().kept().is_safe_to_cache_prepared(&Pg).unwrap());
    }
}
