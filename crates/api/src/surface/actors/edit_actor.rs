//! `PATCH …/actors/{actor_id}`: the actor and, with it, its tokens.

use actix_web::routes;
use actix_web::web::{self, Data};
use authority::Context;
use authority::actors::{ActorChange, Actors};
use serde::Deserialize;
use token_domain::Timestamp;
use token_domain::access::{ActorName, Description, ExternalId, Metadata};
use token_domain::id::{AccessScopeId, ActorId};
use utoipa::ToSchema;

use super::create_actor::actor_type;
use super::view::ActorView;
use crate::surface::permission::ManageActors;
use crate::surface::projects::errors;
use crate::surface::projects::patch::Patch;
use crate::surface::projects::place::At;
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The changes. Fields that are left out stay unchanged.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EditActor {
    /// 1–255 characters.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    name: Patch<String>,
    /// `device`, `user`, `server`, `agent`, `service`, `session`, `orchestrator` or `observer`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    actor_type: Patch<String>,
    /// 1–500 characters; `null` removes it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    description: Patch<String>,
    /// The identifier of the actor in another system; `null` removes it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    external_id: Patch<String>,
    /// A JSON object of at most 4 KiB and 8 levels; `null` removes it.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    metadata: Patch<Metadata>,
    /// An access scope of this project; `null` for the whole project.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    access_scope_id: Patch<String>,
    /// When the actor and its tokens expire (RFC 3339); `null` for never.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    expires_at: Patch<String>,
    /// `active` or `disabled`.
    #[serde(default)]
    status: Option<String>,
    /// A boolean alternative to `status`.
    #[serde(default)]
    is_active: Option<bool>,
}

/// Update an actor.
///
/// Changes to its access scope and status apply from the next validation of its tokens.
#[utoipa::path(
    tag = "actors",
    security(("bearer" = ["actors:manage"]), ("api_key" = ["actors:manage"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("project_id" = String, Path, description = "The id of the project."),
        ("actor_id" = String, Path, description = "The id of the actor."),
    ),
    request_body = EditActor,
    responses(
        (status = 200, body = ActorView),
    )
)]
#[routes]
#[patch("/v1/organizations/{org_id}/projects/{project_id}/actors/{actor_id}")]
#[patch("/v1/actors/{actor_id}")]
pub(super) async fn edit_actor(
    at: At<ManageActors, ActorId>,
    actors: Data<Actors>,
    context: Data<Context>,
    Json(body): Json<EditActor>,
) -> ApiResult<web::Json<ActorView>> {
    let actor = actors.edit(at.ground, at.id, body.read()?, &at.origin).await.map_err(errors::tenancy)?;
    Ok(web::Json(ActorView::new(actor, context.now(), at.dialect)))
}

impl EditActor {
    fn read(self) -> ApiResult<ActorChange> {
        Ok(ActorChange {
            enabled: self.enabled()?,
            name: self.name.value("name", |text| ActorName::parse(text))?,
            actor_type: self.actor_type.value("actorType", |text| actor_type(text))?,
            description: self.description.change("description", |text| Description::parse(text))?,
            external_id: self.external_id.change("externalId", |text| ExternalId::parse(text))?,
            metadata: self.metadata.change("metadata", |metadata| Ok::<_, &str>(metadata.clone()))?,
            access_scope_id: self.access_scope_id.change("accessScopeId", |text| AccessScopeId::parse(text))?,
            expires_at: self.expires_at.change("expiresAt", |text| Timestamp::parse_rfc3339(text))?,
        })
    }

    /// Whether the actor is to be switched on or off, which two fields can express.
    fn enabled(&self) -> ApiResult<Option<bool>> {
        let by_status = match self.status.as_deref() {
            None => None,
            Some("active") => Some(true),
            Some("disabled") => Some(false),
            Some(_) => return Err(ApiError::invalid("status", "must be active or disabled")),
        };
        match (by_status, self.is_active) {
            (Some(one), Some(other)) if one != other => Err(ApiError::invalid("isActive", "must agree with status")),
            (by_status, is_active) => Ok(by_status.or(is_active)),
        }
    }
}
