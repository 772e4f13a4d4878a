//! The nodes that share a database.

use super::Conn;
use crate::error::StoreError;
use crate::model::RegisteredNode;
use crate::rows::NodeRow;
use crate::schema::nodes;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

pub(crate) async fn list_nodes(conn: &mut Conn<'_>) -> Result<Vec<RegisteredNode>, StoreError> {
    let rows: Vec<NodeRow> =
        nodes::table.order((nodes::started_at, nodes::id)).select(NodeRow::as_select()).load(conn).await?;
    rows.into_iter().map(RegisteredNode::try_from).collect()
}
