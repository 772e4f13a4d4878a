//! Rows of nodes.

use super::inconsistent;
use crate::error::StoreError;
use crate::model::{Consistency, NodeRecord, RegisteredNode};
use crate::schema::nodes;
use diesel::prelude::{Queryable, Selectable};
use token_domain::Timestamp;
use token_domain::id::NodeId;

/// A row of `nodes`.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = nodes)]
pub(crate) struct NodeRow {
    id: NodeId,
    protocol: i16,
    version: String,
    migration: String,
    tag_key: String,
    consistency: String,
    beat: i64,
    applied: String,
    started_at: Timestamp,
    seen_at: Timestamp,
    address: Option<String>,
}

impl TryFrom<NodeRow> for RegisteredNode {
    type Error = StoreError;

    fn try_from(row: NodeRow) -> Result<Self, StoreError> {
        let bad = |column| inconsistent("node", row.id, column);
        Ok(Self {
            beat: row.beat,
            applied: parse_applied(&row.applied).ok_or_else(|| bad("applied"))?,
            started_at: row.started_at,
            seen_at: row.seen_at,
            record: NodeRecord {
                consistency: Consistency::parse(&row.consistency).ok_or_else(|| bad("consistency"))?,
                id: row.id,
                protocol: row.protocol,
                version: row.version,
                migration: row.migration,
                tag_key: row.tag_key,
                address: row.address,
            },
        })
    }
}

/// The column `applied`: numbers separated by commas. An array would be a type that SQLite does not have.
pub(crate) fn applied_text(applied: &[i64]) -> String {
    applied.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}

fn parse_applied(text: &str) -> Option<Vec<i64>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    text.split(',').map(|number| number.parse().ok()).collect()
}
