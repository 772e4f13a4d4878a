//! An actor as the wire shows it, in this family's own words and in those of the published clients.

use actix_web::HttpResponse;
use authority::records::Actor;
use serde::Serialize;
use token_domain::Timestamp;
use token_domain::access::Metadata;
use token_domain::tenant::ActorStatus;
use utoipa::ToSchema;

use crate::surface::projects::paging::PageView;
use crate::surface::projects::place::Dialect;

/// The total of a bare list.
const TOTAL: &str = "X-Total-Count";

/// An actor. Times are in UTC with milliseconds.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Actor)]
pub(in crate::surface) struct ActorView {
    actor_id: String,
    /// The same as `actorId`. Only present on the short paths.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_token_id: Option<String>,
    project_id: String,
    name: String,
    /// `device`, `user`, `server`, `agent`, `service`, `session`, `orchestrator` or `observer`.
    actor_type: &'static str,
    description: Option<String>,
    /// The current status: `active`, `disabled` or `expired`.
    status: &'static str,
    /// Whether `status` is `active`. Only present on the short paths.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_active: Option<bool>,
    external_id: Option<String>,
    #[schema(value_type = Option<Object>)]
    metadata: Option<Metadata>,
    /// The access scope of the actor; `null` if it acts in the whole project.
    access_scope_id: Option<String>,
    expires_at: Option<String>,
    /// The time of the last use; up to ten seconds old.
    last_used_at: Option<String>,
    /// The same as `lastUsedAt`, under the name that earlier clients read.
    last_connected_at: Option<String>,
    created_at: String,
    updated_at: String,
}

/// The actor that was created.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MadeActor)]
pub(super) struct MadeActorView {
    #[serde(flatten)]
    pub(super) actor: ActorView,
    /// The token of the actor. Shown only once.
    #[schema(example = "nlp_00112233445566778899aabbccddeeff550c911c")]
    pub(super) access_token: String,
}

/// The actor with its new token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RotatedActor)]
pub(super) struct RotatedActorView {
    #[serde(flatten)]
    pub(super) actor: ActorView,
    /// The new token. Shown only once.
    #[schema(example = "nlp_00112233445566778899aabbccddeeff550c911c")]
    pub(super) access_token: String,
    /// Until when the previous token stays valid; `null` if there was no valid one.
    pub(super) grace_period_ends_at: Option<String>,
}

impl ActorView {
    pub(in crate::surface) fn new(actor: Actor, now: Timestamp, dialect: Dialect) -> Self {
        let status = ActorStatus::at(actor.disabled_at, actor.expires_at, now);
        let (actor_token_id, is_active) = match dialect {
            Dialect::Own => (None, None),
            Dialect::Client => (Some(actor.id.to_string()), Some(status == ActorStatus::Active)),
        };
        let last_used_at = actor.last_used_at.map(Timestamp::rfc3339_millis);
        Self {
            actor_id: actor.id.to_string(),
            actor_token_id,
            project_id: actor.project_id.to_string(),
            name: actor.name.to_string(),
            actor_type: actor.actor_type.as_str(),
            description: actor.description.map(|text| text.to_string()),
            status: status.as_str(),
            is_active,
            external_id: actor.external_id.map(|id| id.to_string()),
            metadata: actor.metadata,
            access_scope_id: actor.access_scope_id.map(|id| id.to_string()),
            expires_at: actor.expires_at.map(Timestamp::rfc3339_millis),
            last_connected_at: last_used_at.clone(),
            last_used_at,
            created_at: actor.created_at.rfc3339_millis(),
            updated_at: actor.updated_at.rfc3339_millis(),
        }
    }
}

/// A page as a bare list, which the published clients expect; the total is in a header.
pub(in crate::surface) fn bare(page: PageView<ActorView>) -> HttpResponse {
    HttpResponse::Ok().insert_header((TOTAL, page.meta.total.to_string())).json(page.data)
}
