//! `GET /v1/nodes`: the servers that share the database, with the log place that each has applied.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::Context;
use authority::nodes::{ListedNode, is_strict};
use serde::Serialize;
use token_domain::Timestamp;
use utoipa::ToSchema;

use super::overseer::Overseer;
use crate::surface::failing;
use edge::error::ApiResult;

/// A node that shares the database with others.
#[derive(Serialize, ToSchema)]
struct NodeView {
    /// The id of the node. It changes at every start.
    id: String,
    /// The version of the program.
    #[schema(example = "0.1.0")]
    version: String,
    /// The newest migration known to the node's program.
    #[schema(example = "20260101004400_nodes")]
    migration: String,
    /// When the node answers a change that takes rights away: `strict` or `relaxed`.
    #[schema(pattern = "^(?:strict|relaxed)$", example = "strict")]
    consistency: &'static str,
    /// The id of the key that tags are made with. It must be the same on all nodes; otherwise a token costs a
    /// slow hash each time it moves to another node.
    #[schema(example = "5f1c0a9e")]
    tag_key: String,
    started_at: String,
    /// When the node last reported.
    seen_at: String,
    /// The number of log entries that the node has applied.
    #[schema(minimum = 0, example = 4711)]
    applied: i64,
    /// The number of log entries that another node has applied and this one has not reported yet.
    #[schema(minimum = 0, example = 0)]
    behind: i64,
    /// The age of the oldest change in the log that the node has not reported to have applied, in milliseconds; 0 if there is
    /// none. A node reports every 100 ms, and at once when it hears of a change.
    #[schema(minimum = 0, example = 0)]
    applied_lag_ms: i64,
    /// The greatest remaining time for which the node may answer from memory, in milliseconds; 0 if the node has stopped
    /// reporting.
    #[schema(minimum = 0, maximum = 5000, example = 4900)]
    lease_remaining_ms: i64,
    /// Where the node is reached: `cluster.advertise` of its configuration, or what it listens on. Null for a node that does
    /// not listen yet, and for one of an earlier version.
    #[schema(required, max_length = 255, example = "10.0.0.7:8080")]
    address: Option<String>,
}

/// The nodes that share the database.
#[derive(Serialize, ToSchema)]
struct NodeList {
    /// The nodes in the order of registration. Empty with SQLite, which a single process serves.
    nodes: Vec<NodeView>,
    /// Whether every node is strict, so that a change that takes rights away holds on all of them when it is answered.
    #[schema(example = true)]
    strict: bool,
}

/// List the nodes that share the database.
///
/// For operators: requires the service token of the deployment, or `admin` in the organisation that was created at
/// set-up. Callers from other organisations get 404.
#[utoipa::path(
    tag = "operations",
    security(("bearer" = []), ("api_key" = [])),
    responses(
        (status = 200, description = "The nodes.", body = NodeList),
        (status = 429, description = "There were too many wrong service tokens.", body = crate::error_body::Error),
    )
)]
#[get("/v1/nodes")]
pub(super) async fn list_nodes(_overseer: Overseer, context: Data<Context>) -> ApiResult<web::Json<NodeList>> {
    let (nodes, now) = context.nodes().await.map_err(|failure| failing::failed(&failure))?;
    let strict = is_strict(&nodes);
    Ok(web::Json(NodeList { strict, nodes: nodes.into_iter().map(|listed| view(listed, now)).collect() }))
}

fn view(listed: ListedNode, now: Timestamp) -> NodeView {
    let (lag, left) = (listed.applied_lag(now), listed.lease_left(now));
    let ListedNode { node, applied, behind, .. } = listed;
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
        applied_lag_ms: lag.as_micros() / 1_000,
        lease_remaining_ms: left.as_micros() / 1_000,
        address: node.record.address,
    }
}
