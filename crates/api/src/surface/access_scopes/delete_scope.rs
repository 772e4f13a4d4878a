//! `DELETE …/scopes/{scope_id}`: its actors become unscoped in the same transaction.

use actix_web::web::Data;
use actix_web::{HttpResponse, routes};
use authority::Context;
use authority::access_scopes::AccessScopes;
use token_domain::id::AccessScopeId;

use crate::surface::actors::view::ActorView;
use crate::surface::permission::ManageAccessScopes;
use crate::surface::projects::deletion::{Deletion, Mode};
use crate::surface::projects::errors;
use crate::surface::projects::paging::{ListQuery, PageView};
use crate::surface::projects::place::At;
use edge::error::ApiResult;
use edge::extract::Query;

/// Delete an access scope. Its actors become unscoped.
#[utoipa::path(
    tag = "access scopes",
    security(("bearer" = ["access-scopes:manage"]), ("api_key" = ["access-scopes:manage"])),
    params(
        ("org_id" = String, Path, description = "the organisation's id"),
        ("project_id" = String, Path, description = "the project's id"),
        ("scope_id" = String, Path, description = "the access scope's id"),
        Deletion,
        ListQuery,
    ),
    responses(
        (status = 200, description = "a dry run: the actors concerned", body = PageView<ActorView>),
        (status = 204, description = "gone; no validation from now on names it"),
        (status = 409, description = "it has actors, and that was to stop it", body = crate::error_body::Error),
    )
)]
#[routes]
#[delete("/v1/organizations/{org_id}/projects/{project_id}/scopes/{scope_id}")]
#[delete("/v1/scopes/{scope_id}")]
pub(super) async fn delete_scope(
    at: At<ManageAccessScopes, AccessScopeId>,
    scopes: Data<AccessScopes>,
    context: Data<Context>,
    Query(deletion): Query<Deletion>,
    Query(wanted): Query<ListQuery>,
) -> ApiResult<HttpResponse> {
    match deletion.read()? {
        (if_assigned, Mode::DryRun) => {
            let listing = wanted.read()?;
            let paging = listing.paging;
            let page = scopes.preview_delete(at.ground, at.id, if_assigned, listing).await.map_err(errors::tenancy)?;
            let now = context.now();
            let view = |actor| ActorView::new(actor, now, at.dialect);
            Ok(HttpResponse::Ok().json(PageView::new(page, paging, view)))
        }
        (if_assigned, Mode::Real) => {
            scopes.delete(at.ground, at.id, if_assigned, &at.origin).await.map_err(errors::tenancy)?;
            Ok(HttpResponse::NoContent().finish())
        }
    }
}
