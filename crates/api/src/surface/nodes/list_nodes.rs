//! `GET /v1/nodes`: the servers that share the database, with the log place that each has applied.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::Context;
use authority::nodes::ListedNode;
use serde::Serialize;
use token_domain::Timestamp;
use utoipa::ToSchema;

use super::overseer::Overseer;
use crate::surface::failing;
use edge::error::ApiResult;

/// A server that shares the database with others.
#[derive(Serialize, ToSchema)]
struct NodeView {
    /// Another with each start.
    id: String,
    /// Of the program.
    #[schema(example = "0.1.0")]
    version: String,
    /// The newest migration the program knows.
    #[schema(example = "20260101004400_nodes")]
    migration: String,
    /// `strict` or `relaxed`: when it answers a change that takes rights away.
    #[schema(pattern = "^(?:strict|relaxed)$", example = "strict")]
    consistency: &'static str,
    /// Which key its tags are made with: the same on all nodes, or each token costs a slow hash on every change of node.
    #[schema(example = "5f1c0a9e")]
    tag_key: String,
    started_at: String,
    /// When it reported last.
    seen_at: String,
    /// Entries of the log of changes it has applied.
    #[schema(minimum = 0, example = 4711)]
    applied: i64,
    /// Entries that another node has applied and this one has not reported yet.
    #[schema(minimum = 0, example = 0)]
    behind: i64,
    /// What is left of the time for which it may answer from memory, at least; 0 when nobody knows whether it is there.
    #[schema(minimum = 0, maximum = 5, example = 4.2)]
    lease_seconds: f64,
}

/// The servers that share the database.
#[derive(Serialize, ToSchema)]
struct NodeList {
    /// In the order they registered in. Empty where one process serves an SQLite file.
    nodes: Vec<NodeView>,
}

/// List the servers that share the database.
///
/// For operators: by the deployment's service token, or by `admin` in the organisation that set-up made. In other organisations
/// it is not there.
#[utoipa::path(
    tag = "operations",
    security(("bearer" = []), ("api_key" = [])),
    responses(
        (status = 200, description = "the nodes", body = NodeList),
        (status = 429, description = "too many wrong service tokens lately", body = crate::error_body::Error),
    )
)]
#[get("/v1/nodes")]
pub(super) async fn list_nodes(_overseer: Overseer, context: Data<Context>) -> ApiResult<web::Json<NodeList>> {
    let (nodes, now) = context.nodes().await.map_err(|failure| failing::failed(&failure))?;
    Ok(web::Json(NodeList { nodes: nodes.into_iter().map(|listed| view(listed, now)).collect() }))
}

fn view(listed: ListedNode, now: Timestamp) -> NodeView {
    let left = u64::try_from(listed.lease_left(now).as_micros()).unwrap_or(0);
    let ListedNode { node, applied, behind } = listed;
    NodeView {
        id: node.record.id.to_string(),
        version: node.record.version,
        migration: node.record.migration,
        consistency: node.record.consistency.as_str(),
        tag_key: node.record.tag_key,
        started_at: node.started_at.rfc3339_seconds(),
        seen_at: node.seen_at.rfc3339_seconds(),
        applied,
        behind,
        lease_seconds: std::time::Duration::from_micros(left).as_secs_f64(),
    }
}
