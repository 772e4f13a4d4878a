//! Rows of counts.

use super::inconsistent;
use crate::error::StoreError;
use crate::schema::{organization_usage, token_origins, token_scope_uses, token_usage};
use diesel::prelude::{Queryable, Selectable};
use token_domain::Timestamp;
use token_domain::id::{OrganizationId, TokenId};
use token_domain::record::{ScopeUse, TokenOrigin};
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

/// A row of `organization_usage`.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = organization_usage)]
pub(crate) struct OrganizationUsageRow {
    organization_id: OrganizationId,
    hour: i32,
    allowed: i64,
    insufficient: i64,
    denied: i64,
}

impl TryFrom<UsageRow> for UsageHour {
    type Error = StoreError;

    fn try_from(row: UsageRow) -> Result<Self, StoreError> {
        let bad = |column| inconsistent("usage of token", row.token_id, column);
        read(row.hour, [row.allowed, row.insufficient, row.denied]).map_err(bad)
    }
}

impl TryFrom<OrganizationUsageRow> for UsageHour {
    type Error = StoreError;

    fn try_from(row: OrganizationUsageRow) -> Result<Self, StoreError> {
        let bad = |column| inconsistent("usage of organization", row.organization_id, column);
        read(row.hour, [row.allowed, row.insufficient, row.denied]).map_err(bad)
    }
}

/// A row of `token_origins`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = token_origins)]
pub(crate) struct OriginRow {
    token_id: TokenId,
    address: String,
    agent: Option<String>,
    first_used_at: Timestamp,
    last_used_at: Timestamp,
}

impl From<OriginRow> for TokenOrigin {
    fn from(row: OriginRow) -> Self {
        let OriginRow { token_id, address, agent, first_used_at, last_used_at } = row;
        Self { token_id, address, agent, first_used_at, last_used_at }
    }
}

/// A row of `token_scope_uses`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = token_scope_uses)]
pub(crate) struct ScopeUseRow {
    token_id: TokenId,
    scope: String,
    last_used_at: Timestamp,
}

impl From<ScopeUseRow> for ScopeUse {
    fn from(row: ScopeUseRow) -> Self {
        Self { token_id: row.token_id, scope: row.scope, last_used_at: row.last_used_at }
    }
}

/// An hour as it stands in a row, or the column that cannot be right.
fn read(hour: i32, [allowed, insufficient, denied]: [i64; 3]) -> Result<UsageHour, &'static str> {
    let count = |count: i64, column| u64::try_from(count).map_err(|_| column);
    Ok(UsageHour {
        hour: Hour::from_number(hour).ok_or("hour")?,
        counts: UseCounts {
            allowed: count(allowed, "allowed")?,
            insufficient: count(insufficient, "insufficient")?,
            denied: count(denied, "denied")?,
        },
    })
}
