//! Rows of token policies.

use super::{inconsistent, span, split_scopes};
use crate::error::StoreError;
use crate::schema::token_policies;
use diesel::prelude::{Queryable, Selectable};
use token_domain::id::OrganizationId;
use token_domain::record::{Principal, StoredRule};
use token_domain::token::Kind;
use token_domain::{Span, Timestamp};

/// A row of `token_policies`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = token_policies)]
pub(crate) struct RuleRow {
    organization_id: OrganizationId,
    kind: String,
    is_permitted: bool,
    default_lifetime: Option<i64>,
    longest_lifetime: Option<i64>,
    idle_after: Option<i64>,
    scopes: Option<String>,
    updated_at: Timestamp,
    updated_by: String,
}

impl TryFrom<RuleRow> for StoredRule {
    type Error = StoreError;

    fn try_from(row: RuleRow) -> Result<Self, StoreError> {
        let bad = |column| inconsistent("token policy of", row.organization_id, column);
        let length = |micros: Option<i64>, column| -> Result<Option<Span>, StoreError> {
            micros.map(|micros| span(micros).ok_or_else(|| bad(column))).transpose()
        };
        Ok(Self {
            organization_id: row.organization_id,
            kind: Kind::parse(&row.kind).ok_or_else(|| bad("kind"))?,
            is_permitted: row.is_permitted,
            default_lifetime: length(row.default_lifetime, "default_lifetime")?,
            longest_lifetime: length(row.longest_lifetime, "longest_lifetime")?,
            idle_after: length(row.idle_after, "idle_after")?,
            scopes: row.scopes.as_deref().map(split_scopes),
            updated_at: row.updated_at,
            updated_by: Principal::parse(&row.updated_by).ok_or_else(|| bad("updated_by"))?,
        })
    }
}
