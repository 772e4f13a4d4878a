//! Rows of counts.

use super::inconsistent;
use crate::error::StoreError;
use crate::schema::token_usage;
use diesel::prelude::{Queryable, Selectable};
use token_domain::id::TokenId;
use token_domain::usage::{Hour, UsageHour, UseCounts};

/// A row of `token_usage`.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = token_usage)]
pub(crate) struct UsageRow {
    token_id: TokenId,
    hour: i32,
    allowed: i64,
    insufficient: i64,
    denied: i64,
}

impl TryFrom<UsageRow> for UsageHour {
    type Error = StoreError;

    fn try_from(row: UsageRow) -> Result<Self, StoreError> {
        let bad = |column| inconsistent("usage of token", row.token_id, column);
        let count = |count: i64, column| u64::try_from(count).map_err(|_| bad(column));
        Ok(Self {
            hour: Hour::from_number(row.hour).ok_or_else(|| bad("hour"))?,
            counts: UseCounts {
                allowed: count(row.allowed, "allowed")?,
                insufficient: count(row.insufficient, "insufficient")?,
                denied: count(row.denied, "denied")?,
            },
        })
    }
}
