//! `GET …/scopes/{scope_id}/namespace`: the full topic for a topic named by an actor of the boundary.

use actix_web::routes;
use actix_web::web::{self, Data};
use authority::access_scopes::AccessScopes;
use serde::Serialize;
use token_domain::access::Topic;
use token_domain::id::AccessScopeId;
use utoipa::ToSchema;

use crate::surface::actors::query::TopicQuery;
use crate::surface::permission::ReadAccessScopes;
use crate::surface::projects::errors;
use crate::surface::projects::place::At;
use edge::error::ApiResult;
use edge::extract::Query;

/// An effective topic.
#[derive(Serialize, ToSchema)]
struct Namespaced {
    #[schema(value_type = String, example = "acme/room/topic")]
    topic: Topic,
}

/// Get the effective topic of an actor in this access scope.
#[utoipa::path(
    tag = "access scopes",
    security(("bearer" = ["access-scopes:read"]), ("api_key" = ["access-scopes:read"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("project_id" = String, Path, description = "The id of the project."),
        ("scope_id" = String, Path, description = "The id of the access scope."),
        TopicQuery,
    ),
    responses(
        (status = 200, body = Namespaced),
    )
)]
#[routes]
#[get("/v1/organizations/{org_id}/projects/{project_id}/scopes/{scope_id}/namespace")]
#[get("/v1/scopes/{scope_id}/namespace")]
pub(super) async fn get_namespace(
    at: At<ReadAccessScopes, AccessScopeId>,
    scopes: Data<AccessScopes>,
    Query(query): Query<TopicQuery>,
) -> ApiResult<web::Json<Namespaced>> {
    let topic = scopes.namespace(at.ground, at.id, &query.read()?).await.map_err(errors::tenancy)?;
    Ok(web::Json(Namespaced { topic }))
}
