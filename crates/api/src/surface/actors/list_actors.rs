//! `GET …/actors`: the actors of a project, by page.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use authority::Context;
use authority::actors::Actors;
use authority::records::{Listing, ScopedTo};

use super::query::Filter;
use super::view::{ActorView, bare};
use crate::surface::permission::ReadActors;
use crate::surface::projects::errors;
use crate::surface::projects::paging::{ListQuery, PageView};
use crate::surface::projects::place::At;
use edge::error::ApiResult;
use edge::extract::Query;

/// List the project's actors.
#[utoipa::path(
    tag = "actors",
    security(("bearer" = ["actors:read"]), ("api_key" = ["actors:read"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("project_id" = String, Path, description = "The id of the project."),
        ListQuery,
        Filter,
    ),
    responses(
        (status = 200, body = PageView<ActorView>),
    )
)]
#[get("/v1/organizations/{org_id}/projects/{project_id}/actors")]
pub(super) async fn list_actors(
    at: At<ReadActors>,
    actors: Data<Actors>,
    context: Data<Context>,
    Query(wanted): Query<ListQuery>,
    Query(filter): Query<Filter>,
) -> ApiResult<HttpResponse> {
    let page = list(at, &actors, &context, wanted.read()?, filter.read()?).await?;
    Ok(HttpResponse::Ok().json(page))
}

/// List the project's actors.
///
/// This is the short path, for a token that is bound to one project.
#[utoipa::path(
    tag = "actors",
    security(("bearer" = ["actors:read"]), ("api_key" = ["actors:read"])),
    params(
        ListQuery,
        Filter,
    ),
    responses(
        (status = 200, description = "The list. `X-Total-Count` is the number of entries on all pages.", body = Vec<ActorView>),
    )
)]
#[get("/v1/actors")]
pub(super) async fn list_actors_bound(
    at: At<ReadActors>,
    actors: Data<Actors>,
    context: Data<Context>,
    Query(wanted): Query<ListQuery>,
    Query(filter): Query<Filter>,
) -> ApiResult<HttpResponse> {
    let page = list(at, &actors, &context, wanted.read_bare()?, filter.read()?).await?;
    Ok(bare(page))
}

async fn list(
    at: At<ReadActors>,
    actors: &Actors,
    context: &Context,
    listing: Listing,
    scoped_to: ScopedTo,
) -> ApiResult<PageView<ActorView>> {
    let (paging, dialect) = (listing.paging, at.dialect);
    let page = actors.list(at.ground, scoped_to, listing).await.map_err(errors::tenancy)?;
    let now = context.now();
    Ok(PageView::new(page, paging, |actor| ActorView::new(actor, now, dialect)))
}
