//! `GET …/scopes/{scope_id}/actors`: the actors inside a tenant boundary.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use authority::Context;
use authority::access_scopes::AccessScopes;
use authority::records::Listing;
use token_domain::id::AccessScopeId;

use crate::surface::actors::view::{ActorView, bare};
use crate::surface::permission::ReadActors;
use crate::surface::projects::errors;
use crate::surface::projects::paging::{ListQuery, PageView};
use crate::surface::projects::place::At;
use edge::error::ApiResult;
use edge::extract::Query;

/// List the actors of an access scope.
#[utoipa::path(
    tag = "access scopes",
    security(("bearer" = ["actors:read"]), ("api_key" = ["actors:read"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("project_id" = String, Path, description = "The id of the project."),
        ("scope_id" = String, Path, description = "The id of the access scope."),
        ListQuery,
    ),
    responses(
        (status = 200, body = PageView<ActorView>),
    )
)]
#[get("/v1/organizations/{org_id}/projects/{project_id}/scopes/{scope_id}/actors")]
pub(super) async fn list_scope_actors(
    at: At<ReadActors, AccessScopeId>,
    scopes: Data<AccessScopes>,
    context: Data<Context>,
    Query(wanted): Query<ListQuery>,
) -> ApiResult<HttpResponse> {
    let page = list(at, &scopes, &context, wanted.read()?).await?;
    Ok(HttpResponse::Ok().json(page))
}

/// List the actors of an access scope.
///
/// This is the short path, for a token that is bound to one project.
#[utoipa::path(
    tag = "access scopes",
    security(("bearer" = ["actors:read"]), ("api_key" = ["actors:read"])),
    params(
        ("scope_id" = String, Path, description = "The id of the access scope."),
        ListQuery,
    ),
    responses(
        (status = 200, description = "The list. `X-Total-Count` is the number of entries on all pages.", body = Vec<ActorView>),
    )
)]
#[get("/v1/scopes/{scope_id}/actors")]
pub(super) async fn list_scope_actors_bound(
    at: At<ReadActors, AccessScopeId>,
    scopes: Data<AccessScopes>,
    context: Data<Context>,
    Query(wanted): Query<ListQuery>,
) -> ApiResult<HttpResponse> {
    Ok(bare(list(at, &scopes, &context, wanted.read_bare()?).await?))
}

async fn list(
    at: At<ReadActors, AccessScopeId>,
    scopes: &AccessScopes,
    context: &Context,
    listing: Listing,
) -> ApiResult<PageView<ActorView>> {
    let (paging, dialect) = (listing.paging, at.dialect);
    let page = scopes.actors(at.ground, at.id, listing).await.map_err(errors::tenancy)?;
    let now = context.now();
    Ok(PageView::new(page, paging, |actor| ActorView::new(actor, now, dialect)))
}
