//! `GET /v1/organizations/{org_id}/token-policy`.

use actix_web::get;
use actix_web::web::{self, Data};
use authority::Context;
use authority::policies::Policies;

use super::view::PolicyView;
use super::{Organization, error};
use crate::surface::Authorized;
use crate::surface::path::PathParam;
use crate::surface::permission::ReadOrganization;
use edge::error::ApiResult;

/// Get the token policy of the organisation.
#[utoipa::path(
    tag = "token policy",
    security(("bearer" = ["org:read"]), ("api_key" = ["org:read"])),
    params(("org_id" = String, Path, description = "The id of the organisation.")),
    responses((status = 200, body = PolicyView))
)]
#[get("/v1/organizations/{org_id}/token-policy")]
pub(super) async fn get_policy(
    who: Authorized<ReadOrganization>,
    PathParam(Organization(id)): PathParam<Organization>,
    policies: Data<Policies>,
    context: Data<Context>,
) -> ApiResult<web::Json<PolicyView>> {
    let policy = policies.get(&who.caller, id).await.map_err(error)?;
    Ok(web::Json(PolicyView::new(id, &policy, context.catalogue())))
}
