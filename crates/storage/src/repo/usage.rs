//! Counts of uses, by token and hour.

use super::listing::total;
use super::{Conn, dialect};
use crate::error::StoreError;
use crate::model::TokenCount;
use crate::rows::{OrganizationUsageRow, UsageRow};
use crate::schema::{organization_usage, token_usage};
use crate::sql_types::Bind;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};
use diesel_async::RunQueryDsl;
use token_domain::id::{OrganizationId, TokenId};
use token_domain::usage::{Hour, UsageHour};

/// Counts written down per statement.
const COUNTS_PER_STATEMENT: usize = 500;

pub(crate) async fn token_usage(
    conn: &mut Conn<'_>,
    token: TokenId,
    first: Hour,
    end: Hour,
) -> Result<Vec<UsageHour>, StoreError> {
    let rows: Vec<UsageRow> = token_usage::table
        .filter(token_usage::token_id.eq(token.bind()))
        .filter(token_usage::hour.ge(first.number()).and(token_usage::hour.lt(end.number())))
        .order(token_usage::hour)
        .select(UsageRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(UsageHour::try_from).collect()
}

pub(crate) async fn organization_usage(
    conn: &mut Conn<'_>,
    organization: OrganizationId,
    first: Hour,
    end: Hour,
) -> Result<Vec<UsageHour>, StoreError> {
    let rows: Vec<OrganizationUsageRow> = organization_usage::table
        .filter(organization_usage::organization_id.eq(organization.bind()))
        .filter(organization_usage::hour.ge(first.number()).and(organization_usage::hour.lt(end.number())))
        .order(organization_usage::hour)
        .select(OrganizationUsageRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(UsageHour::try_from).collect()
}

pub(crate) async fn uses_since(
    conn: &mut Conn<'_>,
    tokens: &[TokenId],
    first: Hour,
) -> Result<Vec<(TokenId, u64)>, StoreError> {
    let mut uses = Vec::new();
    for tokens in tokens.chunks(COUNTS_PER_STATEMENT) {
        let counted: Vec<(TokenId, i64)> = token_usage::table
            .filter(token_usage::token_id.eq_any(tokens.iter().map(|id| id.bind())))
            .filter(token_usage::hour.ge(first.number()))
            .group_by(token_usage::token_id)
            .select((token_usage::token_id, sql::<BigInt>("CAST(sum(allowed + insufficient) AS bigint)")))
            .load(conn)
            .await?;
        for (token, count) in counted {
            uses.push((token, total(count)?));
        }
    }
    Ok(uses)
}

pub(crate) async fn add_counts(conn: &mut Conn<'_>, counts: &[TokenCount]) -> Result<(), StoreError> {
    for chunk in counts.chunks(COUNTS_PER_STATEMENT) {
        dialect::add_counts(conn, chunk).await?;
    }
    Ok(())
}

pub(crate) async fn delete_usage_before(conn: &mut Conn<'_>, end: Hour, limit: u32) -> Result<usize, StoreError> {
    const STATEMENTS: [&str; 2] = [
        "DELETE FROM token_usage WHERE (token_id, hour) IN \
         (SELECT token_id, hour FROM token_usage WHERE hour < $1 ORDER BY hour LIMIT $2)",
        "DELETE FROM organization_usage WHERE (organization_id, hour) IN \
         (SELECT organization_id, hour FROM organization_usage WHERE hour < $1 ORDER BY hour LIMIT $2)",
    ];
    let mut most = 0;
    for statement in STATEMENTS {
        let deletion = diesel::sql_query(statement);
        let deletion = deletion.bind::<Integer, _>(end.number()).bind::<BigInt, _>(i64::from(limit));
        most = most.max(deletion.execute(conn).await?);
    }
    Ok(most)
}
