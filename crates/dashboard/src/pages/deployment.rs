//! The deployment, for operators: whether it is ready, and the servers that share the database.

use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, get};
use askama::Template;
use authority::nodes::ListedNode;
use token_domain::Timestamp;

use crate::answer::{Answer, either, ok};
use crate::layout::{Layout, Section};
use crate::services::Services;
use crate::show::{self, Badge, When};
use crate::visit::Visitor;

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(deployment_shown);
}

/// A server.
#[derive(Clone, Debug)]
struct NodeLine {
    id: String,
    version: String,
    migration: String,
    consistency: &'static str,
    started: When,
    seen: When,
    behind: String,
    address: Option<String>,
    badge: Badge,
}

#[derive(Template)]
#[template(path = "deployment.html")]
struct DeploymentPage {
    page: Layout,
    version: &'static str,
    database: &'static str,
    nodes: Vec<NodeLine>,
    /// Uses of tokens that are counted in memory and not yet written to the database.
    waiting: String,
    /// Whether the servers run different versions, or know different migrations.
    is_mixed: bool,
}

#[get("/deployment")]
async fn deployment_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(show_deployment(&request, &services).await)
}

async fn show_deployment(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    let failed = |failure| visitor.failed(request, &failure);
    if !services.context.is_operator(&visitor.caller).await.map_err(failed)? {
        return Err(visitor.not_found(request));
    }
    let (nodes, now) = services.context.nodes().await.map_err(failed)?;
    let versions = |node: &ListedNode| (node.node.record.version.clone(), node.node.record.migration.clone());
    let is_mixed = nodes.windows(2).any(|pair| versions(&pair[0]) != versions(&pair[1]));
    let layout = Layout::of(request, &visitor, Section::Settings, "Deployment");
    let template = DeploymentPage {
        version: env!("CARGO_PKG_VERSION"),
        database: if nodes.is_empty() { "SQLite, one server" } else { "PostgreSQL" },
        is_mixed,
        waiting: match u64::try_from(services.context.unwritten_uses(now).tokens).unwrap_or(u64::MAX) {
            0 => "none".to_owned(),
            tokens => format!("of {}", show::count(tokens, "token")),
        },
        nodes: nodes.into_iter().map(|listed| line(listed, now)).collect(),
        page: layout.clone(),
    };
    Ok(layout.shown(request, ok(&template)))
}

fn line(listed: ListedNode, now: Timestamp) -> NodeLine {
    let (lag, left) = (listed.applied_lag(now), listed.lease_left(now));
    let ListedNode { node, behind, .. } = listed;
    let badge = match (left.as_micros(), behind) {
        (..=0, _) => Badge { tone: "warn", text: "Not reporting".to_owned() },
        (_, 0) => Badge { tone: "good", text: "Up to date".to_owned() },
        (_, behind) => Badge { tone: "info", text: format!("{behind} behind") },
    };
    let changes = show::count(u64::try_from(behind).unwrap_or(0), "change");
    NodeLine {
        id: show::short(&node.record.id.to_string()),
        version: node.record.version,
        migration: node.record.migration,
        consistency: node.record.consistency.as_str(),
        started: When::new(node.started_at, now),
        seen: When::new(node.seen_at, now),
        behind: if behind == 0 { changes } else { format!("{changes}, {} ms", lag.as_micros() / 1_000) },
        address: node.record.address,
        badge,
    }
}
