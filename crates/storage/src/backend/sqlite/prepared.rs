//! Statements that run a thousand times in one unit of work, prepared once.
//!
//! Diesel's `update` and `on_conflict` may change their text with what is set, so it prepares them anew for every row:
//! three quarters of the time of a row. Here the type stands for the text, which never changes.

use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Integer};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl, SqliteConnection};

use crate::model::{TokenCount, TokenUse};
use crate::sql_types::{Bind, Moment, MomentParam, Uid, UidParam};

/// Moves a token's last use forward, never back.
pub(super) struct RecordUse {
    token: UidParam,
    at: MomentParam,
}

/// Adds to what is counted of a token's hour, if there is such a token.
pub(super) struct AddCount {
    token: UidParam,
    hour: i32,
    /// Allowed, insufficient, denied.
    added: [i64; 3],
}

/// Adds the same to what is counted of the organisation's hour.
pub(super) struct AddToOrganization(AddCount);

impl RecordUse {
    pub(super) fn new(used: &TokenUse) -> Self {
        Self { token: used.token_id.bind(), at: used.last_used_at.bind() }
    }
}

impl AddCount {
    pub(super) fn new(count: &TokenCount) -> Self {
        let TokenCount { token_id, hour, counts } = count;
        let added = [counts.allowed, counts.insufficient, counts.denied];
        Self { token: token_id.bind(), hour: hour.number(), added: added.map(saturated) }
    }
}

impl AddToOrganization {
    pub(super) fn new(count: &TokenCount) -> Self {
        Self(AddCount::new(count))
    }
}

/// A count of one flush; it never comes near 63 bits.
fn saturated(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl QueryFragment<Sqlite> for RecordUse {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("UPDATE tokens SET last_used_at = ");
        out.push_bind_param::<Moment, _>(&self.at)?;
        out.push_sql(" WHERE id = ");
        out.push_bind_param::<Uid, _>(&self.token)?;
        out.push_sql(" AND (last_used_at IS NULL OR last_used_at < ");
        out.push_bind_param::<Moment, _>(&self.at)?;
        out.push_sql(")");
        Ok(())
    }
}

impl AddCount {
    /// What both statements have between the columns they insert and the key they conflict on.
    fn walk_values<'b>(&'b self, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_bind_param::<Integer, _>(&self.hour)?;
        for added in &self.added {
            out.push_sql(", ");
            out.push_bind_param::<BigInt, _>(added)?;
        }
        out.push_sql(" FROM tokens WHERE id = ");
        out.push_bind_param::<Uid, _>(&self.token)
    }
}

const ADDED: &str = " DO UPDATE SET allowed = allowed + excluded.allowed, \
                     insufficient = insufficient + excluded.insufficient, denied = denied + excluded.denied";

impl QueryFragment<Sqlite> for AddCount {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("INSERT INTO token_usage (token_id, hour, allowed, insufficient, denied) SELECT id, ");
        self.walk_values(&mut out)?;
        out.push_sql(" ON CONFLICT (token_id, hour)");
        out.push_sql(ADDED);
        Ok(())
    }
}

impl QueryFragment<Sqlite> for AddToOrganization {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO organization_usage (organization_id, hour, allowed, insufficient, denied) SELECT organization_id, ",
        );
        self.0.walk_values(&mut out)?;
        out.push_sql(" ON CONFLICT (organization_id, hour)");
        out.push_sql(ADDED);
        Ok(())
    }
}

impl QueryId for RecordUse {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryId for AddCount {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryId for AddToOrganization {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<SqliteConnection> for RecordUse {}
impl RunQueryDsl<SqliteConnection> for AddToOrganization {}
impl RunQueryDsl<SqliteConnection> for AddCount {}
