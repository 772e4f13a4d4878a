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

/// Delete an access scope.
///
/// Its actors are not deleted; they no longer have an access scope.
#[utoipa::path(
    tag = "access scopes",
    security(("bearer" = ["access-scopes:manage"]), ("api_key" = ["access-scopes:manage"])),
    params(
        ("org_id" = String, Path, description = "The id of the organisation."),
        ("project_id" = String, Path, description = "The id of the project."),
        ("scope_id" = String, Path, description = "The id of the access scope."),
        Deletion,
        ListQuery,
    ),
    responses(
        (status = 200, description = "A dry run: the actors that the deletion would affect.", body = PageView<ActorView>),
        (status = 204, description = "Deleted. Later validations no longer show it."),
        (status = 409, description = "It has actors, and `ifAssigned` is `reject`.", body = crate::error_body::Error),
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
