//! `POST …/actors`: an actor and its token, which is shown here and never again.

use actix_web::web::Data;
use actix_web::{HttpResponse, routes};
use authority::Context;
use authority::actors::{Actors, NewActor};
use serde::Deserialize;
use token_domain::Timestamp;
use token_domain::access::{ActorName, ActorType, Description, ExternalId, Metadata};
use token_domain::id::AccessScopeId;
use utoipa::ToSchema;

use super::view::{ActorView, MadeActorView};
use crate::surface::permission::ManageActors;
use crate::surface::projects::place::At;
use crate::surface::projects::{errors, patch};
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The actor to create.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CreateActor {
    /// 1–255 characters.
    #[schema(example = "pump 7")]
    name: String,
    /// `device`, `user`, `server`, `agent`, `service`, `session`, `orchestrator` or `observer`. Defaults to `device`.
    #[serde(default)]
    actor_type: Option<String>,
    /// 1–500 characters.
    #[serde(default)]
    description: Option<String>,
    /// The identifier of the actor in another system: 1–255 characters.
    #[serde(default)]
    external_id: Option<String>,
    /// A JSON object of at most 4 KiB and 8 levels.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    metadata: Option<Metadata>,
    /// When the actor and its tokens expire (RFC 3339).
    #[serde(default)]
    expires_at: Option<String>,
    /// An access scope of this project. Defaults to none: the actor then acts in the whole project.
    #[serde(default)]
    access_scope_id: Option<String>,
    /// The scopes of its token, which the caller must have as well. Defaults to `self:rotate` only.
    #[serde(default)]
    scopes: Option<Vec<String>>,
}

/// Create an actor and its token.
#[utoipa::path(
    tag = "actors",
    security(("bearer" = ["actors:manage"]), ("api_key" = ["actors:manage"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("project_id" = String, Path, description = "The id of the project."),
    ),
    request_body = CreateActor,
    responses(
        (status = 201, description = "Created.", body = MadeActorView),
        (status = 402, description = "The organisation has reached its token cap.", body = crate::error_body::Error),
        (status = 429, description = "This credential is creating too many secrets at the same time.", body = crate::error_body::Error),
    )
)]
#[routes]
#[post("/v1/organizations/{org_id}/projects/{project_id}/actors")]
#[post("/v1/actors")]
pub(super) async fn create_actor(
    at: At<ManageActors>,
    actors: Data<Actors>,
    context: Data<Context>,
    Json(body): Json<CreateActor>,
) -> ApiResult<HttpResponse> {
    let made = actors.create(at.ground, body.read()?, &at.origin).await.map_err(errors::tenancy)?;
    let actor = ActorView::new(made.actor, context.now(), at.dialect);
    Ok(HttpResponse::Created().json(MadeActorView { actor, access_token: made.secret.expose().to_owned() }))
}

impl CreateActor {
    fn read(self) -> ApiResult<NewActor> {
        Ok(NewActor {
            name: ActorName::parse(&self.name).map_err(|error| ApiError::invalid("name", error.to_string()))?,
            actor_type: patch::read("actorType", self.actor_type.as_ref(), actor_type)?.unwrap_or(ActorType::Device),
            description: patch::read("description", self.description.as_ref(), Description::parse)?,
            external_id: patch::read("externalId", self.external_id.as_ref(), ExternalId::parse)?,
            metadata: self.metadata,
            expires_at: patch::read("expiresAt", self.expires_at.as_ref(), Timestamp::parse_rfc3339)?,
            access_scope_id: patch::read("accessScopeId", self.access_scope_id.as_ref(), AccessScopeId::parse)?,
            scopes: self.scopes,
        })
    }
}

pub(super) fn actor_type(text: &str) -> Result<ActorType, &'static str> {
    ActorType::parse(text).ok_or("must be device, user, server, agent, service, session, orchestrator or observer")
}
