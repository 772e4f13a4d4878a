//! The servers that share the database: for operators.

mod list_nodes;
mod overseer;

use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config.service(list_nodes::list_nodes);
}
