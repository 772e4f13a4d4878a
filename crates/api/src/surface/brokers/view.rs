//! An actor as a broker reads it.

use std::collections::BTreeMap;

use authority::actors::Connection;
use serde::Serialize;
use token_domain::access::TopicPattern;
use utoipa::ToSchema;

/// The connected actor: who it is and what it may use. What this service sets no limit for is `null`.
#[derive(Serialize, ToSchema)]
pub(super) struct BrokerClient {
    actor_token_id: String,
    organization_id: String,
    project_id: String,
    project_name: String,
    actor_type: &'static str,
    /// The access scope of the actor. Absent if it acts in the whole project.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope_slug: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope_name: Option<String>,
    /// The project, as the one application of a broker.
    apps: [BrokerApp; 1],
    max_connections: Option<u32>,
    max_message_size_bytes: Option<u32>,
    persistent_session: bool,
    session_expiry_seconds: u32,
    /// When the connection must end, in seconds since 1970; `null` if the token does not expire.
    auth_expires_at: Option<i64>,
}

/// A project, in a broker's words.
#[derive(Serialize, ToSchema)]
pub(super) struct BrokerApp {
    app_id: String,
    app_name: String,
    app_slug: String,
    allowed_topics: [AllowedTopic; 1],
    /// Always empty, as are the next fields: this service keeps no lobbies, subscriptions or hooks of a broker.
    allowed_lobbies: [String; 0],
    active_subscriptions: [String; 0],
    #[schema(value_type = Option<bool>)]
    hydration_webhook: (),
    #[schema(value_type = Option<bool>)]
    trigger_webhook: (),
    topic_webhooks: BTreeMap<String, String>,
}

/// Topics that an actor may use.
#[derive(Serialize, ToSchema)]
pub(super) struct AllowedTopic {
    /// A pattern, in which `+` stands for one part.
    #[schema(value_type = String, example = "fleet/acme/+/+")]
    pattern: TopicPattern,
    /// `pubSub`
    permission: &'static str,
    app_id: String,
}

impl AllowedTopic {
    pub(super) fn of(connection: &Connection) -> Self {
        Self { pattern: connection.topics(), permission: "pubSub", app_id: connection.project.id.to_string() }
    }
}

impl From<&Connection> for BrokerClient {
    fn from(connection: &Connection) -> Self {
        let Connection { actor, project, access_scope, ends_at } = connection;
        let scope = access_scope.as_ref();
        Self {
            actor_token_id: actor.id.to_string(),
            organization_id: project.organization_id.to_string(),
            project_id: project.id.to_string(),
            project_name: project.name.to_string(),
            actor_type: actor.actor_type.as_str(),
            scope_id: scope.map(|scope| scope.id.to_string()),
            scope_slug: scope.map(|scope| scope.slug.to_string()),
            scope_name: scope.and_then(|scope| scope.name.as_ref()).map(ToString::to_string),
            apps: [BrokerApp {
                app_id: project.id.to_string(),
                app_name: project.name.to_string(),
                app_slug: project.slug.to_string(),
                allowed_topics: [AllowedTopic::of(connection)],
                allowed_lobbies: [],
                active_subscriptions: [],
                hydration_webhook: (),
                trigger_webhook: (),
                topic_webhooks: BTreeMap::new(),
            }],
            max_connections: None,
            max_message_size_bytes: None,
            persistent_session: false,
            session_expiry_seconds: 0,
            auth_expires_at: ends_at.map(|moment| moment.as_micros().div_euclid(1_000_000)),
        }
    }
}
